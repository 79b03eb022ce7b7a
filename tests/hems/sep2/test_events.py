"""The event rules, against an obvious oracle and as tables."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hems.sep2.rules.events import (
    DISABLED,
    Default,
    Draw,
    Event,
    Held,
    Interval,
    Program,
    Status,
    draw,
    effective,
    in_force,
    reaching,
    resolve,
    timeline,
    timelines,
)
from tests.hems.sep2.examples import examples
from tests.hems.sep2.oracle import asked, holders

END = 55
MODES = ["opModImpLimW", "opModExpLimW", "opModTargetW"]
values = st.sampled_from([0.0, 1500.0, -200.0, DISABLED])
mode_maps = st.dictionaries(st.sampled_from(MODES), values, min_size=1, max_size=3)
programs = st.builds(
    Program,
    mrid=st.sampled_from(["A1", "A2", "A3"]),
    primacy=st.integers(0, 2),
)


@st.composite
def held_events(pick: st.DrawFn, number: int) -> Held:
    widths = st.integers(-8, 8)
    start, duration = pick(widths), pick(widths)
    event = Event(
        mrid=f"{pick(st.integers(0, 15)):X}{number:03X}",
        program=pick(programs),
        creation_time=pick(st.integers(0, 2)),
        start=pick(st.integers(5, 30)),
        duration_s=pick(st.integers(1, 15)),
        modes=pick(mode_maps),
        status=pick(st.sampled_from(Status)),
        status_time=pick(st.integers(0, 40)),
        randomize_start_s=start,
        randomize_duration_s=duration,
        mandatory=pick(st.booleans()),
    )
    drawn = draw(event, random.Random(pick(st.integers(0, 999))))  # noqa: S311 - draws, not secrets
    return Held(
        event,
        drawn,
        opted_out=pick(st.booleans()),
        modes=pick(st.none() | st.frozensets(st.sampled_from(MODES))),
    )


@st.composite
def schedules(pick: st.DrawFn) -> tuple[list[Held], list[Default]]:
    events = [pick(held_events(i)) for i in range(pick(st.integers(0, 7)))]
    defaults = [
        Default(f"D{i}", pick(programs), pick(mode_maps)) for i in range(pick(st.integers(0, 3)))
    ]
    return events, defaults


def _agree(events: Sequence[Held], defaults: Sequence[Default], *, resumes: bool) -> None:
    table = holders(events, resumes=resumes, begin=-5)
    before = None
    announced = float("-inf")
    lines = timelines(events, resumes=resumes)
    for t, row in enumerate(table[: END + 5], start=-5):
        wanted = asked(row, defaults)
        schedule = resolve(lines, defaults, t)
        assert {m: (a.event, a.value) for m, a in schedule.active.items()} == wanted, t
        if before is not None and wanted != before:
            assert announced == t, "the change was not announced by next_change"
        assert schedule.next_change > t
        announced = schedule.next_change if schedule.next_change < t + 1.5 else announced
        before = wanted


@pytest.mark.requirement("PRO-2030.5")
@settings(max_examples=examples(1000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schedules(), st.booleans())
def test_agrees_with_the_oracle(case: tuple[list[Held], list[Default]], resumes: bool) -> None:
    _agree(*case, resumes=resumes)


@pytest.mark.deep
@settings(
    max_examples=examples(10_000), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(schedules(), st.booleans())
def test_agrees_with_the_oracle_deeply(
    case: tuple[list[Held], list[Default]], resumes: bool
) -> None:
    _agree(*case, resumes=resumes)


@settings(max_examples=examples(500), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schedules(), st.integers(0, 40), st.booleans())
def test_what_is_over_counts_as_far_as_it_reaches(
    case: tuple[list[Held], list[Default]], now: int, resumes: bool
) -> None:
    ends = [(effective(h.event, h.draw).end, h) for h in case[0]]
    live = [h for end, h in ends if end > now]
    counted = reaching(live, [h for end, h in ends if end <= now])
    assert len(counted) <= len(case[0])
    assert all(h in counted for h in live)
    few, all_of_them = (timelines(events, resumes=resumes) for events in (counted, case[0]))
    for mode in all_of_them:
        mine = [h for h in all_of_them[mode] if h.held in live]
        assert [h for h in few.get(mode, ()) if h.held in live] == mine


def test_what_was_over_before_all_others_began_is_left_out() -> None:
    chain = [Held(_event(str(i), start=100 + 60 * i)) for i in range(4)]
    assert reaching(chain[3:], chain[:3]) == chain[3:]
    long = Held(_event("L", start=150, duration_s=131))
    assert reaching(chain[3:], [*chain[:3], long]) == [chain[3], long, chain[2], chain[1], chain[0]]
    assert reaching([], chain) == []


@given(st.integers(-3600, 3600), st.integers(-3600, 3600), st.integers(0, 10**6))
def test_draws_lie_between_zero_and_their_range(start: int, duration: int, seed: int) -> None:
    event = _event(randomize_start_s=start, randomize_duration_s=duration)
    drawn = draw(event, random.Random(seed))  # noqa: S311 - the same
    assert min(0, start) <= drawn.start_s <= max(0, start)
    assert min(0, duration) <= drawn.duration_s <= max(0, duration)
    assert 0 <= drawn.cancel_s <= max(abs(start), abs(duration))


def test_draws_reach_both_ends_of_their_range() -> None:
    rng = random.Random(7)  # noqa: S311 - the same
    for limit in (-2, 2):
        some = [draw(_event(randomize_start_s=limit), rng) for _ in range(200)]
        assert {d.start_s for d in some} == {0, limit // 2, limit}
        assert {d.cancel_s for d in some} == {0, 1, 2}
        assert {d.duration_s for d in some} == {0}


def _event(mrid: str = "E1", **changes: Any) -> Event:
    fields: dict[str, Any] = {
        "program": Program("P1", primacy=1),
        "creation_time": 10,
        "start": 100,
        "duration_s": 60,
        "modes": {"opModImpLimW": 1500.0},
    }
    return Event(mrid=mrid, **(fields | changes))


CUT: dict[str, Any] = {"status_time": 120, "randomize_start_s": 30}


@pytest.mark.parametrize(
    ("event", "drawn", "start", "end"),
    [
        (_event(), Draw(), 100, 160),
        (_event(), Draw(start_s=-20), 80, 140),
        (_event(), Draw(start_s=5, duration_s=-70), 105, 105),
        (_event(status=Status.CANCELLED, **CUT), Draw(cancel_s=30), 100, 120),
        (_event(status=Status.SUPERSEDED, **CUT), Draw(), 100, 120),
        (_event(status=Status.COMPLETED, **CUT), Draw(), 100, 120),
        (_event(status=Status.CANCELLED_RANDOMIZED, **CUT), Draw(cancel_s=17), 100, 137),
        (_event(status=Status.CANCELLED_RANDOMIZED, **CUT), Draw(start_s=25), 120, 120),
        (_event(status=Status.CANCELLED_RANDOMIZED, status_time=100), Draw(cancel_s=9), 100, 100),
        (_event(status=Status.CANCELLED_RANDOMIZED, status_time=101), Draw(cancel_s=9), 100, 110),
        (_event(status=Status.CANCELLED, status_time=50), Draw(), 50, 50),
    ],
)
def test_effective_interval(event: Event, drawn: Draw, start: int, end: int) -> None:
    interval = effective(event, drawn)
    assert (interval.start, interval.end) == (start, end)


@pytest.mark.requirement("PRO-2030.5")
@pytest.mark.parametrize(
    ("strong", "weak"),
    [
        (_event("1", program=Program("P", primacy=0)), _event("2", creation_time=99)),
        (_event("1", creation_time=11), _event("2")),
        (_event("B"), _event("A")),
        (_event("A"), _event("B", status=Status.SUPERSEDED, status_time=150)),
        (_event("B", status=Status.COMPLETED, status_time=150), _event("A")),
    ],
)
def test_the_stronger_wins(strong: Event, weak: Event) -> None:
    for pair in ([strong, weak], [weak, strong]):
        schedule = in_force([Held(e) for e in pair], [], 130)
        assert schedule.active["opModImpLimW"].event == strong.mrid


@pytest.mark.parametrize(("resumes", "again"), [(False, None), (True, "1")])
def test_supersession_goes_per_mode_and_is_final_in_2018(resumes: bool, again: str | None) -> None:
    long = _event("1", duration_s=300, modes={"opModImpLimW": 1.0, "opModExpLimW": 2.0})
    short = _event("2", creation_time=11, start=150, duration_s=10)
    for held in ([Held(long), Held(short)], [Held(short), Held(long)]):
        assert _holder(held, 149, resumes=resumes) == {"opModImpLimW": "1", "opModExpLimW": "1"}
        assert _holder(held, 150, resumes=resumes) == {"opModImpLimW": "2", "opModExpLimW": "1"}
        after = _holder(held, 160, resumes=resumes)
        assert (after.get("opModImpLimW"), after["opModExpLimW"]) == (again, "1")


def test_final_is_what_is_meant_unless_said() -> None:
    held = [Held(_event("1", duration_s=300)), Held(_event("2", creation_time=11, start=150))]
    assert timelines(held) == timelines(held, resumes=False) != timelines(held, resumes=True)
    (line,) = timelines(events=held).values()
    assert timeline(mode="opModImpLimW", events=held) == line
    assert in_force(events=held, defaults=[], now=99).active == {}
    assert in_force(held, [], 250).active == {}


def test_what_two_in_a_row_take_is_given_back_after_the_second() -> None:
    weak = Held(_event("1", start=1000, duration_s=300))
    first = Held(_event("2", creation_time=11, start=1000, duration_s=10))
    second = Held(_event("3", creation_time=11, start=1010, duration_s=10))
    (*_, one, two) = timeline("opModImpLimW", [weak, second, first], resumes=True)
    assert (one.interval, one.superseded_by) == (Interval(1000, 1000), first.event)
    assert (two.interval, two.superseded_by) == (Interval(1020, 1300), None)


def test_an_event_that_ends_with_a_stronger_one_has_no_more_to_take_up() -> None:
    weak = Held(_event("1"))
    strong = Held(_event("2", creation_time=11, start=120, duration_s=40))
    (only,) = (h for h in timeline("opModImpLimW", [weak, strong], resumes=True) if h.held is weak)
    assert (only.interval, only.superseded_by) == (Interval(100, 120), strong.event)


def test_an_event_that_ends_within_a_stronger_one_has_no_more_to_take_up() -> None:
    weak = Held(_event("1", start=120, duration_s=20))
    strong = Held(_event("2", creation_time=11))
    (only,) = (h for h in timeline("opModImpLimW", [weak, strong], resumes=True) if h.held is weak)
    assert (only.interval, only.superseded_by) == (Interval(120, 120), strong.event)


def _holder(events: Sequence[Held], now: float, *, resumes: bool) -> dict[str, str]:
    active = in_force(events, [], now, resumes=resumes).active
    return {mode: a.event for mode, a in active.items()}


def test_leaving_a_voluntary_event_brings_back_the_binding_one() -> None:
    binding = _event("1", duration_s=300, mandatory=True)
    voluntary = Held(_event("2", creation_time=11, start=150), opted_out=True)
    assert in_force([Held(binding), voluntary], [], 170).active["opModImpLimW"].event == "1"


def test_a_mandatory_event_cannot_be_left() -> None:
    held = Held(_event(mandatory=True), opted_out=True)
    assert in_force([held], [], 130).active["opModImpLimW"].event == "E1"


def test_default_of_the_lowest_primacy_applies_per_mode() -> None:
    defaults = [
        Default("D5", Program("P5", primacy=5), {"opModImpLimW": 5.0, "opModExpLimW": 5.0}),
        Default("D2", Program("P2", primacy=2), {"opModImpLimW": 2.0}),
    ]
    active = in_force([Held(_event())], defaults, 99).active
    assert {m: a.event for m, a in active.items()} == {"opModImpLimW": "D2", "opModExpLimW": "D5"}
    assert all(a.default and a.mandatory for a in active.values())


def test_a_disabled_mode_asks_for_nothing_yet_takes_its_place() -> None:
    weak = _event("1", modes={"opModImpLimW": 1.0})
    strong = _event("2", creation_time=11, modes={"opModImpLimW": DISABLED})
    assert "opModImpLimW" not in in_force([Held(weak), Held(strong)], [], 130).active


@pytest.mark.parametrize(("lost_since", "held"), [(None, True), (99, False), (100, True)])
def test_without_the_server_no_event_begins(lost_since: float | None, held: bool) -> None:
    active = in_force([Held(_event())], [], 130, lost_since).active
    assert ("opModImpLimW" in active) is held
