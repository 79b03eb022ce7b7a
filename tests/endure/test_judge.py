"""The judge of a run finds what is wrong, and nothing else."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.endure.gauge import Durations, Sample, within_s
from tests.endure.judge import (
    DAY_S,
    Finding,
    doubled,
    grown,
    held_more,
    missed,
    planned_bytes,
    slope_a_day,
)
from tests.endure.measured import Measured
from tests.endure.plan import CHANGE, Fault, Plan, parts, planned
from tests.endure.run import Run, judged

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


def test_a_utility_that_was_away_at_first_is_no_leak() -> None:
    found = [
        replace(each, files=10 if away else 40, whole=not away)
        for each in samples(5, mb_a_day=0.0)
        for away in [DAY_S <= each.at < DAY_S + 2 * QUARTER_S]
    ]
    assert grown(found, "files", 5 * DAY_S) == 0


def test_what_there_is_more_of_is_named() -> None:
    found = [
        replace(each, held={"task read": 10, "file socket": 5 + (each.files > 22)})
        for each in samples(5, mb_a_day=0.0)
    ]
    assert held_more(found, 5 * DAY_S) == ["file socket: 5, then 6"]


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
    assert Finding("a", 1.0, at_least=1.0).good
    assert not Finding("a", 0.9, at_least=1.0).good


def test_a_run_too_short_to_judge_an_event_is_not_good() -> None:
    run = Run(days=0.02, seed=1, cycle_s=5.0)
    plan = planned(run.days, run.seed)
    short = replace(plan, orders=[o for o in plan.orders if o.holds_until > plan.ends_at - 600])
    outcome = judged(run, short, sound(run, short))
    assert "events_judged" in [finding.key for finding in outcome.findings if not finding.good]


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


WEEK = Run(days=7.0, seed=1, cycle_s=5.0)


def sound(run: Run, plan: Plan) -> list[Measured]:
    """What a hub without fault comes to."""
    found = []
    for begins, ends in parts(plan):
        durations = Durations()
        for _ in range(int((ends - begins) / run.cycle_s)):
            durations.add(0.005)
        days = (ends - begins) / DAY_S
        part = Measured(begins, ends, "before", cycles=durations.counts, longest_s=0.005)
        part.samples = [
            replace(each, at=begins + each.at, files=20) for each in samples(days, mb_a_day=0.1)
        ]
        part.orders = {o.name: o.name for o in plan.orders if begins <= o.told_at < ends}
        part.answers = {o.name: list(o.answers) for o in plan.orders if o.told_at < ends}
        part.came = {o.name: list(o.answers) for o in plan.orders if begins <= o.told_at < ends}
        part.kept_s, part.store_bytes = 10_000.0, 20_000_000
        part.minutes = int((ends - plan.begins_at) / 60)
        found.append(part)
    return found


def _answer(found: list[Measured], change: Callable[[list[int]], object]) -> None:
    change(next(iter(found[-1].answers.values())))


def _answer_twice(found: list[Measured]) -> None:
    """What comes twice alike is kept once by the utility."""
    came = next(iter(found[0].came.values()))
    came.append(came[-1])


def _answer_again(found: list[Measured]) -> None:
    name, came = next(iter(found[0].came.items()))
    found[1].came[name] = came[:1]


def _no_limit(found: list[Measured]) -> None:
    for part in found:
        part.kept_s = 0.0


def _grow(found: list[Measured], what: str, by: float) -> None:
    """Have the last process have so much more of something each day."""
    last = found[-1]
    last.samples = [
        replace(s, **{what: getattr(s, what) + by * (s.at - last.begins_at) / DAY_S})
        for s in last.samples
    ]


def _slow(found: list[Measured]) -> None:
    durations = Durations()
    for _ in range(200):
        durations.add(2.0)
    counts = zip(found[0].cycles, durations.counts, strict=True)
    found[0].cycles = [sum(each) for each in counts]


def _never_taken(found: list[Measured]) -> None:
    del found[0].orders[next(iter(found[0].orders))]


FAULTS: dict[str, tuple[Callable[[list[Measured]], object], str]] = {
    "an event without an answer": (lambda f: _answer(f, list.clear), "missed_events"),
    "an event not ended": (lambda f: _answer(f, list.pop), "missed_events"),
    "an event never dispatched": (_never_taken, "missed_events"),
    "an answer twice": (_answer_twice, "doubled_responses"),
    "an answer of the first process that the second gives again": (
        _answer_again,
        "doubled_responses",
    ),
    "no limit that held at all": (_no_limit, "limits_judged_s"),
    "an upgrade that has lost the past": (
        lambda f: setattr(f[1], "minutes", int((f[1].ends_at - f[1].begins_at) / 60)),
        "history_lost_share",
    ),
    "a limit not kept": (lambda f: setattr(f[0], "broken_s", 600.0), "limits_broken_share"),
    "limits exceeded again and again": (
        lambda f: setattr(f[0], "answered_s", 2_000.0),
        "limits_over_share",
    ),
    "a hub that stands still": (
        lambda f: setattr(f[1], "cycles", [n // 2 for n in f[1].cycles]),
        "cycles_left_out_share",
    ),
    "slow cycles": (_slow, "cycle_p999_s"),
    "memory": (lambda f: _grow(f, "rss_mb", 2.0), "rss_slope_mb_a_day"),
    "files": (lambda f: _grow(f, "files", 3), "files_leaked"),
    "tasks": (lambda f: _grow(f, "tasks", 3), "tasks_leaked"),
    "threads": (lambda f: _grow(f, "threads", 2), "threads_leaked"),
    "a store too large": (lambda f: setattr(f[-1], "store_bytes", 10**9), "store_mb"),
    "a log too long": (lambda f: f[0].lines.update({"again and again": 9999}), "log_lines"),
    "a traceback": (lambda f: f[0].faults.update({"hems.home: a task": 1}), "faults_logged"),
    "an alarm that stays": (lambda f: f[-1].alarms.append("the meter is lost"), "alarms_left"),
}


def test_a_week_without_fault_is_good() -> None:
    plan = planned(WEEK.days, WEEK.seed)
    outcome = judged(WEEK, plan, sound(WEEK, plan))
    assert not [finding for finding in outcome.findings if not finding.good]
    assert outcome.good


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_noticed_by_the_figure_for_it_and_by_no_other(fault: str) -> None:
    plan = planned(WEEK.days, WEEK.seed)
    found = sound(WEEK, plan)
    change, figure = FAULTS[fault]
    change(found)
    outcome = judged(WEEK, plan, found)
    assert [finding.key for finding in outcome.findings if not finding.good] == [figure]
    assert not outcome.good
