"""The owner's direct wishes: a device's power kept to what the owner set, until a given time."""

from dataclasses import dataclass

from programs.inputs import Inputs
from programs.proposal import Bounds, Proposal, Rank

ID = "owner"


@dataclass(frozen=True, slots=True)
class OwnerWish:
    """One wish about one device.

    Attributes:
        device: Its id.
        until: UTC epoch seconds at which the wish ends.
        bounds: Power in W that the owner wants it kept to: an upper bound of 0 stops it, a
            lower bound above 0 protects it from all that is weaker than the owner's word.
        preferred_w: Power in W that it should have; None for no preference.
        reason: What the page shows, one sentence.
    """

    device: str
    until: float
    bounds: Bounds = Bounds()  # noqa: RUF009 (frozen, so one instance serves all)
    preferred_w: float | None = None
    reason: str = "The owner set it so"


@dataclass(frozen=True, slots=True)
class ComfortPolicy:
    """The wishes that stand."""

    wishes: tuple[OwnerWish, ...] = ()


def propose(inputs: Inputs, policy: ComfortPolicy) -> tuple[Proposal, ...]:
    """Return a proposal for each wish that has not ended and whose device is known.

    Args:
        inputs: The home and what is asked of it.
        policy: The wishes that stand.
    """
    return tuple(
        Proposal(
            ID,
            Rank.OWNER,
            wish.device,
            wish.bounds,
            wish.preferred_w,
            wish.until,
            reason=wish.reason,
        )
        for wish in policy.wishes
        if inputs.now < wish.until and wish.device in inputs.devices
    )
