"""How the use cases' courses are judged: each figure on a course whose answer is plain."""

import pytest

from tests.benchmarks.programs import misses
from tests.benchmarks.programs_judge import (
    Course,
    Row,
    bounded,
    first_write_ms,
    held,
    inside_share,
    rebound_ratio,
    settle_s,
    worst,
)
from tests.e2e.rig import Trace, Write

T0 = 1_800_000_000.0


def _course(
    *,
    before_w: float = 5000.0,
    during_w: float = 1000.0,
    after_w: float = 4000.0,
    settled_s: float = 2.0,
    lasts_s: int = 60,
) -> Course:
    trace = []
    for i in range(-600, 10 * (lasts_s + 30)):
        at = T0 + i / 10
        power_w = before_w if at < T0 + settled_s else during_w
        trace.append(Trace(at=at, meter_w=after_w if at >= T0 + lasts_s else power_w))
    writes = [
        Write(number=1, device="ev", at=T0 - 0.5, what="x", values=""),
        Write(number=2, device="battery", at=T0 + 0.02, what="x", values=""),
    ]
    return Course(T0, T0 + lasts_s, trace, writes)


def test_the_first_write_counts_from_the_trigger_and_by_device() -> None:
    assert first_write_ms(_course()) == pytest.approx(20.0)
    assert first_write_ms(_course(), ["ev"]) is None


def test_settling_is_ninety_per_cent_of_the_way() -> None:
    assert settle_s(_course(settled_s=2.0), 1000.0) == pytest.approx(2.0)
    assert settle_s(_course(during_w=1500.0), 1000.0) is None
    assert settle_s(_course(before_w=1000.0), 1000.0) == 0.0


def test_inside_leaves_settling_out_and_counts_whole_seconds() -> None:
    course = _course()
    assert inside_share(course, lambda w: w <= 1000.0, settled_s=2.0) == 1.0
    assert inside_share(course, lambda w: w <= 1000.0, settled_s=0.0) == pytest.approx(58 / 60)
    assert inside_share(course, lambda w: w <= 1000.0, settled_s=None) == 0.0


def test_a_limit_that_is_broken_shows() -> None:
    row = bounded(_course(during_w=1600.0), limit_w=1500.0)
    assert row.inside_share == 0.0
    assert row.delivered_share == pytest.approx(0.94, abs=0.01)
    export = bounded(_course(before_w=-3000.0, during_w=-400.0), limit_w=-500.0, upper=False)
    assert export.inside_share == 1.0
    assert export.rebound_ratio is None


def test_a_rebound_is_the_peak_after_by_the_peak_before() -> None:
    assert rebound_ratio(_course(after_w=6000.0)) == pytest.approx(1.2)
    assert rebound_ratio(_course(before_w=-100.0)) is None


def test_a_set_point_is_held_within_its_band() -> None:
    course = _course(during_w=1040.0)
    row = held(course, aim=1000.0, within=50.0, value=lambda s: s.meter_w)
    assert row.inside_share == 1.0
    assert row.delivered_share == pytest.approx(0.99)
    strict = held(course, aim=1000.0, within=30.0, value=lambda s: s.meter_w)
    assert strict.inside_share == 0.0


def test_of_several_runs_the_worst_counts_and_what_is_missing_stays_missing() -> None:
    one = Row(10.0, 1.0, 1.0, 1.0, 0.5)
    other = Row(20.0, None, 0.9, 1.1, 0.4)
    row = worst([one, other])
    assert (row.first_write_ms, row.settle_s, row.inside_share) == (20.0, None, 0.9)
    assert (row.delivered_share, row.rebound_ratio) == (1.0, 0.5)


def test_missed_aims_are_named() -> None:
    good = Row(10.0, 1.0, 0.995, 1.0, 0.9)
    bad = Row(1500.0, 1.0, 0.9, 1.0, 1.2, 2.0)
    assert misses({"BUC-1": good, "BUC-7": good}) == []
    named = misses({"BUC-7": bad})
    assert [each.split(",")[0] for each in named] == [
        "BUC-7: first write after 1500.0 ms",
        "BUC-7: inside 0.900 of the time",
        "BUC-7: rebound 1.20 of the peak before",
        "BUC-7: 2.0 min out of comfort",
    ]
