"""What large fleets take is reckoned soundly, and the paper says what was measured last."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.common import recorded
from tests.papers.scale import (
    BEGIN,
    END,
    PAGE,
    Costs,
    Habits,
    costs_of,
    need_of,
    of_last_run,
    placed,
    render,
)

COSTS = Costs(0.2, 0.3, 1.0, 1.5, 3.0, 60.0, 0.5, 80.0, 6000.0, 2000.0, 1000.0)
QUIET = Habits(
    polls=0, posts=0, events=0, answers=0, connections=0, kept_days=0, thin_days=0, lists=0
)

sizes = st.integers(1, 10**8)
costs = st.builds(Costs, *[st.floats(0.01, 1e4)] * 11)
habits = st.builds(Habits, *[st.integers(0, 1000)] * 8)


@given(sizes, sizes, costs, habits)
def test_a_larger_fleet_never_takes_less(
    one: int, other: int, costs: Costs, habits: Habits
) -> None:
    small, large = (need_of(n, costs, habits) for n in sorted((one, other)))
    assert small.requests_per_s <= large.requests_per_s
    assert small.cores <= large.cores
    assert small.shards <= large.shards
    assert small.stored_gib <= large.stored_gib
    assert small.out_mbit_s <= large.out_mbit_s


def test_it_adds_up() -> None:
    posting = replace(QUIET, posts=86_400)
    need = need_of(1000, COSTS, posting)
    assert need.requests_per_s == 1000
    assert need.cores == 2, "a core's worth, at half a core each"
    assert need.shards == 2
    polling = need_of(1000, COSTS, replace(QUIET, polls=86_400, lists=1))
    assert polling.requests_per_s == 2000
    assert polling.cores == 1
    assert polling.out_mbit_s == 48.0
    kept = need_of(2**20, COSTS, replace(QUIET, kept_days=1, posts=1024, thin_days=0))
    assert kept.stored_gib == 80.0
    assert need_of(2**20, COSTS, QUIET).memory_gib == 60.5
    assert need_of(4000, COSTS, QUIET).told_s == 2.0


@pytest.mark.parametrize("page", ["", BEGIN, f"{END}{BEGIN}"])
def test_a_page_without_a_place_for_the_tables(page: str) -> None:
    with pytest.raises(ValueError, match="the page has no"):
        placed(page, "x")


def test_the_paper_says_what_was_measured_last() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == placed(page, of_last_run(recorded("headend"))), "make scale"


def test_the_costs_are_read_from_a_run() -> None:
    fleet = {
        "100": {"rss_mb": 100.0, "database_mb": 1.0},
        "1100": {"rss_mb": 101.0, "database_mb": 2.0},
    }
    row = {
        "time_cpu_ms": 0.2,
        "derc_cpu_ms": 0.3,
        "mmr_cpu_ms": 1.0,
        "mmr_rps": 900,
        "fanout_resumed_cpu_ms": 1.5,
        "fanout_10k_s": 5.0,
        "hold_cpu_ms": 3.0,
        "rss_per_home_kb": 60.0,
        "homes_held": 10_000,
        "derc_octets": 6000,
    }
    rows: dict[str, Any] = {"postgresql-1": row, "sqlite-1": row | {"mmr_rps": 1000}}
    figures = {"rows": rows, "fleet": fleet, "readings": 10}
    costs = costs_of(figures)
    assert costs == replace(COSTS, known_kb=1.024, row_octets=100.0)
    assert of_last_run(figures) == render(costs, Habits())
    assert "| cores | 1 |" in of_last_run(figures)
    with pytest.raises(KeyError):
        costs_of({"rows": {}, "fleet": fleet})
