"""Access over a store on a real file, with a clock that stands still until it is moved."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hems.access.access import Access, access
from hems.access.passwords import Hasher
from hems.store.store import Store, open_store
from tests.hems.store.conftest import HeldClock

WEAK = (1, 64)
"""Costs of a hash that no hub would use: tests hash often."""


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HeldClock) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "hems.db", clock)
    yield opened
    await opened.close()


@pytest.fixture
async def rights(store: Store, tmp_path: Path, clock: HeldClock) -> Access:
    made = access(store.people, store.trail, tmp_path / ".setup-code", clock, Hasher(*WEAK))
    await made.ready()
    return made
