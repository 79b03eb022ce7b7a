"""What the meter measured, by equal intervals that begin at whole multiples of UTC. Pure.

The series of many homes line up without anybody's help: the same intervals, the registers as they
stood at the very bounds. So voltages can be compared from home to home, which tells who hangs on
which phase and transformer, and energies can be summed and set against the feeder's own meter,
which tells what the line loses.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from der.model import PhaseReading, Quality, Reading
from hems.image import Image
from hems.store.visibility import Interval

INTERVAL_S: Final = 300
"""Five minutes: whole quarter-hours are three of them."""
LONGEST_GAP_S: Final = 12.0
"""Readings further apart say nothing of the time between them; the slowest meters that count as
live send each 10 s, give or take."""
_MOST_W: Final = 1e6
"""A register that rises faster than this is another meter's."""
ALL: Final = ""
"""Name of all phases together."""
_PHASES: Final = "ABC"


@dataclass(slots=True)
class _Mean:
    total: float = 0.0
    weight_s: float = 0.0
    least: float = math.inf
    most: float = -math.inf

    def add(self, value: float | None, weight_s: float) -> None:
        if value is None or not math.isfinite(value):
            return
        self.total += value * weight_s
        self.weight_s += weight_s
        self.least = min(self.least, value)
        self.most = max(self.most, value)

    @property
    def mean(self) -> float | None:
        return self.total / self.weight_s if self.weight_s else None


@dataclass(slots=True)
class _Running:
    """What of one phase is known of the running interval."""

    power: _Mean = field(default_factory=_Mean)
    reactive: _Mean = field(default_factory=_Mean)
    voltage: _Mean = field(default_factory=_Mean)
    frequency: _Mean = field(default_factory=_Mean)

    def add(self, part: PhaseReading, frequency_hz: float | None, weight_s: float) -> None:
        self.power.add(part.power_w, weight_s)
        self.reactive.add(part.reactive_var, weight_s)
        self.voltage.add(part.voltage_v, weight_s)
        self.frequency.add(frequency_hz, weight_s)

    def ended(
        self, start: int, length_s: int, phase: str, registers: tuple[float | None, float | None]
    ) -> Interval:
        heard = self.voltage.weight_s > 0
        return Interval(
            start=start,
            length_s=length_s,
            phase=phase,
            power_w=self.power.mean,
            reactive_var=self.reactive.mean,
            voltage_v=self.voltage.mean,
            voltage_least_v=self.voltage.least if heard else None,
            voltage_most_v=self.voltage.most if heard else None,
            frequency_hz=self.frequency.mean,
            import_wh=registers[0],
            export_wh=registers[1],
            measured=min(self.power.weight_s / length_s, 1.0),
        )


class Intervals:
    """Turns images into intervals.

    Each reading counts for the time since the one before it, as far as that lies in the interval.

    Args:
        length_s: Length of the intervals, whole seconds.
    """

    def __init__(self, length_s: int = INTERVAL_S) -> None:
        self._length_s = length_s
        self._index: int | None = None
        self._before: Reading | None = None
        self._running: dict[str, _Running] = {}

    def take(self, image: Image) -> Sequence[Interval]:
        """Take in an image; return what it has brought to its end: nothing, or each phase."""
        meter = image.meter
        if meter is None or meter.quality is not Quality.GOOD or meter.reading is None:
            return ()
        reading, before = meter.reading, self._before
        if before is not None and reading.at == before.at:
            return ()
        index = math.floor(reading.at / self._length_s)
        near = before is not None and 0 < reading.at - before.at <= LONGEST_GAP_S
        ended: Sequence[Interval] = ()
        since = max(float(index * self._length_s), before.at if near and before else reading.at)
        if self._index is not None and index != self._index:
            if near and before is not None:  # up to the bound it still counts for the old one
                self._add(reading, max(float((self._index + 1) * self._length_s) - before.at, 0.0))
            ended = self._end(reading if near else None)
        self._index = index
        self._add(reading, reading.at - since)
        self._before = reading
        return ended

    def shift(self) -> None:
        """Begin anew after the clock was set: what was running is of no interval any more."""
        self._index, self._before, self._running = None, None, {}

    def _add(self, reading: Reading, weight_s: float) -> None:
        if weight_s <= 0:
            return
        for phase, part in parts(reading).items():
            running = self._running.setdefault(phase, _Running())
            running.add(part, reading.frequency_hz, weight_s)

    def _end(self, after: Reading | None) -> Sequence[Interval]:
        if self._index is None:
            return ()
        start = self._index * self._length_s
        bound = float(start + self._length_s)
        ended = [
            running.ended(start, self._length_s, phase, self._registers(phase, bound, after))
            for phase, running in self._running.items()
        ]
        self._running = {}
        return ended

    def _registers(
        self, phase: str, bound: float, after: Reading | None
    ) -> tuple[float | None, float | None]:
        """Return the registers at the bound, on the line between the readings around it."""
        before = self._before
        if before is None or after is None:
            return None, None
        took_s = after.at - before.at
        share = min(max((bound - before.at) / took_s, 0.0), 1.0)
        most_wh = _MOST_W * took_s / 3600.0
        old, new = parts(before).get(phase), parts(after).get(phase)
        if old is None or new is None:
            return None, None
        return (
            _between(old.energy_import_wh, new.energy_import_wh, share, most_wh),
            _between(old.energy_export_wh, new.energy_export_wh, share, most_wh),
        )


def parts(reading: Reading) -> dict[str, PhaseReading]:
    """Return what a meter's reading says, by phase; all together under `ALL`."""
    together = PhaseReading(
        reading.power_w,
        reading.voltage_v,
        reading.reactive_var,
        reading.energy_import_wh,
        reading.energy_export_wh,
    )
    found = {ALL: together}
    if len(reading.phases) > 1:
        found |= dict(zip(_PHASES, reading.phases, strict=False))
    return found


def _between(old: float | None, new: float | None, share: float, most_wh: float) -> float | None:
    """Return what a register was in between; None if it was exchanged or reset meanwhile."""
    if old is None or new is None or not 0 <= new - old <= most_wh:
        return None
    return old + (new - old) * share
