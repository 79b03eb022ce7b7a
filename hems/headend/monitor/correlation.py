"""Which request it was: an id that goes along with all that a request causes."""

import itertools
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_current: Final[ContextVar[str]] = ContextVar("correlation", default="")
_OF_THIS_RUN: Final = secrets.token_hex(4)
_numbers: Final = itertools.count(1)
_GOOD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:\-]{0,63}")


def current() -> str:
    """Return the id of the request that is at work here, or that caused this; empty for none."""
    return _current.get()


def fresh() -> str:
    """Return a new id; no other worker and no later run makes the same."""
    return f"{_OF_THIS_RUN}-{next(_numbers):x}"


def sound(wish: str | None) -> str:
    """Return an id that a caller brings, or a new one where it brings none that is fit to log."""
    return wish if wish is not None and _GOOD.fullmatch(wish) else fresh()


def correlate(mark: str) -> None:
    """Have what follows in this task go by another id."""
    _current.set(mark)


@contextmanager
def correlated(mark: str) -> Iterator[None]:
    """Have a block, and the tasks that it begins, go by an id."""
    token = _current.set(mark)
    try:
        yield
    finally:
        _current.reset(token)
