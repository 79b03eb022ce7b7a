"""List queries: start, limit and after (IEEE 2030.5 clause 6.6, query string parameters)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from hems.headend.errors import RequestError

MAX_LIMIT = 255
"""Items answered at most, whatever the client asks; a list may always be given in parts."""

_UINT32 = 2**32 - 1
_TIME = 2**63 - 1
_MOST_DIGITS = 40
"""Leading zeros are none the less a number; of thousands of digits none is made."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Query:
    """The part of a list that is asked for.

    Attributes:
        start: Index of the first item, counted after `after` has been applied.
        limit: Items at most; the standard's default is 1.
        after: Only items whose ordering time is later, epoch s; None for all.
    """

    start: int = 0
    limit: int = 1
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list.

    Attributes:
        items: The part.
        all: How many items the whole list has (the `all` attribute).
    """

    items: Sequence[T]
    all: int


def _number(query: Mapping[str, str], key: str, default: int, top: int) -> int:
    text = query.get(key)
    if text is None:
        return default
    digits = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    if not digits or int(text) > top:
        raise RequestError(f"query parameter {key}={text[:20]!r} is not a whole number to {top}")
    return int(text)


def parse_query(query: Mapping[str, str]) -> Query:
    """Read `s`, `l` and `a` of a query string.

    Raises:
        RequestError: One of them is not an unsigned number.
    """
    after = _number(query, "a", -1, _TIME) if "a" in query else None
    limit = min(_number(query, "l", 1, _UINT32), MAX_LIMIT)
    return Query(_number(query, "s", 0, _UINT32), limit, after)


def page(items: Sequence[T], query: Query, time_of: Callable[[T], int] | None = None) -> Page[T]:
    """Cut the part that is asked for out of an ordered list.

    Args:
        items: The whole list in its order.
        query: What is asked for.
        time_of: An item's ordering time, epoch s; None for lists that are not ordered by time,
            which ignore `after`.
    """
    left = items
    if query.after is not None and time_of is not None:
        left = [item for item in items if time_of(item) > query.after]
    return Page(left[query.start : query.start + query.limit], len(items))
