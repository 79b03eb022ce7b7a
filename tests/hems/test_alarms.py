"""Alarms: lasting ones by source, passing ones for a while."""

from hems.alarms import MOST, PASSING_S, Alarms


class Held:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


def test_a_lasting_alarm_stays_until_it_is_taken_back() -> None:
    clock, told = Held(), []
    alarms = Alarms(clock, lambda: told.append(1))
    alarms.lasting("history", "the disk is full")
    alarms.lasting("history", "the disk is full")
    clock.at += 10 * PASSING_S
    assert list(alarms.messages) == ["the disk is full"]
    alarms.lasting("history", None)
    assert list(alarms.messages) == []
    assert len(told) == 2


def test_passing_ones_are_shown_newest_first_and_once_and_fade() -> None:
    clock = Held()
    alarms = Alarms(clock, lambda: None)
    alarms.passing("a")
    clock.at += 1
    alarms.passing("b")
    clock.at += 1
    alarms.passing("a")
    assert list(alarms.messages) == ["a", "b"]
    clock.at += PASSING_S - 0.5
    assert list(alarms.messages) == ["a"]
    clock.at += 1
    assert list(alarms.messages) == []


def test_a_flood_is_bounded() -> None:
    alarms = Alarms(Held(), lambda: None)
    for number in range(10 * MOST):
        alarms.passing(f"message {number}")
    assert len(alarms.messages) == MOST
    assert alarms.messages[0] == f"message {10 * MOST - 1}"
