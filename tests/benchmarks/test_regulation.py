"""The regulation benchmark's own reckoning, and a short run of it."""

import statistics

import pytest

from tests.benchmarks.regulation import reactions, regd_like, shown, step_figures


def test_the_signal_is_fast_neutral_and_within_its_bounds() -> None:
    values = regd_like(7, 3600)
    assert len(values) == 1800
    assert all(-1.0 <= value <= 1.0 for value in values)
    assert abs(statistics.mean(values)) < 0.05
    assert statistics.pstdev(values) > 0.4
    assert sum(value in {-1.0, 1.0} for value in values) > 50
    assert values == regd_like(7, 3600)


def test_a_reaction_is_from_what_the_house_shows_to_the_next_write() -> None:
    trace = [(0.0, 0.0), (0.1, 0.0), (0.2, 0.0), (0.3, 0.0)]
    seen = shown([0.05, 0.21, 0.9], trace)
    assert seen == [0.1, 0.3]
    assert reactions(seen, [0.02, 0.13, 0.2, 0.31]) == pytest.approx([0.03, 0.01])


@pytest.mark.requirement("BUC-3")
async def test_steps_are_answered_through_process_and_sockets() -> None:
    """How soon is the benchmark's to say; here, that each step was."""
    found = await step_figures(8)
    assert found["steps"] == 8
    assert isinstance(found["reaction_p50_ms"], float)
    assert 0 < found["reaction_p50_ms"] < 2000
