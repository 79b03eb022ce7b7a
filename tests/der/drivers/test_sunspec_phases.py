"""The phases of a SunSpec meter: each with what it measures, nothing that cannot be."""

import math
from dataclasses import dataclass, field
from typing import cast

import pytest

from der.drivers.sunspec.block import Block
from der.drivers.sunspec.measures import MEASURES, phases

pytestmark = pytest.mark.requirement("BUC-13")


@dataclass
class Points:
    """Points by name, in place of a block of registers."""

    values: dict[str, float] = field(default_factory=dict)

    def number(self, name: str) -> float | None:
        return self.values.get(name)


@pytest.mark.parametrize(
    ("told", "shown"), [(231.5, 231.5), (0.0, 0.0), (2315.0, None), (-1.0, None), (math.inf, None)]
)
def test_a_phase_voltage_of_a_wrong_scale_is_none(told: float, shown: float | None) -> None:
    points = Points({"WphA": 100.0, "PhVphA": told, "WphB": 50.0, "PhVphB": 230.0})
    found = phases(MEASURES[213], cast("Block", points), 1.0)
    assert [(phase.power_w, phase.voltage_v) for phase in found] == [(100.0, shown), (50.0, 230.0)]


def test_a_meter_built_in_the_other_way_round_has_its_registers_exchanged() -> None:
    values = {"WphA": 100.0, "VARphA": 5.0, "TotWhImpPhA": 1.0, "TotWhExpPhA": 2.0}
    points = Points({**values, "PhVphA": 230.0})
    (phase,) = phases(MEASURES[213], cast("Block", points), -1.0)
    assert (phase.power_w, phase.reactive_var) == (-100.0, -5.0)
    assert (phase.energy_import_wh, phase.energy_export_wh) == (2.0, 1.0)
