"""The crash program at small size, and that its eyes see what is wrong."""

import logging
import os
import random
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from sys import exc_info
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.clock import SystemClock
from hems.commands.child import Child
from hems.logs import LineFormatter
from hems.sep2.book.ledger import EventRow, ResponseRow
from hems.store.cipher import PAGE
from hems.store.store import open_store
from tests.crash.__main__ import run
from tests.crash.cuts import Cuts, contents, try_cuts
from tests.crash.home import KilledHome, Told
from tests.crash.said import faults_in
from tests.crash.verdict import Found, all_said, look
from tests.crash.wal import FRAME, HEADER, read_wal
from tests.stored import execute, looked_into

pytestmark = pytest.mark.requirement("LC-TEST", "PRO-2030.5")

CLOCK = SystemClock()
WISH = '{"power_w": 700.0, "until": 9e9}'


async def written(path: Path, mrids: str) -> None:
    """Make a store in which these events were received and started, and a wish confirmed."""
    store = await open_store(path, CLOCK)
    for mrid in mrids:
        event = EventRow(mrid, "s", "DERControl", "p", "n", 1, False, b"x", 0, 0, 0, "started")
        said = [
            ResponseRow(mrid, "L", code, "", 1, "/rsp", "DERControlResponse", server="s")
            for code in (1, 2)
        ]
        await store.ledger.save([event], said)
    await store.settings.put("wish battery", WISH)
    await store.close()


def seen(store: Path, codes: list[tuple[str, int]], told: Told, scratch: Path) -> Found:
    """Return what is found of a store, where the utility got these codes."""
    found = Found()
    utility = SimpleNamespace(codes=codes)
    home = SimpleNamespace(store=store, utility=utility, told=told, folder=store.parent)
    look(cast("KilledHome", home), found, scratch)
    return found


SPOILT = {
    "nothing": ("SELECT 1", []),
    "an event": ("DELETE FROM events WHERE mrid = 'A'", ["event A", "event A"]),
    "a response": ("DELETE FROM responses WHERE status = 2", ["response ('A', 2)"]),
    "a wish": ("DELETE FROM settings WHERE name LIKE 'wish%'", ["wish 700.0 (then []): []"]),
}


@pytest.mark.parametrize("what", SPOILT)
async def test_what_does_not_stand_is_seen(tmp_path: Path, what: str) -> None:
    path = tmp_path / "hems.db"
    await written(path, "A")
    statement, lost = SPOILT[what]
    execute(path, statement)
    found = seen(path, [("A", 1), ("A", 2)], Told(wish_w=700.0), tmp_path / "copy")
    assert found.lost == lost
    assert found.well is not bool(lost)


async def test_a_wish_that_was_not_confirmed_may_stand_and_a_third_may_not(tmp_path: Path) -> None:
    path = tmp_path / "hems.db"
    await written(path, "A")
    assert seen(path, [], Told(wish_w=1.0, tried_w={700.0, 2.0}), tmp_path / "copy").well
    assert not seen(path, [], Told(wish_w=1.0, tried_w={2.0}), tmp_path / "copy").well


@pytest.mark.parametrize(
    ("file", "well"),
    [
        ("[peak]\nlimit = 21000.0\n", True),
        ('[peak]\nlimit = "21001 W"\n', True),
        ("[peak]\nlimit = 20000.0\n", False),
        ("[peak]\nlim", False),
        ("", False),
        (None, False),
    ],
)
async def test_a_setting_that_does_not_stand_is_seen(
    tmp_path: Path, file: str | None, well: bool
) -> None:
    path = tmp_path / "hems.db"
    await written(path, "A")
    if file is not None:
        (tmp_path / "settings.toml").write_text(file)
    told = Told(limit_w=21_000.0, tried_limit_w={21_001.0})
    assert seen(path, [], told, tmp_path / "copy").well is well


