"""The owner's direct wishes: a device's power kept to what the owner set, until a given time."""

from dataclasses import dataclass

from programs.inputs import Inputs
from programs.owner import OwnerWish
from programs.proposal import Proposal, Rank

ID = "owner"


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
