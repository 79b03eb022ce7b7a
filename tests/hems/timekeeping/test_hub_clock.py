"""The hub's clock: never before the last time that was known, and right as soon as it can be."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.clock import is_known
from hems.timekeeping.hub_clock import PATIENCE_S, TOLERANCE_S, Doubt, HubClock

pytestmark = pytest.mark.requirement("TIME-SERVER")

T0 = 1_790_000_000.0
"""When the time was known last."""


@dataclass
class Machine:
    """A machine's clock that a test sets, and lets run."""

    utc: float
    ran: float = 50.0

    def now(self) -> float:
        return self.utc

    def monotonic(self) -> float:
        return self.ran

    def run(self, seconds: float) -> None:
        self.utc += seconds
        self.ran += seconds


def test_a_clock_that_may_be_right_is_the_machines() -> None:
    machine = Machine(T0 + 5.0)
    clock = HubClock(T0, machine=machine)
    assert clock.known
    assert is_known(clock)
    machine.utc += 3_600.0
    assert clock.now() == machine.utc
    machine.utc -= 5_000.0  # put right by somebody, within the tolerance
    assert (clock.now(), clock.known, clock.alone) == (machine.utc, True, False)


def test_a_machine_that_wakes_in_1970_is_not_believed() -> None:
    machine = Machine(60.0)
    clock = HubClock(T0, machine=machine)
    assert clock.doubt is Doubt.PAST
    assert not is_known(clock)
    assert clock.now() == T0
    machine.run(100.0)
    clock.look(synchronised=True)  # whoever says so: that time is over
    assert (clock.now(), clock.known) == (T0 + 100.0, False)


@pytest.mark.parametrize("synchronised", [True, False])
def test_it_is_believed_as_soon_as_its_clock_is_set(synchronised: bool) -> None:
    """By NTP, or by hand, of which nobody tells the kernel."""
    machine = Machine(60.0)
    clock = HubClock(T0, machine=machine)
    machine.run(30.0)
    machine.utc = T0 + 40_000.0
    clock.look(synchronised=synchronised)
    assert (clock.now(), clock.known, clock.alone) == (T0 + 40_000.0, True, False)


def test_a_clock_that_runs_into_the_tolerance_is_none_that_was_set() -> None:
    machine = Machine(T0 - TOLERANCE_S - 5.0)
    clock = HubClock(T0, machine=machine)
    machine.run(60.0)
    clock.look(synchronised=False)
    assert not clock.known


def test_a_utility_tells_the_time_until_the_machine_knows_it() -> None:
    machine = Machine(60.0)
    clock = HubClock(T0, machine=machine)
    machine.run(10.0)
    assert not clock.follow(T0 - 2 * TOLERANCE_S), "what is over is no time, whoever tells it"
    assert not clock.known
    assert clock.follow(T0 + 7_200.0)
    machine.run(10.0)
    assert (clock.now(), clock.known, clock.followed) == (T0 + 7_210.0, True, True)
    clock.look(synchronised=False)
    assert clock.followed
    machine.utc = T0 + 7_212.0
    clock.look(synchronised=True)
    assert (clock.now(), clock.followed, clock.alone) == (T0 + 7_212.0, False, False)


def test_where_the_machine_is_right_no_utility_sets_the_clock() -> None:
    machine = Machine(T0 + 5.0)
    clock = HubClock(T0, machine=machine)
    assert not clock.follow(T0 + 9_000.0)
    assert clock.now() == T0 + 5.0


def test_a_clock_set_to_the_past_while_the_hub_runs_stops_nothing() -> None:
    machine = Machine(T0 + 5.0)
    clock = HubClock(T0, machine=machine)
    clock.look(synchronised=False)
    machine.run(60.0)
    machine.utc = 1_000_000.0
    assert clock.now() == pytest.approx(T0 + 65.0)
    assert clock.known
    assert clock.alone
    machine.run(60.0)
    clock.look(synchronised=True)
    assert clock.now() == pytest.approx(T0 + 125.0)
    machine.utc = T0 + 126.0
    clock.look(synchronised=False)
    assert (clock.now(), clock.alone) == (T0 + 126.0, False)


def test_after_a_power_cut_a_machine_without_a_clock_is_waited_for() -> None:
    """Its clock was set to what was saved last: it shows a time that is not over, and is wrong."""
    machine = Machine(T0 + 30.0)
    clock = HubClock(T0, restarted=True, machine=machine)
    assert clock.doubt is Doubt.RESTARTED
    machine.run(PATIENCE_S - 1.0)
    clock.look(synchronised=False)
    assert not clock.known
    machine.run(2.0)
    clock.look(synchronised=False)
    assert clock.known, "nobody tells it: the machine's clock is all there is"


def test_the_history_tells_how_late_it_is_at_least() -> None:
    machine = Machine(60.0)
    clock = HubClock(T0, machine=machine)
    machine.run(5.0)
    clock.no_earlier(T0 + 1_800.0)
    assert clock.now() == T0 + 1_800.0
    clock.no_earlier(T0)
    assert clock.least == T0 + 1_800.0


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("run"), st.floats(0.0, 5_000.0)),
            st.tuples(st.just("set"), st.floats(-3e9, 3e9)),
            st.tuples(st.just("look"), st.booleans()),
            st.tuples(st.just("follow"), st.floats(-1e6, 1e6)),
        ),
        max_size=30,
    ),
    st.floats(0.0, 2 * T0),
    st.booleans(),
)
def test_it_never_shows_a_time_that_is_over(
    deeds: list[tuple[str, float]], start: float, restarted: bool
) -> None:
    """Whatever the machine, programs and utilities do."""
    machine = Machine(start)
    clock = HubClock(T0, restarted=restarted, machine=machine)
    for what, value in deeds:
        before = clock.now()
        if what == "run":
            machine.run(value)
            assert clock.now() == pytest.approx(before + value, abs=1e-3)
        elif what == "set":
            machine.utc = max(T0 + value, 0.0)
        elif what == "look":
            clock.look(synchronised=bool(value))
        else:
            clock.follow(T0 + value)
        assert clock.now() >= T0 - TOLERANCE_S
        if not clock.known:
            assert clock.alone
