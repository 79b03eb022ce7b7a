"""Each description of ours on registers by chance: nothing crashes, nothing reaches a set-point."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.drivers.mapped.device_map import DeviceMap
from der.drivers.mapped.files import load, names
from der.drivers.mapped.meaning import BOUNDS
from der.drivers.mapped.planning import Asked, Known, plan
from der.drivers.mapped.points import Table, Values, decode_all, decode_raw, scaled
from der.drivers.mapped.reading import Standing, reading
from der.drivers.mapped.steps import Quantity
from der.errors import RejectedError, TransientError
from der.model import Control, DeviceSpec

RATING_W = 5000.0
STANDING = Standing("box", RATING_W, 3, 230.0)
WORDS = st.sampled_from([0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x7FC0, 0x7F80, 0x4590]) | st.integers(
    0, 0xFFFF
)
OURS = names()
DRIVEN = [name for name in OURS if load(name).control is not None]


def cells(device: DeviceMap, data: st.DataObject) -> dict[tuple[Table, int], int]:
    places = {
        (point.table, point.address + i)
        for point in device.points.values()
        for i in range(point.size)
    }
    ordered = sorted(places)
    words = data.draw(st.lists(WORDS, min_size=len(ordered), max_size=len(ordered)))
    return {
        place: word & 1 if place[0].of_bits else word
        for place, word in zip(ordered, words, strict=True)
    }


@pytest.mark.parametrize("name", OURS)
@given(data=st.data())
def test_any_registers_are_a_sane_reading_or_one_error(name: str, data: st.DataObject) -> None:
    device = load(name)
    try:
        found = reading(device.read, decode_all(device.points, cells(device, data)), STANDING, 7.0)
    except TransientError:
        return
    assert abs(found.power_w) <= 5 * RATING_W
    for key, (low, high) in BOUNDS.items():
        number = getattr(found, key)
        assert number is None or low <= number <= high
    assert found.limit_w is None or abs(found.limit_w) <= 1e6


@pytest.mark.parametrize("name", DRIVEN)
@given(data=st.data())
def test_no_registers_bring_a_set_point_beyond_what_is_declared(
    name: str, data: st.DataObject
) -> None:
    device = load(name)
    control = device.control
    assert control is not None
    (kind, *_) = sorted(device.kinds)
    spec = DeviceSpec("box", kind, "Box", Control.TARGET, -RATING_W, RATING_W)
    asked = Asked(
        spec,
        STANDING,
        data.draw(st.sampled_from([0.0, 6.0, 16.0, 32.0])),
        data.draw(st.floats(-RATING_W, RATING_W)),
        data.draw(st.floats(0.1, 900)),
        data.draw(st.none() | st.floats(-RATING_W, RATING_W)),
        4140.0,
    )
    values: Values = decode_all(device.points, cells(device, data))
    known = Known(device.points, values)
    for step in control.steps:
        try:
            writes = plan([step], known, asked)
        except (RejectedError, TransientError):
            continue
        for write in writes:
            raw = decode_raw(write.point, list(write.words))
            assert raw is not None
            told = scaled(write.point, raw, 0.0)
            assert told is not None
            constants = {step.below, step.otherwise}
            if isinstance(step.value, Quantity):
                within = write.point.least <= told <= write.point.most
                assert within or told in constants
            else:
                assert told == pytest.approx(step.value)
