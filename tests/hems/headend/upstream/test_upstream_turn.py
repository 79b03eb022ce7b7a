"""One worker of many is the utility's client, and the next when that one has gone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hems.clock import SystemClock
from hems.headend.db.database import Database
from hems.headend.upstream.turn import Turn
from tests.hems.headend.ours import until
from tests.locked import locked
from tests.postgres import Postgres

FOR_S = 1.5


class Worker:
    """Counts when it works."""

    def __init__(self, database: Database, holder: str) -> None:
        self.turn = Turn(database, SystemClock(), name="upstream", holder=holder, for_s=FOR_S)
        self.working = False
        self.times = 0

    async def work(self) -> None:
        self.working = True
        self.times += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.working = False

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.turn.serve(self.work))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shared.sqlite"


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, path: Path) -> Path | str:
    if request.param == "sqlite":
        return path
    running: Postgres = request.getfixturevalue("postgres")
    return running.database()


@pytest.fixture
async def workers(where: Path | str) -> AsyncIterator[tuple[Worker, Worker]]:
    """Two workers, each with connections of its own."""
    databases = [await Database.open(where, busy_timeout_s=0.1) for _ in range(2)]
    yield Worker(databases[0], "one"), Worker(databases[1], "two")
    for each in databases:
        await each.close()


async def test_one_works_and_the_next_takes_over_at_once_when_it_ends(
    workers: tuple[Worker, Worker],
) -> None:
    one, two = workers
    async with two.serving():
        await until(lambda: two.working)
        async with one.serving():
            await asyncio.sleep(FOR_S)  # longer than a turn that nobody renews
            assert (one.working, two.working, two.times) == (False, True, 1)
    async with one.serving():
        await until(lambda: one.working)
        assert not two.working


async def test_who_has_died_is_followed_when_its_turn_has_run_out(
    workers: tuple[Worker, Worker],
) -> None:
    one, two = workers
    assert await one.turn.take()  # and is never heard of again
    assert not await two.turn.take()
    async with two.serving():
        await until(lambda: two.working)
    assert not one.working


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
async def test_who_cannot_renew_stops_before_another_may_begin(
    workers: tuple[Worker, Worker], path: Path
) -> None:
    one, _ = workers
    async with one.serving():
        await until(lambda: one.working)
        async with locked(path) as other:
            (until_,) = other.execute("SELECT until FROM upstream_turn").fetchone()
            await until(lambda: not one.working)
            assert SystemClock().now() < until_
        await until(lambda: one.working)
    assert one.times == 2


async def test_work_that_fails_is_not_hidden_and_gives_up_its_turn(
    workers: tuple[Worker, Worker],
) -> None:
    one, two = workers

    async def fail() -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        await one.turn.serve(fail)
    assert await two.turn.take()
