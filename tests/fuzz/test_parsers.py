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


FOUND = [
    ("operator", b"\0" + b"[" * 100_000),  # deeper than Python recurses
    ("operator", b'\7{"lfdi": "' + b"0" * 40 + b'", "pin": "' + b"1" * 5000 + b'"}'),
    ("enrolment_code", b"HEMS1:192." + b"0.2." * 60 + b"\x0e:1:0"),  # a pattern without end
    ("enrolment_code", b"HEMS1:[f00\x12.7]:1:0"),
    ("answers", b"\0start,price_\0per_kwh\n2026-03-01T00:00Z,1\n"),
    ("announced", b"\0_http._tcp\nx\ndcap=/\nhttps=\xc2\xb2"),  # a digit, and no number
    ("browser_push", b"https://127.1/\n\n"),
    ("letters", b'\3{"nftables":[{"rule":{"comment":"A","expr":[{"counter":{"packets":1}}]}}]}'),
    ("letters", b"\4" + b'{"a":' * 100_000),
    ("settings", b"\0a = " + b"[" * 100_000),
    ("settings", b"\1a = " + b"[" * 100_000),
    ("settings", b"\2a = " + b"[" * 100_000),
    ("settings", b"\3a = " + b"[" * 100_000),
    ("answers", b"\0" + b"[" * 100_000),
    ("answers", b"\1" + b"[" * 100_000),
    ("answers", b"\2" + b"[" * 100_000),
    ("signed", b"\1" + b"[" * 100_000),
    ("backup", b"\0HEMSBACK\1" + bytes((0, 0, 0, 64, 0, 0, 0, 1, 0)) + bytes(39)),
]
"""What these parsers got wrong once."""


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_was_mended_stays_so(name: str, data: bytes) -> None:
    parser(name).examine(data)


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
