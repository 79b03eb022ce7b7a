"""The state machine of an island: its course as a table, and what it never does, on any input."""

import math
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.microgrid.course import step
from hems.microgrid.limits import Limits, Permit
from hems.microgrid.seen import Seen, Side, Wanted
from hems.microgrid.states import Act, Order, Phase, State
from tests.examples import examples

pytestmark = pytest.mark.requirement("BUC-14")

LIMITS = Limits(delay_s=10.0, ramp_s=5.0)
MAY = Wanted(Permit.OUTAGE)
PLANNED = Wanted(Permit.SCHEDULED)
WELL, OUT = Side(230.0, 50.0), Side(0.0, 0.0)
CONNECTED = Seen(WELL, WELL, (WELL,), 0.0, closed=True, forming=False, soc=0.6, tie_w=1000.0)
OUTAGE = replace(CONNECTED, grid=OUT, bus=OUT, witnesses=(OUT,), angle_deg=None, tie_w=0.0)
PARTED = replace(OUTAGE, closed=False)
ISLAND = replace(PARTED, bus=WELL, witnesses=(WELL,), forming=True)
BACK = replace(ISLAND, grid=WELL, angle_deg=90.0)


@dataclass
class Course:
    """One home, looked at once a second."""

    state: State = field(default_factory=lambda: State(since=0.0))
    now: float = 0.0
    orders: list[Order] = field(default_factory=list)

    def see(self, seen: Seen, seconds: int = 1, wanted: Wanted = MAY) -> Phase:
        """Look at the same home for some seconds; returns the phase in the end."""
        for _ in range(seconds):
            self.now += 1.0
            done = step(self.state, seen, wanted, LIMITS, self.now)
            self.state = done.state
            if done.order is not None:
                self.orders.append(done.order)
        return self.state.phase

    def phase(self) -> Phase:
        """Where it is."""
        return self.state.phase

    @property
    def acts(self) -> list[Act]:
        """What was ordered."""
        return [order.act for order in self.orders]


def on_an_island(seen: Seen = ISLAND) -> Course:
    """Return a home that has been an island for a while."""
    course = Course()
    course.see(CONNECTED, 2)
    course.see(OUTAGE, 3)
    course.see(replace(PARTED, loads_off=True), 2)
    assert course.see(seen, 5) is Phase.ISLAND
    return course


def test_from_the_grid_to_an_island_and_back() -> None:
    course = Course()
    assert course.see(CONNECTED, 3) is Phase.GRID
    assert course.see(OUTAGE) is Phase.GRID, "one look is no outage"
    assert course.see(OUTAGE) is Phase.SEPARATING
    assert course.see(OUTAGE) is Phase.SEPARATING
    assert course.acts == [Act.OPEN]
    assert course.see(PARTED) is Phase.PREPARING
    assert course.see(PARTED, 5) is Phase.PREPARING, "loads have not confirmed that they are off"
    assert course.see(replace(PARTED, loads_off=True)) is Phase.FORMING
    assert course.acts == [Act.OPEN, Act.FORM]
    assert course.see(ISLAND) is Phase.FORMING, "its voltage is to stand for a while"
    assert course.see(ISLAND, 2) is Phase.ISLAND
    assert course.see(BACK, 5) is Phase.ISLAND, "the grid is not back for long enough"
    assert course.see(BACK, 6) is Phase.SYNCHRONISING
    course.orders.clear()
    course.see(BACK, 3)
    assert set(course.acts) == {Act.FORM}, "it comes into step before it asks to close"
    assert course.orders[0].hz < 50.0, "it leads, so it is slowed down"
    course.see(replace(BACK, angle_deg=2.0))
    assert course.acts[-1:] == [Act.CLOSE]
    assert course.see(replace(CONNECTED, forming=True)) is Phase.RETURNING
    assert course.acts[-1:] == [Act.FOLLOW]
    assert course.see(CONNECTED, 6) is Phase.GRID


