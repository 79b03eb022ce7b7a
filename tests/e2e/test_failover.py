"""A hub carries out an event although packets are lost, workers die, and PostgreSQL fails over."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from pydantic import ValidationError

from certs.pki import Pki
from hems.commands.child import Child
from hems.commands.scene import Scene, quoted
from hems.commands.stage import START_WITHIN_S, Stage, free_port
from tests.e2e.conftest import EVENING
from tests.e2e.rig import Rig
from tests.postgres import Pair
from tests.waiting import until

NFT: Final = shutil.which("nft", path="/usr/sbin:/usr/bin")
LIMIT_W: Final = 1500.0
EVENT_S: Final = 90
WAIT_S: Final = 120.0
LOST_PERCENT: Final = 30

pytestmark = [
    pytest.mark.deep,
    pytest.mark.timeout(900),
    pytest.mark.requirement("PRO-2030.5", "LC-TEST", "BUC-1"),
    pytest.mark.skipif(
        os.geteuid() != 0 or NFT is None,
        reason="needs root and Debian's nftables (packaging/nftables)",
    ),
]


class FleetStage(Stage):
    """A stage whose head-end is two workers on a primary and its standby.

    Attributes:
        pair: The databases.
        port: Where homes reach either worker.
        second: The other worker; `headend` is the first.
    """

    pair: Pair
    port: int
    second: Child

    async def _start_headend(self, pki: Pki) -> None:
        self.port, operator_port = free_port(), free_port()
        folder, database = self.folder / "headend", self.pair.database()
        identity, trust = pki.identity("utility"), pki.trust
        (self.folder / "second").mkdir(exist_ok=True)
        self.second = Child(
            "second",
            [sys.executable, "-m", "hems", "headend", "run", "--config"],
            log=self.folder / "second.log",
            ready=self.folder / "second" / "ready.json",
        )
        for child in (self.headend, self.second):
            path = folder / f"{child.name}.toml"
            lines = [
                f'database = "{database}"',
                f"certificate = {quoted(identity.certificate)}",
                f"key = {quoted(identity.key)}",
                f"roots = {quoted(trust.roots)}",
                f"crls = {quoted(trust.crls)}",
                f"token_file = {quoted(folder / 'token')}",
                f"ready_file = {quoted(child.ready)}",
                "reuse_port = true",
                f"port = {self.port}",
                f"operator_port = {operator_port}",
                *self.scene.headend,
            ]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            child.command = [*child.command, str(path)]
            await child.start()
            await child.wait_ready(START_WITHIN_S)

    async def close(self) -> None:
        """Stop everything."""
        await Stage.close(self)
        if hasattr(self, "second"):
            await self.second.stop()

    async def restart(self, worker: Child) -> None:
        """End a worker as a power cut would, and start it again."""
        await worker.kill()
        await worker.start()
        await worker.wait_ready(START_WITHIN_S)


@contextmanager
def lossy(port: int) -> Iterator[None]:
    """Lose packets to and from a port, each way, while the context lasts."""
    table = f"hems_loss_{port}"
    draw = f"numgen random mod 100 < {LOST_PERCENT} counter drop"
    rules = f"""
    table inet {table} {{
        chain input {{
            type filter hook input priority 0;
            tcp dport {port} {draw}
            tcp sport {port} {draw}
        }}
    }}
    """
    _nft("-f", "-", given=rules)
    try:
        yield
        assert "packets 0 " not in _nft("list", "table", "inet", table), "nothing was lost"
    finally:
        _nft("delete", "table", "inet", table)


def _nft(*arguments: str, given: str = "") -> str:
    done = subprocess.run(
        [str(NFT), *arguments], input=given, check=True, capture_output=True, text=True
    )
    return done.stdout


async def test_an_event_is_carried_out_and_answered_once(tmp_path: Path) -> None:
    scene = Scene(
        page_port=0,
        battery="hold",
        house=EVENING,
        headend=("list_poll_s = 5", "dcap_poll_s = 10", "time_poll_s = 30", "post_rate_s = 10"),
        utility=('poll_least = "1 s"',),
    )
    stage = FleetStage(tmp_path / "stage", scene)
    with Pair() as pair:
        stage.pair = pair
        async with Rig(stage) as rig:
            await _carry_out(rig, stage)


async def _carry_out(rig: Rig, stage: FleetStage) -> None:
    await until(
        rig.home,
        lambda home: home.utility.state == "connected" and (home.net_w or 0.0) > 2 * LIMIT_W,
        WAIT_S,
        "connected, at a known draw",
    )
    with lossy(stage.port):
        event = await rig.dispatch(limit_import_w=LIMIT_W, seconds=EVENT_S)
        ends = event.start + event.duration_s
        await asyncio.to_thread(stage.pair.fail_over)
        await stage.restart(stage.headend)
        await until(
            rig.home,
            lambda home: (
                (card := home.card(event.id)) is not None
                and card.state == "running"
                and (home.net_w or 0.0) <= LIMIT_W + 100
            ),
            ends - time.time(),
            "the hub carries it out",
        )
        await stage.restart(stage.second)

        async def statuses() -> list[int]:
            try:
                return await rig.statuses(event.id)
            except (aiohttp.ClientError, ValidationError):
                return []  # the worker that was asked is away

        answered = await until(
            statuses, lambda codes: 3 in codes, ends - time.time() + WAIT_S, "it is completed"
        )
    assert answered == [1, 2, 3], "each answer is counted once"
    powers = [sample.meter_w for sample in await rig.trace(ends - 10.0) if sample.at < ends]
    assert powers
    assert max(powers) <= LIMIT_W + 400
    told = await rig.event(event.id)
    assert told.state == "completed"
