"""From the plan to steps and their reasons."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der.model import Comfort, Control, DeviceKind, DeviceSpec
from hems.cem.needs import CarMode, CarNeed, RunRequest
from hems.cem.planner.plan import Plan, PlannedDevice
from hems.cem.planner.problem import BySlot, Prices
from hems.cem.planner.steps import steps
from hems.cem.slots import Slots
from programs.economy import Step, Use

pytestmark = pytest.mark.requirement("ROLE-CEM")

ZONE = ZoneInfo("Europe/Berlin")
START = datetime(2026, 6, 1, 20, 0, tzinfo=UTC).timestamp()
"""Ten in the evening by the home's clock."""
SEVEN = START + 9 * 3_600

BATTERY = DeviceSpec("battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -5_000, 5_000)
CAR = DeviceSpec("car", DeviceKind.EVSE, "Car", Control.CEILING, 0, 7_400, least_on_w=1_380)
TANK = DeviceSpec(
    "tank", DeviceKind.WATER_HEATER, "Tank", Control.SWITCH, 0, 2_000, comfort=Comfort(45, 60)
)
COOLER = DeviceSpec(
    "cooler",
    DeviceKind.THERMOSTAT,
    "Bedroom",
    Control.SWITCH,
    0,
    1_000,
    comfort=Comfort(18, 24, cools=True),
)
PLUG = DeviceSpec("plug", DeviceKind.PLUG, "Dishwasher", Control.SWITCH, 0, 2_000)
SPECS = {spec.id: spec for spec in (BATTERY, CAR, TANK, COOLER, PLUG)}

DAY = (0.30,) * 4 + (0.10,) * 4 + (0.40,) * 4
"""Twelve hours: dear, cheap from 02:00, dearest from 06:00."""


def made(
    device: str,
    power_w: BySlot,
    uses: tuple[Use, ...] = (),
    *,
    load_w: float = 300.0,
    sun_w: BySlot | None = None,
    prices: BySlot = DAY,
    export: float = 0.08,
    start: float = START,
    needs: tuple[CarNeed, ...] = (),
    runs: tuple[RunRequest, ...] = (),
) -> tuple[Step, ...]:
    count = len(power_w)
    sun_w = sun_w or (0.0,) * count
    plan = Plan(
        start,
        Slots(start, 3_600.0, count),
        {device: PlannedDevice(power_w, uses=uses)},
        (load_w,) * count,
        sun_w,
        tuple(load_w + s + p for s, p in zip(sun_w, power_w, strict=True)),
        0.0,
        0.0,
    )
    found = steps(plan, Prices(prices, (export,) * count), SPECS, ZONE, cars=needs, runs=runs)
    return found[device]


def told(found: tuple[Step, ...]) -> list[tuple[int, int, float, str]]:
    return [
        (
            round((s.starts_at - START) / 3_600),
            round((s.ends_at - START) / 3_600),
            round(s.power_w),
            s.reason,
        )
        for s in found
    ]


ONE = (0.0,) * 12


@pytest.mark.requirement("BUC-6")
def test_a_car_waits_for_the_cheap_hours() -> None:
    power = (0.0,) * 4 + (3_000.0, 3_004.0, 3_000.0) + (0.0,) * 5
    need = CarNeed("car", CarMode.CHEAPEST, SEVEN)
    assert told(made("car", power, needs=(need,))) == [
        (0, 4, 0, "Waits: cheaper from 02:00; ready by 07:00"),
        (4, 7, 3_001, "Charging: the cheapest hours before 07:00"),
        (7, 12, 0, "Has nothing to take"),
    ]
    assert told(made("car", power))[1][3] == "Charging: energy costs 0.10"


def test_a_car_that_must_says_so() -> None:
    power = (3_000.0,) * 9 + (0.0,) * 3
    need = CarNeed("car", CarMode.CHEAPEST, SEVEN)
    assert told(made("car", power, needs=(need,)))[0][3] == "Charging: to be ready by 07:00"


def test_a_car_on_the_sun_follows_it() -> None:
    power = (0.0,) * 4 + (2_000.0, 3_000.0) + (0.0,) * 6
    sun = (0.0,) * 4 + (-2_300.0, -3_400.0) + (0.0,) * 6
    found = made("car", power, sun_w=sun)
    assert told(found)[:2] == [
        (0, 4, 0, "Waits: sun from 02:00"),
        (4, 6, 2_500, "Charging: the sun leaves it over"),
    ]
    assert [s.use for s in found] == [None, Use.KEEP, None]
    cloudy = made("car", power, sun_w=tuple(0.7 * w for w in sun))
    assert [s.use for s in cloudy] == [None] * 4, "too little: the plan's figures count"
    solar = CarNeed("car", CarMode.SOLAR)
    assert [s.reason for s in made("car", power, sun_w=sun, needs=(solar,))] == [
        "Waits: takes sun only",
        "Takes sun only",
        "Waits: takes sun only",
    ]


@pytest.mark.parametrize(
    ("use", "power_w", "reason"),
    [
        (Use.EVEN_OUT, -300.0, "Takes what the sun leaves over and gives the house what it lacks"),
        (Use.KEEP, 0.0, "Keeps its charge for 06:00: energy costs 0.40 then"),
        (Use.CHARGE, 4_000.0, "Charges from the grid at 0.30: energy costs 0.40 at 06:00"),
        (Use.GIVE, -300.0, "Gives the house what it lacks; what the sun leaves over earns 0.08"),
        (Use.SELL, -4_000.0, "Sells to the grid, which pays 0.08"),
        (Use.SELL, -100.0, "Gives the house what it lacks; what the sun leaves over earns 0.08"),
        (Use.REST, 0.0, "Rests: neither storing nor giving pays now"),
    ],
)
def test_a_battery_says_what_for(use: Use, power_w: float, reason: str) -> None:
    power = (power_w,) * 4 + (0.0,) * 4 + (-300.0,) * 4
    uses = (use,) * 4 + (Use.KEEP,) * 4 + (Use.EVEN_OUT,) * 4
    first, *_ = made("battery", power, uses)
    assert (first.use, first.reason) == (use, reason)


def test_a_price_below_nothing_is_told_as_what_it_is() -> None:
    prices = (-0.05,) * 12
    first, *_ = made("battery", (4_000.0,) * 12, (Use.CHARGE,) * 12, prices=prices)
    assert first.reason == "Charges from the grid, which pays 0.05 for it"


def test_an_appliance_is_one_run() -> None:
    power = (0.0,) * 4 + (2_000.0, 100.0) + (0.0,) * 6
    request = RunRequest("plug", (2_000.0, 100.0), 3_600.0, START, SEVEN)
    assert told(made("plug", power, runs=(request,))) == [
        (0, 4, 0, "Starts at 02:00: the cheapest hours before 07:00"),
        (4, 6, 1_050, "Runs until 04:00, without a break"),
        (6, 12, 0, "Has no start within this plan"),
    ]
    sun = (0.0,) * 4 + (-2_500.0, -2_500.0) + (0.0,) * 6
    assert made("plug", power, sun_w=sun)[0].reason == "Starts at 02:00: sun expected"
    assert made("plug", power, prices=(0.3,) * 12)[0].reason == "Starts at 02:00"


def test_heat() -> None:
    power = (0.0,) * 4 + (2_000.0,) * 2 + (400.0,) * 6
    assert (
        told(made("tank", power))
        == [
            (0, 4, 0, "Waits: cheaper from 02:00"),
            (4, 6, 2_000, "Heats: energy costs 0.10, less than on average"),
            (6, 12, 400, "Warm enough"),
        ]
        or told(made("tank", power))[2][3] == "Waits until 05:00"
    )
    assert made("tank", ONE)[0].reason == "Warm enough"
    assert made("cooler", ONE)[0].reason == "Cool enough"
    assert made("cooler", (1_000.0, *ONE[1:]))[0].reason == "Cools: it is needed now"
    sun = (-3_000.0,) * 12
    assert made("tank", (2_000.0,) * 12, sun_w=sun)[0].reason == "Heats: the sun leaves it over"


@pytest.mark.requirement("TIME-STAMP")
@pytest.mark.parametrize(
    ("start", "slot", "words"),
    [
        ("2026-03-28T20:00", 4, "01:00"),
        ("2026-03-28T20:00", 5, "03:00"),
        ("2026-10-24T20:00", 4, "02:00 CEST"),
        ("2026-10-24T20:00", 5, "02:00 CET"),
        ("2026-10-24T20:00", 6, "03:00"),
    ],
)
def test_times_are_told_by_the_clock_on_the_wall(start: str, slot: int, words: str) -> None:
    at = datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp()
    power = (*ONE[:slot], 3_000.0, *ONE[slot + 1 :])
    found = made("car", power, start=at, prices=(0.3,) * 12)
    assert found[0].reason == f"Waits until {words}"


powers = st.lists(st.one_of(st.just(0.0), st.floats(-5_000, 7_400)), min_size=1, max_size=96).map(
    tuple
)


@settings(deadline=None)
@given(
    device=st.sampled_from(sorted(SPECS)),
    power=powers,
    slots=st.lists(st.tuples(st.sampled_from(Use), st.floats(-1, 1)), min_size=96, max_size=96),
    sun=st.floats(-6_000, 0),
    ready_at=st.one_of(st.none(), st.floats(START - 1e4, START + 5e5)),
)
def test_steps_cover_the_plan_exactly(
    device: str,
    power: BySlot,
    slots: list[tuple[Use, float]],
    sun: float,
    ready_at: float | None,
) -> None:
    count = len(power)
    uses, prices = tuple(use for use, _ in slots), tuple(price for _, price in slots)
    if device != "battery":
        power = tuple(max(w, 0.0) for w in power)
    found = made(
        device,
        power,
        uses[:count] if device == "battery" else (),
        sun_w=(sun,) * count,
        prices=prices[:count],
        needs=(CarNeed("car", CarMode.CHEAPEST, ready_at),),
        runs=() if ready_at is None else (RunRequest("plug", (1.0,), 60.0, START, ready_at),),
    )
    assert found[0].starts_at == START
    assert found[-1].ends_at == START + count * 3_600
    for before, after in pairwise(found):
        assert before.ends_at == after.starts_at
    for step in found:
        first = round((step.starts_at - START) / 3_600)
        end = round((step.ends_at - START) / 3_600)
        assert step.power_w == pytest.approx(sum(power[first:end]) / (end - first))
        assert step.reason
        assert "\n" not in step.reason
        if device == "battery":
            assert set(uses[first:end]) == {step.use}
        if device == "car" and step.use is None:
            assert max(power[first:end]) - min(power[first:end]) <= 20.0
