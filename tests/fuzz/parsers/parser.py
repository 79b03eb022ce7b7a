"""What each target of `tests/fuzz/parsers` says of itself, and what all of them promise.

A parser that faces outside returns what was said or raises the error that it documents, in one
sentence fit to be shown. Whatever else comes of an input is a finding.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

LONGEST_SENTENCE: Final = 2000
"""Characters of an error; what was wrong in the input is quoted at its beginning only."""

T = TypeVar("T")


class WrongError(Exception):
    """A parser did something with an input that it never may."""


@dataclass(frozen=True, slots=True)
class Parser:
    """A parser that faces outside.

    Attributes:
        examine: Gives it an input; returns what came of it, raises where a promise is broken.
        seeds: Inputs to begin with.
        words: What its inputs are made of.
        mutated: Returns an input of the same shape, changed; None to change octets only.
        rounds: Changes of each seed in a short run.
    """

    examine: Callable[[bytes], str]
    seeds: Callable[[], Sequence[bytes]]
    words: Sequence[bytes] = ()
    mutated: Callable[[bytes, random.Random], bytes] | None = None
    rounds: int = 40


def attempt(parse: Callable[[], T], *documented: type[Exception]) -> tuple[T | None, str]:
    """Return what a parser returned, or None and the error that it documents, in words.

    Raises:
        WrongError: Its error is not fit to be shown.
        Exception: Any that it does not document.
    """
    try:
        return parse(), "read"
    except documented as error:
        return None, refused(error)


def refused(error: Exception) -> str:
    """Return an error's words.

    Raises:
        WrongError: They are none, too many, or cannot be printed.
    """
    words = str(error)
    if not words or len(words) > LONGEST_SENTENCE:
        raise WrongError(f"an error of {len(words)} characters: {words[:80]!r}") from error
    if not all(line.isprintable() for line in words.split("\n")):
        raise WrongError(f"{words[:200]!r} cannot be shown") from error
    return f"{type(error).__name__}: {words}"


def same(one: object, other: object, what: str) -> None:
    """Raise WrongError unless two readings agree."""
    if one != other:
        raise WrongError(f"{what}: {str(one)[:200]} is not {str(other)[:200]}")


def changed(data: bytes, rng: random.Random, words: Sequence[bytes]) -> bytes:
    """Return an input with some octets changed, doubled, dropped or replaced by a word."""
    out = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(out) + 1)
        size = rng.choice((1, 1, 2, 4, 16))
        match rng.randrange(6):
            case 0 if at < len(out):
                out[at] ^= 1 << rng.randrange(8)
            case 1:
                out[at : at + size] = rng.randbytes(size)
            case 2:
                del out[at : at + size]
            case 3:
                out[at:at] = out[at : at + size] * rng.choice((1, 2, 50))
            case 4 if words:
                out[at : at + rng.choice((0, size))] = rng.choice(words)
            case _:
                del out[at:]
    return bytes(out)
