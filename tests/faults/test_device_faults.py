"""Devices that are off, hang, answer garbage, refuse or are late, in a home that goes on."""

import time
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from certs.tls import server_context
from tests.e2e.rig import Home
from tests.faults.bench import Bench
from tests.faults.scripted import LyingUtility
from tests.faults.watching import (
    ANEW_WITHIN_S,
    WELL_WITHIN_S,
    Running,
    Watch,
    all_well,
    bad,
    kept,
    limited,
    mrid,
    under,
)
from tests.hems.sep2.utility import serving
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("LC-TEST"),
]

MAX_AGE_S = 2.0
KNOWN_WITHIN_S = 8.0
TRIED_AGAIN_S = 45.0
"""One that refuses more than it has is not asked for half a minute."""
MOST_LINES = 4
"""Each trouble is said once: nonsense, no answer, no connection."""
"""In the log, of one trouble: its begin, and where its nature changes."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(bench: Bench) -> AsyncIterator[Running]:
    utility = LyingUtility(bench.hub_lfdi)
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(utility, context):
        config = bench.config(f"{utility.base}/dcap")
        config = config.replace("[[device]]", f'[[device]]\nmax_age = "{MAX_AGE_S:g} s"')
        # Loads that may stop at once, so that nothing but the fault is in a limit's way.
        config = config.replace('min_on = "3 min"\nmin_off = "3 min"\n', "")
        async with bench.running(config) as hub:
            yield Running(bench, hub, utility)


GROUPS = [("pv", "water_heater", "ev"), ("meter", "battery", "heat_pump")]
QUICK = {("off", 0), ("silence", 1), ("garbage", 0), ("exception", 1), ("delay", 0)}
"""Kinds of fault and groups of each quick run; the deep one has all."""
CASES = [
    pytest.param(
        kind,
        # A charger that refuses all calls still reports by itself; see the refused limit below.
        tuple(device for device in group if (kind, device) != ("exception", "ev")),
        id=f"{kind} {'+'.join(group)}",
        marks=[] if (kind, number) in QUICK else [pytest.mark.deep],
    )
    for kind in ("off", "silence", "garbage", "exception", "delay")
    for number, group in enumerate(GROUPS)
]
SAID = {
    "off": ("no Modbus connection", "closed the connection", "has not called in", "not connected"),
    "silence": ("no answer within", "got no answer", "nothing new from it"),
    "garbage": ("bytes that are not Modbus", "no usable answer", "nothing new from it"),
    "exception": ("Modbus exception 4 (server device failure)", "simulated fault"),
    "delay": ("no answer within", "got no answer", "nothing new from it"),
}


@pytest.mark.parametrize(("kind", "group"), CASES)
async def test_a_fault_is_named_and_costs_the_others_nothing(
    running: Running, kind: str, group: Sequence[str]
) -> None:
    before = await all_well(running.hub)
    logged = len(running.hub.log.splitlines())
    watch = Watch(running.hub, frozenset(group))
    for device in group:
        await running.bench.fault(device, kind)
    try:

        def all_known(home: Home) -> bool:
            return bad(home) == set(group) and all(home.tile(d).error for d in group)

        home = await until(watch.look, all_known, KNOWN_WITHIN_S, f"{group} are known to be gone")
        for device in group:
            tile = home.tile(device)
            assert tile.quality in {"stale", "lost"}
            assert tile.error is not None
            assert tile.error.startswith(f"{device}: ")
            assert any(words in tile.error for words in SAID[kind]), tile.error
        await watch.look_for(1.0)
    finally:
        for device in group:
            await running.bench.fault(device, "none")
    await until(watch.look, lambda home: not bad(home), WELL_WITHIN_S, "all devices answer again")
    watch.went_on()
    watch.never_zero(before)
    for device in group:
        lines = running.hub.log.splitlines()[logged:]
        warned = [line for line in lines if f" {device}: " in line and " WARNING " in line]
        assert 1 <= len(warned) <= MOST_LINES, warned


async def test_a_limit_that_a_device_refuses_is_shown_and_held_by_the_others(
    running: Running,
) -> None:
    """The charger answers every call with an error, from before the event on."""
    await all_well(running.hub)
    await running.bench.fault("ev", "exception")
    logged = len(running.hub.log.splitlines())
    async with limited(running, "E1"):
        try:
            await under(running)
            since = time.time()
            home = await until(
                running.hub.home, lambda home: home.tile("ev").error is not None, 5.0, "it is said"
            )
            tile = home.tile("ev")
            assert tile.error is not None
            assert tile.error.startswith("ev: limit of ")
            assert "simulated fault" in tile.error
            assert tile.quality == "good"
            await running.hub.goes_on(5)
            await kept(running, since)
            lines = running.hub.log.splitlines()[logged:]
            assert len([line for line in lines if "ev: limit of" in line]) <= MOST_LINES, lines
        finally:
            await running.bench.fault("ev", "none")
        await until(
            running.hub.home,
            lambda home: home.tile("ev").error is None,
            TRIED_AGAIN_S,
            "it obeys again",
        )
        await running.hub.goes_on(4)
        # It and the battery that makes room for it are told at once, and obey in any order.
        await kept(running, since, 1.5)


@pytest.mark.parametrize(
    ("device", "kind"),
    [
        ("meter", "silence"),
        ("ev", "off"),
        pytest.param("pv", "garbage", marks=pytest.mark.deep),
        pytest.param("water_heater", "exception", marks=pytest.mark.deep),
        pytest.param("heat_pump", "delay", marks=pytest.mark.deep),
        pytest.param("meter", "garbage", marks=pytest.mark.deep),
        pytest.param("ev", "silence", marks=pytest.mark.deep),
    ],
)
async def test_a_device_lost_in_an_event_does_not_break_the_limit(
    running: Running, device: str, kind: str
) -> None:
    await all_well(running.hub)
    async with limited(running, mrid("E2", device, kind)):
        await under(running)
        since = time.time()
        watch = Watch(running.hub, frozenset({device}))
        await running.bench.fault(device, kind)
        try:
            await until(
                watch.look, lambda home: bad(home) == {device}, KNOWN_WITHIN_S, "it is lost"
            )
            await watch.look_for(3.0)
        finally:
            await running.bench.fault(device, "none")
        await until(watch.look, lambda home: not bad(home), WELL_WITHIN_S, "it answers again")
        watch.went_on()
        await kept(running, since, ANEW_WITHIN_S)


@pytest.mark.deep
@pytest.mark.parametrize("kind", ["off", "silence", "exception"])
async def test_a_battery_lost_in_an_event_is_made_up_for_by_the_loads(
    running: Running, kind: str
) -> None:
    """What it was told lapses after 30 s; then the loads give way."""
    await all_well(running.hub)
    async with limited(running, mrid("E3", "battery", kind)):
        await under(running)
        await running.bench.fault("battery", kind)
        watch = Watch(running.hub, frozenset({"battery"}))
        try:
            await watch.look_for(45.0)
            await kept(running, time.time() - 5.0)
        finally:
            await running.bench.fault("battery", "none")
        await until(watch.look, lambda home: not bad(home), 60.0, "it answers again")
        watch.went_on()
