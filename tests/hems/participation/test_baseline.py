"""The quarter-hours of an event as they are settled on."""

import pytest

from hems.participation.baseline import intervals, moved
from programs.customer_baseline import constant
from programs.performance import Performance


def test_quarter_hours_of_an_event() -> None:
    owed = [(1000.0, 2000.0)]
    found = intervals(owed, constant(1000.0, 2000.0, 3600.0, ""), {900: (1800.0, 600.0)})
    assert [(i.start, i.length_s) for i in found] == [(1000.0, 800.0), (1800.0, 200.0)]
    assert [i.baseline_wh for i in found] == [800.0, 200.0]
    assert [i.metered_wh for i in found] == [300.0, None]
    assert [i.measured_s for i in found] == [600.0, 0.0]
    assert all(i.baseline_wh is None for i in intervals(owed, None, {}))


def test_quarter_hours_of_an_event_that_was_left_for_a_while() -> None:
    owed = [(0.0, 300.0), (600.0, 1000.0)]
    found = intervals(owed, constant(0.0, 1800.0, 3600.0, ""), {0: (1800.0, 600.0)})
    assert [(i.start, i.length_s) for i in found] == [(0.0, 600.0), (900.0, 100.0)]
    assert [i.baseline_wh for i in found] == [600.0, 100.0]


@pytest.mark.parametrize(
    ("programme", "kind", "delivered_wh", "counts"),
    [
        ("peak-shaving", "import-limit", 300.0, True),
        ("envelope", "export-limit", None, True),
        ("volt-var", "volt-var", None, False),
        ("reserve", "", None, False),
        ("reserve", "", 500.0, True),
        ("regulation", "", None, False),
        ("economic", "", None, True),
    ],
)
def test_which_days_are_no_measure_for_others(
    programme: str, kind: str, delivered_wh: float | None, counts: bool
) -> None:
    of = Performance(
        programme, "E", "Who", 0.0, 1.0, 1.0, "W", delivered_wh=delivered_wh, kind=kind
    )
    assert moved(of) is counts
