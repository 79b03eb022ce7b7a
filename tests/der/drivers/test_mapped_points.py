"""Numbers in registers, against a slow oracle that works bit by bit with exact fractions."""

import math
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from der.drivers.mapped.points import (
    Kind,
    Point,
    Rounding,
    Table,
    decode_all,
    decode_raw,
    decode_text,
    encode,
    fit,
    same,
    scaled,
)

WHOLE = [Kind.U16, Kind.S16, Kind.U32, Kind.S32, Kind.U64, Kind.S64]
FLOATS = {Kind.F32: (8, 23), Kind.F64: (11, 52)}
SCALES = [1.0, 0.1, 0.01, 0.001, 10.0, 60.0, 0.5, -1.0, -0.1, 3.0]


@st.composite
def points(draw: st.DrawFn) -> Point:
    kind = draw(st.sampled_from([*WHOLE, *FLOATS]))
    width = 0
    shift = 0
    if kind in {Kind.U16, Kind.U32} and draw(st.booleans()):
        shift = draw(st.integers(0, kind.size * 16 - 1))
        width = draw(st.integers(1, kind.size * 16 - shift))
    invalid = draw(st.frozensets(st.integers(0, (1 << kind.size * 16) - 1), max_size=2))
    return Point(
        "value",
        draw(st.sampled_from([Table.HOLDING, Table.INPUT])),
        draw(st.integers(0, 60_000)),
        kind,
        kind.size,
        scale=draw(st.sampled_from(SCALES)),
        offset=draw(st.sampled_from([0.0, 0.0, -40.0, 0.5])),
        little_words=draw(st.booleans()),
        little_bytes=draw(st.booleans()),
        shift=shift,
        width=width,
        invalid=invalid,
    )


def oracle(point: Point, words: list[int]) -> Fraction | None:
    """Return the number in registers; None for no value. No struct, no int.from_bytes."""
    ordered = list(reversed(words)) if point.little_words else list(words)
    bits: list[int] = []
    for word in ordered:
        swapped = (word & 0xFF) << 8 | word >> 8 if point.little_bytes else word
        bits += [swapped >> place & 1 for place in range(15, -1, -1)]
    pattern = sum(bit << place for place, bit in enumerate(reversed(bits)))
    if pattern in point.invalid:
        return None
    if point.width:
        chosen = list(reversed(bits))[point.shift : point.shift + point.width]
        return Fraction(sum(bit << place for place, bit in enumerate(chosen)))
    if point.kind in FLOATS:
        wide, fine = FLOATS[point.kind]
        power = sum(bit << place for place, bit in enumerate(reversed(bits[1 : 1 + wide])))
        rest = sum(bit << place for place, bit in enumerate(reversed(bits[1 + wide :])))
        if power == (1 << wide) - 1:
            return None
        bias = (1 << wide - 1) - 1
        if power == 0:
            size = Fraction(rest, 1 << fine) * Fraction(2) ** (1 - bias)
        else:
            size = (1 + Fraction(rest, 1 << fine)) * Fraction(2) ** (power - bias)
        return -size if bits[0] else size
    negative = bits[0] << len(bits) if point.kind.signed else 0
    return Fraction(pattern - negative)


@given(points(), st.data())
def test_decoding_equals_the_oracle(point: Point, data: st.DataObject) -> None:
    words = data.draw(st.lists(st.integers(0, 0xFFFF), min_size=point.size, max_size=point.size))
    cells = {(point.table, point.address + i): word for i, word in enumerate(words)}
    number = decode_all({"value": point}, cells).numbers.get("value")
    true = oracle(point, words)
    if true is None:
        assert number is None
        return
    exact = true * Fraction(point.scale) + Fraction(point.offset)
    if abs(exact) > Fraction(1.7e308):
        return  # a double cannot hold it: no value, or all but infinite
    assert number is not None
    assert number == pytest.approx(float(exact), rel=1e-9, abs=1e-9)


