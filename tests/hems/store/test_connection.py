import asyncio
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError

from hems.store.connection import Connections
from hems.store.migrate import begin

_FAR = text(
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < :most)"
    " INSERT INTO t SELECT x FROM n"
)
"""Takes a while: long enough to be cancelled within."""
_A_WHILE = 300_000


@pytest.fixture
def connections(tmp_path: Path) -> Connections:
    return _connections(tmp_path / "a.db", 1)


def _connections(path: Path, most: int) -> Connections:
    engine = create_engine(
        f"sqlite:///{path}",
        pool_size=1,
        max_overflow=most - 1,
        pool_timeout=0.1,
        connect_args={"isolation_level": None, "check_same_thread": False},
    )
    event.listen(engine, "begin", begin)
    return Connections(engine, most)


async def _count(connections: Connections) -> int:
    async with connections.begin() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM t")))


async def _made(connections: Connections) -> None:
    async with connections.begin() as connection:
        await connection.execute(text("CREATE TABLE t (x INTEGER)"))


async def test_what_ended_well_stands_and_what_raised_does_not(connections: Connections) -> None:
    await _made(connections)
    async with connections.begin() as connection:
        added = await connection.change(
            text("INSERT INTO t VALUES (:x)"), [{"x": 1}, {"x": 2}, {"x": 3}]
        )
        assert added.rowcount == 3

    async def regret() -> None:
        async with connections.begin() as connection:
            await connection.execute(text("DELETE FROM t"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await regret()
    assert await _count(connections) == 3
    await connections.close()
    await connections.close()


async def test_rows_are_there_when_the_transaction_is_over(connections: Connections) -> None:
    await _made(connections)
    async with connections.begin() as connection:
        await connection.execute(text("INSERT INTO t VALUES (:x)"), [{"x": n} for n in range(500)])
        rows = await connection.execute(text("SELECT x FROM t ORDER BY x"))
        none = await connection.scalar(text("SELECT x FROM t WHERE x < 0"))
    async with connections.begin() as connection:
        await connection.execute(text("DELETE FROM t"))
    assert [row.x for row in rows] == list(range(500))
    assert none is None
    await connections.close()


async def test_rows_outlive_the_connection_that_they_came_by(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection that is one too many is closed as soon as it is given back."""
    connections = _connections(tmp_path / "a.db", 2)
    await _made(connections)
    async with connections.begin() as kept:
        await kept.execute(text("INSERT INTO t VALUES (7)"))
    async with connections.begin() as spare:
        rows = await spare.execute(text("SELECT x FROM t"))
        assert await _count(connections) == 1
    assert rows.all() == [(7,)]
    await connections.close()
    assert caplog.messages == []


async def test_a_statement_that_is_refused_leaves_a_connection_to_go_on_with(
    connections: Connections,
) -> None:
    await _made(connections)

    async def fail() -> None:
        async with connections.begin() as connection:
            await connection.execute(text("INSERT INTO t VALUES (1)"))
            await connection.execute(text("SELECT * FROM another"))

    for _ in range(3):
        with pytest.raises(OperationalError, match="no such table"):
            await fail()
    assert await _count(connections) == 0
    await connections.close()


@pytest.mark.parametrize("again", [1, 3])
async def test_who_is_cancelled_leaves_nothing_half_done(
    connections: Connections, again: int
) -> None:
    """Cancelled at any moment, while the statement still runs: it is undone, not left to itself."""
    await _made(connections)

    async def fill() -> None:
        async with connections.begin() as connection:
            await connection.execute(_FAR, {"most": _A_WHILE})

    for turns in range(12):
        task = asyncio.create_task(fill())
        for _ in range(turns):
            await asyncio.sleep(0)
        for _ in range(again):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await _count(connections) == 0
    await fill()
    assert await _count(connections) == _A_WHILE
    await connections.close()


async def test_a_statement_runs_beside_the_event_loop(connections: Connections) -> None:
    await _made(connections)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    turning = asyncio.create_task(turn())
    async with connections.begin() as connection:
        await connection.execute(_FAR, {"most": 10 * _A_WHILE})
    turning.cancel()
    assert turns > 2
    await connections.close()


@pytest.mark.parametrize("most", [1, 2])
async def test_who_finds_none_free_waits_for_its_turn(tmp_path: Path, most: int) -> None:
    """Many more than there are: neither refused nor for ever waiting on one another."""
    connections = _connections(tmp_path / "a.db", most)
    await _made(connections)
    at_once, seen = 0, 0

    async def look() -> None:
        nonlocal at_once, seen
        async with connections.begin() as connection:
            at_once += 1
            seen = max(seen, at_once)
            for _ in range(3):
                await connection.scalar(text("SELECT count(*) FROM t"))
                await asyncio.sleep(0.02)
            at_once -= 1

    async with asyncio.timeout(30.0):
        await asyncio.gather(*(look() for _ in range(12)))
    assert seen == most
    await connections.close()
