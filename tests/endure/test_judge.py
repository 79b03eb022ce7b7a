"""The judge of a run finds what is wrong, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.endure.gauge import Durations, Sample, within_s
from tests.endure.judge import DAY_S, Finding, doubled, grown, missed, planned_bytes, slope_a_day
from tests.endure.plan import CHANGE, Fault, parts, planned

QUARTER_S = 900.0


def samples(days: float, *, mb_a_day: float, files: int = 20) -> list[Sample]:
    """A process that fills its memory in its first day, then grows evenly, and jumps at times."""
    found = []
    for number in range(int(days * DAY_S / QUARTER_S)):
        at = number * QUARTER_S
        warming = 60.0 * min(at / DAY_S, 1.0)
        jump = 25.0 if number % 17 == 0 else 0.0
        rss_mb = 100.0 + warming + jump + mb_a_day * at / DAY_S
        found.append(Sample(at, rss_mb, 0.0, files + number // 96, 30, 4, 1000))
    return found


@pytest.mark.parametrize("mb_a_day", [-2.0, 0.0, 0.4, 3.0])
def test_the_slope_is_that_of_the_warm_process_whatever_jumps(mb_a_day: float) -> None:
    found = slope_a_day(samples(5, mb_a_day=mb_a_day), 5 * DAY_S)
    assert found == pytest.approx(mb_a_day, abs=0.05)


def test_nothing_is_said_of_too_few_samples() -> None:
    assert slope_a_day([], DAY_S) is None
    assert slope_a_day(samples(0.1, mb_a_day=9.0)[:5], 0.1 * DAY_S) is None


def test_what_is_left_open_is_seen() -> None:
    assert grown(samples(5, mb_a_day=0.0), "files", 5 * DAY_S) >= 3
    assert grown(samples(5, mb_a_day=0.0), "threads", 5 * DAY_S) == 0


@pytest.mark.parametrize(
    ("given_answers", "absent", "twice"),
    [
        ([1, 2, 3], 0, 0),
        ([1, 2, 3, 3], 0, 1),
        ([1, 2], 1, 0),
        ([1, 3, 2], 1, 0),
        ([], 1, 0),
        ([1, 2, 6], 1, 0),
    ],
)
def test_answers(given_answers: list[int], absent: int, twice: int) -> None:
    answers = {"peak": given_answers}
    assert len(missed({"peak": (1, 2, 3)}, answers)) == absent
    assert len(doubled(answers)) == twice


@given(st.lists(st.floats(2e-4, 500.0), min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_classes_of_durations_hold_what_they_were_given(took: list[float], share: float) -> None:
    durations = Durations()
    for each in took:
        durations.add(each)
    least = sorted(took)[max(0, -(-int(share * len(took) * 1000) // 1000) - 1)]
    found = within_s(durations.counts, share)
    assert found >= least * 0.99
    assert sum(each <= found * 1.001 for each in took) >= share * len(took) - 1e-9
    assert durations.longest_s == max(took)


def test_a_bound_is_a_bound() -> None:
    assert Finding("a", 1.0, 1.0).good
    assert not Finding("a", 1.1, 1.0).good
    assert Finding("a", None, 1.0).good
    assert Finding("a", 5.0).good


def test_the_planned_store_grows_with_days_and_devices_and_not_with_seconds_after_a_day() -> None:
    week, month = (planned_bytes(days, cycle_s=1.0, devices=10) for days in (7, 28))
    assert week < month < 2 * week
    assert planned_bytes(7, cycle_s=5.0, devices=10) < week


@pytest.mark.parametrize("seed", range(5))
def test_a_week_holds_what_it_is_to_hold(seed: int) -> None:
    plan = planned(7.0, seed)
    assert len(plan.orders) >= 30
    assert {trouble.fault for trouble in plan.troubles} == set(Fault)
    assert plan.begins_at < CHANGE < plan.ends_at
    assert len(parts(plan)) == 2
    for order in plan.orders:
        assert plan.begins_at < order.told_at <= order.starts_at < plan.ends_at


@given(st.floats(0.06, 8.0), st.integers(0, 1000))
def test_nobody_dispatches_while_the_utility_or_the_process_is_away(days: float, seed: int) -> None:
    plan = planned(days, seed)
    away = [(t.begins_at, t.ends_at) for t in plan.troubles if t.fault is Fault.UTILITY]
    away.append((plan.upgraded_at - 30, plan.upgraded_at + 90))
    told = [o.told_at for o in plan.orders]
    told += [o.cancelled_at for o in plan.orders if o.cancelled_at is not None]
    assert not [at for at in told for begin, end in away if begin <= at <= end]
    assert plan.begins_at < plan.upgraded_at < plan.ends_at
    assert plan.begins_at <= CHANGE <= plan.ends_at
