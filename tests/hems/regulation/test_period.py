"""The record of an hour of regulation."""

import math

import pytest

from hems.regulation.period import Period
from programs.score import Sample


def period(samples: list[Sample], starts_at: float = 7200.0) -> Period:
    return Period("regulation", "E1", "Regulation", starts_at, 2000.0, samples)


@pytest.mark.requirement("BUC-3")
def test_a_full_hour_is_scored() -> None:
    asked = [0.6 * math.sin(n / 4) for n in range(360)]
    found = period([Sample(a, a + 0.05) for a in asked]).record(10_800.0, opted_out=False)
    assert found is not None
    assert (found.programme, found.event, found.asked, found.unit) == (
        "regulation",
        "E1",
        2000.0,
        "W",
    )
    assert found.score == pytest.approx((1 + 1 + 1 - 0.05 / 0.382) / 3, abs=0.002)
    assert found.inside_share == 1.0
    assert found.deviation == pytest.approx(100.0)
    assert found.measured_share == 1.0
    assert found.note.startswith("Correlation 1.000, delay 1.000, precision 0.8")


def test_half_an_hour_that_nobody_measured_is_said() -> None:
    found = period([Sample(0.5, 0.1)] * 180).record(10_800.0, opted_out=True)
    assert found is not None
    assert found.measured_share == 0.5
    assert found.inside_share == 0.0
    assert found.opted_out


def test_little_asked_is_not_scored() -> None:
    found = period([Sample(0.0, 0.001)] * 360).record(10_800.0, opted_out=False)
    assert found is not None
    assert found.score is None
    assert "Too little" in found.note


def test_no_sample_is_no_record() -> None:
    assert period([]).record(7201.0, opted_out=False) is None


def test_an_hour_ends_at_the_hour() -> None:
    assert not period([], 7300.0).over(10_799.9)
    assert period([], 7300.0).over(10_800.0)
