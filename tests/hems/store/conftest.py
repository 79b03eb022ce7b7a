"""A store on a real file for each test, and a clock that stands still until it is moved."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hems.store.store import Store, open_store


@dataclass(slots=True)
class HeldClock:
    """Time as the test sets it."""

    at: float = 1_800_000_000.0

    def now(self) -> float:
        """Return UTC as epoch seconds."""
        return self.at

    def monotonic(self) -> float:
        """Return the same seconds."""
        return self.at


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hems.db"


@pytest.fixture
async def store(path: Path, clock: HeldClock) -> AsyncIterator[Store]:
    opened = await open_store(path, clock)
    yield opened
    await opened.close()
