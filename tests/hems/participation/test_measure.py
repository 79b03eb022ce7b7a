"""One event second by second: sums against a slow recount, gaps, leaving, restart, clock steps."""

import math
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.participation.measure import (
    AFTER_S,
    LONGEST_GAP_S,
    Measurement,
    Sample,
    Task,
    record,
    shifted,
    take,
)
from programs.performance import Performance
from programs.signal import SignalKind

T = 1_800_000_000.0
END = T + 600.0
LIMIT = Task("peak-shaving", "0A", SignalKind.IMPORT_LIMIT, "Peak", 1500.0, T, END, "3E" * 20)
ENERGY = replace(
    LIMIT, programme="energy-support", kind=SignalKind.ENERGY, asked=200.0, baseline_w=3000.0
)


def went(task: Task, *samples: Sample, before_w: float | None = None) -> Performance:
    known = Measurement(task, before_w, before_w, at=T - 1.0)
    for sample in samples:
        known = take(known, sample)
    return record(known, before_w, "the meter before it")


def net(
    second: float,
    net_w: float | None,
    over_w: float | None = 0.0,
    *,
    in_force: bool = True,
    left: bool = False,
    uncomfortable: bool = False,
) -> Sample:
    return Sample(
        T + second,
        net_w,
        None if net_w is None else over_w,
        in_force=in_force,
        left=left,
        uncomfortable=uncomfortable,
    )


def test_a_limit_that_was_met_after_two_seconds() -> None:
    found = went(
        LIMIT,
        net(1, 4000.0, 2500.0),
        *(net(s, 1400.0) for s in range(2, 602)),
        before_w=4000.0,
    )
    assert found.settled_s == 2.0
    assert found.inside_share == 1.0
    assert found.deviation == 0.0
    assert found.measured_share == 1.0
    assert found.baseline_w == 4000.0
    assert found.delivered_wh == pytest.approx((4000.0 - 1400.0) * 599 / 3600)
    assert (found.unit, found.kind, found.promised_wh) == ("W", "import-limit", None)
    assert found.lfdi == "3E" * 20


def test_a_limit_nobody_could_meet_is_said_as_it_was() -> None:
    found = went(LIMIT, *(net(s, 4500.0, 3000.0) for s in range(1, 601)))
    assert found.settled_s is None
    assert found.inside_share == 0.0
    assert found.deviation == 3000.0
    assert found.delivered_wh is None  # no baseline


def test_a_slip_after_settling_counts() -> None:
    slips = {100, 101, 102, 103, 104, 105}
    found = went(LIMIT, *(net(s, 0.0, 60.0 if s in slips else 0.0) for s in range(1, 601)))
    assert found.inside_share == pytest.approx(1 - 6 / 599)
    assert found.deviation == pytest.approx(math.sqrt(6 * 60.0**2 / 599))


@pytest.mark.requirement("BUC-5")
def test_an_energy_is_measured_against_its_own_baseline() -> None:
    found = went(ENERGY, *(net(s, 1500.0, None) for s in range(1, 601)), before_w=9000.0)
    assert found.baseline_w == 3000.0
    assert found.baseline_by == "the meter when the event began"
    assert found.delivered_wh == pytest.approx(250.0)
    assert (found.promised_wh, found.deviation, found.unit) == (200.0, 0.0, "Wh")
    less = went(ENERGY, *(net(s, 2400.0, None) for s in range(1, 601)))
    assert less.deviation == pytest.approx(100.0)


@pytest.mark.requirement("BUC-5")
def test_a_duty_cycle_is_that_of_the_load_that_ran_most() -> None:
    task = replace(LIMIT, kind=SignalKind.DUTY_CYCLE, asked=50.0)
    samples = (
        Sample(T + s, 0.0, running=frozenset({"tank"} if s <= 360 else {"pump"}))
        for s in range(1, 601)
    )
    found = went(task, *samples)
    assert found.unit == "%"
    assert found.deviation == pytest.approx(10.0)
    assert found.note == "The load that ran most ran 60 % of the time."


@pytest.mark.requirement("BUC-12")
@pytest.mark.parametrize("asked_w", [-2000.0, 2000.0])
def test_a_set_point_delivers_in_the_direction_that_was_asked(asked_w: float) -> None:
    task = replace(LIMIT, kind=SignalKind.STORAGE_POWER, asked=asked_w)
    samples = (Sample(T + s, 300.0, 0.0, 0.9 * asked_w) for s in range(1, 601))
    found = went(task, *samples)
    assert found.promised_wh == pytest.approx(2000 / 6)
    assert found.delivered_wh == pytest.approx(1800 / 6)


def test_a_time_in_which_nothing_was_read_is_not_measured() -> None:
    found = went(LIMIT, *(net(s, None if 100 < s <= 400 else 1000.0) for s in range(1, 601)))
    assert found.measured_share == pytest.approx(0.5)
    assert found.inside_share == 1.0
    gap = went(LIMIT, *(net(s, 1000.0) for s in (*range(1, 101), *range(400, 601))))
    assert gap.measured_share == pytest.approx(300 / 600)


