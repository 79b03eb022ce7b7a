"""A store on a real file, a clock that stands still until it is moved, and a seal of its own."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from certs.keys.store import KeyStore
from hems.emg.threats.assembly import head_file
from hems.emg.threats.head import HeadFile
from hems.store.store import Store, open_store
from tests.waiting import until


@dataclass(slots=True)
class HeldClock:
    """Time as the test sets it; `set_s` is by how much UTC was set."""

    at: float = 1_800_000_000.0
    set_s: float = 0.0

    def now(self) -> float:
        """Return UTC as epoch seconds."""
        return self.at + self.set_s

    def monotonic(self) -> float:
        """Return the same seconds, however UTC is set."""
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


@pytest.fixture
def head(path: Path) -> HeadFile:
    return head_file(path, KeyStore())


async def came(look: Callable[[], object], within_s: float = 20.0) -> None:
    """Wait until something is so; fail after `within_s`."""

    async def seen() -> object:
        return look()

    await until(seen, bool, within_s, "what the test waits for")
