"""The trail's end, sealed beside a real store: what is cut off is noticed, what is added is not."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from certs.keys.store import KeyStore
from hems.access.journal import Journal
from hems.access.trail import Deed
from hems.access.trail_watch import TrailWatch, trail_file, trail_path
from hems.emg.threats.assembly import head_file
from hems.emg.threats.head import Head
from hems.security_event import EventKind, SecurityEvent
from hems.store.chain import START
from hems.store.store import Store, open_store
from tests.hems.store.conftest import HeldClock
from tests.stored import execute

pytestmark = pytest.mark.requirement("PRV-RBAC", "L1-TAMPER")


def deed(number: int) -> Deed:
    return Deed(
        who="Ada",
        role="owner",
        way="session",
        origin="127.0.0.1",
        did="PUT /api/settings",
        about=str(number),
        outcome=200,
    )


async def looked(store: Store, path: Path, *, restored: bool = False) -> list[SecurityEvent]:
    heard: list[SecurityEvent] = []
    clock = HeldClock()
    journal = Journal(store.trail, clock)
    head = trail_file(path, KeyStore())
    watch = TrailWatch(journal, head, store.settings, clock, heard.append)
    async with watch.watched(own=True, restored=restored):
        await journal.did(deed(1))
    return heard


async def written(path: Path) -> None:
    """Have two runs of a hub write rows and seal them."""
    store = await open_store(path, HeldClock())
    for _ in range(4):
        assert await looked(store, path) == [], "what the hub itself wrote is as it was written"
    await store.close()


class SlowKeys(KeyStore):
    """Takes its time for making a key, as hardware does."""

    made = 0

    def __init__(self) -> None:
        super().__init__()
        self._another = threading.Event()

    def make(self, path: Path) -> ec.EllipticCurvePublicKey:
        """Make one, and count it; a second, where somebody begins one, falls together with it."""
        self.made += 1
        if self.made > 1:
            self._another.set()
        self._another.wait(0.1)
        return super().make(path)


async def test_the_two_seals_of_a_new_hub_are_made_at_once_by_one_key(
    tmp_path: Path,
) -> None:
    keys = SlowKeys()
    store = tmp_path / "hems.db"
    files = [head_file(store, keys), trail_file(store, keys)]
    head = Head(0, START)
    await asyncio.gather(*(asyncio.to_thread(each.write, head) for each in files))
    assert keys.made == 1
    assert [each.read() for each in files] == [head, head]


def cut(path: Path) -> None:
    execute(path, "DELETE FROM trail WHERE seq > 2")


def emptied(path: Path) -> None:
    execute(path, "DELETE FROM trail")


def unsealed(path: Path) -> None:
    trail_path(path).unlink()


def of_the_log(path: Path) -> None:
    log = head_file(path, KeyStore())
    log.write(Head(4, START))
    trail_path(path).write_bytes(log.path.read_bytes())


def garbage(path: Path) -> None:
    trail_path(path).write_bytes(b"\0")


@pytest.mark.parametrize(
    ("harm", "words", "after_restoring"),
    [
        (cut, "sealed at row 4 and now has 2 rows", False),
        (emptied, "sealed at row 4 and now has 0 rows", False),
        (unsealed, "is missing", False),
        (of_the_log, "is not the hub's own", True),
        (garbage, "is not the hub's own", True),
    ],
)
async def test_what_is_done_to_its_end_is_noticed(
    tmp_path: Path, harm: Callable[[Path], None], words: str, *, after_restoring: bool
) -> None:
    path = tmp_path / "hems.db"
    await written(path)
    harm(path)
    store = await open_store(path, HeldClock())
    try:
        (event,) = await looked(store, path)
        assert event.kind is EventKind.LOG_BROKEN
        assert event.about == "trail"
        assert words in event.text
        harm(path)
        found = await looked(store, path, restored=True)
        assert bool(found) is after_restoring, "a backup may end before what was sealed"
    finally:
        await store.close()


async def test_a_trail_of_an_earlier_version_misses_no_seal(tmp_path: Path) -> None:
    path = tmp_path / "hems.db"
    store = await open_store(path, HeldClock())
    try:
        await Journal(store.trail, HeldClock()).did(deed(1))
        assert await looked(store, path) == []
        unsealed(path)
        (event,) = await looked(store, path)
        assert "is missing" in event.text
    finally:
        await store.close()