@pytest.mark.parametrize(
    "grid",
    [
        Side(150.0, 50.0),
        Side(260.0, 50.0),
        Side(230.0, 48.5),
        Side(230.0, 51.5),
        OUT,
    ],
)
def test_a_grid_out_of_bounds_is_left(grid: Side) -> None:
    course = Course()
    course.see(replace(CONNECTED, grid=grid, bus=grid, witnesses=(grid,)), 4)
    assert course.phase() is Phase.SEPARATING


@pytest.mark.parametrize(
    "grid", [Side(205.0, 50.0), Side(250.0, 49.0), Side(230.0, 51.0), Side(None, None)]
)
def test_a_grid_that_is_ridden_through_is_not_left(grid: Side) -> None:
    course = Course()
    assert course.see(replace(CONNECTED, grid=grid, bus=grid), 60) is Phase.GRID


def test_a_frequency_that_falls_fast_is_a_fault_before_it_is_low() -> None:
    course = Course()
    course.see(CONNECTED)
    for hz in (49.9, 46.0, 42.0, 38.0):
        course.see(replace(CONNECTED, grid=Side(230.0, hz), witnesses=()))
    assert course.phase() is Phase.SEPARATING
    assert Act.OPEN in course.acts or course.state.since == course.now


def test_a_tie_that_contradicts_all_other_devices_is_not_believed() -> None:
    course = Course()
    assert course.see(replace(CONNECTED, grid=OUT), 60) is Phase.GRID
    assert "say that it is well" in course.state.doubt
    assert not course.orders


def test_a_tie_that_sees_a_grid_where_the_home_has_none_is_doubted() -> None:
    course = Course()
    course.see(replace(CONNECTED, witnesses=(OUT, OUT)), 5)
    assert "main breaker" in course.state.doubt
    assert not course.orders


@pytest.mark.parametrize("seen", [CONNECTED, OUTAGE, PARTED, BACK, ISLAND])
def test_without_a_permit_nothing_is_parted_or_formed(seen: Seen) -> None:
    course = Course()
    course.see(CONNECTED, 2, Wanted(leave="The owner asked for it"))
    course.see(OUTAGE, 20, Wanted())
    course.see(seen, 20, Wanted())
    assert not {Act.OPEN, Act.FORM} & set(course.acts)


def test_without_a_permit_the_home_waits_in_the_dark_and_is_connected_again() -> None:
    course = Course()
    assert course.see(OUTAGE, 5, Wanted()) is Phase.DARK
    assert course.see(CONNECTED, 2, Wanted()) is Phase.RETURNING
    assert course.see(CONNECTED, 6, Wanted()) is Phase.GRID


def test_a_tie_that_does_not_open_never_has_the_inverter_form() -> None:
    course = Course()
    assert course.see(OUTAGE, 120) is Phase.SEPARATING
    assert set(course.acts) == {Act.OPEN}


def test_a_tie_that_is_not_read_decides_nothing() -> None:
    course = Course()
    lost = replace(CONNECTED, grid=Side(), closed=None)
    assert course.see(lost, 60) is Phase.GRID
    course = on_an_island()
    course.orders.clear()
    assert course.see(replace(ISLAND, grid=Side(), closed=None), 60) is Phase.ISLAND
    assert not course.orders


def test_hardware_that_transfers_by_itself_is_followed() -> None:
    course = Course()
    course.see(CONNECTED, 2)
    assert course.see(ISLAND) is Phase.ISLAND
    assert not course.orders


def test_a_hub_that_was_restarted_takes_the_devices_word() -> None:
    course = Course(State(Phase.ISLAND, 0.0, "The grid has no voltage"))
    assert course.see(ISLAND, 3) is Phase.ISLAND
    course = Course(State(Phase.ISLAND, 0.0, "The grid has no voltage"))
    assert course.see(CONNECTED) is Phase.RETURNING, "it was connected meanwhile"
    course = Course(State(Phase.GRID, 0.0))
    assert course.see(ISLAND) is Phase.ISLAND


