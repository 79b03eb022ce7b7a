"""The rules: tables, a slow oracle, and an ordinary week in which nothing is found."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.sentence import Template, say
from hems.emg.threats.rules import habit, setpoints
from hems.emg.threats.rules.counting import AGAIN_S, By, Counting, How, Track, Tracks, Words
from hems.emg.threats.rules.finding import Finding, Seen, Threat
from hems.emg.threats.rules.habit import Habit
from hems.emg.threats.rules.judge import Rules, State
from hems.emg.threats.rules.table import table
from hems.emg.threats.rules.thresholds import Thresholds
from hems.emg.threats.severity import Severity
from hems.security_event import EventKind, SecurityEvent
from tests.hems.emg.threats.week import ordinary

pytestmark = pytest.mark.requirement("L2-EVENTS")

HOUR = 3600.0
DAY = 86_400.0
MIDNIGHT = 1_800_057_600.0
RULES = Rules(table(Thresholds()), hour=lambda at: int(at % DAY // HOUR))
WORDS = Words(say("Look at it."), Template("{who} did it {count} times."))
FAILED = EventKind.LOGIN_FAILED


def seen(  # noqa: PLR0917 - a row of a table
    kind: EventKind,
    now: float,
    about: str = "",
    source: str = "",
    row: int = 0,
    text: str = "It was.",
) -> Seen:
    return Seen(SecurityEvent(kind, text, about, source), MIDNIGHT + now, now, row)


def judged(*events: Seen, rules: Rules = RULES) -> list[Finding]:
    """Return all that is found of events."""
    state, found = State(), []
    for event in events:
        state, more = rules.step(state, event)
        found += more
    return found


def many(count: int, kind: EventKind, every_s: float = 1.0, **what: str) -> list[Seen]:
    """Return the same event often; a place {n} in what it says is its number."""
    return [
        seen(kind, n * every_s, row=n + 1, **{k: v.format(n=n) for k, v in what.items()})
        for n in range(count)
    ]


TAKES = SecurityEvent(EventKind.SETPOINT, setpoints.TAKES, "battery")
GIVES = SecurityEvent(EventKind.SETPOINT, setpoints.GIVES, "battery")
RESTS = SecurityEvent(EventKind.SETPOINT, setpoints.RESTS, "battery")


def swung(*events: SecurityEvent, every_s: float = 1.0) -> list[Seen]:
    return [Seen(event, MIDNIGHT + n * every_s, n * every_s) for n, event in enumerate(events)]


@pytest.mark.parametrize(
    ("events", "threats"),
    [
        (many(10, FAILED, source="10.0.0.7"), [Threat.GUESSING]),
        (many(9, FAILED, source="10.0.0.7"), []),
        (many(10, FAILED, every_s=70.0, source="10.0.0.7"), []),
        (many(40, FAILED, source="10.0.0.7"), [Threat.GUESSING]),
        (many(5, FAILED, every_s=60.0, source="10.0.0.{n}"), [Threat.SPREAD_GUESSING]),
        (many(5, FAILED, every_s=1000.0, source="10.0.0.{n}"), []),
        (many(15, EventKind.REQUEST_MALFORMED, about="GET /{n}", source="a"), [Threat.SCAN]),
        (many(60, EventKind.REQUEST_MALFORMED, about="GET /x", source="a"), []),
        (many(15, EventKind.REQUEST_REFUSED, about="GET /{n}", source="10.0.0.{n}"), []),
        (many(120, EventKind.REQUEST_REFUSED, 0.4, about="x", source="a"), [Threat.FLOOD]),
        (many(120, EventKind.NOTIFICATION_REFUSED, 0.4, source="a"), [Threat.FLOOD]),
        (many(10, EventKind.REPLAY, 60.0, source="utility"), [Threat.REPLAY]),
        (many(20, EventKind.PEER_REFUSED, 20.0), [Threat.HANDSHAKES]),
        (many(8, EventKind.DEVICE_STRANGER, 60.0, about="ev{n}"), [Threat.STRANGERS]),
        (many(20, EventKind.DEVICE_STRANGER, 60.0, about="ev"), []),
        (many(3, EventKind.SERVER_REFUSED, 60.0, about="u"), [Threat.FALSE_SERVER]),
        (many(1, EventKind.SERVER_HOSTILE, about="u"), [Threat.HOSTILE_SERVER]),
        (many(3, EventKind.DEVICE_HOSTILE, about="pv"), [Threat.HOSTILE_DEVICE]),
        (many(3, EventKind.DEVICE_MEDDLED, about="plug"), [Threat.MEDDLED]),
        (many(2, EventKind.DEVICE_MEDDLED, about="plug"), []),
        (many(10, EventKind.DEVICE_REFUSED, about="ev", source="10.0.0.7"), [Threat.GUESSING]),
        (
            many(15, EventKind.DEVICE_STRANGER, 1.0, about="cp{n}", source="10.0.0.7"),
            [Threat.STRANGERS, Threat.SCAN],
        ),
        (many(50, EventKind.ACCESS_REFUSED, about="broker"), []),
        (many(1, EventKind.DEVICE_CHANGED, about="pv"), [Threat.DEVICE]),
        (
            many(3, EventKind.DEVICE_QUARANTINED, about="pv{n}"),
            [Threat.QUARANTINES],
        ),
        (many(3, EventKind.CLOCK_STEPPED, HOUR), [Threat.CLOCK]),
        (many(2, EventKind.CLOCK_STEPPED, HOUR), []),
        (many(1, EventKind.FIRMWARE_UNTRUSTED, about="pv"), [Threat.FIRMWARE]),
        (many(3, EventKind.FIRMWARE_REFUSED, HOUR, about="pv"), [Threat.FIRMWARE_OFFERED]),
        (many(3, EventKind.FEED_REFUSED, HOUR), [Threat.FEED]),
        (many(1, EventKind.CONNECTION, about="tcp/4444"), [Threat.LISTENER]),
        (many(1, EventKind.PACKAGE_TAMPERED, about="package"), [Threat.PACKAGE]),
        (many(1, EventKind.BOOT_CHANGED, about="package"), [Threat.PACKAGE]),
        (many(1, EventKind.AGENT_SILENT, about="agent"), [Threat.AGENT]),
        (many(1, EventKind.LOG_BROKEN, about="log"), [Threat.RECORDS]),
        (many(1, EventKind.STORE_DAMAGED, about="store"), [Threat.STORE]),
        (many(500, EventKind.THREAT, 0.1, source="a"), []),
        (swung(*[TAKES] * 239, every_s=0.2), []),
        (swung(*[TAKES] * 240, every_s=0.2), [Threat.SETPOINT_STORM]),
        (swung(*[TAKES, GIVES] * 10), [Threat.SETPOINT_TURNS]),
        (swung(*[TAKES, RESTS] * 30), []),
        (swung(*[TAKES, GIVES] * 10, every_s=4.0), []),
        (swung(*[TAKES] * 20, *[GIVES] * 20), []),
    ],
)
def test_what_events_come_to(events: list[Seen], threats: list[Threat]) -> None:
    assert [finding.threat for finding in judged(*events)] == threats


def test_a_finding_says_who_how_often_and_by_which_rows() -> None:
    (finding,) = judged(*many(10, FAILED, source="10.0.0.7"))
    assert finding.text == "Somebody at 10.0.0.7 tries passwords: 10 were wrong within 10 minutes."
    assert finding.evidence == tuple(range(1, 11))
    assert (finding.source, finding.severity) == ("10.0.0.7", Severity.ALARM)
    assert finding.advice


def test_what_is_grave_by_itself_is_told_in_its_own_words() -> None:
    (finding,) = judged(seen(EventKind.AGENT_SILENT, 0.0, "agent", row=7, text="It is silent."))
    assert (finding.text, finding.evidence, finding.about) == ("It is silent.", (7,), "agent")


def test_what_goes_on_is_found_again_after_an_hour() -> None:
    events = many(500, FAILED, every_s=20.0, source="10.0.0.7")
    assert len(judged(*events)) == 3


# A slow oracle of counting: all events kept, looked through each time.

COUNTED = st.lists(
    st.tuples(
        st.floats(0.0, 400.0),
        st.sampled_from([FAILED, EventKind.LOGGED_IN]),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["", "x", "y", "z"]),
    ),
    max_size=60,
)


def slow(rule: Counting, events: list[Seen]) -> list[tuple[int, str]]:
    """Return at which events something is found, and of which key."""
    found: list[tuple[int, str]] = []
    last: dict[str, float] = {}
    for index, now in enumerate(events):
        if now.event.kind not in rule.kinds:
            continue
        key = {By.SOURCE: now.event.source, By.ABOUT: now.event.about, By.ALL: ""}[rule.by]
        if rule.by is By.SOURCE and not key:
            continue
        alike = [
            each.event.about if rule.how is How.DISTINCT else number
            for number, each in enumerate(events[: index + 1])
            if each.event.kind in rule.kinds
            and now.now - each.now < rule.span_s
            and key
            == {By.SOURCE: each.event.source, By.ABOUT: each.event.about, By.ALL: ""}[rule.by]
        ]
        count = len(set(alike))
        if count >= rule.most and (key not in last or now.now - last[key] >= AGAIN_S):
            last[key] = now.now
            found.append((index, key))
    return found


@given(
    pauses=COUNTED,
    by=st.sampled_from(By),
    how=st.sampled_from([How.EACH, How.DISTINCT]),
    most=st.integers(1, 5),
)
def test_counting_is_what_looking_through_everything_finds(
    pauses: list[tuple[float, EventKind, str, str]], by: By, how: How, most: int
) -> None:
    rule = Counting(
        Threat.SCAN,
        frozenset({FAILED}),
        by,
        most,
        500.0,
        WORDS,
        how,
        lambda each: each.event.about if how is How.DISTINCT else "",
    )
    now, events = 0.0, []
    for pause, kind, source, about in pauses:
        now += pause
        events.append(seen(kind, now, about, source))
    tracks: Tracks = {}
    found: list[tuple[int, str]] = []
    for index, event in enumerate(events):
        tracks, finding = rule.step(tracks, event)
        if finding is not None:
            found.append((index, list(tracks)[-1]))
    assert found == slow(rule, events)
    assert all(len(track.marks) <= most for track in tracks.values())


def test_a_rule_forgets_who_was_quiet_for_longest() -> None:
    rule = Counting(Threat.GUESSING, frozenset({FAILED}), By.SOURCE, 2, DAY, WORDS)
    tracks: Tracks = {}
    for number in range(1000):
        tracks, _ = rule.step(tracks, seen(FAILED, float(number), source=f"10.0.{number}.1"))
    assert len(tracks) == 256
    assert "10.0.999.1" in tracks
    assert tracks["10.0.999.1"] == Track((tracks["10.0.999.1"].marks[0],))


# The home's habit.


def changes(hours: list[float], days: int) -> Iterator[Seen]:
    for day in range(days):
        for hour in hours:
            yield seen(EventKind.CONFIG_CHANGED, day * DAY + hour * HOUR, row=day + 1)


def test_a_change_in_the_night_is_odd_where_nobody_makes_any() -> None:
    usual = list(changes([18.5, 20.2], 22))
    odd = seen(EventKind.ACCOUNT_CHANGED, 22 * DAY + 3 * HOUR, "ada", "10.0.0.9", row=99)
    found = judged(*usual, odd)
    assert [f.threat for f in found] == [Threat.ODD_HOUR]
    assert found[0].evidence == (99,)
    assert "3 o'clock" in found[0].text


@pytest.mark.parametrize(("days", "hour"), [(10, 3.0), (22, 16.0), (22, 21.9), (22, 23.0)])
def test_no_change_is_odd_near_the_usual_hours_or_before_they_are_known(
    days: int, hour: float
) -> None:
    events = [
        *changes([18.5, 20.2], days),
        seen(EventKind.CONFIG_CHANGED, days * DAY + hour * HOUR),
    ]
    assert judged(*events) == []


def test_the_same_odd_hour_is_odd_once() -> None:
    odd = [seen(EventKind.CONFIG_CHANGED, (22 + n) * DAY + 3 * HOUR) for n in range(3)]
    assert len(judged(*changes([18.5], 22), *odd)) == 1


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 23)), max_size=60).map(sorted))
def test_habits_are_what_counting_by_hand_finds(times: list[tuple[int, int]]) -> None:
    state, last = Habit(), None
    kept: list[tuple[float, int]] = []
    for day, hour in times:
        at = MIDNIGHT + day * DAY + hour * HOUR
        event = Seen(SecurityEvent(EventKind.CONFIG_CHANGED, "It was."), at, at)
        state, finding = habit.step(state, event, hour)
        if last is not None and at - last < habit.AGAIN_S:
            assert finding is None
            last = at
            continue
        near = [h for _, h in kept if min((h - hour) % 24, (hour - h) % 24) <= habit.NEAR_H]
        known = bool(kept) and at - kept[0][0] >= habit.LEARNS_S and len(kept) >= habit.LEAST
        assert (finding is not None) == (known and not near)
        kept.append((at, hour))
        last = at


# An ordinary week: `tests.hems.emg.threats.week`.


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_found_in_an_ordinary_week(seed: int) -> None:
    events = ordinary(random.Random(seed))  # noqa: S311 - no secrets
    assert judged(*(Seen(event, MIDNIGHT + at, at, n + 1) for n, (at, event) in events)) == []
