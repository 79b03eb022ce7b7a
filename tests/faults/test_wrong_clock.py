"""A hub whose machine does not know what time it is: real processes, whose wall clock is bent."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from pydantic import BaseModel, ConfigDict

from certs.tls import server_context
from hems.commands.stage import HubReady, free_port
from tests.faults import identities
from tests.faults.bench import Bench, Hub, copy_pki, run_to_end
from tests.hems.sep2.controls_made import control
from tests.hems.sep2.utility import Utility, serving
from tests.stored import execute
from tests.timekeepers import BentClock, unpacked
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("TIME-SERVER"),
    pytest.mark.deep,
    pytest.mark.timeout(400),
    unpacked,
]

IN_1970 = 600.0
UNKNOWN = "does not know what time it is"
WITHIN_S = 60.0
START_WITHIN_S = 180.0


class Time(BaseModel):
    """What the hub says of its time, as far as the tests look at it."""

    model_config = ConfigDict(extra="ignore")

    now: float
    known: bool
    source: str
    name: str
    quality: int


@asynccontextmanager
async def running(hub: Hub) -> AsyncIterator[None]:
    """Run a hub, which must end well; one whose time is bent loads slowly on a busy machine."""
    try:
        await hub.child.start()
        hub.page = HubReady.model_validate(await hub.child.wait_ready(START_WITHIN_S)).page
        yield
        os.kill(hub.child.pid, signal.SIGTERM)
        async with asyncio.timeout(WITHIN_S):
            assert await hub.child.wait() == 0, hub.child.log_end()
    except BaseException:
        print(f"--- hub\n{hub.child.log_end(60)}")
        raise
    finally:
        await hub.child.kill()
    assert "Traceback" not in hub.log, hub.log


async def told(hub: Hub) -> Time:
    """Return what a hub says of its time."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{hub.page}/api/time") as response,
    ):
        return Time.model_validate_json(await response.read())


async def comes_to_know(hub: Hub) -> Time:
    """Wait until a hub knows the time; its page may be made anew meanwhile."""
    return await until(lambda: told(hub), lambda t: t.known, WITHIN_S, "the time is known")


def store_of(hub: Hub) -> Path:
    return hub.child.log.with_name("hems.db")


def known_at(hub: Hub, at: float) -> None:
    """Leave behind what a hub writes down once an hour where somebody vouches for its clock."""
    mark = store_of(hub).with_name("hems.db.time")
    mark.write_text(json.dumps({"at": at, "boot": ""}), encoding="ascii")


def offer(utility: Utility, *events: tuple[str, float, int]) -> None:
    """Have a utility's list hold import limits: mRID, start, duration."""
    controls = tuple(control(mrid, int(start), lasts) for mrid, start, lasts in events)
    utility.change("/derp/1/derc", der_control=controls, all=len(controls))


async def lives(hub: Hub, cycles: int = 2) -> None:
    """Wait for more control cycles."""
    seen = (await hub.home()).seq
    await until(hub.home, lambda h: h.seq >= seen + cycles, cycles + WITHIN_S, "cycles go on")


async def states(hub: Hub) -> dict[str, str]:
    return {card.id: card.state for card in (await hub.home()).events}


async def test_a_machine_that_wakes_in_1970_learns_the_time_of_its_utility(
    bench: Bench, tmp_path: Path
) -> None:
    """Its certificate was renewed meanwhile: by the hub's last time it is not yet good."""
    clock = BentClock(tmp_path / "clock")
    clock.set_now(IN_1970)
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(bench.utility(), context) as utility:
        hub = bench.prepare(bench.config(f"{utility.base}/dcap"))
        known_at(hub, time.time() - 7_200.0)
        hub.child.command = clock.command(hub.child.command)
        began = time.time()
        async with running(hub):
            await hub.state("connected", WITHIN_S)
            seen = await comes_to_know(hub)
            assert (seen.source, seen.name, seen.quality) == ("utility", "utility", 5)
            assert seen.now == pytest.approx(time.time(), abs=3.0)
            await lives(hub, 5)
            assert not [a for a in (await hub.home()).alarms if UNKNOWN in a]
            code, out, _ = await run_to_end("status", "--url", hub.page, cwd=Path.cwd())
            assert code == 0
            assert "time      As utility tells it" in out
    rows = execute(store_of(hub), "SELECT min(at_ms), max(at_ms) FROM samples")
    assert began - 3.0 < rows[0][0] / 1000 <= rows[0][1] / 1000 < time.time() + 3.0


async def test_without_the_time_no_event_ends_or_begins_and_then_all_comes_right(
    bench: Bench, tmp_path: Path
) -> None:
    """The hub ends in an event, and is back after it, in 1970, without the utility."""
    clock = BentClock(tmp_path / "clock")
    clock.shift(0.0)
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(bench.utility(), context) as utility:
        hub = bench.prepare(bench.config(f"{utility.base}/dcap"))
        hub.child.command = clock.command(hub.child.command)
        async with running(hub):
            await hub.state("connected", WITHIN_S)
            ends_at = int(time.time()) + 60
            offer(utility, ("E1", ends_at - 90, 90), ("E2", ends_at + 2, 3_600))
            both = {"E1": "running", "E2": "coming"}
            await until(lambda: states(hub), lambda s: s == both, 50.0, "E1 runs, E2 waits")
            await lives(hub)
    known_at(hub, time.time() - 60.0)
    cut_at = time.time()
    clock.set_now(IN_1970)
    async with running(hub):
        assert not (await told(hub)).known
        await lives(hub, max(int(ends_at + 5 - cut_at), 5))
        assert await states(hub) == both
        assert [a for a in (await hub.home()).alarms if UNKNOWN in a]
        blind_since = time.time() - 3.0
        clock.shift(0.0)  # somebody sets it
        assert (await comes_to_know(hub)).now == pytest.approx(time.time(), abs=3.0)
        await until(lambda: states(hub), lambda s: s.get("E2") == "running", WITHIN_S, "E2 runs")
        assert (await states(hub)).get("E1") != "running"
        await lives(hub)
    rows = execute(store_of(hub), "SELECT at_ms FROM samples GROUP BY at_ms ORDER BY at_ms")
    stamps = [at_ms / 1000 for (at_ms,) in rows]
    assert stamps[0] > ends_at - 180.0
    assert stamps[-1] < time.time() + 3.0
    blind = [at for at in stamps if blind_since - 5.0 < at < blind_since]
    assert blind, "what was measured meanwhile has its true time"


@pytest.mark.requirement("L2-KEYS")
async def test_a_certificate_that_ended_is_not_good_again_because_the_machine_is_in_the_past(
    bench: Bench, tmp_path: Path
) -> None:
    pki = copy_pki(bench.pki, tmp_path / "pki")
    identity = identities.expired_service(pki, "lapsed")
    clock, port = BentClock(tmp_path / "clock"), free_port()
    config = bench.config(f"https://127.0.0.1:{port}/dcap")
    hub = bench.prepare(config.replace(str(bench.pki.folder), str(pki.folder)))
    hub.child.command = clock.command(hub.child.command)
    clock.set_now(IN_1970)
    known_at(hub, time.time())
    async with (
        serving(bench.utility(), server_context(identity, pki.trust), port),
        running(hub),
    ):
        await hub.state("refused", WITHIN_S, "expired")
        assert not (await told(hub)).known
