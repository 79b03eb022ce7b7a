"""Functions of the grid and the points of their slots: signs, order, rounding, what is left out."""

import math
import struct
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.curves import Curve, Droop, GridFunction, GridSupport, ShareOf
from der.drivers.sunspec.block import Block, block_of
from der.drivers.sunspec.curves import CURVES, MODELS, encode, neutral
from der.drivers.sunspec.model import encode as registers
from der.drivers.sunspec.model import load_model, not_implemented
from der.drivers.sunspec.slot import Slot, SlotView
from der.drivers.sunspec.slot_reading import decode
from der.drivers.sunspec.writer import Rounding, steps
from der.errors import PermanentError

COUNTS = {"NPt": 4, "NCrv": 2, "NCtl": 2}
SCALES = {"V_SF": -2, "DeptRef_SF": -2, "RspTms_SF": -1, "W_SF": -2, "Db_SF": -3, "K_SF": -3}
FULL_705 = {"VRef": 10000, "VRefAutoEna": 0, "VRefAutoTms": 300, "RspTms": 50, "Pri": 1}
RUNNING: Mapping[int, Slot] = {
    705: FULL_705,
    706: {"RspTms": 50},
    712: {"Pri": 1},
    711: {"RspTms": 50},
}


def model_with(
    function: GridFunction, slots: Mapping[int, Slot], scales: Mapping[str, int] = SCALES
) -> Block:
    """Return a model's block with some slots filled; what is not given is not implemented."""
    model = load_model(MODELS[function]).lay_out(COUNTS, 10_000)
    group = "Ctl" if function is GridFunction.FREQUENCY_DROOP else "Crv"
    given = {f"{group}[{n}].{name}": v for n, slot in slots.items() for name, v in slot.items()}
    words: list[int] = []
    for point in model.points.values():
        value = {**COUNTS, **scales, **given}.get(point.name, not_implemented(point))
        words += registers(point, value)
    return block_of(model, struct.pack(f">{len(words)}H", *words))


def view(block: Block, number: int = 2) -> SlotView:
    group = "Ctl" if block.model.id == 711 else "Crv"
    return SlotView("pv", block, f"{group}[{number}]")


def through(
    settings: GridSupport, scales: Mapping[str, int] = SCALES, base: Slot | None = None
) -> GridSupport:
    """Write settings into a slot and read it."""
    running = RUNNING[MODELS[settings.function]]
    empty = model_with(settings.function, {1: running}, scales)
    held = encode(settings, view(empty), {} if base is None else base)
    return decode(
        settings.function, view(model_with(settings.function, {1: running, 2: held}, scales))
    )


def shares(low: float, high: float) -> st.SearchStrategy[list[float]]:
    return st.lists(st.floats(low, high), min_size=1, max_size=4)


@st.composite
def random_curves(draw: st.DrawFn) -> Curve:
    function = draw(st.sampled_from(list(CURVES)))
    xs = sorted(draw(shares(-1, 0.5) if function is GridFunction.WATT_VAR else shares(0.5, 1.5)))
    low = 0.0 if function is GridFunction.VOLT_WATT else -1.0
    ys = [draw(st.floats(low, 1)) for _ in xs]
    of = draw(st.sampled_from(list(CURVES[function].references)))
    response = None if function is GridFunction.WATT_VAR else draw(st.floats(0.1, 600))
    return Curve(function, tuple(zip(xs, ys, strict=True)), of, response_s=response)


