"""Opening a store's file in every state it can be in, and losing power while writing."""

import os
import signal
import stat
import subprocess
import sys
import traceback
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

import hems
from hems.clock import SystemClock
from hems.sep2.book.ledger import EventRow
from hems.store.errors import StoreBusyError, StoreCorruptError, StoreError, StoreNewerError
from hems.store.history import Sample
from hems.store.key_file import key_path
from hems.store.migrate import make, migrate
from hems.store.schema import REVISIONS, metadata
from hems.store.sqlite import read_revision, set_aside
from hems.store.store import open_store
from tests.stored import execute, key_of, looked_into

ROOT = Path(hems.__file__).parents[1]
CLOCK = SystemClock()


INSERT_EVENT = """
    INSERT INTO events VALUES
    ('s', ?, 'k', 'p', 'n', 1, 0, zeroblob(900), 0, 0, 0, 'received', 0, 0, 1,
     'L', 0, 0, 0, x'', 0, NULL, '')
"""


def read(path: Path) -> bytes:
    return path.read_bytes()


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


async def test_a_new_file_is_private_in_wal_mode_and_of_the_present_revision(path: Path) -> None:
    store = await open_store(path.parent / "new" / "hems.db", CLOCK)
    await store.settings.put("a", "b")
    file = path.parent / "new" / "hems.db"
    for made in file.parent.iterdir():
        assert stat.S_IMODE(made.stat().st_mode) == 0o600, made
    await store.close()
    assert execute(file, "PRAGMA journal_mode") == [("wal",)]
    assert read_revision(file, key_of(file)) == REVISIONS[-1]


async def test_the_ledger_is_durable_and_the_history_need_not_be(path: Path) -> None:
    store = await open_store(path, CLOCK)
    async with store._database.ledger() as connection:
        assert (await connection.execute(text("PRAGMA synchronous"))).scalar() == 2
    async with store._database.history() as connection:
        assert (await connection.execute(text("PRAGMA synchronous"))).scalar() == 1
    await store.close()
    await store.close()


async def test_an_event_never_waits_for_the_log_to_be_written_back(path: Path) -> None:
    """Who writes the history, which nobody waits for, writes it back into the file."""
    store = await open_store(path, CLOCK)
    size = len(read(path))
    event = EventRow(
        "A", "s", "DERControl", "p", "n", 1, False, bytes(250_000), 0, 0, 0, "received"
    )
    for number in range(40):
        await store.ledger.save([replace(event, mrid=f"{number}")], [])
    assert len(read(path)) == size
    await store.history.append([Sample(1.0, "pv", -1.0)])
    assert len(read(path)) > size
    await store.close()


def test_the_migrations_make_the_tables_and_the_constant_names_their_head(path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "hems" / "store" / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    assert tuple(s.revision for s in reversed(list(scripts.walk_revisions()))) == REVISIONS
    migrate(path, None)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_a_file_made_anew_is_what_the_migrations_make(path: Path) -> None:
    made = path.with_name("made.db")
    make(made, None)
    migrate(path, None)

    def shape(file: Path) -> dict[str, object]:
        tables = execute(file, "SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            str(name): (
                sorted(
                    (*row[1:5], bool(row[5])) for row in execute(file, f"PRAGMA table_info({name})")
                ),
                sorted(row[2:] for row in execute(file, f"PRAGMA index_list({name})")),
            )
            for (name,) in tables
        }

    assert shape(made) == shape(path)
    assert read_revision(made, None) == read_revision(path, None)


@pytest.mark.parametrize("new", [True, False])
def test_a_start_without_migration_does_not_import_alembic(path: Path, new: bool) -> None:
    if not new:
        migrate(path, None)
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from hems.clock import SystemClock\n"
        "from hems.store.store import open_store\n"
        "async def main():\n"
        "    await (await open_store(Path(sys.argv[1]), SystemClock())).close()\n"
        "asyncio.run(main())\n"
        "sys.exit('alembic' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, cwd=ROOT, timeout=60)


async def test_a_newer_file_is_refused_and_left(path: Path) -> None:
    await (await open_store(path, CLOCK)).close()
    execute(path, "UPDATE alembic_version SET version_num = '9999'")
    before = read(path)
    with pytest.raises(StoreNewerError, match=r"hems\.db: has revision '9999'.*newer version"):
        await open_store(path, CLOCK)
    assert read(path) == before


async def test_another_program_s_file_is_refused_and_left(path: Path) -> None:
    execute(path, "CREATE TABLE songs (title TEXT)")
    before = read(path)
    with pytest.raises(StoreError, match="not of this software"):
        await open_store(path, CLOCK)
    assert read(path) == before
    assert not key_path(path).exists()


