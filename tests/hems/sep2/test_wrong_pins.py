"""When a server that did not know the PIN may be asked once more, and how many guesses that is."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hems.sep2.wrong_pins import FIRST_S, LONGEST_S, REMEMBERED_S, WrongPins

A, B = "https://192.0.2.1", "https://192.0.2.2"
_PINS = 100_000
"""Five digits and one that follows from them."""


@pytest.mark.parametrize(
    ("times", "pause_s"), [(1, 30), (2, 60), (3, 120), (7, 1920), (8, 3600), (23, 3600)]
)
def test_each_wrong_pin_within_a_day_doubles_the_wait(times: int, pause_s: float) -> None:
    wrong = WrongPins()
    for at in range(times):
        wrong.add([A], float(at))
    assert wrong.wait_s(A, times - 1.0) == pause_s
    assert wrong.wait_s(A, times - 1.0 + pause_s / 4) == pause_s * 3 / 4
    assert wrong.wait_s(A, times - 1.0 + pause_s) == 0
    assert wrong.wait_s(A, 2 * REMEMBERED_S) == 0


def test_one_does_not_make_another_wait() -> None:
    wrong = WrongPins()
    wrong.add([A], 0.0)
    assert wrong.wait_s(A, 0.0) == FIRST_S
    assert wrong.wait_s(B, 0.0) == 0.0
    assert wrong.knows(A, 0.0)
    assert not wrong.knows(B, 0.0)
    assert wrong.knows(None, 0.0)


def test_after_a_day_it_is_forgotten() -> None:
    wrong = WrongPins()
    for _ in range(5):
        wrong.add([A, B], 0.0)
    assert not wrong.knows(None, REMEMBERED_S)
    wrong.add([A], REMEMBERED_S)
    assert wrong.wait_s(A, REMEMBERED_S) == FIRST_S


def test_of_many_that_announce_themselves_few_are_remembered() -> None:
    wrong = WrongPins()
    for number in range(1000):
        wrong.add([f"https://192.0.2.1:{number}"], float(number))
    known = [n for n in range(1000) if wrong.knows(f"https://192.0.2.1:{n}", 1000.0)]
    assert known == list(range(936, 1000))


@example([2.847229636265215])
@given(st.lists(st.floats(0.0, 2 * REMEMBERED_S), min_size=1, max_size=200))
def test_no_wait_is_longer_than_the_longest(instants: list[float]) -> None:
    wrong, now = WrongPins(), 0.0
    for at in sorted(instants):
        now = at
        wrong.add([A], now)
        assert FIRST_S <= wrong.wait_s(A, now) <= LONGEST_S


def test_to_guess_the_pin_takes_years_whatever_happens_in_between() -> None:
    """One asked as soon as it may be is asked some thirty times a day, and no more."""
    wrong, now, guesses = WrongPins(), 0.0, 0
    while now < 30 * REMEMBERED_S:
        wrong.add([A], now)
        guesses += 1
        now += wrong.wait_s(A, now)
    assert _PINS / (guesses / 30) > 8 * 365
