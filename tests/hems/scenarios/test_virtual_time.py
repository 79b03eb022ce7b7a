import asyncio
import time
from functools import partial
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from sqlalchemy import event, text
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from hems.scenarios.virtual_time import StuckError, VirtualClock, run_at_once


def test_a_year_passes_at_once() -> None:
    async def wait() -> float:
        await asyncio.sleep(365 * 86400)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert run_at_once(wait()) == pytest.approx(365 * 86400)
    assert time.monotonic() - began < 60


def test_timers_keep_their_order_and_their_moments() -> None:
    seen: list[tuple[str, float]] = []

    async def at(name: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        seen.append((name, asyncio.get_running_loop().time()))

    async def all_of_them() -> None:
        await asyncio.gather(at("late", 7200), at("soon", 0.5), at("next", 60))

    run_at_once(all_of_them())
    assert [name for name, _ in seen] == ["soon", "next", "late"]
    assert [when for _, when in seen] == pytest.approx([0.5, 60, 7200], abs=0.001)


def test_a_time_limit_ends_what_hangs() -> None:
    async def hang() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await asyncio.Event().wait()

    run_at_once(hang())


def test_who_looks_again_and_again_sees_the_moment_come() -> None:
    async def look() -> int:
        loop, looks = asyncio.get_running_loop(), 0
        moment = loop.time() + 1e-4
        while loop.time() < moment:
            await asyncio.sleep(0)
            looks += 1
        return looks

    assert 0 < run_at_once(look()) < 1000


def test_what_can_never_come_is_said() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    with pytest.raises(StuckError, match="no timer"):
        run_at_once(never())


def test_the_database_costs_no_virtual_time(tmp_path: Path) -> None:
    async def work() -> float:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
        nap = asyncio.create_task(asyncio.sleep(3600))
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE t (x INTEGER)"))
            for number in range(50):
                await connection.execute(text("INSERT INTO t VALUES (:x)"), {"x": number})
            found = (await connection.execute(text("SELECT count(*) FROM t"))).scalar_one()
        assert found == 50
        spent_s = asyncio.get_running_loop().time()
        await nap
        await engine.dispose()
        return spent_s

    assert run_at_once(work()) < 0.01


def test_a_slow_thread_of_the_database_is_waited_for_whatever_it_is_to_do(tmp_path: Path) -> None:
    async def work() -> float:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")

        @event.listens_for(engine.sync_engine, "connect")
        def _set(connection: AsyncAdapt_aiosqlite_connection, _entry: ConnectionPoolEntry) -> None:
            connection._connection._tx.put_nowait((None, partial(time.sleep, 0.2)))
            connection.isolation_level = None

        async with engine.begin() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
        await engine.dispose()
        return asyncio.get_running_loop().time()

    assert run_at_once(work()) < 0.01


def test_an_exchange_over_a_socket_costs_no_virtual_time() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    async def work() -> float:
        app = web.Application()
        app.router.add_post("/", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        ticking = asyncio.create_task(_tick())
        async with ClientSession() as session:
            for size in (1, 1000, 300_000):
                async with session.post(f"http://127.0.0.1:{port}/", data=b"x" * size) as reply:
                    assert len(await reply.read()) == size
        spent_s = asyncio.get_running_loop().time()
        ticking.cancel()
        await runner.cleanup()
        return spent_s

    assert run_at_once(work()) < 0.1


async def _tick() -> None:
    """Timers that would be due while an exchange is under way, were it not waited for."""
    for _ in range(1000):
        await asyncio.sleep(1.0)


def test_a_call_for_another_thread_is_made_in_this_one() -> None:
    async def work() -> tuple[str, float]:
        found = await asyncio.to_thread("a".upper)
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        return found, asyncio.get_running_loop().time()

    found, spent_s = run_at_once(work())
    assert found == "A"
    assert spent_s < 0.01


def test_a_clock_is_set_without_moving_the_monotonic_one() -> None:
    async def work() -> tuple[float, float]:
        clock = VirtualClock(asyncio.get_running_loop(), 1000.0)
        await asyncio.sleep(5)
        clock.set_by(-100)
        return clock.now(), clock.monotonic()

    assert run_at_once(work()) == pytest.approx((905.0, 5.0), abs=0.01)
