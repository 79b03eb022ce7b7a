"""Between one run of the hub and the next: what a backup has replaced goes for good."""

from pathlib import Path

import pytest

from hems.archive import swap
from hems.archive.backup import make_backup
from hems.archive.desk import stage
from hems.archive.sealed import Cost
from hems.clock import SystemClock
from hems.commands.upheaval import begin, belonging_to, checked, confirm
from hems.store.store import open_store

WORDS = "correct horse battery"


async def home(folder: Path) -> Path:
    """Return the configuration of a home with a store."""
    folder.mkdir()  # noqa: ASYNC240 - a test may block
    config = folder / "hems.toml"
    config.write_text('[home]\nname = "Home"\n[store]\npath = "hems.db"\n')
    store = await open_store(folder / "hems.db", SystemClock())
    await store.close()
    return config


@pytest.mark.requirement("LC-CHANGE", "L1-CRYPT")
async def test_the_key_of_a_store_that_was_replaced_is_written_over(tmp_path: Path) -> None:
    """Its second name is what an old cell of the disk would be."""
    path = await home(tmp_path / "home")
    backup, cell = tmp_path / "backup", tmp_path / "cell"
    make_backup(backup, WORDS, belonging_to(path), "Home", 0.0, cost=Cost(64, 1))
    cell.hardlink_to(path.with_name("hems.db.key"))
    former = cell.read_bytes()
    stage(backup, WORDS, belonging_to(path), lambda folder: checked(path, folder))
    assert begin(path).restored
    assert cell.read_bytes() == former, "it may have to come back"
    confirm(path)
    assert len(cell.read_bytes()) == len(former)
    assert b"SECRET" not in cell.read_bytes()
    assert not (path.parent / swap.FOLDER).exists()
    store = await open_store(path.with_name("hems.db"), SystemClock())
    await store.close()