@given(points(), st.data(), st.sampled_from(Rounding))
def test_what_is_encoded_is_given_back_within_one_step(
    point: Point, data: st.DataObject, rounding: Rounding
) -> None:
    whole = (point.offset / point.scale).is_integer() and point.kind not in FLOATS
    assume(not point.width and (whole or not point.offset))  # others are not written
    number = data.draw(st.floats(-1e6, 1e6))
    words = encode(point, fit(point, number, 0.0, rounding))
    if words is None:
        return  # beyond what the registers hold, or a sentinel
    assert all(0 <= word <= 0xFFFF for word in words)
    raw = decode_raw(point, words)
    assert raw is not None
    back = scaled(point, raw, 0.0)
    assert back is not None
    step = abs(number) * 1e-6 + 1e-6 if point.kind in FLOATS else abs(point.scale)
    assert abs(back - number) <= step * (1 + 1e-6) + 1e-6
    if rounding is Rounding.TO_ZERO:
        assert abs(back) <= abs(number) * (1 + 1e-7) + 1e-6
    if rounding is Rounding.UP and point.kind not in FLOATS:
        assert back >= number - 1e-6 * max(1.0, abs(number))


@given(points(), st.sampled_from([math.nan, math.inf, -math.inf, 1e300, -1e300]))
def test_what_is_no_number_is_never_written(point: Point, number: float) -> None:
    words = encode(point, number)
    assert words is None or (point.kind is Kind.F64 and math.isfinite(number))


@pytest.mark.parametrize(
    ("number", "rounding", "raw"),
    [
        (0.3, Rounding.TO_ZERO, 3),  # 0.3 / 0.1 falls short of 3 as a binary fraction
        (1.39, Rounding.TO_ZERO, 13),
        (-1.39, Rounding.TO_ZERO, -13),
        (1.31, Rounding.UP, 14),
        (1.34, Rounding.NEAREST, 13),
    ],
)
def test_rounding(number: float, rounding: Rounding, raw: int) -> None:
    tenths = Point("x", Table.HOLDING, 0, Kind.S16, 1, scale=0.1)
    assert fit(tenths, number, 0.0, rounding) == raw


def test_an_offset_moves_zero() -> None:
    shifted = Point("x", Table.HOLDING, 0, Kind.U16, 1, scale=1.0, offset=-1000.0)
    assert fit(shifted, -10.7, 0.0, Rounding.TO_ZERO) == 990
    assert fit(shifted, 10.7, 0.0, Rounding.TO_ZERO) == 1010


@given(st.floats(-1e6, 1e6))
def test_a_float_goes_towards_zero_as_well(number: float) -> None:
    point = Point("x", Table.HOLDING, 0, Kind.F32, 2)
    words = encode(point, fit(point, number, 0.0, Rounding.TO_ZERO))
    assert words is not None
    raw = decode_raw(point, words)
    assert raw is not None
    assert abs(raw) <= abs(number)
    assert raw == pytest.approx(number, rel=1e-6, abs=1e-30)


def test_a_sentinel_may_stand_for_a_number() -> None:
    asleep = Point(
        "x", Table.INPUT, 0, Kind.S16, 1, invalid=frozenset({0x8000}), absent=0.0, low=-5
    )
    assert decode_all({"x": asleep}, {(Table.INPUT, 0): 0x8000}).numbers == {"x": 0.0}
    assert decode_all({"x": asleep}, {(Table.INPUT, 0): 0xFFF0}).nonsense == {"x": -16.0}


@pytest.mark.parametrize(("exponent", "number"), [(-1, 12.3), (2, 12300.0), (-0x8000, None)])
def test_an_exponent_in_a_register(exponent: int, number: float | None) -> None:
    points = {
        "x": Point("x", Table.HOLDING, 0, Kind.S16, 1, exponent="sf"),
        "sf": Point("sf", Table.HOLDING, 1, Kind.S16, 1),
    }
    cells = {(Table.HOLDING, 0): 123, (Table.HOLDING, 1): exponent & 0xFFFF}
    assert decode_all(points, cells).numbers.get("x") == number


def test_texts() -> None:
    point = Point("x", Table.HOLDING, 0, Kind.TEXT, 4)
    assert decode_text(point, [0x5345, 0x522D, 0x3100, 0x5A5A]) == "SER-1"
    assert decode_text(point, [0xFFFF, 0xC384, 0x4120, 0]) == "A"


@pytest.mark.parametrize(
    ("asked", "seen", "alike"),
    [
        ([0x42C8, 0x0000], [0x42C8, 0x0000], True),
        ([0x42C8, 0x0000], [0x42C7, 0xFFFF], True),
        ([0x42C8, 0x0000], [0x42C0, 0x0000], False),
        ([0x42C8, 0x0000], [0x7FC0, 0x0000], False),
    ],
)
def test_a_float_read_back_may_have_lost_a_little(
    asked: list[int], seen: list[int], alike: bool
) -> None:
    assert same(Point("x", Table.HOLDING, 0, Kind.F32, 2), asked, seen) is alike
