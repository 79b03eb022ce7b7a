"""A home that takes part, over a real store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hems.store.store import open_store
from tests.hems.money.homes import HeldClock
from tests.hems.participation.play import Play


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    clock = HeldClock()
    store = await open_store(tmp_path / "hems.db", clock)
    found = Play(store, clock)
    yield found
    for left in found.work:
        left.close()
    await store.close()