@pytest.mark.parametrize("where", ["header", "middle", "cut"])
async def test_a_damaged_file_is_named_kept_and_replaced(path: Path, where: str) -> None:
    await (await open_store(path, CLOCK)).close()
    for number in range(200):
        execute(path, INSERT_EVENT, (str(number),))
    whole = read(path)
    damaged = {
        "header": b"this is not a database" + whole[22:],
        "middle": whole[:8192] + os.urandom(len(whole) - 12288) + whole[-4096:],
        "cut": whole[: len(whole) // 2],
    }[where]
    write(path, damaged)
    with pytest.raises(StoreCorruptError, match=r"hems\.db: the file is damaged"):
        await open_store(path, CLOCK)
    kept = set_aside(path, 1_800_000_000.0)
    assert kept.name == "hems.db.damaged-20270115T080000Z"
    assert read(kept) == damaged
    store = await open_store(path, CLOCK)
    assert list(await store.ledger.events()) == []
    await store.close()
    assert set_aside(path, 1_800_000_000.0).name == "hems.db.damaged-20270115T080000Z-2"
    assert read(kept) == damaged


async def test_a_history_that_is_damaged_while_open_leaves_the_ledger(path: Path) -> None:
    store = await open_store(path, CLOCK)
    await store.history.append([Sample(float(second), "pv", -1.0) for second in range(20_000)])
    await store.close()
    (root_page,) = execute(path, "SELECT rootpage FROM sqlite_master WHERE name = 'samples'")[0]
    assert isinstance(root_page, int)
    with path.open("r+b") as file:
        file.seek((root_page - 1) * 4096)
        file.write(b"\xff" * 4096)
    store = await open_store(path, CLOCK)
    with pytest.raises(StoreCorruptError):
        await store.history.history(0, 600, 10)
    assert list(await store.ledger.events()) == []
    await store.close()


@pytest.mark.parametrize("begin", [0, 4096])
@pytest.mark.parametrize("log_too", [True, False])
async def test_a_file_that_is_written_over_under_an_open_store_is_an_error_of_the_store(
    path: Path, begin: int, log_too: bool
) -> None:
    """SQLCipher says of some such pages that there is no memory; nobody waits for that."""
    store = await open_store(path, CLOCK)
    for number in range(50):
        execute(path, INSERT_EVENT, (str(number),))
    await store.settings.put("a", "b")
    for file, first in ((path, begin), (path.with_name("hems.db-wal"), 0)):
        if file == path or log_too:
            write(file, read(file)[:first] + b"\xa5" * (len(read(file)) - first))
    told: list[str] = []
    for number in range(20):
        for use in (
            store.ledger.events(),
            store.settings.put(str(number), "c" * 5000),
            store.history.append([Sample(float(number), "pv", 1.0)]),
        ):
            try:
                await use
            except StoreError as error:
                told.append(str(error))
    assert told
    assert all("hems.db: " in each for each in told)
    await store.close()


async def test_a_folder_or_a_path_below_a_file_is_named(path: Path) -> None:
    with pytest.raises(StoreError, match="not a file"):
        await open_store(path.parent, CLOCK)
    write(path, b"")
    with pytest.raises(StoreError, match="cannot be made"):
        await open_store(path / "hems.db", CLOCK)


async def test_a_file_that_another_process_locks_is_named(path: Path) -> None:
    store = await open_store(path, CLOCK)
    await store.settings.put("a", "1")
    async with store._database.ledger() as connection:
        await connection.execute(text("PRAGMA busy_timeout=50"))
    with looked_into(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError, match="another process keeps it locked"):
            await store.settings.put("a", "2")
        other.execute("ROLLBACK")
    await store.settings.put("a", "3")
    assert await store.settings.all() == {"a": "3"}
    await store.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from hems.clock import SystemClock
from hems.sep2.book.ledger import EventRow, ResponseRow
from hems.store.store import open_store

async def main():
    store = await open_store(Path(sys.argv[1]), SystemClock())
    for n in range(1_000_000):
        mrid = f"{n:032X}"
        event = EventRow(
            mrid, "s", "DERControl", "p", "n", 1, False, bytes(3000), 0, 0, 0, "received"
        )
        response = ResponseRow(mrid, "L", 1, "", n, "/rsp", "DERControlResponse", server="s")
        await store.ledger.save([event], [response])
        print(n, flush=True)

asyncio.run(main())
"""


def write_until_killed(path: Path, acknowledged: int) -> int:
    """Kill a writer once it has acknowledged so many; return the last number it acknowledged."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            last = int(line)
            if last >= acknowledged:
                break
        writer.send_signal(signal.SIGKILL)
        return max([last, *map(int, writer.stdout.read().split())])


@pytest.mark.parametrize("acknowledged", [0, 7, 150])
async def test_what_was_acknowledged_survives_sigkill_whole(path: Path, acknowledged: int) -> None:
    last = write_until_killed(path, acknowledged)
    store = await open_store(path, CLOCK)
    events = [int(event.mrid, 16) for event in await store.ledger.events()]
    owed = [int(response.subject, 16) for response in await store.ledger.unposted("s")]
    await store.close()
    assert sorted(events) == owed == list(range(len(owed)))
    assert len(owed) in (last + 1, last + 2)  # one may have been on its way to its print


async def test_no_error_says_what_was_to_be_written(path: Path) -> None:
    """Errors come into logs."""
    store, who = await open_store(path, CLOCK), "Ada Lovelace"
    with pytest.raises(StoreError) as told:
        async with store._database.ledger() as connection:
            await connection.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": who})
    await store.close()
    assert who not in "".join(traceback.format_exception(told.value))
