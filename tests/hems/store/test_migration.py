"""A store's file of the first revision, with rows in it, at work under the present one."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

import hems
from hems.clock import SystemClock
from hems.sep2.book.ledger import EventRow, ResponseRow
from hems.store.store import open_store

ROOT = Path(hems.__file__).parents[1]
CLOCK = SystemClock()
HOME = "3E" * 20

EVENTS = """
    INSERT INTO events VALUES
    ('utility', '0A', 'DERControl', 'P', 'Peak', 1, 0, x'00ff', -17, 4, 3, 'started', 1, 60.5, 5),
    ('utility', '0D', 'DefaultDERControl', 'P', 'Peak', 1, 1, x'01', 0, 0, 0, 'default', 0, 0, 6)
"""
RESPONSES = """
    INSERT INTO responses VALUES
    (3, '0A', ?, 1, '', 100, '/rsp', 'DERControlResponse', '/rsp/7'),
    (4, '0A', ?, 2, 'opModImpLimW', 101, '/rsp', 'DERControlResponse', NULL),
    (9, '0F', ?, 253, '', 102, '/rsp', 'DrResponse', NULL)
"""
STARTED = EventRow(
    mrid="0A",
    server="utility",
    kind="DERControl",
    program="P",
    program_name="Peak",
    primacy=1,
    mandatory=False,
    body=b"\x00\xff",
    draw_start_s=-17,
    draw_duration_s=4,
    draw_cancel_s=3,
    phase="started",
    opted_out=True,
    baseline_w=60.5,
    lfdi=HOME,
)
OWED = [
    ResponseRow("0A", HOME, 2, "opModImpLimW", 101, "/rsp", "DERControlResponse", server="utility"),
    ResponseRow("0F", HOME, 253, "", 102, "/rsp", "DrResponse", server="utility"),
]


def move(path: Path, *revisions: str) -> None:
    """Bring a file to each revision in turn; "-1" takes back the last one."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "hems" / "store" / "migrations"))
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        for revision in revisions:
            step = command.downgrade if revision == "-1" else command.upgrade
            step(config, revision)


def first_revision(path: Path, *, responses: bool) -> None:
    move(path, "0001")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(EVENTS)
        if responses:
            connection.execute(RESPONSES, (HOME, HOME, HOME))


@pytest.mark.requirement("PRO-2030.5")
async def test_events_and_owed_responses_of_the_first_revision_go_on(path: Path) -> None:
    first_revision(path, responses=True)
    store = await open_store(path, CLOCK)
    events = {row.mrid: row for row in await store.ledger.events()}
    assert events["0A"] == STARTED
    assert (events["0D"].phase, events["0D"].lfdi) == ("default", HOME)
    assert list(await store.ledger.unposted("utility")) == OWED
    await store.ledger.save([], [ResponseRow("0A", HOME, 1, "", 9, "/", "x", server="utility")])
    assert list(await store.ledger.unposted("utility")) == OWED, "posted before the migration"
    await store.close()


async def test_events_that_nobody_answered_are_the_home_s_once_it_claims_them(path: Path) -> None:
    first_revision(path, responses=False)
    store = await open_store(path, CLOCK)
    rows = await store.ledger.events()
    assert [row.lfdi for row in rows] == ["", ""]
    await store.ledger.save([STARTED], [])
    assert [(r.mrid, r.lfdi) for r in await store.ledger.events()] == [("0D", ""), ("0A", HOME)]
    await store.close()


def test_the_second_revision_can_be_taken_back(path: Path) -> None:
    first_revision(path, responses=True)
    before = contents(path)
    move(path, "0002", "-1")
    assert contents(path) == before


def contents(path: Path) -> list[object]:
    with closing(sqlite3.connect(path)) as connection:
        return [
            connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()  # noqa: S608 - a constant
            for table in ("events", "responses")
        ]
