"""What storage does when nobody asks anything: bring the meter to zero, or wait for an event."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from der.model import Control
from der.sentence import say
from programs.about import About
from programs.inputs import Inputs
from programs.proposal import HOME, Bounds, Proposal, Rank

ID = "self-consumption"

ABOUT: Final = About(
    use_cases=(),
    title="Self-consumption",
    triggered_by="The home itself, while nothing else is asked of the batteries",
    asks="Batteries bring the meter to zero: they take what the sun leaves over and give what "
    "the house lacks.",
    ends="When an event, a plan or a wish asks otherwise.",
    leaving="Batteries then rest unless something else is asked, and the sun's surplus is sold.",
)


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


def propose(inputs: Inputs, policy: SelfConsumptionPolicy) -> tuple[Proposal, ...]:
    """Return the home's preferred net power, or zero for each battery that is held.

    Args:
        inputs: The home and what is asked of it.
        policy: How storage is used.
    """
    expires_at = inputs.now + policy.valid_s
    batteries = [s.spec.id for s in inputs.devices.values() if s.spec.control is Control.TARGET]
    if policy.use is StorageUse.HOLD:
        reason = say("The battery keeps its charge for an event")
        return tuple(
            Proposal(ID, Rank.IDLE, battery, Bounds(), 0.0, expires_at, reason=reason)
            for battery in batteries
        )
    if not batteries:
        return ()
    reason = say("The battery evens out what the house takes and the sun gives")
    return (Proposal(ID, Rank.ECONOMY, HOME, Bounds(), policy.net_w, expires_at, reason=reason),)
