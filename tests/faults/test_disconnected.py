"""A disconnection whose hub dies: the switch is closed in time by the guard, or by the next hub."""

import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from certs.tls import server_context
from tests.benchmarks.loss import NEAR_W, Seen
from tests.faults.bench import Bench, Hub
from tests.faults.scripted import LyingUtility, control
from tests.faults.watching import mrid
from tests.hems.sep2.utility import serving
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("SVC-IOCTL"),
]

SUN_W = 800.0
OFF = "<opModConnect>false</opModConnect>"
GRACE_S = 10.0 + 1.0
"""After its event a restriction lapses, and a little later the guard acts."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def utility(bench: Bench) -> AsyncIterator[LyingUtility]:
    made = LyingUtility(bench.hub_lfdi)
    async with serving(made, server_context(bench.pki.identity("utility"), bench.pki.trust)):
        yield made


async def sun_w(bench: Bench) -> float:
    """Return what the roof truly gives."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{bench.control}/state") as response,
    ):
        return -Seen.model_validate_json(await response.read()).power_w("pv")


async def gives(bench: Bench, within_s: float) -> None:
    async def look() -> float:
        return await sun_w(bench)

    await until(look, lambda watts: watts > SUN_W - NEAR_W, within_s, "the roof gives")


async def disconnected(bench: Bench, hub: Hub, utility: LyingUtility, seconds: int) -> float:
    """Have the home disconnected; returns when that ends."""
    await gives(bench, 20.0)
    ends_at = int(time.time()) + seconds
    event = mrid("D1", str(ends_at))
    utility.list_controls(control(event, start=ends_at - seconds, duration=seconds, base=OFF))

    async def look() -> float:
        return await sun_w(bench)

    await until(look, lambda watts: watts < NEAR_W, 10.0, "the roof is off")
    await until(
        hub.home,
        lambda home: all(t.quality == "good" and not t.error for t in home.devices),
        10.0,
        "all is told",
    )
    return float(ends_at)


async def test_the_guard_closes_the_switch_of_a_hub_that_does_not_come_back(
    bench: Bench, utility: LyingUtility
) -> None:
    hub = bench.prepare(bench.config(f"{utility.base}/dcap"))
    try:
        await hub.start()
        ends_at = await disconnected(bench, hub, utility, 10)
        await hub.child.kill()
        while time.time() < ends_at - 0.5:
            assert await sun_w(bench) < NEAR_W
        await gives(bench, max(ends_at - time.time(), 0.0) + GRACE_S + 4.0)
    finally:
        utility.list_controls()
        await hub.child.stop()


@pytest.mark.deep
async def test_a_hub_that_comes_back_keeps_it_open_and_closes_it_at_the_end(
    bench: Bench, utility: LyingUtility
) -> None:
    hub = bench.prepare(bench.config(f"{utility.base}/dcap"))
    try:
        await hub.start()
        ends_at = await disconnected(bench, hub, utility, 30)
        await hub.child.kill()
        await hub.start()
        while time.time() < ends_at - 0.5:
            assert await sun_w(bench) < NEAR_W
        await gives(bench, 8.0)  # before anything lapses
        assert time.time() < ends_at + GRACE_S
        await hub.goes_on(2)
    finally:
        utility.list_controls()
        await hub.child.stop()
