"""Frequency response (BUC-3): a battery gives more when frequency falls, takes more when it rises.

Droop as IEEE 1547-2018, 6.5.2.7, has it: nothing inside a dead band; beyond it, power in proportion
to the distance from the band's edge. Where the inverter has the function itself (SunSpec models 711
and 134) it is told so, which is fastest and outlives the hub; elsewhere the hub's own loop does it
ten times a second on what the home measures. A utility behind a router that lets no notification in
could not ask in time: nobody has to ask.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

from der.curves import Droop, GridFunction
from der.sentence import say
from programs.about import About, Latency

ID: Final = "frequency"

ABOUT: Final = About(
    use_cases=("BUC-3",),
    title="Frequency response",
    triggered_by="The grid's frequency, as the home measures it",
    asks="A battery gives more power when the frequency falls, and takes more when it rises.",
    ends="When the frequency is back in its dead band, or the owner withdraws the consent",
    carried_by=("DERControl opModFreqDroop", "DERControl opModFreqWatt", "measured frequency"),
    clause="IEEE 1547-2018 6.5.2.7; IEEE 2030.5 DERControlBase",
    latency=Latency.SUB_SECOND,
    leaving="The battery no longer helps to hold the frequency, and what is paid for that ends",
)

COMMON_DROOP: Final = Droop(GridFunction.FREQUENCY_DROOP, 0.036, 0.036, 0.05, 0.05)
"""Defaults of IEEE 1547-2018, table 24: 36 mHz, 5 %."""


@dataclass(frozen=True, slots=True)
class SensePolicy:
    """When a measured frequency is believed.

    Attributes:
        nominal_hz: The grid's.
        reach_hz: Further from the nominal than this no grid that still supplies is.
        jump_hz: A greater change from one reading to the next is believed once the next confirms
            it: no grid moves so fast, and a garbled register does.
        hold_s: A frequency is held for this long when no newer one comes.
        stuck_s: One that stays the same to the last digit for so long, outside the dead band, is
            not believed: it would have the battery give for ever.
    """

    nominal_hz: float = 50.0
    reach_hz: float = 5.0
    jump_hz: float = 1.0
    hold_s: float = 1.0
    stuck_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Sense:
    """The frequency as it is believed. Pure: `look` returns the next one; times are s of one clock.

    Attributes:
        hz: The last that was believed; None before the first.
        at: When that was measured.
        since: Since when it is the same to the last digit.
        doubted_hz: One that was not believed and waits for the next to confirm it.
    """

    hz: float | None = None
    at: float = -math.inf
    since: float = -math.inf
    doubted_hz: float | None = None

    def look(self, hz: float | None, at: float, policy: SensePolicy) -> "Sense":
        """Return it with a reading worked in.

        Args:
            hz: As measured; None, or no number, where the reading had none.
            at: When it was measured.
            policy: What is believed.
        """
        if hz is None or not abs(hz - policy.nominal_hz) <= policy.reach_hz:  # a NaN fails too
            return self
        held = self.hz if at - self.at <= policy.hold_s else None
        if held is not None and abs(hz - held) > policy.jump_hz:
            doubted = self.doubted_hz
            if doubted is None or abs(hz - doubted) > policy.jump_hz:
                return replace(self, doubted_hz=hz)
        return Sense(hz, at, self.since if hz == self.hz else at)

    def believed(self, now: float, droop: Droop, policy: SensePolicy) -> float | None:
        """Return the frequency to act on at `now`, Hz; None where none is to be believed."""
        return None if self.fault(now, droop, policy) else self.hz

    def fault(self, now: float, droop: Droop, policy: SensePolicy) -> str:
        """Return why no frequency is acted on, one clause; empty where one is."""
        if self.hz is None:
            return say("no frequency is measured")
        if now - self.at > policy.hold_s:
            return say("the frequency is no longer measured")
        if self.at - self.since >= policy.stuck_s and beyond_hz(self.hz, droop, policy.nominal_hz):
            return say("the frequency reads {hz:g} Hz to the last digit for too long", hz=self.hz)
        return ""


def beyond_hz(hz: float, droop: Droop, nominal_hz: float) -> float:
    """Return how far a frequency is outside the dead band, Hz; negative below it."""
    off_hz = hz - nominal_hz
    if off_hz > droop.over_hz:
        return off_hz - droop.over_hz
    return min(off_hz + droop.under_hz, 0.0)


def droop_w(hz: float, droop: Droop, nominal_hz: float, capacity_w: float) -> float:
    """Return by how much a battery's power is to differ from its base, W, passive sign.

    Args:
        hz: The grid's frequency.
        droop: Dead band and steepness; shares of the capacity.
        nominal_hz: The frequency about which it works.
        capacity_w: The greatest difference either way, above 0; all of it is given at the dead
            band's edge plus the droop.
    """
    off_hz = beyond_hz(hz, droop, nominal_hz)
    steep = droop.over_droop if off_hz > 0 else droop.under_droop
    return min(max(off_hz / (steep * nominal_hz), -1.0), 1.0) * capacity_w