@given(random_curves(), st.sampled_from([-3, -2, -1, 0]))
def test_a_curve_comes_back_within_one_step_and_never_beyond(asked: Curve, exponent: int) -> None:
    scales = {**SCALES, "V_SF": -2, "DeptRef_SF": min(exponent, 0), "W_SF": exponent}
    if exponent == -3:  # 100 % would not fit a register of 16 bits
        scales |= {"W_SF": -2, "DeptRef_SF": -2}
    got = through(asked, scales)
    assert isinstance(got, Curve)
    assert (got.function, got.of) == (asked.function, asked.of)
    x_step = 10.0 ** (scales["W_SF"] if asked.function is GridFunction.WATT_VAR else -2) / 100
    y_step = 10.0 ** scales["DeptRef_SF"] / 100
    for (x, y), (asked_x, asked_y) in zip(got.points, asked.points, strict=True):
        assert abs(x - asked_x) <= x_step
        assert abs(y - asked_y) <= y_step
        # The safe direction: never more var, nor more watts, and those at no higher voltage.
        assert abs(y) <= abs(asked_y) + 1e-6 * y_step
        if asked.function is GridFunction.VOLT_WATT:
            assert x <= asked_x + 1e-6 * x_step
    assert all(a[0] <= b[0] for a, b in zip(got.points, got.points[1:], strict=False))
    if asked.response_s is not None:
        assert got.response_s is not None
        assert got.response_s <= asked.response_s + 1e-6
        assert got.response_s > max(0.0, asked.response_s - 0.1 - 1e-6)


@given(st.floats(0, 4), st.floats(0, 4), st.floats(0.01, 1), st.floats(0.01, 1), st.floats(-1, 1))
def test_a_droop_helps_no_later_and_no_less(
    over: float, under: float, steep: float, steep_under: float, least: float
) -> None:
    asked = Droop(GridFunction.FREQUENCY_DROOP, over, under, steep, steep_under, 1.0, least)
    got = through(asked)
    assert isinstance(got, Droop)
    for name, step in (("over_hz", 0.001), ("under_hz", 0.001)):
        assert 0 <= getattr(got, name) <= getattr(asked, name) + 1e-9
        assert getattr(asked, name) - getattr(got, name) < step
    for name in ("over_droop", "under_droop"):
        assert 0 < getattr(got, name) <= getattr(asked, name) + 1e-9
        assert getattr(asked, name) - getattr(got, name) < 0.001
    assert got.least_share is not None
    assert asked.least_share is not None
    assert asked.least_share - 1e-6 <= got.least_share < asked.least_share + 0.01


@given(st.floats(-1e6, 1e6), st.integers(-4, 4), st.sampled_from(Rounding))
def test_steps_are_the_obvious_ones(value: float, exponent: int, rounding: Rounding) -> None:
    scaled = value / 10.0**exponent
    near = abs(scaled - round(scaled)) < 1e-5
    got = steps(value, exponent, rounding)
    assert abs(got - scaled) <= 1 + 1e-5
    if not near:
        low, high = math.floor(scaled), math.ceil(scaled)
        wanted = {
            Rounding.DOWN: low,
            Rounding.UP: high,
            Rounding.TO_ZERO: low if scaled > 0 else high,
            Rounding.NEAREST: low if scaled - low < high - scaled else high,
        }
        assert got == wanted[rounding] or abs(scaled - low - 0.5) < 1e-5


def test_volt_var_in_the_models_signs() -> None:
    asked = Curve(GridFunction.VOLT_VAR, ((0.92, -0.44), (1.08, 0.44)), ShareOf.MAX_VA, 5.0)
    empty = model_with(GridFunction.VOLT_VAR, {1: FULL_705})
    assert encode(asked, view(empty), FULL_705) == {
        "ActPt": 2, "DeptRef": 3, "Pri": 1, "VRef": 10000, "VRefAutoEna": 0, "RspTms": 50,
        "Pt[1].V": 9200, "Pt[1].Var": 4400, "Pt[2].V": 10800, "Pt[2].Var": -4400,
    }  # fmt: skip


def test_watt_var_turns_its_order() -> None:
    asked = Curve(GridFunction.WATT_VAR, ((-1.0, 0.4), (-0.5, 0.0)), ShareOf.MAX_VAR)
    held = encode(asked, view(model_with(GridFunction.WATT_VAR, {1: {"Pri": 1}})), {})
    assert [held[f"Pt[{n}].{name}"] for n in (1, 2) for name in ("W", "Var")] == [
        5000, 0, 10000, -4000,
    ]  # fmt: skip


