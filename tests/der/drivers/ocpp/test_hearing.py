"""Frames, clocks and what is said of them: the pure parts of listening to a charger."""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.drivers.ocpp.clock import ChargerClock, epoch
from der.drivers.ocpp.frame import BadFrameError, Frame, read_frame
from der.drivers.ocpp.said import Said, plain

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('[2,"1","Heartbeat",{}]', Frame("1", "Heartbeat")),
        ('[3,"1",{}]', Frame("1")),
        ('[4,"1","GenericError","",{}]', Frame("1")),
        ('[4,"1","GenericError",""]', Frame("1")),
        ('[3,"1",{"a":[1.5,-1000000000000000,1e14]}]', Frame("1")),
    ],
)
def test_frames(text: str, frame: Frame) -> None:
    assert read_frame(text) == frame
    assert frame.answers is not bool(frame.action)


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[2,"1","Heartbeat",{},{}]', "5 elements in a message of type 2"),
        ('[true,"1","Heartbeat",{}]', "unknown message type"),
        ('[2,"1","",{}]', "action is no text"),
        ("null", "not a JSON array"),
        ("[]", "not a JSON array"),
        ("not json", "not JSON"),
        ('[3,"1",{"a":NaN}]', "NaN is no JSON"),
        ('[3,"1",{"a":-Infinity}]', "-Infinity is no JSON"),
        ('[3,"1",{"a":1e999}]', "a number beyond all measure"),
        ('[3,"1",{"a":-1e16}]', "a number beyond all measure"),
        ('[3,"1",{"a":' + "9" * 5000 + "}]", "a number beyond all measure"),
        ("[" * 50_000, "nested too deep"),
        ('[3,"1",{"a":' + "[" * 20 + "]" * 20 + "}]", "nested too deep"),
    ],
)
def test_bad_frames(text: str, fault: str) -> None:
    with pytest.raises(BadFrameError, match=fault):
        read_frame(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=3), children)
    ),
    max_leaves=20,
)


@given(json_values.map(json.dumps) | st.text())
def test_any_frame_can_be_judged(text: str) -> None:
    frame, fault = None, ""
    try:
        frame = read_frame(text)
    except BadFrameError as error:
        fault = str(error)
    assert (frame is None) is (0 < len(fault) < 60)
    assert frame is None or json.loads(text)[1] == frame.id


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2023-11-14T22:13:20Z", NOW),
        ("2023-11-14T22:13:20.000+00:00", NOW),
        ("2023-11-14T23:13:20+01:00", NOW),
        ("2023-11-14T22:13:20", NOW),
        ("", None),
        ("yesterday", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("9999-12-31T23:59:59-23:59", 253402387139.0),
        ("2" * 10_000, None),
        (7, None),
    ],
)
def test_timestamps(text: object, at: float | None) -> None:
    assert epoch(text) == at


def course(*heard: tuple[float, float]) -> ChargerClock:
    """Return what is known after (difference, seconds later) after one another."""
    clock, now = ChargerClock(), NOW
    for ahead_s, later_s in heard:
        now += later_s
        clock = clock.heard(now + ahead_s, now)
    return clock


@pytest.mark.parametrize(
    ("heard", "off_s"),
    [
        ([], 0),
        ([(0, 0)], 0),
        ([(25, 0)], 0),
        ([(3600, 0)], 3600),
        ([(-3600, 0)], -3600),
        ([(0, 0), (3600, 1)], 0),  # once may be a slip
        ([(0, 0), (3600, 1), (3600, 1)], 3600),
        ([(0, 0), (3600, 1), (0, 1), (3600, 1)], 0),
        ([(3600, 0), (0, 1), (0, 1)], 3600),  # so far it may only be late
        ([(3600, 0), *[(0, 1)] * 12], 0),
        ([(0, 0), *[(-3600 + n, 0.1) for n in range(0, 3600, 60)]], 0),  # a queue
        ([(1e9, 0)], 0),  # no time at all
        ([(-1.6e9, 0)], -1.6e9),  # it has lost its time
        ([(-1.6e9, 0), (0, 1), (0, 1)], 0),
    ],
)
def test_clocks(heard: list[tuple[float, float]], off_s: float) -> None:
    assert course(*heard).off_s == pytest.approx(off_s, abs=1)


