"""On how many phases a charger shall charge that can switch between one and three. Pure.

A car on three phases cannot be offered less than 3 x 6 A (4.1 kW), on one phase it can: so less
than that is charged on one. Each switch interrupts charging and wears a contactor; two are at
least `HOLD_S` apart, and a power around the border does not make it go to and fro.
"""

from dataclasses import dataclass
from typing import Final

from der.addresses import Wiring

ONE: Final = 1
THREE: Final = 3
HOLD_S: Final = 300.0
"""Least time between two switches, in s."""
UP_SHARE: Final = 1.05
"""Three phases are gone to from one only with this much more than their least power."""


@dataclass(frozen=True, slots=True)
class PhaseChoice:
    """The phases chosen.

    Attributes:
        phases: How many.
        since: When they were gone to, UTC epoch seconds.
        again_at: When another choice is due because this one only waits; None if it suits.
    """

    phases: int
    since: float
    again_at: float | None = None

    def shifted(self, step_s: float) -> "PhaseChoice":
        """Return it once the clock was set by so many seconds."""
        again_at = None if self.again_at is None else self.again_at + step_s
        return PhaseChoice(self.phases, self.since + step_s, again_at)


def least_w(wiring: Wiring, phases: int) -> float:
    """Return the least power in W that a car can be offered on so many phases."""
    return wiring.least_a * wiring.voltage_v * phases


def preferred(power_w: float, wiring: Wiring) -> int:
    """Return the phases for a power where nothing has been chosen before."""
    if not wiring.switches_phases:
        return wiring.phases
    return THREE if power_w >= least_w(wiring, THREE) else ONE


def choose(power_w: float, wiring: Wiring, before: PhaseChoice | None, now: float) -> PhaseChoice:
    """Choose the phases for a greatest power.

    Args:
        power_w: W; what is too little for one phase pauses, and leaves the phases as they are.
        wiring: The charger's.
        before: What was chosen last; None if that is not known.
        now: UTC epoch seconds.
    """
    if before is None or not wiring.switches_phases:
        return PhaseChoice(preferred(power_w, wiring), now)
    here = before.phases
    border_w = least_w(wiring, THREE) * (UP_SHARE if here == ONE else 1.0)
    wanted = THREE if power_w >= border_w else ONE
    if wanted == here or power_w < least_w(wiring, ONE):
        return PhaseChoice(here, before.since)
    free_at = before.since + HOLD_S
    if before.since <= now < free_at:  # a clock that was set back holds nothing up
        return PhaseChoice(here, before.since, free_at)
    return PhaseChoice(wanted, now)
