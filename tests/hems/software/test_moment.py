"""When a version may take the place of another: tables, and a slow oracle that counts minutes."""

from datetime import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.software.moment import AGAIN_S, due, hurried, hurry, into_s, unhurried
from hems.software.sides import UPDATES

pytestmark = pytest.mark.requirement("LC-PATCH")

NIGHT = (time(2), time(5))
OVER_MIDNIGHT = (time(23), time(1, 30))
ALWAYS = (time(2), time(2))


@pytest.mark.parametrize(
    ("hours", "wall", "since_s"),
    [
        (NIGHT, time(1, 59, 59), None),
        (NIGHT, time(2), 0.0),
        (NIGHT, time(4, 59, 59), 10_799.0),
        (NIGHT, time(5), None),
        (OVER_MIDNIGHT, time(22, 59), None),
        (OVER_MIDNIGHT, time(0, 30), 5400.0),
        (OVER_MIDNIGHT, time(1, 30), None),
        (ALWAYS, time(2), 0.0),
        (ALWAYS, time(1, 59), 86_340.0),
    ],
)
def test_hours(hours: tuple[time, time], wall: time, since_s: float | None) -> None:
    assert into_s(hours, wall) == since_s


def slow(begins: int, ends: int, wall: int) -> float | None:
    """Walk from the beginning, minute by minute, until the end or the time is met."""
    minute, walked = begins, 0
    while True:
        if minute == wall:
            return walked * 60.0
        minute, walked = (minute + 1) % 1440, walked + 1
        if minute == ends:
            return None


MINUTES = st.integers(0, 1439)


def at(minute: int) -> time:
    return time(minute // 60, minute % 60)


@given(MINUTES, MINUTES, MINUTES)
def test_hours_as_a_slow_walk_has_them(begins: int, ends: int, wall: int) -> None:
    assert into_s((at(begins), at(ends)), at(wall)) == slow(begins, ends, wall)


@pytest.mark.parametrize(
    ("wall", "chance", "tried_s", "said"),
    [
        (time(2), 0.0, None, True),
        (time(2), 0.5, None, False),
        (time(2, 45), 0.5, None, True),
        (time(3, 29), 1.0, None, False),
        (time(3, 30), 1.0, None, True),
        (time(3, 30), 0.0, AGAIN_S - 1, False),
        (time(3, 30), 0.0, AGAIN_S, True),
        (time(12), 0.0, None, False),
    ],
)
def test_each_hub_begins_at_an_instant_of_its_own(
    wall: time, chance: float, tried_s: float | None, said: bool
) -> None:
    assert due(NIGHT, wall, chance, tried_s) is said


def test_a_hurry_is_for_one_version_and_damage_is_none(tmp_path: Path) -> None:
    assert not hurried(tmp_path, "0.2.0")
    hurry(tmp_path, "0.2.0")
    assert hurried(tmp_path, "0.2.0")
    assert not hurried(tmp_path, "0.3.0")
    for damage in ("[]", "{", '{"version": 1}', ""):
        (tmp_path / UPDATES / "now.json").write_text(damage)
        assert not hurried(tmp_path, "0.2.0")
    unhurried(tmp_path)
    unhurried(tmp_path)
    assert not hurried(tmp_path, "")
