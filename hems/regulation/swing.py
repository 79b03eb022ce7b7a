"""By how much the battery is to differ from its base, and what is written for it. No I/O.

Times are monotonic seconds, powers W in the passive sign.
"""

import math
from dataclasses import dataclass, field
from typing import Final

from der.model import Reading, Setpoint
from der.sentence import in_turn, say
from hems.regulation.letters import Base, LoopSettings, Span
from programs.frequency import Sense, droop_w
from programs.proposal import Bounds
from programs.regulation import faded, signal_w, slewed, target_w
from programs.score import SAMPLE_S, Sample

SPAN_HOLDS_S: Final = 3.0
"""Limits that the cycle has not renewed for this long are not relied on: back to the base."""
_REFRESH_SHARE: Final = 1 / 3
"""A set-point is written again after this share of its lapse time."""


@dataclass(slots=True)
class Swing:
    """What is known, and what follows from it.

    Attributes:
        settings: How to regulate.
        sense: The frequency.
        swing_w: By how much the set-point is to differ from the base, before the span cuts it.
        asked_w: What was asked of it, before it was slewed.
        last: Number of the last message.
    """

    settings: LoopSettings
    sense: Sense = field(default_factory=Sense)
    swing_w: float = 0.0
    asked_w: float = 0.0
    last: int = -1
    _value: float = 0.0
    _value_at: float = -math.inf
    _base: Base | None = None
    _base_until: float = -math.inf
    _span: Bounds = field(default_factory=lambda: Bounds(0.0, 0.0))
    _span_at: float = -math.inf
    _first_at: float = math.inf
    _moved_at: float | None = None
    _written: Setpoint | None = None
    _written_at: float = -math.inf

    # What comes in.

    def told(self, base: Base, now: float) -> None:
        """Take the cycle's word."""
        self._base, self._base_until = base, now + base.lapse_s
        self.bound(Span(base.lower_w, base.upper_w), now)

    def bound(self, span: Span, now: float) -> None:
        """Take the span in which all limits hold."""
        self._span, self._span_at = Bounds(span.lower_w, span.upper_w), now

    def signalled(self, seq: int, value: float, now: float) -> None:
        """Take a share of the capacity that the aggregator asks for."""
        self.last, self._value, self._value_at = seq, value, now

    def measured(self, hz: float | None, at: float) -> None:
        """Take a frequency."""
        self.sense = self.sense.look(hz, at, self.settings.sense)

    def forget(self) -> None:
        """Take note that nobody knows what the battery holds."""
        self._written = None

    # What follows.

    @property
    def base_w(self) -> float | None:
        """The base; None while the cycle tells none."""
        return None if self._base is None else self._base.power_w

    def follows(self, now: float) -> bool:
        """Return whether a signal is being followed."""
        return now - self._value_at <= self.settings.fade.stale_s

    def move(self, now: float) -> None:
        """Work out the swing for `now`."""
        settings = self.settings
        asked_w = signal_w(
            faded(self._value, now - self._value_at, settings.fade), settings.capacity_w
        )
        if settings.droop is not None:
            sense = settings.sense
            hz = self.sense.believed(now, settings.droop, sense)
            if hz is not None:
                asked_w += droop_w(hz, settings.droop, sense.nominal_hz, settings.capacity_w)
        self.asked_w = min(max(asked_w, -settings.capacity_w), settings.capacity_w)
        most_w = math.inf
        if settings.slew_w_s is not None and self._moved_at is not None:
            most_w = settings.slew_w_s * (now - self._moved_at)
        self.swing_w = slewed(self.swing_w, self.asked_w, most_w)
        if self._moved_at is None:
            self._first_at = now
        self._moved_at = now

    def due(self, now: float, *, still: bool = False) -> Setpoint | None:
        """Return what is to be written now; None where the battery holds it already.

        Args:
            now: Monotonic s.
            still: Without the swing.
        """
        base = self._base
        left_s = self._base_until - now
        if base is None or base.power_w is None or left_s <= 0:
            return None
        wanted_w = base.power_w
        if not still and now - self._span_at <= SPAN_HOLDS_S:
            wanted_w = target_w(base.power_w, self.swing_w, self._span)
        setpoint = Setpoint(float(round(wanted_w)), left_s, base.revert_w)
        before = self._written
        if before is None or before.revert_w != base.revert_w:
            return setpoint
        moved_w = abs(before.power_w - setpoint.power_w)
        at_base = setpoint.power_w == round(base.power_w) and moved_w > 0
        fresh = now - self._written_at < before.lapse_s * _REFRESH_SHARE
        return None if fresh and moved_w < self.settings.least_w and not at_base else setpoint

    def wrote(self, setpoint: Setpoint | None, now: float) -> None:
        """Take note of what the battery has confirmed."""
        self._written, self._written_at = setpoint, now

    @property
    def added_w(self) -> float:
        """By how much what the battery holds differs from the base."""
        if self._written is None or self.base_w is None:
            return 0.0
        return self._written.power_w - round(self.base_w)

    def trouble(self, now: float) -> str:
        """Return what is wrong with frequency or signal, one clause; empty if nothing is."""
        settings = self.settings
        said = []
        if settings.droop is not None:
            said.append(self.sense.fault(now, settings.droop, settings.sense))
        begun = now - self._first_at > settings.fade.stale_s
        if settings.source is not None and begun and not self.follows(now):
            said.append(
                say("the regulation signal has not come yet")
                if self._value_at == -math.inf
                else say("the regulation signal has stopped")
            )
        return in_turn([clause for clause in said if clause])


@dataclass(slots=True)
class Sampler:
    """Puts samples of 10 s together, as shares of the capacity.

    Attributes:
        capacity_w: What 1 stands for.
    """

    capacity_w: float
    _asked: float = 0.0
    _done: float = 0.0
    _count: int = 0
    _since: float | None = None
    _full: list[Sample] = field(default_factory=list)

    def add(self, swing: Swing, reading: Reading, now: float) -> None:
        """Take in what was asked when the battery was read."""
        base_w = swing.base_w
        if base_w is None:
            self._since = None  # what belongs to no base is no sample
            return
        if self._since is None:
            self._since, self._asked, self._done, self._count = now, 0.0, 0.0, 0
        self._asked += swing.asked_w / self.capacity_w
        self._done += (reading.power_w - base_w) / self.capacity_w
        self._count += 1
        if now - self._since >= SAMPLE_S:
            self._full.append(Sample(self._asked / self._count, self._done / self._count))
            self._since = None

    def taken(self) -> tuple[Sample, ...]:
        """Return the samples that are full, and forget them."""
        full, self._full = tuple(self._full), []
        return full
