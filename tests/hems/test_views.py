"""What a person sees, from the home's own records."""

import math
from collections.abc import Mapping
from types import MappingProxyType

import pytest

from der.model import (
    Control,
    DeviceKind,
    DeviceSpec,
    DeviceState,
    Expiry,
    Quality,
    Reading,
    Safeguard,
    Setpoint,
)
from hems import views
from hems.cem.arbiter import arbitrate
from hems.cem.orders import FREE, Order
from hems.emg.ratings import Ratings
from hems.image import Image
from hems.sep2.book.engine import EventState
from hems.sep2.rules.events import Event, ModeValue, Program
from hems.sep2.rules.lifecycle import Phase
from hems.surface import for_guests
from programs.proposal import HOME, Bounds, Proposal, Rank

NOW = 1_000.0
RATINGS = Ratings(9_000.0)
CAR = DeviceSpec("ev", DeviceKind.EVSE, "Car", Control.CEILING, 0.0, 7360.0, 1380.0)
BATTERY = DeviceSpec("battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -5000.0, 5000.0)


def asked(rank: Rank, upper_w: float, source: str = "peak-shaving") -> Proposal:
    return Proposal(source, rank, HOME, Bounds(upper_w=upper_w), None, math.inf)


@pytest.mark.requirement("ROLE-UI")
@pytest.mark.parametrize(
    ("proposals", "limit_w"),
    [
        ([], None),
        ([asked(Rank.SAFETY, 14_490.0, "main-breaker")], None),
        ([asked(Rank.ACCEPTED, 1_500.0)], 1_500.0),
        ([asked(Rank.SAFETY, 14_490.0), asked(Rank.BINDING, 3_000.0)], 3_000.0),
        ([asked(Rank.BINDING, 3_000.0), asked(Rank.ACCEPTED, 1_500.0)], 1_500.0),
    ],
)
def test_the_limit_shown_is_what_somebody_asks(
    proposals: list[Proposal], limit_w: float | None
) -> None:
    shown = views.snapshot(
        Image(NOW, 7, {}),
        arbitrate(proposals, NOW),
        {},
        events=(),
        utilities=(),
        alarms=(),
    )
    assert shown.limit_import_w == limit_w
    assert shown.seq == 7


def test_a_device_tells_its_age_its_set_point_and_why() -> None:
    state = DeviceState(CAR, Reading(NOW - 3, 1400.0, soc=0.4), Quality.GOOD)
    order = Order(Setpoint(1400.0, 30), write=False, source="peak-shaving", reason="Peak Saver")
    shown = views.device(state, order, NOW)
    assert (shown.age_s, shown.setpoint_w, shown.reason) == (3.0, 1400.0, "Peak Saver")


@pytest.mark.requirement("PRV-RBAC")
@pytest.mark.parametrize(
    ("spec", "source", "told"),
    [
        (CAR, "economy", False),
        (CAR, "ready-by", False),
        (CAR, "peak-shaving", True),
        (BATTERY, "economy", True),
    ],
)
def test_who_may_not_steer_is_not_told_when_people_leave(
    spec: DeviceSpec, source: str, *, told: bool
) -> None:
    reason = "Waits: cheaper from 22:00; ready by 06:30"
    order = Order(Setpoint(0.0, 30), write=False, source=source, reason=reason)
    home = views.snapshot(
        Image(NOW, 7, {spec.id: DeviceState(spec, Reading(NOW, 0.0), Quality.GOOD)}),
        arbitrate([], NOW),
        {spec.id: order},
        events=(),
        utilities=(),
        alarms=(),
    )
    assert home.devices[0].reason == reason
    assert for_guests(home).devices[0].reason == (reason if told else "")


def test_a_charger_that_is_only_kept_open_is_not_shown_as_held() -> None:
    state = DeviceState(CAR, Reading(NOW, 7000.0), Quality.GOOD)
    shown = views.device(state, Order(Setpoint(7360.0, 900), write=False, source=FREE), NOW)
    assert shown.setpoint_w is None


def test_a_lost_device_keeps_its_last_figure_and_says_what_is_wrong() -> None:
    lost = DeviceState(CAR, Reading(NOW - 60, 1400.0), Quality.LOST, "ev: no answer")
    shown = views.device(lost, None, NOW)
    assert (shown.power_w, shown.quality, shown.error) == (1400.0, "lost", "ev: no answer")
    never = views.device(DeviceState(CAR, None, Quality.LOST, "ev: off"), None, NOW)
    assert (never.power_w, never.age_s) == (None, None)


def event_state(
    phase: Phase,
    *,
    mandatory: bool = False,
    modes: Mapping[str, ModeValue] = MappingProxyType({"opModImpLimW": 1500.0}),
    **fields: object,
) -> EventState:
    event = Event(
        "E" * 32,
        Program("P" * 32, "Peak Saver", 10),
        0,
        1_000,
        600,
        modes,
        mandatory=mandatory,
    )
    defaults: dict[str, object] = {"opted_out": False, "reason": "", "baseline_w": None}
    return EventState(event, phase, 1_000.0, 1_600.0, **(defaults | fields))  # type: ignore[arg-type]


@pytest.mark.requirement("ROLE-UI")
@pytest.mark.parametrize(
    ("phase", "mandatory", "state", "may"),
    [
        (Phase.RECEIVED, False, "coming", True),
        (Phase.STARTED, False, "running", True),
        (Phase.STARTED, True, "running", False),
        (Phase.COMPLETED, False, "completed", False),
        (Phase.CANCELLED, False, "cancelled", False),
        (Phase.SUPERSEDED, False, "superseded", False),
    ],
)
def test_an_event_says_who_what_until_when_and_whether_it_may_be_left(
    phase: Phase, mandatory: bool, state: str, may: bool
) -> None:
    devices = tuple(DeviceState(s, Reading(NOW, 0.0), Quality.GOOD) for s in (CAR, BATTERY))
    shown = views.event(event_state(phase, mandatory=mandatory), RATINGS, devices)
    assert (shown.state, shown.may_opt_out) == (state, may)
    assert shown.program == "Peak Saver"
    assert shown.title == "Take at most 1.5 kW from the grid"
    assert "Battery gives power" in shown.effect
    assert "Car" in shown.effect
    assert (shown.starts_at, shown.ends_at) == (1_000.0, 1_600.0)


def test_a_lost_battery_is_not_promised() -> None:
    car = DeviceState(CAR, Reading(NOW, 0.0), Quality.GOOD)
    battery = DeviceState(BATTERY, Reading(NOW - 60, -5000.0), Quality.LOST, "battery: off")
    shown = views.event(event_state(Phase.STARTED), RATINGS, (car, battery))
    assert shown.effect == "Car may slow down or wait."


@pytest.mark.requirement("ROLE-UI")
def test_an_event_that_asks_for_nothing_new_is_not_called_impossible() -> None:
    going_on = views.event(event_state(Phase.STARTED, modes={"opModConnect": 1.0}), RATINGS, ())
    assert (going_on.title, going_on.note) == ("Go on as usual", "")
    words = "this home cannot carry out opModWattPF"
    refused = event_state(Phase.REJECTED, modes={"opModWattPF": "/c/1"}, reason=words)
    assert views.event(refused, RATINGS, ()).title == "Something this home cannot do"


def test_a_refused_event_says_why() -> None:
    shown = views.event(event_state(Phase.REJECTED, reason="its duration is 0"), RATINGS, ())
    assert shown.note == "Its duration is 0."
    assert (shown.state, shown.effect) == ("rejected", "its duration is 0")


@pytest.mark.requirement("ROLE-UI")
def test_each_value_tells_its_own_age_and_what_is_not_believed() -> None:
    reading = Reading(
        NOW - 2,
        -500.0,
        soc=0.4,
        taken={"soc": NOW - 62, "power_w": NOW - 2},
        suspect=frozenset({"temp_c", "capacity_wh"}),
    )
    shown = views.device(DeviceState(BATTERY, reading, Quality.GOOD), None, NOW)
    assert shown.age_s == 2.0
    assert shown.ages == {"soc": 62.0}  # the power is as old as the reading
    assert shown.suspect == ("capacity_wh", "temp_c")
    assert shown.temp_c is None
    never = views.device(DeviceState(BATTERY, None, Quality.LOST), None, NOW)
    assert (never.ages, never.suspect, never.safe) == ({}, (), "")


@pytest.mark.requirement("ROLE-UI")
def test_a_device_tells_what_becomes_of_it_without_the_hub() -> None:
    state = DeviceState(BATTERY, Reading(NOW, 0.0), Quality.ASLEEP, error="none of its own")
    guard = Safeguard(Expiry.GUARD, "stands still", "a power cut")
    shown = views.device(state, None, NOW, safeguard=guard)
    assert (shown.safe, shown.risk) == ("stands still", "a power cut")
    assert (shown.quality, shown.error) == ("asleep", None)
