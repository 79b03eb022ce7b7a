"""Waiting for what other processes do: looked at until it is good, or the test fails."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

LOOK_EVERY_S = 0.1
T = TypeVar("T")


async def until(
    look: Callable[[], Awaitable[T]], good: Callable[[T], bool], within_s: float, what: str
) -> T:
    """Look until what is seen is good, and return it; fail after `within_s`."""
    deadline = time.monotonic() + within_s
    while True:
        seen = await look()
        if good(seen):
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:g} s: {what}; last seen: {seen!r}")
        await asyncio.sleep(LOOK_EVERY_S)
