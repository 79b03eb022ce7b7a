"""What a version on trial has written is taken over into the store of the version before it."""

import shutil
from pathlib import Path

import pytest

from certs.keys.store import KeyStore
from hems.clock import SystemClock
from hems.store.carry import carry_over
from hems.store.cipher import StoreFile, opened
from hems.store.errors import StoreError
from hems.store.key_file import key_path, read_key
from hems.store.store import open_store


async def _put(path: Path, **settings: str) -> None:
    store = await open_store(path, SystemClock())
    for name, value in settings.items():
        await store.settings.put(name, value)
    await store.close()


async def _kept(path: Path) -> dict[str, str]:
    store = await open_store(path, SystemClock())
    found = dict(await store.settings.all())
    await store.close()
    return found


def _change(path: Path, like: Path, *statements: str) -> None:
    """Bring a store to a later version's form."""
    with opened(StoreFile(path, read_key(like, KeyStore()))) as connection:
        for each in statements:
            connection.execute(each)


@pytest.fixture
async def stores(tmp_path: Path) -> tuple[Path, Path]:
    store = tmp_path / "home.db"
    await _put(store, kept="1", gone="2")
    left = tmp_path / "tried" / "home.db"
    left.parent.mkdir()
    shutil.copy(store, left)
    _change(
        left,
        store,
        "ALTER TABLE settings ADD COLUMN later TEXT",
        "CREATE TABLE later (what TEXT)",
        "UPDATE alembic_version SET version_num = '9999'",
        "UPDATE settings SET value = 'answered' WHERE name = 'kept'",
        "DELETE FROM settings WHERE name = 'gone'",
        "INSERT INTO settings (name, value, later) VALUES ('new', '3', 'x')",
        "INSERT INTO devices (id, name) VALUES (7, 'car')",
        "INSERT INTO samples (device, at_ms, power_w) VALUES (7, 1000, 5.0)",
    )
    return store, left


@pytest.mark.requirement("LC-PATCH")
async def test_what_was_written_in_the_trial_is_taken_over(stores: tuple[Path, Path]) -> None:
    store, left = stores
    for _ in range(2):  # the power may go before it is known to be done
        assert carry_over(store, left, KeyStore()) == []
    found = await _kept(store)
    assert (found["kept"], found["new"]) == ("answered", "3")
    assert "gone" not in found
    with opened(StoreFile(store, read_key(store, KeyStore()))) as connection:
        assert connection.execute("SELECT device, at_ms FROM samples").fetchall() == [(7, 1000)]


async def test_a_table_that_is_no_longer_what_it_was_is_named(stores: tuple[Path, Path]) -> None:
    store, left = stores
    _change(left, store, "ALTER TABLE settings RENAME COLUMN value TO content")
    assert carry_over(store, left, KeyStore()) == ["settings"]
    assert (await _kept(store))["kept"] == "1"


async def test_a_damaged_one_changes_nothing(stores: tuple[Path, Path]) -> None:
    store, left = stores
    left.write_bytes(left.read_bytes()[:4096] + b"\x00" * 4096)
    with pytest.raises(StoreError):
        carry_over(store, left, KeyStore())
    assert (await _kept(store))["kept"] == "1"


async def test_a_store_under_another_key_is_taken_over(stores: tuple[Path, Path]) -> None:
    """A backup was put in place during the trial: it has brought its own key."""
    store, _ = stores
    left = store.with_name("other") / "home.db"
    await _put(left, kept="the backup's")
    assert key_path(left).read_bytes() != key_path(store).read_bytes()
    assert carry_over(store, left, KeyStore()) == []
    assert await _kept(store) == {"kept": "the backup's"}


async def test_a_store_of_an_older_form_takes_over_what_it_has_tables_for(
    stores: tuple[Path, Path],
) -> None:
    """The package was renewed during the trial, and has not brought up the store yet."""
    store, left = stores
    _change(store, store, "DROP TABLE tokens")
    assert carry_over(store, left, KeyStore()) == ["tokens"]
    with opened(StoreFile(store, read_key(store, KeyStore()))) as connection:
        rows = dict(connection.execute("SELECT name, value FROM settings").fetchall())
    assert rows == {"kept": "answered", "new": "3"}