def test_an_overload_is_dark_rests_and_starts_anew_later_each_time() -> None:
    course = on_an_island()
    dark = replace(PARTED, loads_off=True, gave_up=True)
    assert course.see(dark) is Phase.DARK
    assert "more was asked of it" in course.state.why
    assert course.see(dark, 5) is Phase.DARK, "it rests"
    course.see(dark, 6)
    assert course.phase() is Phase.FORMING
    first_s = course.state.rest_until
    course.see(dark, 3)
    assert course.phase() is Phase.DARK
    assert course.state.rest_until - course.now > LIMITS.rest_s > 0
    assert course.state.rest_until > first_s


def test_an_empty_battery_waits_for_the_sun() -> None:
    course = Course()
    course.see(OUTAGE, 3)
    empty = replace(PARTED, loads_off=True, soc=0.05)
    assert course.see(empty, 60) is Phase.DARK
    assert "waits for the sun" in course.state.why
    assert Act.FORM not in course.acts
    assert course.see(replace(empty, sun_w=1500.0), 5) is Phase.FORMING
    course = Course()
    course.see(OUTAGE, 3)
    assert course.see(replace(empty, soc=0.01, sun_w=1500.0), 60) is Phase.DARK


def test_a_dark_home_is_connected_without_an_inverter() -> None:
    course = Course()
    course.see(OUTAGE, 3)
    dark = replace(PARTED, soc=0.01)
    course.see(dark, 20)
    course.orders.clear()
    course.see(replace(dark, grid=WELL), 15)
    assert course.phase() is Phase.REJOINING
    assert set(course.acts) == {Act.CLOSE}


def test_a_grid_that_comes_and_goes_is_not_gone_back_to() -> None:
    course = on_an_island()
    course.orders.clear()
    for _ in range(10):
        course.see(BACK, 8)
        course.see(ISLAND, 1)
    assert course.phase() is Phase.ISLAND
    assert Act.CLOSE not in course.acts


def test_coming_into_step_that_takes_too_long_is_tried_again_later() -> None:
    course = on_an_island()
    course.see(BACK, 15)
    assert course.phase() is Phase.SYNCHRONISING
    assert course.see(BACK, int(LIMITS.sync_s)) is Phase.ISLAND
    assert course.see(BACK, 15) is Phase.SYNCHRONISING


def test_a_planned_separation_is_soft_and_needs_its_own_permit() -> None:
    leave = replace(PLANNED, leave="The owner asked for it")
    course = Course()
    assert course.see(CONNECTED, 5, leave) is Phase.SOFTENING
    assert not course.orders
    for _ in range(4):  # each lull is shorter than the calm that is waited for
        course.see(replace(CONNECTED, tie_w=20.0), 2, leave)
        course.see(replace(CONNECTED, tie_w=800.0), 1, leave)
    assert not course.orders, "loads still go off"
    course.see(replace(CONNECTED, tie_w=20.0), 5, leave)
    assert set(course.acts) == {Act.OPEN}
    course = Course()
    assert course.see(CONNECTED, 20, replace(leave, permit=Permit.OUTAGE)) is Phase.GRID
    course = Course()
    course.see(CONNECTED, 3, replace(leave, at_once=True))
    assert course.acts[0] is Act.OPEN, "a disconnection does not wait for the power to fall"


def test_the_droop_is_made_up_for_and_what_curtails_the_sun_is_let_be() -> None:
    course = on_an_island()
    course.orders.clear()
    course.see(replace(ISLAND, bus=Side(229.0, 49.85)), 5)
    assert [o.hz for o in course.orders] == sorted(o.hz for o in course.orders)
    assert 50.0 < course.orders[-1].hz <= 50.3
    course.see(replace(ISLAND, bus=Side(229.0, 50.0)), 20)
    course.orders.clear()
    course.see(replace(ISLAND, bus=Side(231.0, 51.4)), 40)
    assert course.state.hz == pytest.approx(50.0), "it is not pulled below the nominal"


