"""The frames that the fuzzer found, and a short run of its mutator, in every test run."""

import random
from pathlib import Path

import pytest

from tests.fuzz.corpus import kept
from tests.fuzz.ocpp_seeds import mutated, seeds
from tests.fuzz.ocpp_target import examine

pytestmark = [pytest.mark.requirement("LC-TEST"), pytest.mark.requirement("PRO-IP")]

KEPT = Path(__file__).with_name("corpus_ocpp.txt")


def test_what_was_found_by_fuzzing_breaks_no_promise() -> None:
    inputs = kept(KEPT)
    assert len(inputs) > 100
    outcomes = {examine(data) for data in inputs}
    assert len(outcomes) > 50, "inputs that all do the same show nothing"


def test_changed_frames_break_no_promise() -> None:
    rng = random.Random(16201)  # noqa: S311 - the same changes in each run
    outcomes = set()
    for data in seeds():
        outcomes.add(examine(data))
        for _ in range(2):
            changed = mutated(data, rng)
            if changed is not None:
                outcomes.add(examine(changed))
    assert len(outcomes) > 50
    assert any("; True True" in outcome for outcome in outcomes), "no reading was believed"
    assert any(outcome.startswith("taken; ") for outcome in outcomes), "no answer was believed"
