"""When a version on trial has proved itself: rows, and any course beside a slow oracle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.software.proof import GIVE_UP_S, STALE_S, STEADY_S, Course, Seen, looked, proved

BEFORE = Seen(frozenset({"car", "meter"}), frozenset({"utility"}))
LESS = Seen(frozenset({"meter"}), frozenset())
MORE = Seen(frozenset({"car", "meter", "new"}), frozenset({"utility", "other"}))
EVERY_S = 5.0


def _after(*spans: tuple[float, Seen, bool]) -> bool | None:
    """Return what is thought after spans of time, each with what is seen and whether it decides."""
    course, now, seq = Course(BEFORE, 0.0), 0.0, 0
    for lasts_s, seen, decides in spans:
        ends = now + lasts_s
        while now < ends:
            now += EVERY_S
            seq += decides
            course = looked(course, seen, seq, now)
            if proved(course, now) is not None:
                return proved(course, now)
    return None


@pytest.mark.requirement("LC-PATCH")
@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ([(STEADY_S - 10, BEFORE, True)], None),
        ([(STEADY_S + 10, BEFORE, True)], True),
        ([(STEADY_S + 10, MORE, True)], True),
        ([(GIVE_UP_S + 10, LESS, True)], False),
        ([(GIVE_UP_S + 10, BEFORE, False)], False),
        # A break begins the five minutes anew.
        ([(290, BEFORE, True), (5, LESS, True), (290, BEFORE, True)], None),
        ([(290, BEFORE, True), (5, LESS, True), (310, BEFORE, True)], True),
        # Who stops deciding has stopped, after a while.
        ([(200, BEFORE, True), (STALE_S + 10, BEFORE, False), (100, BEFORE, True)], None),
        ([(600, LESS, True), (310, BEFORE, True)], True),
    ],
)
def test_rows(spans: list[tuple[float, Seen, bool]], said: bool | None) -> None:
    assert _after(*spans) is said


def test_it_says_what_is_missing() -> None:
    course = looked(Course(BEFORE, 0.0), LESS, 1, 1.0)
    assert course.missing == ("car does not answer", "no connection with utility")
    assert looked(course, BEFORE, 1, 2.0 + STALE_S).missing == ("nothing is decided",)


def test_a_home_that_is_made_anew_counts_its_decisions_from_the_beginning() -> None:
    """The owner adds a device during the trial: that is nothing against the version."""
    course, now = Course(BEFORE, 0.0), 0.0
    for seq in (*range(1, 500), *range(1, 320)):
        now += 1.0
        course = looked(course, BEFORE, seq, now)
        assert course.missing == ()
    assert proved(course, now)


def test_who_has_noted_nothing_wants_decisions_alone() -> None:
    course = looked(Course(Seen(), 0.0), Seen(), 1, 1.0)
    assert course.missing == ()


@given(st.lists(st.tuples(st.sampled_from([BEFORE, LESS, MORE]), st.booleans()), max_size=200))
def test_any_course(looks: list[tuple[Seen, bool]]) -> None:
    course, seq = Course(BEFORE, 0.0), 0
    good: list[bool] = []
    decided: list[float] = []
    for number, (seen, decides) in enumerate(looks, 1):
        now = number * EVERY_S
        if decides or number == 1:
            seq += 1
            decided.append(now)
        course = looked(course, seen, seq, now)
        fresh = now - decided[-1] <= STALE_S
        good.append(fresh and seen is not LESS)
        steady = 0
        for each in reversed(good):
            if not each:
                break
            steady += 1
        proven = steady > 0 and (steady - 1) * EVERY_S >= STEADY_S
        failed = now >= GIVE_UP_S and not good[-1]
        assert proved(course, now) is (True if proven else False if failed else None)
