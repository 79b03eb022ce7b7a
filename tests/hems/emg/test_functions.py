"""Grid functions of 2030.5 in house words, which modes a home has, and what is too much for it."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.commands import Ability, DeviceOptions
from der.curves import Curve, Droop, GridFunction, ShareOf
from hems.emg.functions import SUPPORTED, beyond, kind_of, meaning, settings
from hems.emg.gateway import Gateway
from hems.emg.modes import modes
from hems.emg.ratings import Ratings, ratings
from hems.emg.translate import signals
from hems.emg.words import effect, title
from hems.sep2.rules.curve import Curve as WireCurve
from hems.sep2.rules.events import Active, ModeValue, Program, Schedule
from hems.sep2.rules.merge import Lost
from programs.following import along
from programs.signal import SignalKind
from tests.hems.emg.home import BATTERY, METER, PV, state

RATED = Ratings(9000.0, 5000.0, 3600.0, 1800.0, 9900.0, 9000.0)
TELLS = DeviceOptions(frozenset({Ability.REACTIVE}), absorbed_var=2000.0, injected_var=1000.0)
NEUTRAL = frozenset({"opModVoltWatt", "opModFreqWatt", "opModFreqDroop"})
REACTIVE = frozenset(
    {"opModVoltVar", "opModWattVar", "opModFixedVar", "opModTargetVar", "opModFixedPFInjectW"}
)


@pytest.mark.requirement("BUC-4", "BUC-12", "PRO-2030.5")
@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("opModVoltVar", "/c/1", (SignalKind.VOLT_VAR, 0.0)),
        ("opModVoltWatt", "/c/1", (SignalKind.VOLT_WATT, 0.0)),
        ("opModWattVar", "/c/1", (SignalKind.WATT_VAR, 0.0)),
        ("opModFreqWatt", "/c/1", (SignalKind.FREQUENCY_WATT, 0.0)),
        ("opModFreqDroop", (36.0, 36.0, 50.0, 50.0, 500.0), (SignalKind.FREQUENCY_DROOP, 0.0)),
        ("opModTargetVar", 1000.0, (SignalKind.REACTIVE_POWER, -1000.0)),
        ("opModTargetVar", -1000.0, (SignalKind.REACTIVE_POWER, 1000.0)),
        ("opModFixedVar", (2.0, 50.0), (SignalKind.REACTIVE_POWER, -900.0)),
        ("opModFixedVar", (2.0, -50.0), (SignalKind.REACTIVE_POWER, 1800.0)),
        ("opModFixedVar", (3.0, -50.0), (SignalKind.REACTIVE_POWER, 1800.0)),
        ("opModFixedVar", (1.0, 10.0), (SignalKind.REACTIVE_POWER, -900.0)),
        ("opModFixedVar", (8.0, -10.0), (SignalKind.REACTIVE_POWER, 990.0)),
        ("opModFixedPFInjectW", 0.95, (SignalKind.POWER_FACTOR, 0.95)),
        ("opModFixedPFAbsorbW", -0.9, (SignalKind.CHARGING_FACTOR, -0.9)),
        ("opModVoltVar", (), None),
        ("opModFreqDroop", (), None),
        ("opModFixedVar", (), None),
        ("opModWattPF", "/c/1", None),
    ],
)
def test_a_mode_means(
    mode: str, value: ModeValue, expected: tuple[SignalKind, float] | None
) -> None:
    assert meaning(mode, value, RATED) == expected


@pytest.mark.requirement("BUC-4")
@pytest.mark.parametrize(
    ("wire", "house"),
    [
        (
            WireCurve(
                "/c/1",
                "opModVoltVar",
                ((92.0, 44.0), (98.0, 0.0), (108.0, -44.0)),
                8,
                open_loop_s=5.0,
                v_ref=101.0,
                v_ref_follows_s=300.0,
            ),
            Curve(
                GridFunction.VOLT_VAR,
                ((0.92, -0.44), (0.98, 0.0), (1.08, 0.44)),
                ShareOf.MAX_VA,
                5.0,
                1.01,
                300.0,
            ),
        ),
        (
            WireCurve("/c/1", "opModVoltWatt", ((106.0, 100.0), (110.0, 20.0)), 1),
            Curve(GridFunction.VOLT_WATT, ((1.06, 1.0), (1.1, 0.2))),
        ),
        (
            WireCurve("/c/1", "opModWattVar", ((20.0, 0.0), (100.0, -44.0)), 2),
            Curve(GridFunction.WATT_VAR, ((-1.0, 0.44), (-0.2, 0.0)), ShareOf.MAX_VAR),
        ),
        (
            WireCurve("/c/1", "opModFreqWatt", ((50.2, 100.0), (51.2, 0.0)), 1),
            Curve(GridFunction.FREQUENCY_WATT, ((50.2, 1.0), (51.2, 0.0))),
        ),
    ],
)
def test_a_curve_in_house_words(wire: WireCurve, house: Curve) -> None:
    got = settings(wire.mode, "/c/1", {wire.mode: wire})
    assert isinstance(got, Curve)
    assert replace(got, points=house.points) == house
    assert [v for p in got.points for v in p] == pytest.approx([v for p in house.points for v in p])


@given(
    st.lists(st.tuples(st.integers(-100, 100), st.integers(-100, 100)), min_size=1, max_size=6).map(
        lambda points: sorted(set(points), key=lambda p: p[0])
    ),
    st.integers(-110, 110),
)
def test_turning_a_curve_round_changes_nothing_but_the_sign(
    points: list[tuple[int, int]], x: int
) -> None:
    if len({p[0] for p in points}) < len(points):
        return  # at a step either side may be meant
    floats = tuple((float(a), float(b)) for a, b in points)
    got = settings(
        "opModWattVar", "/c", {"opModWattVar": WireCurve("/c", "opModWattVar", floats, 2)}
    )
    assert isinstance(got, Curve)
    assert along(got.points, -x / 100) == pytest.approx(-along(floats, x) / 100, abs=1e-9)


@pytest.mark.requirement("BUC-4")
@pytest.mark.parametrize(
    ("times", "response_s"),
    [
        ({}, None),
        ({"open_loop_s": 5.0, "ramp_up": 0.0, "ramp_down": 0.0}, 5.0),
        ({"open_loop_s": 5.0, "ramp_down": 100.0}, 5.0),
        ({"open_loop_s": 5.0, "ramp_down": 10.0}, 23.0),
        ({"open_loop_s": 5.0, "ramp_up": 5.0, "ramp_down": 10.0}, 46.1),
        ({"open_loop_s": 60.0, "ramp_down": 10.0}, 60.0),
        ({"ramp_up": 10.0, "ramp_down": 0.0}, 23.0),
        ({"ramp_down": 50.0}, None),  # any device is slower by itself
        ({"filter_s": 10.0, "ramp_down": 1.0}, 230.3),
    ],
)
def test_a_ramp_limit_makes_a_device_slower_where_it_must(
    times: dict[str, float], response_s: float | None
) -> None:
    wire = WireCurve("/c/1", "opModVoltVar", ((92.0, 44.0), (108.0, -44.0)), 2, **times)
    got = settings("opModVoltVar", "/c/1", {"opModVoltVar": wire})
    assert isinstance(got, Curve)
    assert got.response_s == (None if response_s is None else pytest.approx(response_s, abs=0.05))
    limit = min((v for k, v in times.items() if k.startswith("ramp") and v), default=math.inf)
    if got.response_s:
        assert 100.0 * math.log(10.0) / got.response_s <= limit * 1.001, "a lag's first slope"


def test_a_reference_voltage_is_of_volt_var_only() -> None:
    wire = WireCurve("/c/1", "opModVoltWatt", ((106.0, 100.0), (110.0, 20.0)), 1, v_ref=101.0)
    got = settings("opModVoltWatt", "/c/1", {"opModVoltWatt": replace(wire, v_ref_follows_s=9.0)})
    assert isinstance(got, Curve)
    assert (got.v_ref, got.v_ref_follows_s) == (None, None)


@pytest.mark.requirement("BUC-3")
def test_a_droop_in_house_words() -> None:
    got = settings("opModFreqDroop", (36.0, 40.0, 50.0, 60.0, 500.0), {})
    assert got == Droop(GridFunction.FREQUENCY_DROOP, 0.036, 0.040, 0.05, 0.06, 5.0)


@pytest.mark.requirement("BUC-12")
@pytest.mark.parametrize(
    ("mode", "value", "words"),
    [
        ("opModTargetVar", 1800.0, ""),
        ("opModTargetVar", 1900.0, "inject 1900 var, and the most here is 1800"),
        ("opModTargetVar", -3600.0, ""),
        ("opModTargetVar", -50_000.0, "absorb 50000 var, and the most here is 3600"),
        ("opModFixedVar", (2.0, 100.0), ""),
        ("opModFixedVar", (1.0, 90.0), "inject 8100 var"),
        ("opModFixedPFInjectW", 0.95, ""),
        ("opModFixedPFInjectW", 0.3, "of 0.3, and the least here is 0.93"),
        ("opModVoltVar", "/c/1", ""),
        ("opModImpLimW", 1e6, ""),
    ],
)
def test_more_than_the_devices_can_is_said(mode: str, value: ModeValue, words: str) -> None:
    said = beyond(mode, value, RATED)
    assert words in said
    assert bool(said) is bool(words)


def functional(*functions: GridFunction) -> DeviceOptions:
    return DeviceOptions(frozenset({Ability.POWER}), frozenset(functions))


@pytest.mark.requirement("BUC-4")
@pytest.mark.parametrize(
    ("options", "able"),
    [
        ({}, frozenset()),
        ({"pv": DeviceOptions(frozenset({Ability.POWER}))}, NEUTRAL),
        ({"pv": TELLS}, NEUTRAL | REACTIVE),
        ({"battery": TELLS}, NEUTRAL | REACTIVE | {"opModFixedPFAbsorbW"}),
        ({"pv": functional(GridFunction.VOLT_VAR)}, NEUTRAL | {"opModVoltVar"}),
        (
            {
                "pv": replace(
                    functional(GridFunction.WATT_VAR), untimed=frozenset({GridFunction.WATT_VAR})
                )
            },
            NEUTRAL,
        ),
        ({"meter": TELLS}, frozenset()),
    ],
)
def test_a_function_needs_a_device_that_has_it(
    options: dict[str, DeviceOptions], able: frozenset[str]
) -> None:
    assert modes([METER, PV, BATTERY], options) & SUPPORTED == able


def test_ratings_are_of_those_that_can_be_told() -> None:
    found = ratings([METER, PV, BATTERY], {"battery": TELLS, "pv": functional()})
    assert (found.generation_w, found.absorbed_var, found.able_w) == (9000.0, 2000.0, 5000.0)
    assert found.least_factor(absorbing=True) == pytest.approx(math.cos(math.atan(0.4)))
    unsaid = ratings([PV], {"pv": DeviceOptions(frozenset({Ability.REACTIVE}))})
    assert unsaid.injected_var == pytest.approx(1760.0)


def active(mode: str, value: ModeValue, event: str, primacy: int = 5, **more: object) -> Active:
    fields: dict[str, object] = {"start": 100.0, "end": 700.0, "mandatory": False}
    return Active(mode, value, event, Program("P", "Peak", primacy), **(fields | more))  # type: ignore[arg-type]


VOLT_VAR = WireCurve("/c/1", "opModVoltVar", ((92.0, 44.0), (108.0, -44.0)), 2)


@pytest.mark.requirement("BUC-4")
@pytest.mark.parametrize(
    ("others", "left"),
    [
        ([], {"E1"}),
        ([active("opModTargetVar", 500.0, "E2", 4)], {"E2"}),
        ([active("opModTargetVar", 500.0, "E2", 6)], {"E1"}),
        ([active("opModTargetVar", 500.0, "E2", start=101.0)], {"E2"}),
        ([active("opModTargetVar", 500.0, "D1", 0, default=True, start=-math.inf)], {"E1"}),
        (
            [
                active("opModFixedPFInjectW", 0.95, "E2", 4),
                active("opModFixedPFAbsorbW", 0.95, "E3", 4),
            ],
            {"E2", "E3"},
        ),
        ([active("opModTargetVar", (), "E2", 4)], {"E1"}),
    ],
)
def test_of_the_ways_to_set_reactive_power_one_counts(others: list[Active], left: set[str]) -> None:
    every = [active("opModVoltVar", "/c/1", "E1"), *others]
    schedule = Schedule(200.0, {a.mode: a for a in every}, curves={"/c/1": VOLT_VAR})
    assert {s.event for s in signals(schedule, RATED, {})} == left


def test_a_curve_that_is_not_known_asks_nothing() -> None:
    schedule = Schedule(200.0, {"opModVoltVar": active("opModVoltVar", "/c/9", "E1")})
    assert signals(schedule, RATED, {}) == ()
    (found,) = signals(schedule, RATED, {}, {"opModVoltVar": VOLT_VAR})
    assert found.settings is not None


@pytest.mark.requirement("ROLE-UI")
def test_each_function_has_words() -> None:
    helpers = [state(PV, -1000.0), state(BATTERY, 0.0)]
    for mode in SUPPORTED:
        kind = kind_of(mode)
        assert kind is not None
        for value in (0.9, -0.9, 1.0):
            assert title(kind, value)
        assert "Solar and Battery" in effect(kind, helpers)


@pytest.mark.parametrize("kind", SignalKind)
def test_each_signal_has_words(kind: SignalKind) -> None:
    assert title(kind, 500.0)
    assert effect(kind, [])


class _Clock:
    """A clock that stands still."""

    def now(self) -> float:
        return 200.0

    def monotonic(self) -> float:
        return 200.0


def two_utilities() -> tuple[Gateway, list[Lost]]:
    lost: list[Lost] = []
    gateway = Gateway(
        RATED,
        _Clock(),
        on_signals=lambda: None,
        on_baseline=lambda _event, _power_w: None,
        sources=("grid", "market"),
        on_lost=lost.extend,
    )
    return gateway, lost


def asking(*actives: Active) -> Schedule:
    return Schedule(200.0, {a.mode: a for a in actives}, curves={"/c/1": VOLT_VAR})


@pytest.mark.requirement("BUC-4", "PRO-2030.5")
def test_who_gives_way_is_told_within_one_utility_and_between_two() -> None:
    gateway, lost = two_utilities()
    weak = active("opModVoltVar", "/c/1", "E1", 5)
    strong = active("opModTargetVar", 500.0, "E2", 4)
    gateway.take_schedule(asking(weak, strong), "grid")
    assert [(x.event, x.server, x.to_event, x.to_server) for x in lost] == [
        ("E1", "grid", "E2", "grid")
    ]
    lost.clear()
    gateway.take_schedule(asking(weak), "grid")
    gateway.take_schedule(asking(strong), "market")
    assert [(x.event, x.server, x.to_server) for x in lost] == [("E1", "grid", "market")]
    assert [s.event for s in gateway.signals] == ["E2"]


@pytest.mark.requirement("BUC-4")
def test_a_default_curve_gives_way_in_silence_and_comes_back() -> None:
    gateway, lost = two_utilities()
    default = active(
        "opModVoltVar", "/c/1", "D1", default=True, start=-math.inf, end=math.inf, mandatory=True
    )
    gateway.take_schedule(asking(default, active("opModTargetVar", 500.0, "E2", 9)), "grid")
    assert [s.event for s in gateway.signals] == ["E2"]
    assert not lost
    gateway.take_schedule(asking(default), "grid")
    (back,) = gateway.signals
    assert (back.event, back.binding, back.ends_at) == ("D1", True, math.inf)
    assert back.settings is not None


def test_per_cents_are_of_what_devices_have_said_by_then() -> None:
    gateway, _ = two_utilities()
    gateway.take_schedule(asking(active("opModFixedVar", (2.0, 50.0), "E1")), "grid")
    assert [s.value for s in gateway.signals] == [-900.0]
    gateway.rate(replace(RATED, injected_var=4000.0))
    assert [s.value for s in gateway.signals] == [-2000.0]
