"""What Lighthouse says of the page, and how its reports are read."""

import json
import os

import pytest

from tests.benchmarks.lighthouse import (
    CATEGORIES,
    TIMES,
    LighthouseError,
    Run,
    TraceLostError,
    error_of,
    fetch,
    figures,
    judged,
    views,
)

LEAST = 90
"""A score below this fails; the aim is 95, which one busy second in a run may miss."""
BUSY = 1.5
"""Load on each processor, above which how long a task took says nothing of the page."""


def run(performance: float, *, blocking_ms: float = 0.0, contrast: float | None = 1.0) -> Run:
    scores = dict.fromkeys(CATEGORIES, 1.0) | {"performance": performance}
    refs = {
        "performance": [
            {"id": "total-blocking-time", "weight": 30},
            {"id": "unweighed", "weight": 0},
        ],
        "accessibility": [{"id": "color-contrast", "weight": 7}],
    }
    told = {
        "categories": {
            name: {"score": score, "auditRefs": refs.get(name, [])}
            for name, score in scores.items()
        },
        "audits": {name: {"score": 1.0, "numericValue": 1000.0} for name in TIMES}
        | {
            "total-blocking-time": {
                "score": 1.0 if blocking_ms < 200 else 0.5,
                "numericValue": blocking_ms,
                "displayValue": f"{blocking_ms:.0f} ms",
            },
            "color-contrast": {"score": contrast},
            "else": {"score": 0.0},
        },
    }
    return Run.model_validate_json(json.dumps(told))


def test_the_median_run_counts_and_the_least_view() -> None:
    good = judged([run(0.9), run(1.0, blocking_ms=50.4), run(0.97, blocking_ms=70.0)])
    assert good.scores == {"performance": 97, "accessibility": 100, "best-practices": 100}
    assert good.times_ms["total-blocking-time"] == 50
    told = figures({"/": good, "/devices": judged([run(0.93)])})
    assert told["performance"] == 93
    assert told["best_practices"] == 100


def test_what_cost_a_score_is_told_and_nothing_else() -> None:
    found = judged([run(1.0), run(0.8, blocking_ms=420.0, contrast=0.0), run(1.0, contrast=None)])
    assert found.faults == [
        "2: total-blocking-time scores 0.50 420 ms",
        "2: color-contrast scores 0.00",
    ]


def test_a_run_that_lost_its_trace_can_be_told_from_one_that_failed() -> None:
    lost = "Runtime error encountered: Something went wrong with recording. (NO_NAVSTART)"
    assert isinstance(error_of("http://hub/", lost), TraceLostError)
    failed = error_of("http://hub/", "Runtime error encountered: no page. (NO_FCP)")
    assert not isinstance(failed, TraceLostError)
    assert str(failed) == "http://hub/: Runtime error encountered: no page. (NO_FCP)"


@pytest.mark.deep
@pytest.mark.requirement("ROLE-UI")
async def test_lighthouse_finds_little_to_better() -> None:
    try:
        fetch()
    except LighthouseError as error:
        pytest.skip(str(error))
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    found = await views(runs=3)
    judging = [each for each in CATEGORIES if each != "performance" or busy <= BUSY]
    low = {
        path: view.faults
        for path, view in found.items()
        if any(view.scores[each] < LEAST for each in judging)
    }
    assert not low
    if "performance" not in judging:
        pytest.skip(f"all is well but performance, unjudged: load {busy:.1f} on each processor")
