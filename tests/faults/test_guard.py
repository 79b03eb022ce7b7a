"""The guard as a process: what it does when the hub that told it is killed, restarts, or stops."""

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from pymodbus.client import AsyncModbusTcpClient

from tests.faults import killed_hub
from tests.faults.bench import Bench
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("SVC-WRITE"),
]
SOON_S = 20.0


@dataclass
class Hub:
    """A hub to be killed, and the device that it writes to."""

    process: Process
    port: int

    async def say(self, word: str) -> int:
        """Have it do something; returns its guard's process id, 0 while it has none."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{word}\n".encode())
        async with asyncio.timeout(SOON_S):
            told = await self.process.stdout.readline()
        return 0 if told == b"None\n" else int(told)

    async def allowed(self) -> bool:
        """Ask the relay board itself whether the load may run."""
        client = AsyncModbusTcpClient("127.0.0.1", port=self.port)
        await client.connect()
        try:
            answer = await client.read_coils(0, count=1, device_id=1)
            return bool(answer.bits[0])
        finally:
            client.close()


@asynccontextmanager
async def hub(bench: Bench, state: Path) -> AsyncIterator[Hub]:
    port = bench.ports["water_heater"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", killed_hub.__name__, str(port), str(state)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Hub(process, port)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(SOON_S):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def gone(pid: int) -> None:
    async def look() -> bool:
        return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE

    await until(look, lambda alive: not alive, SOON_S, "the guard has ended")


async def test_a_hub_that_is_killed_leaves_the_device_as_it_was_until_the_lapse(
    bench: Bench, tmp_path: Path
) -> None:
    async with hub(bench, tmp_path / "guard.json") as first:
        guard = await first.say("6")
        assert not await first.allowed()
        first.process.kill()
        await first.process.wait()
        assert psutil.pid_exists(guard)  # it has a session of its own
        assert not await first.allowed()
        await until(first.allowed, lambda allowed: allowed, SOON_S, "given back")
        await gone(guard)
        assert not (tmp_path / "guard.json").exists()


async def test_a_hub_that_restarts_in_time_takes_over_and_is_not_fought(
    bench: Bench, tmp_path: Path
) -> None:
    state = tmp_path / "guard.json"
    async with hub(bench, state) as first:
        old = await first.say("20")
        first.process.kill()
        await first.process.wait()
        async with hub(bench, state) as second:
            new = await second.say("600")
            await gone(old)
            assert new != old
            assert not await second.allowed()
            await second.say("free")
            assert await second.allowed()
        await gone(new)  # it was stopped in order, with nothing held


async def test_a_guard_that_dies_is_replaced_and_knows_what_is_held(
    bench: Bench, tmp_path: Path
) -> None:
    async with hub(bench, tmp_path / "guard.json") as first:
        guard = await first.say("8")
        psutil.Process(guard).kill()

        async def other() -> int:
            return await first.say("8")

        another = await until(other, lambda pid: pid not in {guard, 0}, SOON_S, "another guard")
        first.process.kill()
        await first.process.wait()
        await until(first.allowed, lambda allowed: allowed, SOON_S, "given back")
        await gone(another)


async def test_what_a_lost_machine_held_is_given_back_at_the_next_start(
    bench: Bench, tmp_path: Path
) -> None:
    state = tmp_path / "guard.json"
    async with hub(bench, state) as first:
        guard = await first.say("5")
        psutil.Process(guard).kill()  # as a power cut ends both
        first.process.kill()
        await first.process.wait()
        assert not await first.allowed()
    async with hub(bench, state) as second:
        await until(second.allowed, lambda allowed: allowed, SOON_S, "given back")
