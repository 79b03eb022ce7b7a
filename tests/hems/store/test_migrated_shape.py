"""A file that grew revision by revision has what a new one has: each table, index and trigger."""

import re
from pathlib import Path

import pytest

from hems.store.cipher import DRIVER
from hems.store.migrate import make, migrate
from hems.store.schema import metadata
from tests.hems.store.test_migration import move
from tests.stored import execute

TABLES = sorted(metadata.tables)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file made at once."""
    path = tmp_path_factory.mktemp("made") / "hems.db"
    make(path, None)
    return path


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of the first revision, brought to the present one."""
    path = tmp_path_factory.mktemp("grown") / "hems.db"
    move(path, "0001")
    migrate(path, None)
    return path


def kinds(file: Path) -> list[tuple[str, str]]:
    """Return kind and name of all that a file's schema holds."""
    return execute(file, "SELECT type, name FROM sqlite_master ORDER BY 1, 2")


def plain(sql: str | None) -> str | None:
    """Return a statement without what neither changes nor means anything: blanks and quotes."""
    return None if sql is None else re.sub(r'[\s"]+', " ", sql).strip()


def columns(file: Path, table: str) -> list[tuple[object, ...]]:
    """Return a table's columns by name: type, NOT NULL, default, whether in the primary key."""
    return sorted((*row[1:5], bool(row[5])) for row in execute(file, f"PRAGMA table_info({table})"))


def indexes(file: Path, table: str) -> list[tuple[object, ...]]:
    """Return a table's indexes: uniqueness, origin, columns in order, and what they leave out.

    Of the primary key's own index the order does not count: a key that grew has the younger
    column last.
    """
    return sorted(
        (
            *row[2:],
            ordered(row[3], [at[2] for at in execute(file, f"PRAGMA index_info({row[1]})")]),
            *(
                plain(sql)
                for (sql,) in execute(
                    file, "SELECT sql FROM sqlite_master WHERE name = ? AND sql NOT NULL", (row[1],)
                )
            ),
        )
        for row in execute(file, f"PRAGMA index_list({table})")
    )


def ordered(origin: str, names: list[str]) -> list[str]:
    """Return an index's columns, as far as their order counts."""
    return sorted(names) if origin == "pk" else names


def triggers(file: Path, table: str) -> list[tuple[object, ...]]:
    """Return a table's triggers, word for word."""
    statement = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? ORDER BY 1"
    )
    return [(name, plain(sql)) for name, sql in execute(file, statement, (table,))]


def manner(file: Path, table: str) -> tuple[bool, ...]:
    """Return how a table counts and keeps its rows."""
    ((sql,),) = execute(
        file, "SELECT upper(sql) FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
    )
    return tuple(word in sql for word in ("AUTOINCREMENT", "WITHOUT ROWID", "STRICT"))


def test_both_hold_the_same_and_the_tables_are_those_of_the_schema(made: Path, grown: Path) -> None:
    assert kinds(grown) == kinds(made)
    named = {name for kind, name in kinds(made) if kind == "table"}
    assert named - {"alembic_version", "sqlite_sequence"} == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_grew_is_as_a_new_one(made: Path, grown: Path, table: str) -> None:
    assert columns(grown, table) == columns(made, table)
    assert indexes(grown, table) == indexes(made, table)
    assert triggers(grown, table) == triggers(made, table)
    assert manner(grown, table) == manner(made, table)


@pytest.mark.requirement("L1-TAMPER")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE security_log SET body = 'otherwise'",
        "UPDATE security_log SET at = 2",
        "UPDATE security_log SET link = x'02'",
        "DELETE FROM security_log",
    ],
)
@pytest.mark.parametrize("how", ["made", "grown"])
def test_either_refuses_to_change_the_security_log(
    tmp_path: Path, request: pytest.FixtureRequest, how: str, change: str
) -> None:
    file = tmp_path / "hems.db"
    file.write_bytes(request.getfixturevalue(how).read_bytes())
    execute(file, "INSERT INTO security_log VALUES (1, 1, 'what was', x'01', x'01')")
    with pytest.raises(DRIVER.IntegrityError, match="rows of the security log are not"):
        execute(file, change)
    assert execute(file, "SELECT body FROM security_log") == [("what was",)]
    execute(file, "UPDATE security_log SET body = NULL")
    assert execute(file, "SELECT seq, body FROM security_log") == [(1, None)]


def test_without_the_revision_s_triggers_the_comparison_fails(made: Path, tmp_path: Path) -> None:
    file = tmp_path / "hems.db"
    file.write_bytes(made.read_bytes())
    execute(file, "DROP TRIGGER security_log_stays")
    assert triggers(file, "security_log") != triggers(made, "security_log")
    assert kinds(file) != kinds(made)
