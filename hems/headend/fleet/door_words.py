"""What the fleet's doors read of a request beside its body: who asks, names, parts of lists."""

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from aiohttp import web

from hems.headend.errors import RequestError, UnknownItemError
from hems.headend.fleet.records import Actor
from hems.headend.operator_door import number_in

Who = Callable[[web.Request], Actor]
"""Returns who asks, and as what."""

MOST_LISTED: Final = 1_000
_LISTED: Final = 100
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:\-]{0,199}")
T = TypeVar("T")


def name_in(request: web.Request, key: str = "id") -> str:
    """Return an id in the path.

    Raises:
        UnknownItemError: It is none, hence of nothing.
    """
    name = request.match_info[key]
    if not _NAME.fullmatch(name):
        raise UnknownItemError(f"there is nothing at {request.raw_path[:80]}")
    return name


def wanted(request: web.Request, key: str) -> str | None:
    """Return an id in the query string; None where it is not given.

    Raises:
        RequestError: It is no id.
    """
    name = request.query.get(key)
    if name is not None and not _NAME.fullmatch(name):
        raise RequestError(f"query parameter {key} is no id")
    return name


def limit_of(request: web.Request) -> int:
    """Return how many items are wanted at most.

    Raises:
        RequestError: It is no number from 1 on.
    """
    limit = int(number_in(request, "limit", _LISTED))
    if limit < 1:
        raise RequestError("query parameter limit is not a number from 1 on")
    return min(limit, MOST_LISTED)


def part_of(items: Sequence[T], limit: int) -> tuple[Sequence[T], bool]:
    """Return a page of items of which one more than wanted was asked for, and whether more come."""
    return items[:limit], len(items) > limit
