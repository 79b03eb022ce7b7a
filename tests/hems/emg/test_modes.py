"""Which control modes a home can carry out, by what is in it."""

from collections.abc import Sequence

import pytest

from der.model import Control, DeviceKind, DeviceSpec
from der.registry import CONTROLS
from hems.emg.modes import modes
from hems.emg.translate import SUPPORTED

_RANGES = {
    Control.NONE: (-8000.0, 8000.0),
    Control.TARGET: (-5000.0, 5000.0),
    Control.FLOOR: (-6000.0, 0.0),
    Control.CEILING: (0.0, 7000.0),
    Control.SWITCH: (0.0, 2000.0),
}

GENERATION = frozenset({"opModGenLimW", "opModMaxLimW", "opModConnect", "opModEnergize"})
EXPORT = frozenset({"opModExpLimW", "opModMaxLimWInject"})
IMPORT = frozenset({"opModImpLimW", "opModMaxLimWAbsorb"})
REDUCTION = frozenset({"TargetReduction.W", "TargetReduction.Wh"})
LOAD = frozenset({"opModLoadLimW"})
DUTY = frozenset({"DutyCycle"})
SET_POINT = frozenset({"opModTargetW", "opModStorageTargetW", "opModFixedW"})


def spec(kind: str) -> DeviceSpec:
    control = CONTROLS[DeviceKind(kind)]
    return DeviceSpec(kind, DeviceKind(kind), kind, control, *_RANGES[control])


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize(
    ("kinds", "able"),
    [
        ((), frozenset()),
        (("meter",), frozenset()),
        (("pv",), GENERATION),
        (("meter", "pv"), GENERATION | EXPORT),
        (("battery",), GENERATION | SET_POINT),
        (("meter", "battery"), GENERATION | EXPORT | IMPORT | REDUCTION | SET_POINT),
        (("evse",), DUTY),
        (("submeter", "evse"), DUTY),
        (("meter", "evse"), IMPORT | REDUCTION | LOAD | DUTY),
        (("meter", "water_heater"), IMPORT | REDUCTION | LOAD | DUTY),
        (("meter", "pv", "heat_pump"), GENERATION | EXPORT | IMPORT | REDUCTION | LOAD | DUTY),
        (("meter", "pv", "battery", "evse"), SUPPORTED),
    ],
)
def test_a_mode_needs_something_here_that_it_can_change(
    kinds: Sequence[str], able: frozenset[str]
) -> None:
    assert modes([spec(kind) for kind in kinds]) == able


def test_a_battery_that_only_charges_limits_no_generation() -> None:
    charging = DeviceSpec("b", DeviceKind.BATTERY, "B", Control.TARGET, 0.0, 5000.0)
    assert modes([spec("meter"), charging]) == IMPORT | REDUCTION | SET_POINT