def test_a_clock_that_takes_the_time_after_ours_was_set_is_known_at_once() -> None:
    was = ChargerClock().heard(NOW, NOW)
    for step_s in (14_400.0, -14_400.0):
        now = NOW + step_s
        clock = was.shifted(step_s, now)
        assert clock.off_s == -step_s
        assert clock.age_s(NOW + 1, now + 1) == 0
        assert clock.heard(NOW + 1, now + 1).off_s == pytest.approx(-step_s, abs=1)
        assert clock.heard(now + 2, now + 2).off_s == 0
        assert clock.heard(NOW + 1, now + 1).heard(now + 2, now + 2).off_s == 0
        late = clock.heard(now + 1000, now + 1000)
        assert late.off_s == pytest.approx(-step_s, abs=2), "too late to be that: it may be late"


def test_a_queue_of_one_that_is_ahead_is_never_taken_for_new() -> None:
    clock, now = ChargerClock().heard(NOW + 3600, NOW), NOW + 8000
    for old_s in range(7200, 0, -10):
        stated = now + 3600 - old_s
        clock = clock.heard(stated, now)
        assert clock.off_s == pytest.approx(3600, abs=10)
        assert clock.age_s(stated, now) == pytest.approx(old_s, abs=10)
        now += 0.1


def test_a_queue_of_old_messages_is_as_old_as_it_is() -> None:
    clock = course((0.3, 0), (0.1, 1), (0.2, 1))
    now = NOW + 600
    for n in range(10):
        stated = NOW + 10 * n
        clock = clock.heard(stated, now)
        assert clock.age_s(stated, now) == pytest.approx(600 - 10 * n, abs=2)
    assert clock.age_s(now, now) == 0


@given(st.lists(st.tuples(st.floats(0, 1.5), st.floats(0.1, 60)), min_size=1, max_size=30))
def test_a_message_that_comes_at_once_is_new(course_: list[tuple[float, float]]) -> None:
    clock, now = ChargerClock(), NOW
    for late_s, later_s in course_:
        now += later_s
        clock = clock.heard(now + 7.0 - late_s, now)
        assert clock.age_s(now + 7.0 - late_s, now) == 0
        assert clock.off_s == 0


@given(st.lists(st.tuples(st.floats(-2e9, 3e8), st.floats(0, 60)), max_size=20))
def test_no_message_is_younger_than_it_came(heard: list[tuple[float, float]]) -> None:
    clock, now = ChargerClock(), NOW
    for ahead_s, later_s in heard:
        now += later_s
        clock = clock.heard(now + ahead_s, now)
        assert clock.age_s(now + ahead_s, now) >= 0


def test_each_trouble_is_said_once_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    said = Said("ev", lambda: now[0])
    for _ in range(5):
        said.warn("clock", "off")
        said.warn("clock", "late")
    assert [r.getMessage() for r in caplog.records] == ["ev: clock: off", "ev: clock: late"]
    now[0] += 3601
    said.warn("clock", "off")
    assert len(caplog.records) == 3
    said.over("clock")
    said.warn("clock", "off")
    assert len(caplog.records) == 4


def test_a_flood_of_troubles_is_not_said(caplog: pytest.LogCaptureFixture) -> None:
    said = Said("ev", lambda: 0.0)
    for number in range(1000):
        said.warn("frame", str(number))
    assert len(caplog.records) == 33
    assert "further troubles" in caplog.records[-1].getMessage()


@given(st.text(), st.integers(1, 60))
def test_plain_text_fits_any_log(text: str, longest: int) -> None:
    made = plain(text, longest)
    assert len(made) <= longest
    assert made.isprintable()
    made.encode()


def test_of_frames_that_are_ever_new_garbage_two_are_said_and_then_a_count(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    said = Said("ev", lambda: now[0])
    for number in range(150):
        said.often("frame", f"no {number}")
    assert [r.getMessage() for r in caplog.records] == [
        "ev: frame: no 0",
        "ev: frame: no 1",
        "ev: frame: no 99 (the 100th time within an hour)",
    ]
    now[0] = 3600.0
    said.often("frame", "no 0")
    assert caplog.records[-1].getMessage() == "ev: frame: no 0"
    assert len(caplog.records) == 4


def test_a_note_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    Said("ev", lambda: 0.0).note("setting", "fixed")
    assert [r.levelno for r in caplog.records] == [logging.INFO]
