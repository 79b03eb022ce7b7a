"""A full disk under a running hub, at its start, and under the head-end."""

import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from certs.pki import Pki
from certs.tls import server_context
from hems.commands.child import Child
from hems.commands.stage import HeadEndReady
from tests.e2e.rig import Home
from tests.faults.bench import START_WITHIN_S, Bench, Hub
from tests.faults.disk import fill, small_disk
from tests.faults.scripted import LyingUtility, control
from tests.hems.sep2.utility import serving
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("LC-TEST"),
]

LIMIT_W = 2000.0
FULL = "hems.db: the disk is full"
RESUMED_BY = 10
"""Control cycles, one a second, that a hub which comes back needs at most to keep a limit again."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as made:
        yield made


@asynccontextmanager
async def served(bench: Bench) -> AsyncIterator[LyingUtility]:
    """Serve a scripted utility while the context lasts."""
    utility = LyingUtility(bench.hub_lfdi)
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(utility, context):
        yield utility


def on_disk(bench: Bench, utility: LyingUtility, disk: Path) -> str:
    """Return the configuration of a hub whose store lies on a disk."""
    return bench.config(f"{utility.base}/dcap", more=f'[store]\npath = "{disk}/hems.db"\n')


async def obeyed(hub: Hub) -> Home:
    """Wait until the limit is in force and kept."""
    return await until(
        hub.home,
        lambda home: home.limit_import_w == LIMIT_W and (home.net_w or 1e9) <= LIMIT_W,
        20.0,
        "the limit is kept",
    )


async def alarmed(hub: Hub, *words: str) -> Home:
    """Wait until an alarm with all these words is shown."""
    return await until(
        hub.home,
        lambda home: any(all(w in alarm for w in words) for alarm in home.alarms),
        20.0,
        f"an alarm: {words}",
    )


async def silent(hub: Hub, words: str) -> Home:
    """Wait until no alarm says so any more."""
    return await until(
        hub.home,
        lambda home: not any(words in alarm for alarm in home.alarms),
        20.0,
        f"no alarm: {words}",
    )


async def test_a_disk_that_fills_while_the_hub_runs(bench: Bench, disk: Path) -> None:
    """The event is obeyed all the same; its responses go out once they can be kept."""
    async with served(bench) as utility, bench.running(on_disk(bench, utility, disk)) as hub:
        await hub.state("connected")
        filler = fill(disk)
        utility.list_controls(control("F1"))
        await obeyed(hub)
        await alarmed(hub, "the ledger cannot be written", FULL)
        await alarmed(hub, "History is not being written", FULL)
        await hub.goes_on(3)
        assert utility.codes == []  # what is not durable is not said
        assert len(hub.logged("WARNING", FULL)) <= 9, hub.log  # each part says it once

        filler.unlink()
        await utility.until(lambda: utility.codes == [("F1", 1), ("F1", 2)], 15.0)
        home = await silent(hub, "History is not being written")
        assert home.limit_import_w == LIMIT_W


async def test_a_disk_that_is_full_at_the_start(bench: Bench, disk: Path) -> None:
    filler = fill(disk)
    async with served(bench) as utility, bench.running(on_disk(bench, utility, disk)) as hub:
        utility.list_controls(control("F2"))
        await obeyed(hub)
        await alarmed(hub, FULL)
        assert utility.codes == []
        filler.unlink()
        await utility.until(lambda: utility.codes == [("F2", 1), ("F2", 2)], 15.0)
        await silent(hub, "History is not being written")
    assert (disk / "hems.db").stat().st_size > 0


@pytest.mark.deep
async def test_a_restart_on_a_full_disk_in_an_event(bench: Bench, disk: Path) -> None:
    """What stands in the store is read; the limit is held again, and nothing is said twice."""
    async with served(bench) as utility:
        hub = bench.prepare(on_disk(bench, utility, disk))
        try:
            await hub.start()
            utility.list_controls(control("F3"))
            await utility.until(lambda: utility.codes == [("F3", 1), ("F3", 2)])
            await obeyed(hub)
            filler = fill(disk)
            await hub.child.kill()
            await hub.start()
            home = await obeyed(hub)
            assert home.seq <= RESUMED_BY, hub.log
            filler.unlink()
            await silent(hub, "History is not being written")
            utility.list_controls()
            await utility.until(lambda: ("F3", 6) in utility.codes, 15.0)
            assert utility.codes == [("F3", 1), ("F3", 2), ("F3", 6)]
        finally:
            assert await hub.child.stop() == 0, hub.child.log_end()
        assert "Traceback" not in hub.log


async def test_a_full_disk_under_the_head_end(pki: Pki, tmp_path: Path, disk: Path) -> None:
    """An order that cannot be kept is refused in one sentence; the next one is taken."""
    settings = tmp_path / "headend.toml"
    settings.write_text(
        f'database = "{disk}/headend.db"\n'
        f'certificate = "{pki.identity("utility").certificate}"\n'
        f'key = "{pki.identity("utility").key}"\n'
        f'roots = "{pki.trust.roots}"\ncrls = "{pki.trust.crls}"\n'
        f'token_file = "token"\nready_file = "ready.json"\n',
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "hems", "headend", "run", "--config", str(settings)]
    child = Child("headend", command, tmp_path / "headend.log", tmp_path / "ready.json")
    try:
        await child.start()
        ready = HeadEndReady.model_validate(await child.wait_ready(START_WITHIN_S))
        token = (tmp_path / "token").read_text(encoding="ascii").strip()
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(ready.operator, headers=headers) as session:
            filler = fill(disk)
            order = {"limit_import_w": 1000, "minutes": 5}
            async with session.post("/events", json=order) as answer:
                assert answer.status == 503
                error = json.loads(await answer.read())["error"]
                assert "\n" not in error
                assert "full" in error
            async with session.get("/events") as answer:
                assert json.loads(await answer.read()) == {"events": []}
            filler.unlink()
            async with session.post("/events", json=order) as answer:
                assert answer.status == 201
    finally:
        assert await child.stop() == 0, child.log_end()
    assert "Traceback" not in child.log.read_text(encoding="utf-8")