async def test_what_the_page_was_refused_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "hems.db"
    await written(path, "A")
    told = Told(refused=["/api/settings: 403"])
    assert not seen(path, [], told, tmp_path / "copy").well
    assert seen(path, [], told, tmp_path / "copy").well, "and told once"


def test_a_run_in_which_nothing_came_about_is_not_well() -> None:
    found = Found()
    assert found.well
    found.check_shown()
    assert len(found.wrong) == 8
    assert not found.well


async def test_a_response_that_comes_twice_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "hems.db"
    await written(path, "A")
    found = seen(path, [("A", 1), ("A", 2), ("A", 1)], Told(), tmp_path / "copy")
    assert found.doubled == ["A: 1"]
    assert not found.well


@pytest.mark.parametrize(
    ("codes", "good"),
    [
        ([("A", 1), ("A", 2), ("A", 6), ("B", 1), ("B", 2)], True),
        ([("A", 1), ("A", 2), ("A", 7), ("B", 1), ("B", 2)], True),
        ([("A", 1), ("A", 6), ("A", 7), ("B", 1), ("B", 2)], False),
        ([("B", 1), ("B", 2)], True),
        ([("A", 1), ("B", 1), ("B", 2)], False),
        ([("A", 1), ("A", 6), ("B", 1)], False),
        ([], False),
    ],
)
def test_all_is_said_where_each_known_event_has_its_end(
    codes: list[tuple[str, int | None]], good: bool
) -> None:
    told = Told(events=["A", "B"], listed="B", over={"A"})
    assert all_said(told, Counter(codes)) is good


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.data())
@settings(max_examples=30)
def test_a_log_cut_anywhere_is_read_as_sqlite_reads_it(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], data: st.DataObject
) -> None:
    """The oracle is SQLite itself: how many transactions it finds in a copy that was cut."""
    folder = tmp_path_factory.mktemp("wal")
    path, log = folder / "a.db", folder / "a.db-wal"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute(f"PRAGMA page_size={PAGE}")
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("PRAGMA wal_autocheckpoint=0")
        writer.execute("CREATE TABLE t (n INTEGER, body BLOB)")
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for number, size in enumerate(sizes):
            writer.execute("INSERT INTO t VALUES (?, ?)", (number, bytes(size * 500)))
        base, content = path.read_bytes(), log.read_bytes()
    path.write_bytes(base)
    log.write_bytes(content)
    found = read_wal(path, PAGE)
    assert len(found.commits) == len(sizes)
    assert (found.commits[-1] - HEADER) % (FRAME + PAGE) == 0
    offset = data.draw(st.integers(0, len(content)))
    log.write_bytes(content[:offset])
    with closing(sqlite3.connect(path)) as reader:
        (count,) = reader.execute("SELECT count(*) FROM t").fetchone()
    assert count == sum(end <= offset for end in found.commits)


@pytest.mark.parametrize("done", [0, 1, 3, 5])
def test_what_a_checkpoint_has_copied_was_on_the_disk_and_is_not_cut(
    tmp_path: Path, done: int
) -> None:
    """A cut before it, which no power cut makes, would mix the states of two transactions."""
    path, log = tmp_path / "a.db", tmp_path / "a.db-wal"
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as writer,
        closing(sqlite3.connect(path, isolation_level=None)) as reader,
    ):
        writer.execute(f"PRAGMA page_size={PAGE}")
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("PRAGMA wal_autocheckpoint=0")
        writer.execute("CREATE TABLE t (n INTEGER, body BLOB)")
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for number in range(5):
            writer.execute("INSERT INTO t VALUES (?, randomblob(9000))", (number,))
            if number + 1 == done:
                reader.execute("BEGIN")  # so the log goes on, where else it would begin anew
                reader.execute("SELECT count(*) FROM t").fetchall()
                writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
        base, content = path.read_bytes(), log.read_bytes()
    path.write_bytes(base)
    log.write_bytes(content)
    found = read_wal(path, PAGE)
    assert len(found.commits) == 5
    assert found.synced == (found.commits[done - 1] if done else 0)
    for offset in (found.synced, found.synced + FRAME, found.size):
        log.write_bytes(content[:offset])
        with closing(sqlite3.connect(path)) as seen:
            assert seen.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            (count,) = seen.execute("SELECT count(*) FROM t").fetchone()
            assert count == max(done, sum(end <= offset for end in found.commits))
        path.write_bytes(base)


