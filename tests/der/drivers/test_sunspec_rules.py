"""Pure parts of the SunSpec driver: numbers in registers, frames, set-points."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.drivers.modbus.connection import MAX_REGISTERS
from der.drivers.modbus.frames import plan_frames
from der.drivers.sunspec.active import LIMIT_704, SET_704, raw_value
from der.drivers.sunspec.block import block_of, decode_text
from der.drivers.sunspec.model import (
    Group,
    Model,
    Point,
    decode,
    encode,
    load_model,
    not_implemented,
)
from der.errors import PermanentError


def point(kind: str, size: int, *, mandatory: bool = False) -> Point:
    return Point("X", kind, 0, size, None, mandatory)


@pytest.mark.parametrize(
    ("kind", "registers", "value"),
    [
        ("int16", [0xFFFE], -2),
        ("int16", [0x8000], None),
        ("uint16", [0xFFFE], 65534),
        ("uint16", [0xFFFF], None),
        ("int32", [0xFFFF, 0xFFFE], -2),
        ("int32", [0x8000, 0], None),
        ("uint32", [1, 0], 65536),
        ("uint32", [0xFFFF, 0xFFFF], None),
        ("uint64", [0, 0, 1, 0], 65536),
        ("uint64", [0xFFFF] * 4, None),
        ("int64", [0x8000, 0, 0, 0], None),
        ("enum16", [0xFFFF], None),
        ("bitfield32", [0xFFFF, 0xFFFF], None),
        ("sunssf", [0xFFFD], -3),
        ("sunssf", [0x8000], None),
        ("acc32", [0, 0], None),
        ("acc32", [0, 9], 9),
        ("float32", [0x3FC0, 0], 1.5),
        ("float32", [0x7FC0, 0], None),
        ("float32", [0x7F80, 0], None),
        ("float64", [0x3FF8, 0, 0, 0], 1.5),
    ],
)
def test_numbers(kind: str, registers: list[int], value: float | None) -> None:
    assert decode(point(kind, len(registers)), registers) == value


def test_a_counter_that_must_count_may_be_new() -> None:
    assert decode(point("acc32", 2, mandatory=True), [0, 0]) == 0


@given(st.sampled_from([("int16", 1), ("uint16", 1), ("int32", 2), ("uint32", 2)]), st.data())
def test_what_is_written_is_read(kind: tuple[str, int], data: st.DataObject) -> None:
    where = point(*kind)
    bits = 16 * where.size
    low, high = (
        (-(1 << bits - 1), (1 << bits - 1) - 1) if kind[0][0] == "i" else (0, (1 << bits) - 1)
    )
    value = data.draw(st.integers(low, high).filter(lambda v: v != not_implemented(where)))
    assert decode(where, encode(where, value)) == value


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="70000 does not fit uint16 X"):
        encode(point("uint16", 1), 70000)


def test_text_of_any_bytes() -> None:
    assert decode_text(b"ABC\0DE") == "ABC"
    assert decode_text(b"\xff\xff \0") == "\ufffd\ufffd"


def test_definitions() -> None:
    control = load_model(704)
    assert control.span(LIMIT_704.order) == (14, 6)
    assert control.span(SET_704.order) == (22, 11)
    with pytest.raises(PermanentError, match="model 65000 has no definition"):
        load_model(65000)


@pytest.mark.parametrize(("raw", "exponent", "value"), [(25, -1, 2.5), (25, 2, 2500), (3, -1, 0.3)])
def test_scales_are_exact(raw: int, exponent: int, value: float) -> None:
    points = {"X": Point("X", "int16", 2, 1, exponent, mandatory=False)}
    block = block_of(Model(9, points, Group("x", None, (), ())), bytes([0, 9, 0, 1, 0, raw]))
    assert block.number("X") == value


spans = st.lists(st.tuples(st.integers(0, 2000), st.integers(1, MAX_REGISTERS)), max_size=20)


@given(spans)
def test_frames_cover_all_and_keep_the_limit(wanted: list[tuple[int, int]]) -> None:
    frames = plan_frames(wanted)
    covered = {n for start, count in frames for n in range(start, start + count)}
    assert all(n in covered for start, count in wanted for n in range(start, start + count))
    assert all(count <= MAX_REGISTERS for _, count in frames)
    assert len(frames) <= len(wanted)


@pytest.mark.parametrize(
    ("wanted", "frames"),
    [
        ([], []),
        ([(10, 5), (100, 5)], [(10, 95)]),
        ([(100, 5), (10, 5)], [(10, 95)]),
        ([(10, 5), (200, 5)], [(10, 5), (200, 5)]),
        ([(10, 200), (20, 5)], [(10, 200)]),
    ],
)
def test_frames(wanted: list[tuple[int, int]], frames: list[tuple[int, int]]) -> None:
    assert plan_frames(wanted) == frames


@given(st.floats(-5000, 0), st.integers(-2, 0))
def test_a_production_limit_is_never_exceeded_by_rounding(power_w: float, exponent: int) -> None:
    raw = raw_value(LIMIT_704, power_w, 5000, exponent)
    produced_w = raw * 10.0**exponent / 100 * 5000
    assert 0 <= produced_w <= -power_w + 0.01
    assert produced_w > -power_w - 50 * 10.0**exponent - 0.01


@given(st.floats(-5000, 5000), st.integers(0, 2))
def test_a_set_point_is_rounded_towards_rest(power_w: float, exponent: int) -> None:
    raw = raw_value(SET_704, power_w, 5000, exponent)
    told_w = -raw * 10.0**exponent
    assert abs(told_w) <= abs(power_w) + 0.01
    assert abs(told_w - power_w) < 10.0**exponent + 0.01
