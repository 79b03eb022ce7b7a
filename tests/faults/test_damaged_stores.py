"""A store's file that is damaged, of a newer version, or of something else."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from certs.pki import Pki
from certs.tls import server_context
from hems.commands.output import EXIT_CONFIGURATION, EXIT_ERROR
from tests.faults.bench import Bench, run_to_end
from tests.faults.scripted import LyingUtility, control
from tests.hems.sep2.utility import serving

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("LC-TEST"),
]


def garbage(path: Path) -> None:
    path.write_bytes(b"this was a store once" * 1000)


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def holes(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))


def damaged(folder: Path) -> list[Path]:
    """Return the stores that were set aside."""
    return list(folder.glob("hems.db.damaged-*Z"))


@pytest.mark.parametrize(
    "damage",
    [garbage, *(pytest.param(each, marks=pytest.mark.deep) for each in (cut, holes))],
)
async def test_a_damaged_store_is_set_aside_and_control_goes_on(
    bench: Bench, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    store = tmp_path / "hems.db"
    utility = LyingUtility(bench.hub_lfdi)
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(utility, context):
        config = bench.config(f"{utility.base}/dcap", more=f'[store]\npath = "{store}"\n')
        async with bench.running(config) as hub:
            await hub.state("connected")
        damage(store)
        spoiled = store.read_bytes()
        async with bench.running(config) as hub:
            home = await hub.home()
            said = [alarm for alarm in home.alarms if str(store) in alarm]
            assert len(said) == 1
            assert "the file is damaged" in said[0]
            assert "it is kept as" in said[0]
            assert len(hub.logged("the file is damaged")) == 1
            utility.list_controls(control("600D"))
            await utility.until(lambda: utility.codes == [("600D", 1), ("600D", 2)], 10.0)
        (kept,) = damaged(tmp_path)
        assert kept.read_bytes() == spoiled
        async with bench.running(config) as hub:  # the new one stands
            home = await hub.home()
            assert not any("damaged" in alarm for alarm in home.alarms)
            assert home.card("600D") is not None


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as store, store:
        store.execute("CREATE TABLE alembic_version (version_num TEXT)")
        store.execute("INSERT INTO alembic_version VALUES ('9999')")


def another(path: Path) -> None:
    with closing(sqlite3.connect(path)) as store, store:
        store.execute("CREATE TABLE recipes (name TEXT)")


@pytest.mark.parametrize(
    ("make", "wanted", "said"),
    [
        (newer, EXIT_CONFIGURATION, "has revision '9999', but this version knows only up to"),
        (another, EXIT_ERROR, "an SQLite file, but not of this software"),
    ],
)
async def test_a_store_that_is_not_ours_to_touch(
    bench: Bench, tmp_path: Path, make: Callable[[Path], None], wanted: int, said: str
) -> None:
    store = tmp_path / "hems.db"
    make(store)
    before = store.read_bytes()
    path = tmp_path / "hems.toml"
    path.write_text(bench.config("https://127.0.0.1:9/dcap"), encoding="utf-8")
    code, out, error = await run_to_end("run", "--config", str(path), cwd=tmp_path)
    assert (code, out) == (wanted, "")
    assert error.startswith(f"hems: {store}: ")
    assert error.count("\n") == 1
    assert said in error
    assert store.read_bytes() == before
    assert not damaged(tmp_path)


@pytest.mark.parametrize("make", [garbage, another])
async def test_a_head_end_whose_database_cannot_be_used(
    pki: Pki, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    database = tmp_path / "headend.db"
    make(database)
    before = database.read_bytes()
    path = tmp_path / "headend.toml"
    path.write_text(
        f'database = "headend.db"\n'
        f'certificate = "{pki.identity("utility").certificate}"\n'
        f'key = "{pki.identity("utility").key}"\n'
        f'roots = "{pki.trust.roots}"\ncrls = "{pki.trust.crls}"\ntoken_file = "token"\n',
        encoding="utf-8",
    )
    code, out, error = await run_to_end("headend", "run", "--config", str(path), cwd=tmp_path)
    assert (code, out) == (1, "")
    assert error.startswith("hems: ")
    assert error.count("\n") == 1
    assert "headend.db" in error
    assert database.read_bytes()[100:] == before[100:]  # the header may say how it was looked at