def test_what_is_left_to_the_device_comes_from_what_it_ran_before() -> None:
    asked = Curve(GridFunction.VOLT_VAR, ((1.0, 0.0),), ShareOf.MAX_W)
    got = through(asked, base={"RspTms": 70, "Pri": 2})
    assert isinstance(got, Curve)
    assert got.response_s == 7.0
    droop = Droop(GridFunction.FREQUENCY_DROOP, 0.1, 0.1, 0.05, 0.05)
    base = {"RspTms": 40, "PMin": 5}
    read = through(droop, base=base)
    assert isinstance(read, Droop)
    assert (read.response_s, read.least_share) == (4.0, 0.05)


def test_a_reference_that_follows_the_voltage() -> None:
    asked = Curve(
        GridFunction.VOLT_VAR, ((1.0, 0.0),), ShareOf.MAX_W, v_ref=0.98, v_ref_follows_s=300
    )
    got = through(asked)
    assert isinstance(got, Curve)
    assert (got.v_ref, got.v_ref_follows_s) == (0.98, 300)


@pytest.mark.parametrize(
    ("asked", "running", "says"),
    [
        (
            Curve(GridFunction.VOLT_VAR, ((1.0, 0.0),), v_ref=0.98),
            {},
            "pv: model 705 has no VRef",
        ),
        (
            Curve(GridFunction.VOLT_VAR, ((1.0, 0.0),), v_ref_follows_s=300),
            {"VRef": 10000},
            "pv: model 705 has no VRefAutoEna",
        ),
        (Curve(GridFunction.VOLT_WATT, ((1.0, 1.0),), v_ref=1.0), {}, "model 706 has no VRef"),
        (Curve(GridFunction.VOLT_WATT, ((1.0, 1.0),), response_s=3), {}, "706 has no RspTms"),
        (
            Curve(GridFunction.VOLT_VAR, tuple((1.0, 0.0) for _ in range(5))),
            {},
            "705 NPt: 5 points do not fit, there is room for 4",
        ),
    ],
)
def test_what_a_device_lacks_is_named(asked: Curve, running: Slot, says: str) -> None:
    block = model_with(asked.function, {1: running})
    with pytest.raises(PermanentError, match=says):
        encode(asked, view(block), {})


def test_a_scale_factor_that_is_missing_is_named() -> None:
    block = model_with(GridFunction.VOLT_VAR, {1: {}}, {"V_SF": -2, "RspTms_SF": 0})
    with pytest.raises(PermanentError, match="pv: model 705 has no DeptRef_SF"):
        encode(Curve(GridFunction.VOLT_VAR, ((1.0, 0.0),)), view(block), {})


@pytest.mark.parametrize(
    ("slot", "says"),
    [
        ({}, r"model 705 Crv\[2\].ActPt reads None: no curve is set"),
        ({"ActPt": 9, "DeptRef": 0}, r"Crv\[2\].ActPt reads 9"),
        ({"ActPt": 1, "DeptRef": 7}, r"Crv\[2\].DeptRef reads 7, which is not known here"),
        ({"ActPt": 1, "DeptRef": 0, "Pt[1].V": 9000}, r"Crv\[2\].Pt\[1\] has no value"),
    ],
)
def test_slots_that_hold_no_curve(slot: Slot, says: str) -> None:
    block = model_with(GridFunction.VOLT_VAR, {1: FULL_705, 2: slot})
    with pytest.raises(PermanentError, match=says):
        decode(GridFunction.VOLT_VAR, view(block))


def test_a_slot_that_holds_no_whole_droop() -> None:
    block = model_with(GridFunction.FREQUENCY_DROOP, {2: {"DbOf": 100}})
    with pytest.raises(PermanentError, match=r"model 711 Ctl\[2\] holds no complete droop"):
        decode(GridFunction.FREQUENCY_DROOP, view(block))


@pytest.mark.parametrize("function", list(MODELS))
def test_the_neutral_settings_change_nothing(function: GridFunction) -> None:
    base: Slot = {"RspTms": 50}
    held = neutral(function, view(model_with(function, {1: RUNNING[MODELS[function]]})), base)
    got = decode(function, view(model_with(function, {1: RUNNING[MODELS[function]], 2: held})))
    if isinstance(got, Droop):
        assert min(got.over_hz, got.under_hz) == 5.0
    else:
        assert isinstance(got, Curve)
        nothing = 1.0 if function is GridFunction.VOLT_WATT else 0.0
        assert {y for _, y in got.points} == {nothing}
