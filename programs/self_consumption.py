"""What storage does when nobody asks anything: bring the meter to zero, or wait for an event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from der.model import Control, DeviceState
from programs.proposal import HOME, Bounds, Proposal, Rank
from programs.signal import Signal

ID = "self-consumption"


class StorageUse(StrEnum):
    """What the owner keeps the battery for."""

    SELF_CONSUMPTION = "self-consumption"
    """Takes what the sun leaves over and gives it back to the house, though not to the car."""
    HOLD = "hold"
    """Idles with what it has, until an event needs it."""


@dataclass(frozen=True, slots=True)
class SelfConsumptionPolicy:
    """How storage is used.

    Attributes:
        use: What the owner keeps the battery for.
        net_w: Net power in W that self-consumption aims at; 0 takes and gives nothing.
        valid_s: How long one statement lasts unless renewed, in s.
    """

    use: StorageUse = StorageUse.SELF_CONSUMPTION
    net_w: float = 0.0
    valid_s: float = 60.0


def propose(
    signals: Sequence[Signal],  # noqa: ARG001 (one signature for all programmes)
    devices: Mapping[str, DeviceState],
    net_w: float | None,  # noqa: ARG001
    now: float,
    policy: SelfConsumptionPolicy,
) -> tuple[Proposal, ...]:
    """Return the home's preferred net power, or zero for each battery that is held.

    Args:
        signals: All signals from outside.
        devices: The home's devices, by id.
        net_w: Net power at the meter in W, import positive; None while unknown.
        now: UTC epoch seconds.
        policy: How storage is used.
    """
    expires_at = now + policy.valid_s
    batteries = [s.spec.id for s in devices.values() if s.spec.control is Control.TARGET]
    if policy.use is StorageUse.HOLD:
        reason = "The battery keeps its charge for an event"
        return tuple(
            Proposal(ID, Rank.IDLE, battery, Bounds(), 0.0, expires_at, reason=reason)
            for battery in batteries
        )
    if not batteries:
        return ()
    reason = "The battery evens out what the house takes and the sun gives"
    return (Proposal(ID, Rank.ECONOMY, HOME, Bounds(), policy.net_w, expires_at, reason=reason),)
