"""From single values to a reading, against a slow and obvious way of putting it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.drivers.mqtt.points import PHASE_POWERS, Point, Settings
from der.drivers.mqtt.reading import NoPowerError, Sample, reading
from der.model import Control, DeviceKind, DeviceSpec, PhaseReading

pytestmark = pytest.mark.requirement("SVC-READ")

PLUG = DeviceSpec("it", DeviceKind.PLUG, "It", Control.SWITCH, 0, 1000)
METER = DeviceSpec("it", DeviceKind.METER, "It", Control.NONE, -9000, 9000)
ON, OFF = Settings(on=True), Settings(on=False)


def test_a_meter_of_three_phases() -> None:
    heard = {
        Point.POWER_A: Sample(100.0, 5.0),
        Point.POWER_B: Sample(-300.0, 4.0),
        Point.POWER_C: Sample(50.0, 6.0),
        Point.VOLTAGE_A: Sample(231.0, 5.0),
        Point.IMPORT: Sample(1000.0, 1.0),
        Point.EXPORT: Sample(20.0, 4.0),
    }
    found = reading(METER, heard, Settings(), held=None, restricted=False)
    assert (found.power_w, found.at) == (-150.0, 4.0)
    assert [p.power_w for p in found.phases] == [100, -300, 50]
    assert found.phases[0] == PhaseReading(100.0, 231.0)
    assert (found.energy_import_wh, found.energy_export_wh) == (1000, 20)
    assert found.taken == {"energy_import_wh": 1.0}
    turned = reading(METER, heard, Settings(), held=None, restricted=False, inverted=True)
    assert (turned.power_w, turned.energy_import_wh, turned.energy_export_wh) == (150, 20, 1000)
    assert [p.power_w for p in turned.phases] == [-100, 300, -50]


def test_what_is_supplied_counts_against_what_is_taken() -> None:
    heard = {Point.POWER: Sample(0.0, 3.0), Point.SUPPLIED: Sample(700.0, 2.0)}
    found = reading(METER, heard, Settings(), held=None, restricted=False)
    assert (found.power_w, found.at) == (-700, 2)


@pytest.mark.parametrize(
    ("settings", "held", "limit_w", "wants"),
    [
        (ON, None, None, None),
        (OFF, None, None, False),
        (OFF, ON, 0.0, True),
        (OFF, OFF, 0.0, False),
        (ON, ON, None, None),
    ],
)
def test_a_switch(
    settings: Settings, held: Settings | None, limit_w: float | None, wants: bool | None
) -> None:
    heard = {Point.POWER: Sample(0.0, 1.0)}
    found = reading(PLUG, heard, settings, held=held, restricted=settings.on is False)
    assert (found.limit_w, found.wants_power, found.connected) == (limit_w, wants, settings.on)


@given(
    st.dictionaries(
        st.sampled_from(Point),
        st.builds(Sample, st.floats(-1e4, 1e4), st.floats(0, 100)),
    ),
    st.booleans(),
)
def test_power_and_its_time(heard: dict[Point, Sample], inverted: bool) -> None:
    def value(point: Point) -> float | None:
        return heard[point].value if point in heard else None

    parts: list[Point] = [p for p in PHASE_POWERS if p in heard]
    used: list[Point]
    if Point.POWER in heard and Point.SUPPLIED in heard:
        used = [Point.POWER, Point.SUPPLIED]
        expected = (value(Point.POWER) or 0.0) - (value(Point.SUPPLIED) or 0.0)
    elif Point.POWER in heard:
        used, expected = [Point.POWER], value(Point.POWER) or 0.0
    elif len(parts) == 3:
        used, expected = parts, sum(value(p) or 0.0 for p in parts)
    elif Point.DEMAND in heard:
        used, expected = [Point.DEMAND], (value(Point.DEMAND) or 0.0) * METER.max_w
    else:
        used, expected = [], 0.0
    arguments = (METER, heard, Settings())
    if not used or abs(expected) > 3 * 9000:
        with pytest.raises(NoPowerError):
            reading(*arguments, held=None, restricted=False, inverted=inverted)
        return
    found = reading(*arguments, held=None, restricted=False, inverted=inverted)
    assert found.power_w == pytest.approx(-expected if inverted else expected)
    assert found.at == min(heard[p].at for p in used)
    assert all(at < found.at for at in found.taken.values())