maybe = st.none() | st.booleans()
sides = st.just(WELL) | st.builds(
    Side,
    st.none() | st.sampled_from([0.0, 115.0, 200.0, 225.0, 230.0, 241.0, 260.0]),
    st.none() | st.sampled_from([0.0, 48.0, 49.6, 49.97, 50.0, 50.05, 50.3, 52.0]),
)
sights = st.builds(
    Seen,
    grid=sides,
    bus=sides,
    witnesses=st.lists(sides, max_size=2).map(tuple),
    angle_deg=st.none() | st.sampled_from([0.0, -9.0]) | st.floats(-180.0, 180.0),
    closed=maybe | st.just(value=False),
    forming=maybe,
    gave_up=st.booleans(),
    soc=st.none() | st.floats(0.0, 1.0),
    tie_w=st.none() | st.floats(-5000.0, 5000.0),
    loads_off=st.booleans(),
    sun_w=st.floats(0.0, 4000.0),
)
wishes = st.builds(
    Wanted,
    permit=st.sampled_from(Permit),
    leave=st.sampled_from(["", "The owner asked for it"]),
    at_once=st.booleans(),
    stay=st.booleans(),
)
states = st.builds(
    State,
    phase=st.sampled_from(Phase),
    since=st.sampled_from([-400.0, -12.0, -3.0, 0.0]),
    bad_since=st.none() | st.floats(-400.0, 0.0),
    good_since=st.none() | st.floats(-400.0, 0.0),
    tries=st.integers(0, 5),
    rest_until=st.floats(-100.0, 100.0),
    hz=st.floats(49.0, 51.0),
)


@settings(max_examples=examples(400), deadline=None)
@given(states, st.lists(st.tuples(sights, wishes), min_size=1, max_size=6))
def test_whatever_is_seen_nothing_is_ordered_that_may_not_be(
    state: State, looks: list[tuple[Seen, Wanted]]
) -> None:
    now = 0.0
    for seen, wanted in looks:
        now += 1.0
        done = step(state, seen, wanted, LIMITS, now)
        state, order = done.state, done.order
        assert state.rest_until - now <= LIMITS.longest_rest_s + 100.0
        if order is None:
            continue
        match order.act:
            case Act.OPEN:
                assert wanted.permit is not Permit.NONE
            case Act.FORM:
                assert seen.closed is False
                assert wanted.permit is not Permit.NONE
                assert 48.0 <= order.hz <= 52.0
                assert math.isfinite(order.volts)
            case Act.CLOSE:
                assert seen.closed is False
                assert grid_is_good(seen)
                assert in_step(seen) or home_is_dark(seen)
            case Act.FOLLOW:
                assert seen.forming is True


def grid_is_good(seen: Seen) -> bool:
    """Tell, in numbers of its own, whether a home may go to this grid."""
    volts, hertz = seen.grid.voltage_v, seen.grid.frequency_hz
    return volts is not None and hertz is not None and 210 < volts < 242 and 49.4 < hertz < 50.2


def in_step(seen: Seen) -> bool:
    """Tell whether both sides agree."""
    grid, home, angle = seen.grid, seen.bus, seen.angle_deg
    known = None not in {grid.voltage_v, grid.frequency_hz, home.voltage_v, home.frequency_hz}
    if not known or angle is None:
        return False
    assert grid.voltage_v is not None and home.voltage_v is not None  # noqa: PT018
    assert grid.frequency_hz is not None and home.frequency_hz is not None  # noqa: PT018
    return (
        abs(grid.voltage_v - home.voltage_v) < 12
        and abs(grid.frequency_hz - home.frequency_hz) < 0.101
        and abs(angle) <= 10
    )


def home_is_dark(seen: Seen) -> bool:
    """Tell whether nothing supplies the home, as far as is known."""
    return seen.forming is False and (seen.bus.voltage_v or 0.0) < 115.1
