"""Who is told what: once, never in quiet hours, never a flood, and no more after a restart."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hems.push.occasions import Occasion
from hems.push.subscription import Quiet, Subject, Subscription
from hems.push.turns import MOST, MOST_URGENT, RATE_S, Memory, again_s, begun, turns

AT = 1_781_698_800.0
ANNA = Subscription(
    id="anna",
    endpoint="https://push.example/a",
    p256dh=b"",
    auth=b"",
    who="anna",
    called="phone",
    subjects=frozenset(Subject),
    language="en",
    quiet=None,
    since=AT,
)
BEN = replace(ANNA, id="ben", subjects=frozenset({Subject.ALARMS}))
EVENT = Occasion("events:1", Subject.EVENTS, "t", "x", "/", urgent=False, until=AT + 7200)
ALARM = Occasion("alarms:1", Subject.ALARMS, "t", "x", "/", urgent=True, until=AT + 7200)


def step(
    memory: Memory,
    *present: Occasion,
    now: float = AT,
    minute: int = 720,
    room: int = 99,
    who: tuple[Subscription, ...] = (ANNA, BEN),
) -> tuple[list[tuple[str, str]], Memory]:
    found, after = turns(who, present, memory, now=now, minute=minute, room=room)
    return [(turn.subscription.id, turn.occasion.key) for turn in found], after


def test_each_is_told_once_what_they_chose() -> None:
    told, memory = step(Memory(), EVENT, ALARM)
    assert told == [("anna", "events:1"), ("anna", "alarms:1"), ("ben", "alarms:1")]
    assert step(memory, EVENT, ALARM, now=AT + 60)[0] == []


def test_nothing_is_told_again_after_a_restart() -> None:
    _, memory = step(Memory(), EVENT, ALARM)
    later = AT + 20 * 3600
    kept = json.loads(json.dumps({key: dict(each) for key, each in memory.told.items()}))
    restarted = Memory(since=later, told=kept)
    told, restarted = step(restarted, now=later)  # no device has answered yet
    assert told == []
    assert step(restarted, EVENT, ALARM, now=later + 60)[0] == []


def test_an_alarm_that_was_over_for_an_hour_is_news_again_and_an_event_is_not() -> None:
    _, memory = step(Memory(), EVENT, ALARM)
    for minutes in range(1, 50):
        told, memory = step(memory, now=AT + 60 * minutes)
    assert step(memory, ALARM, now=AT + 50 * 60)[0] == [], "it only flutters"
    over = AT + 2 * 3600
    told, memory = step(memory, now=over)
    told, _ = step(memory, EVENT, ALARM, now=over + 1)
    assert told == [("anna", "alarms:1"), ("ben", "alarms:1")]


def test_what_must_last_is_told_when_it_has() -> None:
    steady = replace(ALARM, steady_s=30.0)
    told, memory = step(Memory(), steady)
    assert told == []
    told, memory = step(memory, steady, now=AT + 29)
    assert told == []
    told, _ = step(memory, steady, now=AT + 30)
    assert len(told) == 2


def test_what_came_back_has_to_last_anew() -> None:
    steady = replace(ALARM, steady_s=30.0)
    _, memory = step(Memory(), steady)
    _, memory = step(memory, now=AT + 20)
    assert step(memory, steady, now=AT + 200)[0] == []


def test_a_taking_back_is_told_to_those_who_were_asked() -> None:
    back = replace(EVENT, key="events:cancelled 1", after="events:1")
    asked = replace(BEN, subjects=frozenset(Subject), quiet=Quiet(700, 800))
    _, memory = step(Memory(), EVENT, who=(ANNA, asked))
    assert step(memory, back, now=AT + 60, minute=900, who=(ANNA, asked))[0] == [
        ("anna", "events:cancelled 1")
    ]


def test_quiet_hours_put_it_off_until_they_end() -> None:
    sleeping = replace(ANNA, quiet=Quiet(22 * 60, 7 * 60))
    told, memory = step(Memory(), EVENT, minute=3 * 60, who=(sleeping,))
    assert told == []
    told, _ = step(memory, EVENT, now=AT + 3600, minute=7 * 60, who=(sleeping,))
    assert told == [("anna", "events:1")]


@pytest.mark.parametrize(
    ("quiet", "minute", "holds"),
    [
        (Quiet(60, 120), 59, False),
        (Quiet(60, 120), 60, True),
        (Quiet(60, 120), 120, False),
        (Quiet(1320, 420), 1319, False),
        (Quiet(1320, 420), 0, True),
        (Quiet(1320, 420), 420, False),
        (Quiet(60, 60), 60, False),
    ],
)
def test_which_minutes_are_quiet(quiet: Quiet, minute: int, *, holds: bool) -> None:
    assert quiet.holds(minute) is holds


def test_who_begins_is_told_only_what_is_new_and_that_counts_for_no_flood() -> None:
    many = [replace(ALARM, key=f"alarms:{number}") for number in range(MOST_URGENT)]
    memory = begun(ANNA, many, Memory())
    new = replace(EVENT, key="events:new")
    told, _ = step(memory, *many, new, who=(ANNA,))
    assert told == [("anna", "events:new")]


def test_no_more_is_sent_off_than_there_is_room_for_and_the_rest_comes_later() -> None:
    told, memory = step(Memory(), EVENT, ALARM, room=2)
    assert len(told) == 2
    rest, _ = step(memory, EVENT, ALARM, now=AT + 3)
    assert rest == [("ben", "alarms:1")]


occasion = st.builds(
    lambda number, subject, urgent, steady: Occasion(
        f"{subject}:{number}", subject, "", "", "/", urgent, AT * 2, steady
    ),
    st.integers(0, 20),
    st.sampled_from(Subject),
    st.booleans(),
    st.sampled_from([0.0, 120.0]),
)


HELD_BACK = replace(ALARM, key="alarms:1", steady_s=0.0, urgent=False)
FLOOD = [replace(EVENT, key=f"events:{number}", urgent=False) for number in range(MOST)]


@example(
    [
        *(([HELD_BACK], 30), ([], 2000), ([], 2000), (FLOOD, 30), ([HELD_BACK], 30)),
        ([replace(HELD_BACK, urgent=True)], 30),
    ],
    None,
)
@given(
    st.lists(
        st.tuples(
            st.lists(occasion, max_size=20, unique_by=lambda o: o.key), st.integers(30, 2000)
        ),
        max_size=40,
    ),
    st.one_of(st.none(), st.builds(Quiet, st.integers(0, 1439), st.integers(0, 1439))),
)
def test_whatever_happens_it_is_no_flood_and_no_repetition(
    days: list[tuple[list[Occasion], int]], quiet: Quiet | None
) -> None:
    """Against a slow record of all that was told."""
    anna = replace(ANNA, quiet=quiet)
    memory, now = Memory(), AT
    told: list[tuple[float, str]] = []
    held: dict[str, float] = {}
    news: set[str] = set()
    """What has not held for long enough since it was told; it may have to wait until it is."""
    for present, pause_s in days:
        now += pause_s
        for each in present:
            last = max((at for at, key in told if key == each.key), default=None)
            if last is None or now - max(last, held[each.key]) > again_s(each.key):
                news.add(each.key)
        minute = int(now // 60) % 1440
        found, memory = turns((anna,), present, memory, now=now, minute=minute, room=99)
        assert not found or quiet is None or not quiet.holds(minute)
        for turn in found:
            key = turn.occasion.key
            assert key in news
            news.remove(key)
            told.append((now, key))
        for each in present:
            held[each.key] = now
        lately = Counter(at > now - RATE_S for at, _ in told)[True]
        assert lately <= MOST_URGENT
        if not any(turn.occasion.urgent for turn in found):
            assert lately <= max(MOST, lately - len(found))
