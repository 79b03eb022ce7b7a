"""What the fuzzer of the customer port found, and a short run of its mutator, in every test run."""

import random
from pathlib import Path

import pytest

from tests.fuzz.corpus import kept
from tests.fuzz.p1_seeds import mutated, seeds
from tests.fuzz.p1_target import examine

pytestmark = [pytest.mark.requirement("LC-TEST"), pytest.mark.requirement("PRO-IP")]

KEPT = Path(__file__).with_name("corpus_p1.txt")


def test_what_was_found_by_fuzzing_breaks_no_promise() -> None:
    inputs = kept(KEPT)
    assert len(inputs) > 20
    outcomes = {examine(data) for data in inputs}
    assert len(outcomes) > 10, "inputs that all do the same show nothing"


def test_changed_telegrams_break_no_promise() -> None:
    rng = random.Random(51600)  # noqa: S311 - the same changes in each run
    outcomes = set()
    for data in seeds():
        outcomes.add(examine(data))
        for _ in range(10):
            outcomes.add(examine(mutated(data, rng)))
    assert len(outcomes) > 10
