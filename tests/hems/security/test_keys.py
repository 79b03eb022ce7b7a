"""How keys are held, in words, and the one alarm when they cannot be used."""

import asyncio
from pathlib import Path

import pytest

from certs.issue import new_key
from certs.keys.backend import Held
from certs.keys.sealing import FileBackend
from certs.keys.secret import Cost
from certs.keys.store import KeyStore
from certs.pem import write_key
from hems.security.key_watch import KeyWatch, key_files, watched
from hems.security.key_words import held_words, kept_words
from hems.settings.config import Config
from tests.certs.keys.hardware import secret_file

pytestmark = pytest.mark.requirement("L2-KEYS", "ROLE-UI")

CHEAP = Cost(passes=1, memory_kib=64)


def test_each_way_to_hold_a_key_has_words_of_its_own() -> None:
    assert len({held_words(held) for held in Held}) == len(Held)


@pytest.mark.parametrize("held", [Held.TOKEN, Held.TPM])
def test_of_a_secret_that_hardware_locks_nobody_says_that_it_never_leaves_it(held: Held) -> None:
    """The store's key must be in memory to be used; a private key need not."""
    assert "never leaves" in held_words(held)
    said = held_words(held, secret=True)
    assert "opened in memory only" in said
    assert "never leaves" not in said


def test_what_is_no_key_is_said(tmp_path: Path) -> None:
    path = tmp_path / "hub.key"
    assert "does not exist" in kept_words(path)
    path.write_text("nothing")
    assert "no key in it" in kept_words(path)
    write_key(path, new_key())
    assert kept_words(path) == held_words(Held.PLAIN)


async def test_a_trouble_is_told_as_long_as_it_lasts(tmp_path: Path) -> None:
    secret = secret_file(tmp_path, "open, sesame: 17 thieves")
    assert secret.file is not None
    store, path = KeyStore(FileBackend(secret, CHEAP)), tmp_path / "hub.key"
    store.make(path)
    told: list[str | None] = []
    watch = KeyWatch(store, [path], told.append)
    await watch.look()
    secret.file.rename(tmp_path / "away")
    await watch.look()
    await watch.look()
    (tmp_path / "away").rename(secret.file)
    await watch.look()
    good, bad, still, over = told
    assert good is None
    assert over is None
    assert bad == still
    assert bad is not None
    assert str(secret.file) in bad
    assert "controlled as before" in bad


async def test_plain_keys_need_no_watching() -> None:
    told: list[str | None] = []
    async with watched(Config(), told.append):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert told == [None]
    assert key_files(Config()) == ()
