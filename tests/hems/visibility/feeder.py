"""A low-voltage feeder with homes along it, each seen through its own hub's intervals.

Three phases from one transformer, a resistance for each stretch of cable, homes of one phase each
in an order that nobody knows. Loads are random steps; meters round and stray as real ones do.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from hems.store.visibility import Interval
from hems.visibility.intervals import Intervals
from tests.hems.visibility.metering import read

STEP_S: Final = 10
OHM: Final = 0.04
"""Of a stretch of cable between two homes of one phase, phase and neutral together."""
T0: Final = 1_800_000_000.0


@dataclass
class House:
    """One home on the feeder."""

    phase: int
    offset_s: float
    load_w: float = 500.0
    import_wh: float = 0.0
    intervals: Intervals = field(default_factory=Intervals)
    rows: list[Interval] = field(default_factory=list)


@dataclass
class Feeder:
    """The feeder, and its own meter at the transformer."""

    houses: Sequence[House]
    rng: random.Random
    source_v: list[float] = field(default_factory=lambda: [233.0, 233.0, 233.0])
    meter_wh: float = 0.0
    lost_wh: float = 0.0
    at_bounds: list[tuple[float, float]] = field(default_factory=list)
    """What the feeder's meter and the losses came to at each bound of 300 s."""

    def run(self, hours: float) -> None:
        """Let time go by."""
        for index in range(round(hours * 3600 / STEP_S)):
            at = T0 + index * STEP_S
            if at % 300 == 0:
                self.at_bounds.append((self.meter_wh, self.lost_wh))
            self._step(at)

    def _step(self, at: float) -> None:
        for phase in range(3):
            self.source_v[phase] += self.rng.gauss(0.0, 0.05) + (233.0 - self.source_v[phase]) / 200
            chain = [h for h in self.houses if h.phase == phase]
            for house in chain:
                if self.rng.random() < STEP_S / 900:
                    house.load_w = self.rng.choice([150.0, 400.0, 900.0, 2200.0, 3600.0])
            voltage = self.source_v[phase]
            amps = [h.load_w / 230.0 for h in chain]
            for place, house in enumerate(chain):
                through = sum(amps[place:])
                voltage -= through * OHM
                lost_w = through**2 * OHM
                self.lost_wh += lost_w * STEP_S / 3600
                self.meter_wh += (house.load_w + lost_w) * STEP_S / 3600
                self._read(house, at, voltage)

    def _read(self, house: House, at: float, voltage: float) -> None:
        """Have its hub read its meter, each at its own moment."""
        share = house.offset_s / STEP_S
        seen = house.import_wh + house.load_w * house.offset_s / 3600
        house.import_wh += house.load_w * STEP_S / 3600
        strayed = round(voltage + self.rng.gauss(0.0, 0.1), 1)
        taken = at + STEP_S * share
        house.rows += house.intervals.take(
            read(taken, house.load_w, voltage_v=strayed, import_wh=seen)
        )


def feeder(count: int, seed: int) -> Feeder:
    """Return a feeder of `count` homes, their phases shuffled."""
    rng = random.Random(seed)  # noqa: S311 - loads, not keys
    phases = [i % 3 for i in range(count)]
    rng.shuffle(phases)
    return Feeder([House(phase, rng.uniform(0.0, STEP_S)) for phase in phases], rng)