async def test_cuts_of_a_store_in_order_find_nothing_wrong_and_a_lie_is_seen(
    tmp_path: Path,
) -> None:
    path, rng, found = tmp_path / "home" / "hems.db", random.Random(3), Cuts()  # noqa: S311 - draws
    path.parent.mkdir()
    await written(path, "ABCDEFGH")
    with looked_into(path) as held:  # whoever keeps it open keeps the log there
        held.execute("SELECT count(*) FROM events").fetchall()
        execute(path, "INSERT INTO settings VALUES ('of the log', 'alone')")
        for _ in range(4):
            await try_cuts(path, rng, tmp_path / "copy", found)
    assert found.wrong == []
    assert set(found.tried) == {"log", "sectors", "pages", "file"}
    before = contents(path)
    execute(path, "DELETE FROM settings WHERE name = 'of the log'")
    after = contents(path)
    assert {name for name in before if before[name] != after[name]} == {"settings"}


@pytest.mark.timeout(300)
async def test_a_home_killed_three_times_forgets_and_doubles_nothing(tmp_path: Path) -> None:
    found = await run(tmp_path, points=3, seed=7)
    assert found.well, found.figures()
    assert found.points == 3


def test_a_fault_in_the_log_is_seen_as_the_hub_writes_it() -> None:
    form = LineFormatter("%(levelname)s %(name)s %(message)s")
    try:
        int("a fault")
    except ValueError:
        record = logging.LogRecord("hems", logging.ERROR, "", 0, "a task ended", None, exc_info())
    assert list(faults_in(form.format(record))) == [
        "ERROR hems a task ended: ValueError: invalid literal for int() with base 10: 'a fault'"
    ]
    said = logging.LogRecord("hems", logging.INFO, "", 0, "Traceback (most recent", None, None)
    assert not list(faults_in(form.format(said)))
    plain = "Traceback (most recent call last):\n  File x\nValueError: at its very start\n"
    assert len(list(faults_in(plain))) == 1


def test_what_was_heard_of_a_log_is_not_told_twice(tmp_path: Path) -> None:
    log = tmp_path / "hub.log"
    of_it = SimpleNamespace(hub=SimpleNamespace(log=log), faults=[], _heard=0)
    home = cast("KilledHome", of_it)
    for number in range(2):
        with log.open("a") as file:
            file.write(f"ERROR hems fault {number}\n    Traceback (most recent call last):\n")
            file.write("    OSError: gone\n")
        KilledHome.hear(home)
    assert home.faults == ["ERROR hems fault 0: OSError: gone", "ERROR hems fault 1: OSError: gone"]


@pytest.mark.parametrize(("command", "ends"), [(["true"], True), (["sleep", "60"], False)])
async def test_a_hub_that_ends_by_itself_is_seen(
    tmp_path: Path, command: list[str], ends: bool
) -> None:
    hub = Child("hub", command, log=tmp_path / "hub.log", ready=tmp_path / "ready.json")
    await hub.start()
    if ends:
        await hub.wait()
    of_it = SimpleNamespace(hub=hub, faults=[], hear=lambda: None, _disk=None)
    await KilledHome.die(cast("KilledHome", of_it), power=False)
    assert bool(of_it.faults) is ends


@pytest.mark.deep
@pytest.mark.timeout(1200)
@pytest.mark.skipif(os.geteuid() != 0, reason="a disk's power is cut by root only")
async def test_a_home_killed_twenty_times_forgets_and_doubles_nothing(tmp_path: Path) -> None:
    found = await run(tmp_path, points=20, seed=11)
    assert found.well, found.figures()
    found.check_shown()
    assert found.well, found.figures()
