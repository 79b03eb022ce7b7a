"""The inputs that the fuzzer found, and a short run of its mutator, in every test run."""

import random
from pathlib import Path

import pytest

from tests.fuzz.corpus import kept
from tests.fuzz.xml_mutator import mutated
from tests.fuzz.xml_seeds import seeds, words
from tests.fuzz.xml_target import examine

KEPT = Path(__file__).with_name("corpus_xml.txt")

pytestmark = [pytest.mark.requirement("LC-TEST"), pytest.mark.requirement("PRO-2030.5")]


def test_what_was_found_by_fuzzing_breaks_no_promise() -> None:
    inputs = kept(KEPT)
    assert len(inputs) > 100
    outcomes = {examine(data) for data in inputs}
    assert len(outcomes) > 100, "inputs that all do the same show nothing"


def test_changed_bodies_break_no_promise() -> None:
    rng = random.Random(2030)  # noqa: S311 - the same changes in each run
    begin, known = list(seeds()), words()
    read = 0
    for _ in range(2000):
        data = mutated(rng.choice(begin), known, rng)
        if data is not None:
            read += ":" not in examine(data)
    assert read > 200, "most changes must leave something to read"