def test_who_leaves_is_out_of_it_and_measured_no_more() -> None:
    found = went(
        LIMIT,
        *(net(s, 1000.0) for s in range(1, 301)),
        *(net(s, 6000.0, 4500.0, in_force=False, left=True) for s in range(301, 601)),
    )
    assert found.opted_out
    assert found.inside_share == 1.0
    assert found.measured_share == 1.0
    assert "out of it for 5 min" in found.note


def test_who_comes_back_within_a_moment_has_left_all_the_same() -> None:
    found = went(LIMIT, net(0, 1000.0, in_force=False, left=True), net(1, 1000.0))
    assert found.opted_out


def test_the_rebound_is_what_the_hour_after_draws_more_than_the_hour_before() -> None:
    inside = [net(s, 1000.0) for s in range(1, 601)]
    after = [net(700.0, 5200.0), net(705.0, 4000.0), net(600 + AFTER_S + 60, 9000.0)]
    far = [net(600 + AFTER_S + 55, 9000.0)]
    assert went(LIMIT, *inside, after[0], before_w=4000.0).rebound_w is None  # after a gap
    joined = [net(600.0 + 5 * n, 4100.0) for n in range(20)]
    assert went(LIMIT, *inside, *joined, *after, *far, before_w=4000.0).rebound_w == 1200.0
    assert went(LIMIT, *inside, *joined, before_w=9000.0).rebound_w == 0.0


def test_comfort_is_missed_because_of_it_only_where_it_was_kept_before() -> None:
    cold = [net(s, 0.0, uncomfortable=s > 300) for s in range(1, 601)]
    assert went(LIMIT, *cold).comfort_minutes == pytest.approx(5.0)
    known = replace(Measurement(LIMIT, at=T - 1.0), was_uncomfortable=True)
    for s in range(1, 601):
        known = take(known, net(s, 0.0, uncomfortable=True))
    assert record(known, None, "").comfort_minutes == 0.0


def test_a_clock_that_was_set_moves_the_event_along() -> None:
    known = Measurement(LIMIT, at=T - 1.0)
    for s in range(1, 301):
        known = take(known, net(s, 1000.0))
    known = shifted(known, 7200.0)
    for s in range(301, 601):
        known = take(known, net(7200.0 + s, 1000.0))
    found = record(known, None, "")
    assert found.settled_s == 1.0
    assert found.starts_at == T + 7200.0
    assert found.measured_share == pytest.approx(1.0, abs=0.01)


def test_a_clock_that_is_set_after_the_record_makes_no_second_event() -> None:
    known = Measurement(LIMIT, at=T - 1.0)
    for s in range(1, 601):
        known = take(known, net(s, 1000.0))
    first = record(known, None, "")
    again = record(shifted(replace(known, told_at=T), 7.0), None, "")
    assert (again.starts_at, again.ends_at) == (first.starts_at, first.ends_at)


@dataclass
class Slow:
    """The same, counted again from all samples."""

    seconds: float = 0.0
    inside: float = 0.0
    square: float = 0.0
    energy_wh: float = 0.0
    measured: float = 0.0
    settled: float | None = None


def slowly(samples: list[Sample]) -> Slow:
    found = Slow()
    last = T
    for sample in samples:
        if sample.at > END:
            continue
        dt, last = sample.at - last, sample.at
        if dt > LONGEST_GAP_S or sample.net_w is None or sample.outside is None:
            continue
        found.measured += dt
        found.energy_wh += sample.net_w * dt / 3600
        if found.settled is None:
            found.settled = sample.at - T if sample.outside == 0.0 else None
            continue
        found.seconds += dt
        found.inside += dt if sample.outside == 0.0 else 0.0
        found.square += sample.outside**2 * dt
    return found


STEPS = st.lists(
    st.tuples(
        st.floats(0.1, 12.0),
        st.none() | st.floats(-5000.0, 9000.0),
        st.sampled_from([0.0, 0.0, 12.5, 800.0]),
    ),
    max_size=80,
)


@given(STEPS)
def test_sums_are_those_of_a_slow_recount(steps: list[tuple[float, float | None, float]]) -> None:
    samples, at = [], T
    for dt, net_w, over in steps:
        at += dt
        samples.append(Sample(at, net_w, None if net_w is None else over))
    known = Measurement(LIMIT, at=T)
    for sample in samples:
        known = take(known, sample)
    slow, found = slowly(samples), record(known, 1000.0, "somebody")
    # The last step may reach over the end; the slow one leaves it out.
    if at <= END:
        assert known.measured_s == pytest.approx(slow.measured)
        assert known.net_wh == pytest.approx(slow.energy_wh)
        assert found.settled_s == (None if slow.settled is None else pytest.approx(slow.settled))
        if slow.seconds:
            assert found.inside_share == pytest.approx(slow.inside / slow.seconds)
            assert found.deviation == pytest.approx(math.sqrt(slow.square / slow.seconds))
    assert found.inside_share is None or 0.0 <= found.inside_share <= 1.0
    assert 0.0 <= found.measured_share <= 1.0
