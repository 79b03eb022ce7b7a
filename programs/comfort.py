"""The owner's direct wishes: a device's power kept to what the owner set, until a given time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from der.model import DeviceState
from programs.proposal import Bounds, Proposal, Rank
from programs.signal import Signal

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


def propose(
    signals: Sequence[Signal],  # noqa: ARG001 (one signature for all programmes)
    devices: Mapping[str, DeviceState],
    net_w: float | None,  # noqa: ARG001
    now: float,
    policy: ComfortPolicy,
) -> tuple[Proposal, ...]:
    """Return a proposal for each wish that has not ended and whose device is known.

    Args:
        signals: All signals from outside.
        devices: The home's devices, by id.
        net_w: Net power at the meter in W, import positive; None while unknown.
        now: UTC epoch seconds.
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
        if now < wish.until and wish.device in devices
    )
