"""The store at the hub's start: damaged, locked, and back again."""

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from certs.keys.sealing import FileBackend
from certs.keys.store import KeyStore
from hems.clock import SystemClock
from hems.commands.store_start import awaited, opened_store
from hems.security_event import EventKind
from hems.store.errors import StoreError
from hems.store.store import open_store
from tests.block_disk import disk_or_skip
from tests.certs.keys.conftest import CHEAP
from tests.certs.keys.hardware import secret_file

pytestmark = pytest.mark.requirement("L1-CRYPT", "PRV-INTEGRITY")

CLOCK = SystemClock()
RIGHT = "open, sesame: 17 thieves"


def sealed(folder: Path, secret: str) -> KeyStore:
    return KeyStore(FileBackend(secret_file(folder, secret), CHEAP))


async def home(path: Path, keys: KeyStore) -> None:
    store = await open_store(path, CLOCK, keys)
    await store.settings.put("said", "before")
    await store.close()


def home_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder / "hems.db"


async def test_a_store_in_order_is_used_and_nothing_is_said(tmp_path: Path) -> None:
    path, keys = home_folder(tmp_path), sealed(tmp_path, RIGHT)
    await home(path, keys)
    opened = await opened_store(path, CLOCK, keys)
    assert (opened.trouble, opened.event, opened.back) == (None, None, None)
    assert (await opened.store.settings.all())["said"] == "before"
    await opened.store.close()


async def test_a_locked_store_is_left_and_the_hub_begins_anew_once_it_opens(
    tmp_path: Path,
) -> None:
    path = home_folder(tmp_path)
    await home(path, sealed(tmp_path, RIGHT))
    before = bytes_of(path)
    wrong = sealed(tmp_path, "close, sesame: 18 thieves")
    opened = await opened_store(path, CLOCK, wrong)
    assert opened.trouble is not None
    assert "not the one that the key was sealed with" in opened.trouble
    assert "left as it is" in opened.trouble
    assert opened.event is not None
    assert opened.event.kind is EventKind.KEY_CHANGED
    assert await opened.store.settings.all() == {}
    anew: list[bool] = []
    async with awaited(opened, lambda: anew.append(True), every_s=0.01):
        await opened.store.settings.put("said", "meanwhile")
        await asyncio.sleep(0.1)
        assert anew == []
        secret_file(tmp_path, RIGHT)
        async with asyncio.timeout(20):
            while not anew:  # noqa: ASYNC110 - nobody else tells
                await asyncio.sleep(0.01)
    assert anew == [True]
    await opened.store.close()
    assert bytes_of(path) == before
    opened = await opened_store(path, CLOCK, sealed(tmp_path, RIGHT))
    assert opened.trouble is None
    assert (await opened.store.settings.all())["said"] == "before"
    await opened.store.close()
    assert sorted(names(path)) == ["hems.db", "hems.db.key"]


async def test_a_key_store_that_never_was_there_keeps_no_home_from_being_run(
    tmp_path: Path,
) -> None:
    path, keys = home_folder(tmp_path), sealed(tmp_path, RIGHT)
    (tmp_path / "secret").unlink()
    opened = await opened_store(path, CLOCK, keys)
    assert opened.trouble is not None
    assert "cannot be read" in opened.trouble
    await opened.store.settings.put("said", "meanwhile")
    await opened.store.close()
    secret_file(tmp_path, RIGHT)
    await home(path, keys)
    assert sorted(names(path)) == ["hems.db", "hems.db.key"]


async def test_a_damaged_store_is_set_aside_and_noted(tmp_path: Path) -> None:
    path, keys = home_folder(tmp_path), sealed(tmp_path, RIGHT)
    await home(path, keys)
    spoil(path)
    opened = await opened_store(path, CLOCK, keys)
    assert opened.trouble is not None
    assert "it is kept as" in opened.trouble
    assert opened.event is not None
    assert opened.event.kind is EventKind.STORE_DAMAGED
    assert opened.back is None
    assert await opened.store.settings.all() == {}
    await opened.store.close()
    assert any(".damaged-" in name for name in names(path))


async def test_a_damaged_store_that_cannot_be_set_aside_keeps_no_home_from_being_run(
    tmp_path: Path,
) -> None:
    """It is a mount of its own, as containers have single files."""
    path, keys = home_folder(tmp_path), sealed(tmp_path, RIGHT)
    await home(path, keys)
    spoil(path)
    before = bytes_of(path)
    with a_mount_of_its_own(path):
        opened = await opened_store(path, CLOCK, keys)
        assert opened.trouble is not None
        assert "damaged" in opened.trouble
        assert "cannot be set aside" in opened.trouble
        await opened.store.settings.put("said", "meanwhile")
        await opened.store.close()
        assert bytes_of(path) == before


