"""A home has one hub, and no command changes what is on its disk meanwhile."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hems.clock import SystemClock
from hems.commands.occupied import OccupiedError, occupied
from hems.store.store import open_store

HOLDER = """
import sys
from pathlib import Path
from hems.commands.occupied import occupied
with occupied(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Have another process have a home."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            yield holder
        finally:
            holder.kill()


def hems(*words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "hems", *words],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.returncode, done.stderr


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


async def home(folder: Path) -> Path:
    """Return the configuration of a home with a store."""
    folder.mkdir()  # noqa: ASYNC240 - a test may block
    store = await open_store(folder / "hems.db", SystemClock())
    await store.close()
    (folder / "words").write_text("correct horse battery")
    config = folder / "hems.toml"
    config.write_text('[home]\nname = "Home"\n[store]\npath = "hems.db"\n')
    return config


@pytest.mark.requirement("LC-CHANGE", "LC-DECOMMISSION", "L2-KEYS")
async def test_neither_a_second_hub_nor_a_change_beside_a_running_hub(tmp_path: Path) -> None:
    """Also in the minutes in which a hub starts and has no page yet."""
    folder = tmp_path / "home"
    config = str(await home(folder))
    words = ("--passphrase-file", str(folder / "words"))
    copy = str(tmp_path / "copy")
    assert hems("backup", copy, *words, "--config", config) == (0, "")
    before = content(folder)
    with held(folder):
        for command in (
            ("run",),
            ("wipe", "--yes"),
            ("keys", "renew-store"),
            ("restore", copy, *words),
        ):
            code, said = hems(*command, "--config", config)
            assert (code, said.count("\n")) == (1, 1), said
            assert f"{folder}: a hub runs on this home" in said
            assert content(folder) == before
        assert hems("backup", copy, *words, "--config", config) == (0, ""), "copies as ever"
    code, said = hems("keys", "renew-store", "--config", config)
    assert code == 0, said
    assert content(folder)["hems.db"] != before["hems.db"]


@pytest.mark.requirement("LC-CHANGE")
@pytest.mark.parametrize("name", ["hems.db", "hems.db.key", "hems.toml"])
async def test_no_backup_is_written_over_the_home_itself(tmp_path: Path, name: str) -> None:
    config = await home(tmp_path / "home")
    before = content(config.parent)
    words = ("--passphrase-file", str(config.parent / "words"))
    code, said = hems("backup", str(config.with_name(name)), *words, "--config", str(config))
    assert (code, "is a file of the home itself" in said) == (1, True), said
    assert content(config.parent) == before


def test_a_program_that_was_killed_has_the_home_no_more(tmp_path: Path) -> None:
    with held(tmp_path) as holder:
        with pytest.raises(OccupiedError, match=str(tmp_path)), occupied(tmp_path):
            pass
        holder.kill()
        holder.wait()
        with occupied(tmp_path):
            pass
    assert list(tmp_path.iterdir()) == [], "it leaves nothing lying about"


def test_a_home_that_is_not_there_yet_is_nobodys(tmp_path: Path) -> None:
    with occupied(tmp_path / "none"):
        assert not (tmp_path / "none").exists()
