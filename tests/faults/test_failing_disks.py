"""A disk that fails under a running hub: read-only, pulled out, its content damaged.

Control goes on with what is in memory, an alarm says why nothing is kept, nothing is said to the
utility that is not durable; and what was durable is there again once the disk is.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from certs.tls import server_context
from tests.block_disk import BlockDisk, disk_or_skip
from tests.e2e.rig import Home
from tests.faults.bench import Bench, Hub
from tests.faults.scripted import LyingUtility, control
from tests.hems.sep2.utility import serving
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("LC-TEST", "PRV-INTEGRITY"),
]

LIMIT_W = 2000.0
SOON_S = 30.0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[BlockDisk]:
    with disk_or_skip(tmp_path / "block") as made:
        yield made


@asynccontextmanager
async def served(bench: Bench) -> AsyncIterator[LyingUtility]:
    utility = LyingUtility(bench.hub_lfdi)
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(utility, context):
        yield utility


def configured(bench: Bench, utility: LyingUtility, folder: Path) -> str:
    return bench.config(f"{utility.base}/dcap", more=f'[store]\npath = "{folder}/hems.db"\n')


async def obeyed(hub: Hub) -> Home:
    return await until(
        hub.home,
        lambda home: home.limit_import_w == LIMIT_W and (home.net_w or 1e9) <= LIMIT_W,
        SOON_S,
        "the limit is kept",
    )


async def alarmed(hub: Hub, *words: str) -> Home:
    return await until(
        hub.home,
        lambda home: any(all(word in alarm for word in words) for alarm in home.alarms),
        SOON_S,
        f"an alarm: {words}",
    )


def read_only(disk: BlockDisk) -> None:
    disk.forbid_writing()


def pulled(disk: BlockDisk) -> None:
    disk.pull()


@pytest.mark.parametrize("fail", [read_only, pytest.param(pulled, marks=pytest.mark.deep)])
@pytest.mark.timeout(400)
async def test_a_disk_that_fails_in_an_event_ends_nothing_but_the_record(
    bench: Bench, disk: BlockDisk, fail: Callable[[BlockDisk], None]
) -> None:
    async with served(bench) as utility:
        hub = bench.prepare(configured(bench, utility, disk.at))
        try:
            await hub.start()
            utility.list_controls(control("D1"))
            await utility.until(lambda: utility.codes == [("D1", 1), ("D1", 2)], SOON_S)
            await obeyed(hub)

            fail(disk)
            utility.list_controls(control("D1"), control("D2", base=OTHER))
            await alarmed(hub, "the ledger cannot be written", "hems.db")
            await obeyed(hub)
            await hub.goes_on(3)
            assert utility.codes == [("D1", 1), ("D1", 2)], "what is not durable is not said"

            await hub.child.kill()
            disk.put_back()
            utility.list_controls(control("D1"))
            await hub.start()
            home = await obeyed(hub)
            assert not any("hems.db" in alarm for alarm in home.alarms)
            utility.list_controls()
            await utility.until(lambda: ("D1", 6) in utility.codes, SOON_S)
            assert [code for code in utility.codes if code[0] == "D1"] == [
                ("D1", 1),
                ("D1", 2),
                ("D1", 6),
            ]
        finally:
            assert await hub.child.stop() == 0, hub.child.log_end()
        assert "Traceback" not in hub.log


OTHER = "<opModConnect>true</opModConnect>"
"""Another event, beside the limit."""


@pytest.mark.deep
@pytest.mark.timeout(400)
async def test_a_start_on_a_read_only_disk_controls_the_home(bench: Bench, disk: BlockDisk) -> None:
    async with served(bench) as utility:
        hub = bench.prepare(configured(bench, utility, disk.at))
        try:
            await hub.start()
            utility.list_controls(control("D3"))
            await utility.until(lambda: utility.codes == [("D3", 1), ("D3", 2)], SOON_S)
            await hub.child.kill()
            disk.forbid_writing()
            await hub.start()
            await obeyed(hub)
            await alarmed(hub, "hems.db")
            await hub.goes_on(3)
            assert len(utility.codes) == len(set(utility.codes)), "nothing is said twice"
        finally:
            assert await hub.child.stop() == 0, hub.child.log_end()
        assert "Traceback" not in hub.log


def spoil(file: Path, begin: int) -> None:
    with suppress(FileNotFoundError), file.open("r+b") as content:
        content.seek(begin)
        content.write(b"\xa5" * max(0, file.stat().st_size - begin))


@pytest.mark.deep
@pytest.mark.timeout(400)
async def test_a_store_that_is_damaged_under_a_running_hub(bench: Bench, tmp_path: Path) -> None:
    """Somebody, or the disk, writes over the file and its log; the next start sets it aside."""
    store = tmp_path / "hems.db"
    async with served(bench) as utility:
        hub = bench.prepare(configured(bench, utility, tmp_path))
        try:
            await hub.start()
            utility.list_controls(control("D4"))
            await utility.until(lambda: utility.codes == [("D4", 1), ("D4", 2)], SOON_S)
            await obeyed(hub)
            spoil(store.with_name("hems.db-wal"), 0)
            spoil(store, 4096)
            utility.list_controls(control("D4"), control("D5", base=OTHER))
            await alarmed(hub, "hems.db")
            await obeyed(hub)
            await hub.goes_on(3)
            await hub.child.kill()
            await hub.start()
            await obeyed(hub)
            await alarmed(hub, "damaged", "it is kept as")
        finally:
            assert await hub.child.stop() == 0, hub.child.log_end()
        assert "Traceback" not in hub.log
