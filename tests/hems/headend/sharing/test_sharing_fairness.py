"""What homes have borne before, as hours at full size."""

import math

import pytest

from hems.headend.sharing.fairness import Asked, Record, burdens, records
from hems.headend.sharing.model import Rules
from tests.hems.headend.sharing.made import ability

NOW = 1_800_000_000.0
DAY = 86_400.0
RULES = Rules(window_days=30, bother_h=0.1)

pytestmark = pytest.mark.requirement("PRO-2030.5")


def asked(home: str, event: str, days_ago: float, hours: float, power_w: float) -> Asked:
    start = NOW - days_ago * DAY
    return Asked(home, event, start, start + hours * 3600, power_w)


def test_energy_and_events_are_summed_up_in_the_time_that_is_looked_at() -> None:
    known = records(
        [
            asked("A", "E1", 1, 2, 500),
            asked("A", "E1", 0.5, 1, 300),  # shared anew: the same event
            asked("A", "E2", 29, 1, 100),
            asked("A", "E3", 31, 1, 9999),  # too long ago
            asked("B", "E4", 30.5 / 24 / 30 + 30, 2, 100),  # partly too long ago
            asked("C", "E5", 1 / 24, 9, 100),  # not over yet
            asked("D", "E6", -1, 1, 100),  # has not begun
        ],
        {"E": NOW - 3 * DAY},
        NOW,
        RULES,
    )
    assert known["A"] == Record(1400.0, 2, math.inf)
    assert 0 < known["B"].energy_wh < 200
    assert known["C"].energy_wh == pytest.approx(100.0)
    assert "D" not in known
    assert known["E"] == Record(0.0, 0, 3.0)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param(Record(2000.0, 0, math.inf), 2.0, id="hours at full size"),
        pytest.param(Record(0.0, 5, math.inf), 0.5, id="being asked counts"),
        pytest.param(Record(200.0, 0, 3.0), 2.0, id="by the time since it came"),
        pytest.param(Record(200.0, 0, 60.0), 0.2, id="no longer than is looked at"),
        pytest.param(Record(200.0, 0, 0.01), 6.0, id="a first hour is no month"),
    ],
)
def test_burdens(record: Record, expected: float) -> None:
    assert burdens([ability("A", 1000)], {"A": record}, RULES)["A"] == pytest.approx(expected)


def test_a_new_home_counts_as_the_average() -> None:
    homes = [ability("A"), ability("B"), ability("C"), ability("D", 0)]
    known = {"A": Record(1000.0), "B": Record(3000.0), "C": Record(500.0, 1, 0.0)}
    borne = burdens(homes, known, RULES)
    assert borne == {"A": 1.0, "B": 3.0, "C": 2.0, "D": 2.0}
    assert burdens([ability("X")], {}, RULES) == {"X": 0.0}
