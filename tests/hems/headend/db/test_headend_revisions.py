"""From each schema that a head-end ever had to the present one, on either database, whole."""

import asyncio
import logging
import os
import re
import signal
import sqlite3
from collections import Counter
from contextlib import closing

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, event
from sqlalchemy.exc import IntegrityError

from hems.headend.db import slices
from hems.headend.db.schema import COUNTED, REVISIONS
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from tests.hems.headend.conftest import Operator
from tests.hems.headend.db.former import (
    KINDS,
    RELEASED,
    ROWS,
    Places,
    Rows,
    Where,
    everything,
    execute,
    in_child,
    inside,
    make,
    start,
    still_there,
)

pytestmark = pytest.mark.requirement("LC-TEST", "PRV-INTEGRITY")

FORMER = sorted(path.name.split(".")[:2] for path in RELEASED.glob("*.sql"))


def test_former_versions_are_all_that_were_counted() -> None:
    assert FORMER == [
        ["1", "sqlite"], ["2", "sqlite"], ["3", "postgresql"], ["3", "sqlite"],
        ["4", "postgresql"], ["4", "sqlite"],
    ]  # fmt: skip
    assert f"{COUNTED:04}" in REVISIONS.known


def test_the_list_of_revisions_is_that_of_the_folder() -> None:
    files = sorted((REVISIONS.folder / "versions").glob("r*.py"))
    assert tuple(path.name[1:5] for path in files) == REVISIONS.known
    for path, former in zip(files, [None, *REVISIONS.known], strict=False):
        text = path.read_text(encoding="utf-8")
        assert f'revision = "{path.name[1:5]}"' in text
        follows = "None" if former is None else f'"{former}"'
        assert f"down_revision = {follows}\n" in text


@pytest.mark.parametrize(("version", "kind"), FORMER)
def test_all_that_a_former_version_held_is_there_and_its_tables_are_as_new_ones(
    places: Places, version: str, kind: str
) -> None:
    where = places.former(kind, int(version))
    before = everything(where)
    assert len(before) >= 9
    assert all(len(rows) == ROWS for _, rows in before.values())
    start(where)
    still_there(where, before)
    new = places.new(kind)
    start(new)
    assert inside(where, shape) == inside(new, shape)


def shape(connection: sa.Connection) -> dict[str, object]:
    """Return each table's columns, keys and indexes; SQLite's names of one kind as one."""
    found = sa.inspect(connection)
    return {
        table: (
            {
                column["name"]: (kind(column["type"]), column["nullable"], default(column))
                for column in found.get_columns(table)
            },
            found.get_pk_constraint(table)["constrained_columns"],
            sorted(each["column_names"] for each in found.get_unique_constraints(table)),
            sorted(
                (str(each["name"]), each["column_names"], where(each))
                for each in found.get_indexes(table)
                if not each.get("duplicates_constraint")
            ),
        )
        for table in found.get_table_names()
    }


def kind(of: object) -> str:
    return {"BIGINT": "INTEGER", "FLOAT": "DOUBLE"}.get(str(of), str(of))


def default(column: sa.engine.interfaces.ReflectedColumn) -> str:
    """Return what stands where nothing is said, but for a number's own series."""
    return re.sub(r"^nextval.*", "next", str(column["default"]))


def where(index: sa.engine.interfaces.ReflectedIndex) -> str:
    options = index.get("dialect_options", {})
    return " ".join(str(each) for name, each in options.items() if name.endswith("where"))


def killed_at(where: Where, statement: int, of: str = "") -> bool:
    """Start a worker that the power leaves at a statement; whether it came so far."""

    def work() -> None:
        seen = 0

        def count(_connection: object, _cursor: object, text: str, *_: object) -> None:
            nonlocal seen
            seen += of in text
            if seen == statement:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(Engine, "before_cursor_execute", count)
        start(where)

    _, status = os.waitpid(in_child(work), 0)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("kind", KINDS)
def test_the_power_may_go_at_each_statement_on_the_way(places: Places, kind: str) -> None:
    statement, came = 1, True
    while came:
        where = places.former(kind, 3)
        before = everything(where)
        came = killed_at(where, statement)
        start(where)
        still_there(where, before)
        statement += 23 if came else 0
    assert statement > 70, "hardly any statement was seen: nothing is shown"


def test_a_long_table_goes_on_where_the_power_left_it(
    places: Places, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each slice is committed; what a former worker writes meanwhile is not forgotten."""
    monkeypatch.setattr(slices, "SLICE", 2)
    monkeypatch.setattr(slices, "SAY_EVERY_S", 0)
    url = places.former("postgresql", 3)
    insert = "INSERT INTO reading (id, meter, start, local_id, duration_s, value) VALUES"
    execute(url, f"{insert} (4, 9, 9, 'a', 900, 1), (5, 9, 9, 'b', 901, 1), (6, 9, 9, 'c', 902, 1)")
    assert killed_at(url, 3, of="UPDATE reading")
    partly = "SELECT count(duration_wide) FROM reading"
    assert execute(url, partly) == [(4,)]
    execute(url, f"{insert} (7, 9, 9, 'd', 903, 1)")
    before = everything(url)
    before["reading"] = without("duration_wide", *before["reading"])
    caplog.set_level(logging.INFO)
    start(url)
    still_there(url, before)
    assert re.search(r"reading: \d+ % of its rows are done", caplog.text)
    execute(url, f"{insert} (8, 9, 9, 'e', 5000000000, 1)")
    with pytest.raises(IntegrityError):
        execute(url, f"{insert} (9, 9, 9, 'f', NULL, 1)")


def without(column: str, columns: list[str], rows: Rows) -> tuple[list[str], Rows]:
    at = columns.index(column)
    kept = Counter((*row[:at], *row[at + 1 :]) for row in rows.elements())
    return [*columns[:at], *columns[at + 1 :]], kept


async def test_an_event_of_the_first_version_is_served(settings: HeadEndSettings) -> None:
    """Made by a head-end of today, and put into a file of the first version."""
    folder = settings.token_file.parent
    present, former = folder / "present.sqlite", folder / "former.sqlite"
    async with HeadEnd(settings.model_copy(update={"database": present})) as first:
        operator = Operator(first)
        ordered = await operator.event(limit_import_w=1500, minutes=10)
        await operator.aclose()
    await asyncio.to_thread(make, former, 1, rows=False)
    with closing(sqlite3.connect(former)) as file, file:
        columns = ", ".join(row[1] for row in file.execute("PRAGMA table_info(event)"))
        file.execute("ATTACH ? AS present", (str(present),))
        file.execute(f"INSERT INTO event SELECT {columns} FROM present.event")  # noqa: S608 - columns of our own
    async with HeadEnd(settings.model_copy(update={"database": former})) as second:
        operator = Operator(second)
        _, again = await operator.ask("GET", f"/events/{ordered['id']}")
        assert (again["asks"], again["ramp_s"]) == ({"limit_import_w": 1500.0}, None)
        assert (await operator.event(limit_import_w=1, minutes=1, ramp_s=3))["ramp_s"] == 3
        await operator.aclose()
