"""What is worth telling, as a table over what the home shows."""

import math
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.plan_surface import PlannedView, PlanView
from hems.push.occasions import CarNeed, Occasion, occasions, possible_wh
from hems.surface import DeviceView, EventView, MessageView, Snapshot, UtilityView

BERLIN = ZoneInfo("Europe/Berlin")
AT = 1_781_698_800.0  # 2026-06-17 14:20 in Berlin
HOUR = 3600.0
CAR = DeviceView(
    id="car",
    name="Car",
    kind="evse",
    power_w=0.0,
    soc=None,
    temp_c=None,
    connected=True,
    wants_power=True,
    quality="good",
    age_s=0.1,
    setpoint_w=None,
    reason="",
    error=None,
    max_w=11_000.0,
)
EVENT = EventView(
    id="E1",
    program="Peak Saver",
    title="Import at most 1.5 kW",
    effect="The car waits.",
    state="coming",
    starts_at=AT + 2 * HOUR,
    ends_at=AT + 4 * HOUR,
    opted_out=False,
    may_opt_out=True,
)
MESSAGE = MessageView(
    id="M1",
    program="Peak Saver",
    text="Work on the line tomorrow.",
    urgent=False,
    starts_at=AT - HOUR,
    ends_at=AT + HOUR,
    acknowledged=False,
    may_acknowledge=False,
)
HOME = Snapshot(
    at=AT,
    seq=1,
    net_w=0.0,
    limit_import_w=None,
    limit_export_w=None,
    devices=(CAR,),
    events=(),
    utility=UtilityView("connected", "", "", "", None),
    alarms=(),
)


def found(home: Snapshot, *cars: CarNeed, plan: PlanView | None = None) -> list[Occasion]:
    return occasions(home, cars, plan, BERLIN)


def test_an_event_is_told_with_its_times_and_what_it_does() -> None:
    (told,) = found(replace(HOME, events=(EVENT,)))
    assert told.key == "events:E1"
    assert told.title == "Peak Saver asks: Import at most 1.5 kW"
    assert told.text == "From 16:20 to 18:20. The car waits."
    assert not told.urgent
    assert told.until == EVENT.ends_at


@pytest.mark.parametrize(
    ("changes", "urgent"),
    [
        ({"starts_at": AT + 1800}, True),
        ({"state": "running", "starts_at": AT - 60}, True),
        ({"state": "completed"}, None),
        ({"state": "superseded"}, None),
        ({"state": "rejected"}, None),
        ({"opted_out": True}, None),
        ({"ends_at": AT}, None),
        ({"ends_at": math.inf}, False),
    ],
)
def test_which_events_are_told_and_how(changes: dict[str, object], urgent: bool | None) -> None:
    told = found(replace(HOME, events=(replace(EVENT, **changes),)))  # type: ignore[arg-type]
    assert [each.urgent for each in told] == ([] if urgent is None else [urgent])


def test_a_cancelled_event_is_taken_back_where_it_was_told() -> None:
    (told,) = found(replace(HOME, events=(replace(EVENT, state="cancelled"),)))
    assert told.after == "events:E1"
    assert told.key != "events:E1"


@pytest.mark.parametrize(
    ("changes", "is_told"),
    [
        ({}, True),
        ({"acknowledged": True}, False),
        ({"starts_at": AT + 1}, False),
        ({"ends_at": AT}, False),
    ],
)
def test_which_messages_are_told(changes: dict[str, object], *, is_told: bool) -> None:
    message = replace(MESSAGE, **changes)  # type: ignore[arg-type]
    told = found(replace(HOME, messages=(message,)))
    assert [each.text for each in told] == [MESSAGE.text] * is_told


def test_an_alarm_is_the_same_while_only_its_figures_change() -> None:
    first, second, other = (
        found(replace(HOME, alarms=(alarm,)))[0]
        for alarm in (
            "Battery: silent for 12 s",
            "Battery: silent for 600.5 s",
            "Heat pump: silent for 12 s",
        )
    )
    assert first.key == second.key != other.key
    assert first.steady_s > 0


def plan(*power_w: float, start: float = AT) -> PlanView:
    return PlanView(
        made_at=start,
        start=start,
        step_s=900.0,
        import_per_kwh=(),
        export_per_kwh=(),
        load_w=(),
        sun_w=(),
        net_w=(),
        limit_import_w=(),
        devices={"car": PlannedView(power_w)},
    )


@pytest.mark.parametrize(
    ("left_wh", "hours", "its_plan", "short_kwh"),
    [
        (11_000.0, 2.0, None, None),  # 22 kWh are possible
        (30_000.0, 2.0, None, "8.0"),
        (60_000.0, 1.0, None, "49"),
        (22_400.0, 2.0, None, None),  # by so little that nobody minds
        (11_000.0, 1.0, plan(0, 0, 4000, 4000), "9.0"),
        (11_000.0, 2.0, plan(0, 0, 0, 0), None),  # beyond the plan the charger gives its all
        (math.nan, 2.0, None, None),
    ],
)
def test_when_a_car_will_not_be_ready(
    left_wh: float, hours: float, its_plan: PlanView | None, short_kwh: str | None
) -> None:
    told = found(HOME, CarNeed("car", AT + hours * HOUR, left_wh), plan=its_plan)
    assert len(told) == (short_kwh is not None)
    assert all(f"about {short_kwh} kWh" in each.text for each in told)


@pytest.mark.parametrize("connected", [False, None])
def test_a_car_that_is_not_there_cannot_be_late(connected: bool | None) -> None:
    home = replace(HOME, devices=(replace(CAR, connected=connected),))
    assert found(home, CarNeed("car", AT + HOUR, 90_000.0)) == []
    assert found(replace(HOME, devices=()), CarNeed("car", AT + HOUR, 90_000.0)) == []
    assert found(HOME, CarNeed("car", AT, 90_000.0)) == [], "its time is over"


@given(
    st.lists(st.integers(-3000, 11_000), max_size=8),
    st.integers(-40, 20),
    st.integers(1, 180),
)
def test_what_is_possible_is_what_each_minute_gives(
    powers: list[int], begun_minutes: int, minutes: int
) -> None:
    """Against the sum minute by minute."""
    start = AT + begun_minutes * 60
    its_plan = plan(*powers, start=start)
    slow = 0.0
    for minute in range(minutes):
        slot = int((AT + minute * 60 - start) // 900)
        if slot < 0:
            continue  # before the plan begins nothing is counted on
        known = powers and slot < len(powers)
        slow += (max(powers[slot], 0) if known else 11_000) / 60
    need = CarNeed("car", AT + minutes * 60, 0.0)
    fast = possible_wh(need, its_plan, 11_000.0, AT)
    if not powers:
        slow = 11_000 * minutes / 60
    if start <= AT < start + 900 * max(len(powers), 1) or not powers:
        assert fast == pytest.approx(slow)
