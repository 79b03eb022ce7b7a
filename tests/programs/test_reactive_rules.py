"""Volt-VAR, Watt-VAR, fixed reactive power and power factor: what each inverter is asked."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.commands import Ability, DeviceOptions
from der.curves import Curve, Droop, GridFunction, GridSupport, ShareOf
from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from programs import envelope_var, frequency_watt, reactive, volt_var, volt_watt, watt_var
from programs.envelope_var import EnvelopeVarPolicy
from programs.following import along
from programs.frequency_watt import drooped
from programs.inputs import Inputs, Sensed
from programs.proposal import HOME, Proposal, Rank
from programs.signal import Signal, SignalKind
from programs.support import FixedFactor, FixedVar, SupportWish, shared
from programs.volt_var import VoltVarPolicy
from programs.volt_watt import VoltWattPolicy
from programs.watt_var import WattVarPolicy

NOW = 1_800_000_000.0
PV = DeviceSpec("pv", DeviceKind.PV, "Roof", Control.FLOOR, -4000.0, 0.0)
BATTERY = DeviceSpec("battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -5000.0, 5000.0)
METER = DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, -14_490.0, 14_490.0)
CAR = DeviceSpec("car", DeviceKind.EVSE, "Car", Control.CEILING, 0.0, 7400.0)
TELLS = DeviceOptions(frozenset({Ability.REACTIVE}), absorbed_var=2000.0, injected_var=1000.0)
RUNS = replace(TELLS, functions=frozenset(GridFunction))
BARE = DeviceOptions(frozenset({Ability.POWER}))
VOLT_VAR = Curve(
    GridFunction.VOLT_VAR,
    ((0.92, -0.44), (0.98, 0.0), (1.02, 0.0), (1.08, 0.44)),
    ShareOf.MAX_VA,
)
VOLT_WATT = Curve(GridFunction.VOLT_WATT, ((1.06, 1.0), (1.10, 0.2)))
WATT_VAR = Curve(GridFunction.WATT_VAR, ((-1.0, 0.44), (-0.5, 0.0)), ShareOf.MAX_W)
FREQ_WATT = Curve(GridFunction.FREQUENCY_WATT, ((50.2, 1.0), (51.2, 0.0), (52.2, -1.0)))
DROOP = Droop(GridFunction.FREQUENCY_DROOP, 0.1, 0.1, 0.05, 0.05)


def state(spec: DeviceSpec, power_w: float = 0.0, var: float = 0.0) -> DeviceState:
    return DeviceState(spec, Reading(NOW, power_w, reactive_var=var), Quality.GOOD)


def signal(
    kind: SignalKind, value: float = 0.0, settings: GridSupport | None = None, *names: str
) -> Signal:
    return Signal(
        "E1",
        "Peak Saver",
        kind,
        value,
        NOW - 1,
        NOW + 60,
        binding=False,
        devices=frozenset(names),
        settings=settings,
    )


def home(
    signals: Sequence[Signal],
    options: Mapping[str, DeviceOptions],
    sensed: Sensed | None = None,
    *states: DeviceState,
) -> Inputs:
    found = states or (state(METER), state(PV), state(BATTERY), state(CAR))
    return Inputs(
        signals,
        {s.spec.id: s for s in found},
        0.0,
        NOW,
        options=options,
        sensed=sensed or Sensed(),
    )


def held(wishes: Sequence[SupportWish]) -> dict[str, object]:
    return {w.device: w.what for w in wishes}


@given(
    st.lists(st.tuples(st.integers(-20, 20), st.floats(-1, 1)), min_size=1, max_size=6).map(
        lambda points: sorted(((float(x), y) for x, y in points), key=lambda p: p[0])
    ),
    st.floats(-25, 25),
)
def test_a_curve_is_followed_as_a_slow_search_has_it(
    points: list[tuple[float, float]], x: float
) -> None:
    before = [p for p in points if p[0] <= x]
    behind = [p for p in points if p[0] > x]
    if not before:
        expected = points[0][1]
    elif not behind:
        expected = before[-1][1]
    else:
        (x0, y0), (x1, y1) = before[-1], behind[0]
        expected = (y0 * (x1 - x) + y1 * (x - x0)) / (x1 - x0)
    assert along(points, x) == pytest.approx(expected, abs=1e-9)


@pytest.mark.requirement("BUC-4")
def test_who_can_runs_the_curve_and_for_who_cannot_the_hub_follows_it() -> None:
    asked = [signal(SignalKind.VOLT_VAR, settings=VOLT_VAR)]
    inputs = home(asked, {"pv": RUNS, "battery": TELLS}, Sensed(level_v=1.05 * 230))
    wishes = volt_var.propose_support(inputs, VoltVarPolicy())
    assert held(wishes) == {"pv": VOLT_VAR, "battery": FixedVar(1100.0, 40.0)}
    assert [w.steered for w in wishes] == [False, True]
    assert "cannot by itself" in wishes[1].reason


@pytest.mark.parametrize(
    ("level_v", "var"),
    [(230.0, 0.0), (1.08 * 230, 2000.0), (0.90 * 230, -1000.0), (1.02 * 230, 0.0), (None, None)],
)
def test_the_hub_keeps_to_the_ratings(level_v: float | None, var: float | None) -> None:
    asked = [signal(SignalKind.VOLT_VAR, settings=VOLT_VAR)]
    inputs = home(asked, {"battery": TELLS}, Sensed(level_v=level_v))
    wishes = volt_var.propose_support(inputs, VoltVarPolicy())
    assert [w.what.reactive_var for w in wishes if isinstance(w.what, FixedVar)] == (
        [] if var is None else [var]
    )


def test_a_function_that_cannot_end_by_itself_is_not_asked_of_a_device() -> None:
    asked = [signal(SignalKind.VOLT_WATT, settings=VOLT_WATT)]
    untimed = replace(RUNS, untimed=frozenset({GridFunction.VOLT_WATT}))
    assert held(volt_watt.propose_support(home(asked, {"pv": untimed}))) == {}
    assert held(volt_watt.propose_support(home(asked, {"pv": RUNS}))) == {"pv": VOLT_WATT}


def test_nothing_is_asked_of_whom_nobody_asked_what_he_can() -> None:
    asked = [signal(SignalKind.VOLT_VAR, settings=VOLT_VAR)]
    assert volt_var.propose_support(home(asked, {}), VoltVarPolicy()) == ()


@pytest.mark.requirement("BUC-4", "BUC-11")
@pytest.mark.parametrize(
    ("share", "floors"),
    [(1.05, {}), (1.06, {}), (1.08, {"pv": -2400.0, "battery": -3000.0}), (1.2, {"pv": -800.0})],
)
def test_volt_watt_bounds_generation_by_the_measured_voltage(
    share: float, floors: dict[str, float]
) -> None:
    asked = [signal(SignalKind.VOLT_WATT, settings=VOLT_WATT)]
    inputs = home(asked, {"pv": BARE}, Sensed(level_v=share * 230))
    found = volt_watt.propose(inputs, VoltWattPolicy())
    got = {p.target: p.bounds.lower_w for p in found}
    assert {k: got[k] for k in floors} == pytest.approx(floors)
    assert bool(got) is bool(floors)
    assert not volt_watt.propose(
        home(asked, {"pv": RUNS, "battery": RUNS}, inputs.sensed), VoltWattPolicy()
    )


def test_watt_var_by_the_inverters_own_power() -> None:
    asked = [signal(SignalKind.WATT_VAR, settings=WATT_VAR)]
    inputs = home(asked, {"pv": TELLS}, None, state(PV, -3000.0))
    assert held(watt_var.propose_support(inputs, WattVarPolicy())) == {"pv": FixedVar(880.0, 40.0)}


@pytest.mark.requirement("BUC-12")
@pytest.mark.parametrize(
    ("total", "parts"),
    [
        (1200.0, {"pv": 800.0, "battery": 400.0}),
        (-1000.0, {"pv": -400.0, "battery": -600.0}),
        (9000.0, {"pv": 2000.0, "battery": 1000.0}),
        (0.0, {"pv": 0.0, "battery": 0.0}),
    ],
)
def test_a_reactive_power_is_shared_by_rating(total: float, parts: dict[str, float]) -> None:
    options = {"pv": TELLS, "battery": replace(TELLS, absorbed_var=1000.0, injected_var=1500.0)}
    inputs = home([signal(SignalKind.REACTIVE_POWER, total)], options)
    found = held(reactive.propose_support(inputs))
    assert found == {name: FixedVar(var) for name, var in parts.items()}


@given(
    st.floats(-1e5, 1e5),
    st.lists(st.floats(0.0, 1e4), min_size=1, max_size=5),
)
def test_shares_add_up_and_nobody_is_overloaded(total: float, ratings: list[float]) -> None:
    devices = [state(replace(PV, id=str(i))) for i in range(len(ratings))]
    options = {
        str(i): replace(TELLS, absorbed_var=r, injected_var=r) for i, r in enumerate(ratings)
    }
    parts = shared(total, devices, options)
    whole = sum(ratings)
    expected = math.copysign(min(abs(total), whole), total) if whole else 0.0
    assert sum(parts.values()) == pytest.approx(expected, abs=1e-6)
    assert all(abs(v) <= ratings[int(k)] + 1e-6 for k, v in parts.items())


@pytest.mark.requirement("BUC-12")
def test_power_factors_for_giving_and_taking_go_together() -> None:
    asked = [signal(SignalKind.POWER_FACTOR, 0.95), signal(SignalKind.CHARGING_FACTOR, -0.9)]
    options = {"pv": TELLS, "battery": BARE}
    assert held(reactive.propose_support(home(asked, options))) == {"pv": FixedFactor(0.95, -0.9)}
    only = reactive.propose_support(home(asked[1:], options))
    assert held(only) == {"pv": FixedFactor(1.0, -0.9)}


def test_a_signal_for_some_devices_reaches_no_others() -> None:
    asked = [signal(SignalKind.REACTIVE_POWER, 500.0, None, "battery")]
    options = {"pv": TELLS, "battery": TELLS}
    assert held(reactive.propose_support(home(asked, options))) == {"battery": FixedVar(500.0)}


@pytest.mark.requirement("BUC-3")
@pytest.mark.parametrize(
    ("hz", "before_w", "bounds"),
    [
        (50.05, -2000.0, (-math.inf, math.inf)),
        (50.35, -2000.0, (-1500.0, math.inf)),  # 0.25 Hz of 2.5 Hz is a tenth of 5 kW
        (49.65, -2000.0, (-math.inf, -2500.0)),
        (53.0, -2000.0, (3800.0, math.inf)),
        (40.0, -2000.0, (-math.inf, -5000.0)),
    ],
)
def test_droop_moves_a_battery_from_where_it_was(
    hz: float, before_w: float, bounds: tuple[float, float]
) -> None:
    found = drooped(DROOP, state(BATTERY), before_w, hz)
    got = (-math.inf, math.inf) if found is None else (found.lower_w, found.upper_w)
    assert got == pytest.approx(bounds)


@pytest.mark.requirement("BUC-3")
def test_the_sun_gives_no_more_at_low_frequency_and_who_runs_a_droop_is_let_be() -> None:
    asked = [signal(SignalKind.FREQUENCY_DROOP, settings=DROOP)]
    high = Sensed(frequency_hz=50.6, before_w={"pv": -3000.0, "battery": 0.0})
    found = frequency_watt.propose(home(asked, {"pv": BARE, "battery": RUNS}, high))
    assert {p.target: p.bounds.lower_w for p in found} == {"pv": pytest.approx(-2200.0)}
    low = replace(high, frequency_hz=49.5)
    assert frequency_watt.propose(home(asked, {"pv": BARE, "battery": RUNS}, low)) == ()
    wishes = frequency_watt.propose_support(home(asked, {"pv": BARE, "battery": RUNS}, high))
    assert held(wishes) == {"battery": DROOP}


@pytest.mark.parametrize(
    ("hz", "pv_w", "battery_w"),
    [(50.7, -2000.0, -2500.0), (51.7, 0.0, 2500.0), (60.0, None, None)],
)
def test_frequency_watt_along_its_curve(
    hz: float, pv_w: float | None, battery_w: float | None
) -> None:
    asked = [signal(SignalKind.FREQUENCY_WATT, settings=FREQ_WATT)]
    found = frequency_watt.propose(home(asked, {}, Sensed(frequency_hz=hz)))
    got = {p.target: p.bounds.lower_w for p in found}
    if pv_w is None:
        assert got == {"pv": 0.0, "battery": 5000.0}
    else:
        assert got == pytest.approx({"pv": pv_w, "battery": battery_w})


LIMITS = EnvelopeVarPolicy(-1000.0, 1000.0, 212.0, 250.0, margin_share=0.0)


def envelope(
    sensed: Sensed, wishes: Sequence[SupportWish] = (), policy: EnvelopeVarPolicy = LIMITS
) -> float | None:
    """Return the reactive power that the envelope has the battery hold; None for nothing."""
    inputs = home([], {"battery": TELLS}, sensed)
    found = envelope_var.propose_support(inputs, policy, wishes)
    vars_ = [w.what.reactive_var for w in found if isinstance(w.what, FixedVar)]
    return vars_[0] if vars_ else None


def asks(var: float) -> SupportWish:
    return SupportWish("x", Rank.ACCEPTED, "battery", FixedVar(var), NOW, NOW + 60, "E1")


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize(
    ("base_var", "asked_var", "expected"),
    [
        (0.0, None, None),
        (1500.0, None, -500.0),
        (-1800.0, None, 800.0),
        (5000.0, None, -1000.0),  # all that it can
        (0.0, 800.0, None),
        (0.0, 1800.0, 1000.0),
        (600.0, 800.0, 400.0),
        (None, 1800.0, None),
    ],
)
def test_reactive_power_at_the_meter_keeps_within_its_bounds(
    base_var: float | None, asked_var: float | None, expected: float | None
) -> None:
    wishes = () if asked_var is None else (asks(asked_var),)
    assert envelope(Sensed(base_var=base_var), wishes) == expected


@pytest.mark.requirement("BUC-11")
@given(
    st.floats(-5000, 5000),
    st.one_of(st.none(), st.floats(-2000, 2000)),
    st.floats(205, 258),
)
def test_the_bound_on_reactive_power_holds_wherever_the_inverters_can(
    base_var: float, asked_var: float | None, level_v: float
) -> None:
    wishes = () if asked_var is None else (asks(asked_var),)
    told = envelope(Sensed(level_v=level_v, base_var=base_var), wishes)
    moved = told if told is not None else (asked_var or 0.0)
    reach = (-1000.0, 2000.0)
    reachable = base_var + reach[0] <= 1000 and base_var + reach[1] >= -1000
    if reachable:
        assert -1000 - 2 <= base_var + moved <= 1000 + 2


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize(
    ("level_v", "var", "bound"),
    [
        (240.0, None, None),
        (243.1, 1000.0, None),  # half of the first 4.6 V band
        (247.7, 2000.0, -4500.0),  # all of it, and half of the second: half of 9 kW
        (250.0, 2000.0, 0.0),
        (260.0, 2000.0, 0.0),
        (218.9, -500.0, None),
        (212.0, -1000.0, 0.0),
    ],
)
def test_reactive_power_comes_first_and_active_power_last(
    level_v: float, var: float | None, bound: float | None
) -> None:
    sensed = Sensed(level_v=level_v)
    policy = replace(LIMITS, least_var=None, greatest_var=None)
    assert envelope(sensed, policy=policy) == var
    found: Sequence[Proposal] = envelope_var.propose(home([], {"battery": TELLS}, sensed), policy)
    assert [p.target for p in found] == ([] if bound is None else [HOME])
    edges = [p.bounds.lower_w if level_v > 230 else p.bounds.upper_w for p in found]
    assert edges == ([] if bound is None else [pytest.approx(bound, abs=1.0)])


@pytest.mark.requirement("BUC-11")
def test_each_phase_keeps_its_bound_not_their_mean() -> None:
    policy = EnvelopeVarPolicy(least_v=210.0, greatest_v=250.0)
    uneven = Sensed(level_v=236.0, below_v=8.0, above_v=14.0)
    assert envelope_var.pressed(home([], {}, uneven), policy) == (1.0, 1.0)
    (bound,) = envelope_var.propose(home([], {}, uneven), policy)
    assert (bound.bounds.lower_w, "250 V" in bound.reason) == (0.0, True)
    low = Sensed(level_v=230.0, below_v=20.4, above_v=10.0)
    assert envelope_var.pressed(home([], {}, low), policy) == (-1.0, -1.0)
    (bound,) = envelope_var.propose(home([], {}, low), policy)
    assert (bound.bounds.upper_w, "(210 V)" in bound.reason) == (0.0, True)
    assert envelope_var.pressed(home([], {}, Sensed(level_v=230.0)), policy) == (0.0, 0.0)
