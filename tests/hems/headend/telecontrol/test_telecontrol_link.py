"""The rules of a connection: timers and numbers as tables, and against a slow model."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.headend.telecontrol.errors import LinkError
from hems.headend.telecontrol.frames import Acknowledged, Frame, Numbered, Service, Unnumbered
from hems.headend.telecontrol.link import Link, Pace

pytestmark = pytest.mark.requirement("PRO-104")

PACE = Pace(k=3, w=2, t1_s=15, t2_s=10, t3_s=20)
START, STOP = Unnumbered(Service.START_ACT), Unnumbered(Service.STOP_ACT)
TEST, TEST_CON = Unnumbered(Service.TEST_ACT), Unnumbered(Service.TEST_CON)


def started(now: float = 0.0, pace: Pace = PACE) -> Link:
    link = Link(pace, now)
    assert link.receive(START, now) == [Unnumbered(Service.START_CON)]
    return link


def test_nothing_goes_before_it_is_started() -> None:
    link = Link(PACE, 0)
    assert link.room == 0
    with pytest.raises(LinkError, match="STARTDT"):
        link.receive(Numbered(0, 0, b"x"), 0)


def test_k_frames_go_without_an_acknowledgement() -> None:
    link = started()
    sent = [link.send(b"x", 0) for _ in range(3)]
    assert sent == [Numbered(n, 0, b"x") for n in range(3)]
    assert link.room == 0
    link.receive(Acknowledged(2), 1)
    assert link.room == 2


def test_theirs_are_acknowledged_after_w_of_them_or_after_t2() -> None:
    link = started()
    assert link.receive(Numbered(0, 0, b"x"), 1) == ()
    assert link.next_due() == 11
    assert link.due(10.9) == ()
    assert link.due(11) == [Acknowledged(1)]
    assert link.receive(Numbered(1, 0, b"x"), 12) == ()
    assert link.receive(Numbered(2, 0, b"x"), 13) == [Acknowledged(3)]
    link.receive(Numbered(3, 0, b"x"), 14)
    assert link.send(b"y", 14) == Numbered(0, 4, b"y")  # what is sent acknowledges too
    assert link.due(24.5) == ()


def test_what_is_not_acknowledged_in_time_ends_it() -> None:
    link = started()
    link.send(b"x", 3)
    assert link.next_due() == 18
    link.due(17.9)
    with pytest.raises(LinkError, match="t1"):
        link.due(18)


def test_silence_is_tested_once_and_its_answer_waited_for() -> None:
    link = Link(PACE, 0)
    assert link.due(19.9) == ()
    assert link.due(20) == [TEST]
    assert link.next_due() == 35
    assert link.due(30) == ()
    link.receive(TEST_CON, 31)
    assert link.next_due() == 51
    assert link.due(51) == [TEST]
    with pytest.raises(LinkError, match="test"):
        link.due(66)


def test_a_stop_is_confirmed_when_all_that_was_sent_is_acknowledged() -> None:
    link = started()
    link.send(b"x", 0)
    link.receive(Numbered(0, 0, b"y"), 1)
    assert link.receive(STOP, 2) == [Acknowledged(1)]
    assert link.room == 0
    assert link.receive(Acknowledged(1), 3) == [Unnumbered(Service.STOP_CON)]
    assert link.receive(Acknowledged(1), 4) == ()
    assert link.receive(STOP, 5) == [Unnumbered(Service.STOP_CON)]


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (Numbered(1, 0, b"x"), "frame 1 came where 0 was due"),
        (Numbered(32767, 0, b"x"), "was due"),
        (Numbered(0, 2, b"x"), "acknowledged"),
        (Acknowledged(2), "acknowledged; 1 were sent"),
        (Acknowledged(32767), "acknowledged"),
        (Unnumbered(Service.START_CON), "not asked for"),
        (Unnumbered(Service.STOP_CON), "not asked for"),
        (TEST_CON, "not asked for"),
    ],
)
def test_frames_that_may_not_come_end_it(frame: Frame, why: str) -> None:
    link = started()
    link.send(b"x", 0)
    with pytest.raises(LinkError, match=why):
        link.receive(frame, 1)


def test_another_connection_takes_the_data_over() -> None:
    link = started()
    link.send(b"x", 0)
    link.halt()
    assert link.room == 0
    assert link.receive(Acknowledged(1), 1) == ()  # what was under way may still be acknowledged
    with pytest.raises(LinkError, match="no data are to go"):
        link.receive(Numbered(0, 1, b"x"), 2)


@given(
    st.lists(st.sampled_from(["ours", "theirs", "ack", "wait", "test"]), max_size=400),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_a_far_end_that_keeps_the_rules_is_never_refused(steps: list[str], k: int, w: int) -> None:
    """Against a slow model: plain lists of what either side has sent and seen."""
    w = min(k, w)
    link, now = started(0, Pace(k, w, 15, 10, 20)), 0.0
    ours, theirs, acknowledged = 0, 0, 0  # sent by the link, by the far end, confirmed by it
    confirmed = 0  # of theirs, by the link

    def look(frames: Sequence[Frame]) -> None:
        nonlocal confirmed
        numbers = [f.receive for f in frames if isinstance(f, Acknowledged | Numbered)]
        assert set(numbers) <= {theirs}
        confirmed = max([confirmed, *numbers])

    def later() -> None:
        nonlocal now
        now += 7
        look(link.receive(Acknowledged(ours), now))
        frames = link.due(now)
        look(frames)
        if TEST in frames:
            link.receive(TEST_CON, now)

    for step in steps:
        match step:
            case "ours" if link.room:
                look([link.send(b"x", now)])
                ours += 1
            case "theirs":
                theirs += 1
                acknowledged = ours
                look(link.receive(Numbered(theirs - 1, ours, b"y"), now))
            case "ack":
                acknowledged = ours
                look(link.receive(Acknowledged(ours), now))
            case "test":
                assert link.receive(TEST, now) == [TEST_CON]
            case _:
                acknowledged = ours
                later()
        assert link.room == k - (ours - acknowledged)
        assert theirs - confirmed < w
