"""From each schema that a store ever had to the present one, plain and encrypted, whole.

Every revision counts as released. A file of each is made by the revisions themselves and gets rows
in all of its tables, by what the tables say of themselves; the power goes at each statement on the
way to the present revision.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, event

import hems
from certs.keys.store import KeyStore
from hems.clock import SystemClock
from hems.store.cipher import Shape, StoreFile, StoreKey, opened, shape
from hems.store.errors import StoreNewerError
from hems.store.key_file import key_path, seal_key
from hems.store.migrate import changing
from hems.store.opening import make_ready
from hems.store.schema import REVISIONS
from hems.store.sqlite import read_revision
from hems.store.store import open_store
from tests.stored import execute, key_of

pytestmark = pytest.mark.requirement("LC-TEST", "PRV-INTEGRITY")

CLOCK = SystemClock()
ROWS = 3
OWN = {"alembic_version", "sqlite_sequence"}

Rows = Counter[tuple[tuple[str, object], ...]]


def released(path: Path, revision: str, *, sealed: bool) -> None:
    """Make a store of a revision, with rows in each table."""
    key = None
    if sealed:
        key = StoreKey.make()
        seal_key(path, key_path(path), key, KeyStore())
    config = Config()
    folder = Path(hems.__file__).parent / "store" / "migrations"
    config.set_main_option("script_location", str(folder))
    with changing(path, key) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    path.chmod(0o600)
    for table in tables(path, key):
        fill(path, key, table)


def tables(path: Path, key: StoreKey | None) -> list[str]:
    with opened(StoreFile(path, key)) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
        return [str(name) for (name,) in rows if name not in OWN]


def fill(path: Path, key: StoreKey | None, table: str) -> None:
    with opened(StoreFile(path, key)) as connection:
        columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
        places = ", ".join("?" for _ in columns)
        for number in range(1, ROWS + 1):
            values = tuple(value(str(c[1]), str(c[2]), number) for c in columns)
            connection.execute(f"INSERT INTO {table} VALUES ({places})", values)  # noqa: S608 - a table's own name


def value(name: str, kind: str, number: int) -> object:
    """Return something for a column that is another in each row."""
    match kind.split("(", maxsplit=1)[0]:
        case "INTEGER" | "BIGINT":
            return number
        case "BOOLEAN":
            return number % 2
        case "FLOAT" | "REAL":
            return number + 0.5
        case "BLOB":
            return name.encode() + bytes([number])
    return f"{name} {number}"


def rows(path: Path, key: StoreKey | None, table: str, columns: list[str]) -> Rows:
    with opened(StoreFile(path, key)) as connection:
        listed = ", ".join(columns)
        found = connection.execute(f"SELECT {listed} FROM {table}")  # noqa: S608 - a table's own name
        return Counter(tuple(zip(columns, row, strict=True)) for row in found)


def columns_of(path: Path, key: StoreKey | None, table: str) -> list[str]:
    with opened(StoreFile(path, key)) as connection:
        return [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]


def everything(path: Path) -> dict[str, tuple[list[str], Rows]]:
    key = key_of(path)
    found = {}
    for table in tables(path, key):
        columns = columns_of(path, key, table)
        found[table] = (columns, rows(path, key, table, columns))
    return found


def still_there(path: Path, before: dict[str, tuple[list[str], Rows]]) -> None:
    """See that each row is as it was, in the columns that it had."""
    key = key_of(path)
    assert read_revision(path, key) == REVISIONS[-1]
    for table, (columns, wanted) in before.items():
        if table == "quarters_owed":
            continue  # a list of what is to be done, which is done
        assert rows(path, key, table, columns) == wanted, table


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "encrypted"])
@pytest.mark.parametrize("revision", REVISIONS)
async def test_all_that_a_store_of_any_release_holds_is_there_under_the_present_one(
    path: Path, revision: str, sealed: bool
) -> None:
    released(path, revision, sealed=sealed)
    before = everything(path)
    assert len(before) >= 7
    assert all(len(found) == ROWS for _, found in before.values())
    store = await open_store(path, CLOCK)
    await store.close()
    assert shape(path) is Shape.SEALED
    still_there(path, before)


def killed_at(path: Path, statement: int) -> bool:
    """Open a store in a process that the power leaves at a statement; whether it came so far."""
    child = os.fork()
    if child == 0:
        seen = 0

        def count(*_: object) -> None:
            nonlocal seen
            seen += 1
            if seen == statement:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(Engine, "before_cursor_execute", count)
        try:
            make_ready(path, KeyStore())
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "encrypted"])
def test_the_power_may_go_at_each_statement_on_the_way(tmp_path: Path, sealed: bool) -> None:
    """Each time another file of the first revision; it is then opened by a start in peace."""
    statement, came = 1, True
    while came:
        path = tmp_path / f"{statement}" / "hems.db"
        path.parent.mkdir()
        released(path, REVISIONS[0], sealed=sealed)
        before = everything(path)
        came = killed_at(path, statement)
        make_ready(path, KeyStore())
        still_there(path, before)
        statement += 7 if came else 0
    assert statement > 50, "hardly any statement was seen: nothing is shown"


def halfway(path: Path) -> None:
    following = f"{int(REVISIONS[-1]) + 1:04}"
    execute(path, "UPDATE alembic_version SET version_num = ?", (following,))


def unknown(path: Path) -> None:
    execute(path, "UPDATE alembic_version SET version_num = 'zebra'")


@pytest.mark.parametrize("newer", [halfway, unknown])
async def test_a_store_of_a_later_release_is_refused_in_one_sentence_and_left(
    path: Path, newer: Callable[[Path], None]
) -> None:
    released(path, REVISIONS[-1], sealed=True)
    newer(path)
    before = everything(path)
    with pytest.raises(StoreNewerError, match="a newer version wrote it") as told:
        await open_store(path, CLOCK)
    assert "\n" not in str(told.value)
    assert everything(path) == before
