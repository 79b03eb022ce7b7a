"""Access over a store on a real file, with a clock that stands still until it is moved."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hems.access.access import Access, access
from hems.access.passwords import Hasher
from hems.security_event import SecurityEvent
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


@dataclass
class Heard:
    """What was said to bear on security, and what owners were alarmed of."""

    events: list[SecurityEvent] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def rights(store: Store, tmp_path: Path, clock: HeldClock, heard: Heard) -> Access:
    made = access(
        store.people,
        store.trail,
        tmp_path / ".setup-code",
        clock,
        Hasher(*WEAK),
        note=heard.events.append,
        alarm=heard.alarms.append,
    )
    await made.ready()
    return made
