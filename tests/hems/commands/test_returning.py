"""A hub's start after a trial that failed: what that has written is taken over once, and told."""

import shutil
from pathlib import Path

import pytest

from certs.keys.sealing import FileBackend
from certs.keys.store import KeyStore
from hems.clock import SystemClock
from hems.commands.returning import taken_back
from hems.software.stores import OUT
from hems.store.cipher import StoreFile, opened
from hems.store.key_file import read_key
from hems.store.store import open_store
from tests.block_disk import disk_or_skip
from tests.certs.keys.conftest import CHEAP
from tests.certs.keys.hardware import secret_file

pytestmark = pytest.mark.requirement("LC-PATCH", "PRV-INTEGRITY")

PLAIN = KeyStore()


async def put(path: Path, value: str, keys: KeyStore = PLAIN) -> None:
    store = await open_store(path, SystemClock(), keys)
    await store.settings.put("said", value)
    await store.close()


async def said(path: Path, keys: KeyStore = PLAIN) -> str:
    store = await open_store(path, SystemClock(), keys)
    found = (await store.settings.all())["said"]
    await store.close()
    return found


async def gone_back(folder: Path, keys: KeyStore = PLAIN, *more: str) -> tuple[Path, Path]:
    """Make a home whose trial has written, and has been put out of the way."""
    store = folder / "hems.db"
    await put(store, "before", keys)
    left = folder / "updates" / "tried-1"
    left.mkdir(parents=True)
    shutil.copy(store, left / store.name)
    with opened(StoreFile(left / store.name, read_key(store, keys))) as connection:
        for each in ("UPDATE settings SET value = 'in the trial'", *more):
            connection.execute(each)
    (left / OUT).touch()
    return store, left


async def test_all_is_taken_over_and_nothing_is_told(tmp_path: Path) -> None:
    store, left = await gone_back(tmp_path)
    assert await taken_back(store, PLAIN) is None
    assert await said(store) == "in the trial"
    assert not left.exists()
    assert await taken_back(store, PLAIN) is None


async def test_what_cannot_be_is_told_once_and_kept(tmp_path: Path) -> None:
    store, left = await gone_back(tmp_path, PLAIN, "ALTER TABLE tokens RENAME COLUMN id TO number")
    text = await taken_back(store, PLAIN)
    assert text is not None
    assert "tokens" in text
    assert str(left) in text
    assert (left / store.name).exists()
    await put(store, "after it")
    assert await taken_back(store, PLAIN) is None
    assert await said(store) == "after it"


async def test_it_waits_for_a_store_that_cannot_be_opened_yet(tmp_path: Path) -> None:
    """Another store is used meanwhile: the home's own has nothing that is newer."""
    folder = tmp_path / "home"
    folder.mkdir()

    def sealed(secret: str) -> KeyStore:
        return KeyStore(FileBackend(secret_file(tmp_path, secret), CHEAP))

    right = "open, sesame: 17 thieves"
    store, left = await gone_back(folder, sealed(right))
    assert await taken_back(store, sealed("close, sesame: 18 thieves")) is None
    assert (left / OUT).exists()
    assert await taken_back(store, sealed(right)) is None
    assert await said(store, sealed(right)) == "in the trial"


async def test_a_power_cut_after_it_does_not_have_it_done_again(tmp_path: Path) -> None:
    """It would undo what the former version has acknowledged since."""
    with disk_or_skip(tmp_path / "block") as disk:
        store, left = await gone_back(
            disk.at, PLAIN, "ALTER TABLE tokens RENAME COLUMN id TO number"
        )
        disk.sync()
        assert await taken_back(store, PLAIN) is not None
        disk.cut_power()
        assert not (left / OUT).exists()
        assert await said(store) == "in the trial"
