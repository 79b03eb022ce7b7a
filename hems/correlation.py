"""What a line of the log belongs to: an id that goes along with all that one cause brings about.

At the head-end it is a request's; in a hub it is a request to its page, the mRID of a grid event,
or a control cycle. It follows into the tasks that are begun meanwhile.
"""

import itertools
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Final

_current: Final[ContextVar[str]] = ContextVar("correlation", default="")
_OF_THIS_RUN: Final = secrets.token_hex(4)
_numbers: Final = itertools.count(1)
_GOOD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:\-]{0,63}")


def current() -> str:
    """Return the id of what is at work here, or caused this; empty for none."""
    return _current.get()


def fresh() -> str:
    """Return a new id; no other worker and no later run makes the same."""
    return f"{_OF_THIS_RUN}-{next(_numbers):x}"


def sound(wish: str | None) -> str:
    """Return an id that a caller brings, or a new one where it brings none that is fit to log."""
    return wish if wish is not None and _GOOD.fullmatch(wish) else fresh()


def correlate(mark: str) -> Token[str]:
    """Have what follows in this task go by another id; returns what `forget` takes back."""
    return _current.set(mark)


def forget(token: Token[str]) -> None:
    """Have what follows go by the id from before a `correlate`."""
    _current.reset(token)


@contextmanager
def correlated(mark: str) -> Iterator[None]:
    """Have a block, and the tasks that it begins, go by an id; by the one from before if empty."""
    token = correlate(mark or current())
    try:
        yield
    finally:
        forget(token)
