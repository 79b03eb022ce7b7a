"""What several tests of the simulated home need."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

import pytest

Probe = Callable[[], bool | Awaitable[bool]]
Eventually = Callable[..., Awaitable[None]]


async def _eventually(probe: Probe, within_s: float = 5.0) -> None:
    """Return once `probe` holds; fails when it does not within `within_s`."""
    try:
        async with asyncio.timeout(within_s):
            while True:
                result = probe()
                if await result if inspect.isawaitable(result) else result:
                    return
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"not within {within_s} s: {probe}")


@pytest.fixture
def eventually() -> Eventually:
    return _eventually
