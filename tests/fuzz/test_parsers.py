"""Each parser that faces outside: its seeds, some changes of them, and what fuzzing has found."""

import random
import time
from pathlib import Path

import pytest

from tests.fuzz.corpus import kept
from tests.fuzz.parsers.parser import WrongError, attempt, changed
from tests.fuzz.parsers.table import TARGETS, parser

pytestmark = pytest.mark.requirement("LC-TEST")

LONGEST_S = 4.0
"""Of all changes of one parser's seeds; those that are left then are not tried."""


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_known_and_what_is_near_it_breaks_no_promise(name: str) -> None:
    target = parser(name)
    rng = random.Random(6)  # noqa: S311 - the same changes in each run
    seeds = target.seeds()
    outcomes = {target.examine(seed) for seed in seeds}
    mutated = target.mutated
    until = time.monotonic() + LONGEST_S
    for _ in range(target.rounds):
        for seed in seeds:
            data = changed(seed, rng, target.words) if mutated is None else mutated(seed, rng)
            outcomes.add(target.examine(data))
        if time.monotonic() > until:
            break
    assert len(outcomes) > 5, "inputs that all do the same show nothing"


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_by_fuzzing_breaks_no_promise(name: str) -> None:
    target = parser(name)
    for data in kept(Path(__file__).with_name(f"corpus_{name}.txt")):
        target.examine(data)


@pytest.mark.parametrize("name", TARGETS)
def test_an_input_of_nothing_breaks_no_promise(name: str) -> None:
    parser(name).examine(b"")


def test_an_error_that_nobody_can_read_is_a_finding() -> None:
    def refuse(words: str) -> int:
        raise ValueError(words)

    assert attempt(lambda: refuse("no"), ValueError) == (None, "ValueError: no")
    for words in ("", "\x1b[2J", "x" * 3000):
        with pytest.raises(WrongError):
            attempt(lambda words=words: refuse(words), ValueError)  # type: ignore[misc]
    with pytest.raises(ValueError, match="no"):
        attempt(lambda: refuse("no"), KeyError)