@contextmanager
def a_mount_of_its_own(path: Path) -> Iterator[None]:
    command = ["mount", "--bind", str(path), str(path)]
    bound = subprocess.run(command, check=False, capture_output=True, text=True)
    if bound.returncode != 0:
        pytest.skip(f"mounting needs root: {bound.stderr}")
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


def pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def folder_of(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def link_to_itself(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(path)


def readable_by_all(path: Path) -> None:
    path.chmod(0o644)


@pytest.mark.parametrize(
    ("name", "meddle"),
    [
        *((name, deed) for name in ("hems.db", "hems.db.key") for deed in (pipe, folder_of)),
        ("hems.db-wal", folder_of),
        ("hems.db.key", link_to_itself),
        ("hems.db", link_to_itself),
        ("hems.db.key", readable_by_all),
        ("hems.db.key", lambda path: path.write_bytes(b"")),
    ],
)
async def test_whatever_lies_in_the_place_of_a_store_or_its_key_the_home_is_controlled(
    tmp_path: Path, name: str, meddle: Callable[[Path], object]
) -> None:
    path, keys = home_folder(tmp_path), sealed(tmp_path, RIGHT)
    await home(path, keys)
    meddle(path.with_name(name))
    async with asyncio.timeout(30):
        opened = await opened_store(path, CLOCK, keys)
        assert opened.trouble is not None
        assert name.removesuffix("-wal") in opened.trouble
        assert opened.event is not None
        await opened.store.settings.put("said", "meanwhile")
        assert opened.back is not None
        assert not await asyncio.to_thread(opened.back)
        await opened.store.close()


async def test_on_a_disk_that_is_read_only_or_gone_the_home_is_controlled(tmp_path: Path) -> None:
    """Nothing can be kept, not even meanwhile: each part is told, and none is ended."""
    with disk_or_skip(tmp_path / "block") as disk:
        path, keys = home_folder(disk.at), sealed(tmp_path, RIGHT)
        await home(path, keys)
        disk.sync()
        for fail in (disk.forbid_writing, disk.pull):
            fail()
            opened = await opened_store(path, CLOCK, keys)
            assert opened.trouble is not None
            assert "hems.db" in opened.trouble
            with pytest.raises(StoreError):
                await opened.store.settings.put("said", "nowhere")
            with pytest.raises(StoreError):
                await opened.store.ledger.events()
            await opened.store.close()
        disk.put_back()
        opened = await opened_store(path, CLOCK, keys)
        assert opened.trouble is None
        assert (await opened.store.settings.all())["said"] == "before"
        await opened.store.close()


@pytest.mark.parametrize("meddle", [pipe, folder_of, link_to_itself])
async def test_what_an_editor_left_beside_the_key_is_in_nobodys_way(
    tmp_path: Path, meddle: Callable[[Path], object]
) -> None:
    path, keys = home_folder(tmp_path), sealed(tmp_path, RIGHT)
    await home(path, keys)
    meddle(path.with_name(".hems.db.key.swp"))
    async with asyncio.timeout(30):
        opened = await opened_store(path, CLOCK, keys)
    assert opened.trouble is None
    assert (await opened.store.settings.all())["said"] == "before"
    await opened.store.close()


async def test_a_store_that_was_removed_is_missed(tmp_path: Path) -> None:
    path, keys = home_folder(tmp_path), sealed(tmp_path, RIGHT)
    await home(path, keys)
    cut_to_nothing(path)
    opened = await opened_store(path, CLOCK, keys)
    assert opened.trouble is not None
    assert "is gone, and its key is not" in opened.trouble
    assert opened.event is not None
    assert opened.event.kind is EventKind.STORE_DAMAGED
    await opened.store.close()
    again = await opened_store(path, CLOCK, keys)
    assert again.trouble is None
    await again.store.close()


def cut_to_nothing(path: Path) -> None:
    path.write_bytes(b"")


def bytes_of(path: Path) -> bytes:
    return path.read_bytes()


def names(path: Path) -> list[str]:
    return [each.name for each in path.parent.iterdir()]


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[5000:9000] = bytes(4000)
    path.write_bytes(content)
