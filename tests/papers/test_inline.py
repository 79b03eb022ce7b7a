"""Commands that the papers name within a sentence are ones that there are."""

import argparse
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from hems import cli
from tests.papers.blocks import pages

_BLOCK = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`(?:\S*/)?hems ([^`]+)`")
_STANDS_FOR = re.compile(r"[A-Z_]+|\.\.\.|…")
"""A word in the place of which something is typed, or that leaves the rest out."""


def spans(text: str) -> Iterator[list[str]]:
    """Yield the words of each command in running text, without the first."""
    for found in _SPAN.findall(_BLOCK.sub("", text)):
        yield shlex.split(found)


def wrong(words: list[str], parser: argparse.ArgumentParser) -> str:
    """Return the first word that no command has there; empty where all are known."""
    for at, word in enumerate(words):
        below = _below(parser)
        if not below:
            return _wrong_option(words[at:], parser)
        several = word.split("|")  # "approve|block"
        if _STANDS_FOR.fullmatch(word) or (len(several) > 1 and set(several) <= set(below)):
            return ""
        if word.startswith("-"):
            return _wrong_option(words[at:], parser)
        if word not in below:
            return word
        parser = below[word]
    return ""


def _below(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def _wrong_option(words: list[str], parser: argparse.ArgumentParser) -> str:
    known = {option for action in parser._actions for option in action.option_strings}
    named = (word.strip("[]").partition("=")[0] for word in words)
    return next((each for each in named if each.startswith("--") and each not in known), "")


@pytest.mark.parametrize("page", list(pages()), ids=lambda page: page.stem)
def test_the_commands_of_a_sentence_are_ones_that_there_are(page: Path) -> None:
    parser = cli._parser()
    told = spans(page.read_text(encoding="utf-8"))
    assert [(" ".join(words), bad) for words in told if (bad := wrong(words, parser))] == []


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("run `hems doctor` and `hems device show ID`", ""),
        ("`hems devise scan`", "devise"),
        ("`.venv/bin/hems device scam`", "scam"),
        ("`hems device scan --json --at HOST`", ""),
        ("`hems device scan --jason`", "--jason"),
        ("`hems device approve|block ID`", ""),
        ("`hems device approve|hug ID`", "approve|hug"),
        ("`hems ...` and `hems COMMAND --help`", ""),
        ("```\nhems devise\n```\n`hems status`", ""),
    ],
)
def test_a_command_that_is_none_is_found(text: str, bad: str) -> None:
    assert next(filter(None, (wrong(w, cli._parser()) for w in spans(text))), "") == bad
