"""A device that the cycle has lent: left alone, counted as lost, and told anew afterwards."""

import asyncio

import pytest

from der.errors import RejectedError
from der.model import Quality, Setpoint
from tests.hems.cem.test_cycle import bench
from tests.waiting import until


@pytest.mark.requirement("SVC-OPEN", "LC-COMMISSION")
async def test_a_lent_device_is_neither_read_nor_written_and_counts_as_lost() -> None:
    async with bench() as home:
        watcher, far = home.watcher, home.far["battery"]
        await asyncio.wait_for(far.written.wait(), 5)
        async with home.cycle.lend("battery") as handle:
            reads, writes, seen = far.reads, list(far.writes), len(watcher.images)
            await watcher.until(lambda: len(watcher.images) >= seen + 5)
            assert (far.reads, far.writes) == (reads, writes)
            state = watcher.images[-1].devices["battery"]
            assert state.quality is Quality.LOST
            assert state.error == "battery: is being tested"
            await handle.write(Setpoint(500.0, 5.0))
            assert (await handle.read()).power_w == far.power_w
        await watcher.until(lambda: watcher.images[-1].devices["battery"].quality is Quality.GOOD)
        told = len(far.writes)
        await watcher.until(lambda: len(far.writes) > told or far.writes[-1] == -2_000.0)
        assert far.writes[len(writes)] == 500.0, "what was told meanwhile"
        assert far.writes[-1] == -2_000.0, "the cycle tells it anew what it is to do"


async def test_the_others_are_controlled_meanwhile() -> None:
    async with bench() as home:
        await asyncio.wait_for(home.far["car"].written.wait(), 5)
        async with home.cycle.lend("battery"):
            home.limit_import(1_500)
            home.far["car"].written.clear()
            assert await home.cycle.react()
            assert home.far["car"].written.is_set()


async def test_it_is_lent_once_at_a_time_and_only_while_it_is_connected() -> None:
    async with bench() as home:
        await asyncio.wait_for(home.far["battery"].written.wait(), 5)
        async with home.cycle.lend("battery"):
            with pytest.raises(RejectedError, match="battery: is being tested already"):
                async with home.cycle.lend("battery"):
                    pass
        with pytest.raises(KeyError):
            home.cycle.lend("toaster")
    async with bench("meter") as home:
        await home.far["meter"].stop()
        await home.watcher.until(
            lambda: (
                bool(home.watcher.images)
                and home.watcher.images[-1].devices["meter"].error is not None
                and home.cycle.handle("meter") is None
            ),
            timeout_s=10.0,
        )
        with pytest.raises(RejectedError, match=r"meter: not connected \(.*\)"):
            async with home.cycle.lend("meter"):
                pass


async def test_a_home_that_stops_closes_what_is_lent() -> None:
    async with bench() as home:
        await asyncio.wait_for(home.far["battery"].written.wait(), 5)
        async with home.cycle.lend("battery") as handle:
            home.cycle.stop(give_back=False)

            async def closed() -> bool:
                return handle.closed

            await until(closed, bool, 10.0, "the handle is closed")
            with pytest.raises(RejectedError):
                await handle.read()
