"""What it costs to poll ten SunSpec devices over Modbus TCP, beside pysunspec2's own client.

Ten devices of 80 points each run in a process of their own (`device_farm.py`). In each round our
driver reads all 800 points, the ten devices at once, then reads the ten devices as a control cycle
does (a `Reading` through a handle each), then pysunspec2's client reads the same 800 points, as its
users do: model by model, device by device. A second pysunspec2 reads the ten devices by a thread
each. What is read is compared before anything is timed, and once more at the end.

`frames_least` is worked out apart from the driver: the fewest reads of at most 125 registers that
can hold the points and their scale factors, none of them torn.
"""

import asyncio
import gc
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final

import psutil
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from der.addresses import ModbusAddress
from der.description import DeviceDescription
from der.drivers.modbus.connection import MAX_REGISTERS, ModbusConnection
from der.drivers.modbus.pool import ModbusPool
from der.drivers.sunspec.map import Plan, SunSpecMap, want
from der.drivers.sunspec.model import FORMATS, load_model
from der.model import Control, DeviceKind, DeviceSpec
from der.registry import build
from der.service import Handle, Mode
from tests.benchmarks.common import Figure, in_ms, latencies, parser, percentile, report

DEVICES: Final = 10
COUNTS: Final[Mapping[int, int]] = {701: 48, 702: 10, 703: 4, 704: 13, 713: 5}
"""Points that are read, by model."""
CYCLE_S: Final = 1.0
"""The hub's cycle, for the share of the processor."""

Values = dict[tuple[int, str], float | None]


def points() -> dict[int, list[str]]:
    """Return the points that are read of each device, by model."""
    return {
        model_id: [
            point.name
            for point in load_model(model_id).points.values()
            if point.type in FORMATS and point.type != "sunssf" and point.name not in {"ID", "L"}
        ][:count]
        for model_id, count in COUNTS.items()
    }


@dataclass(slots=True)
class Ours:
    """Our driver, connected to one device."""

    plan: Plan
    names: Mapping[int, Sequence[str]]

    @classmethod
    async def connect(cls, port: int, pool: ModbusPool) -> "Ours":
        """Find the models of the device at a port."""
        address = ModbusAddress("127.0.0.1", port, timeout_s=5.0)
        bus = await ModbusConnection.open(f"farm-{port}", address, pool)
        device = await SunSpecMap.discover(bus, COUNTS)
        names = points()
        wanted = [want(device.models[model_id], names[model_id]) for model_id in COUNTS]
        return cls(Plan(device, wanted), names)

    async def read(self) -> Values:
        """Read all points."""
        return {
            (block.model.id, name): block.number(name)
            for block in await self.plan.read("points")
            for name in self.names[block.model.id]
        }

    def spans(self) -> list[tuple[int, int]]:
        """Return (first register, count) of all that must be read."""
        return sorted(span for part in self.plan.wanted for span in part.spans)


class Theirs:
    """pysunspec2's client, connected to one device."""

    def __init__(self, port: int) -> None:
        self.client = SunSpecModbusClientDeviceTCP(
            slave_id=1, ipaddr="127.0.0.1", ipport=port, timeout=5
        )
        self.client.scan()
        self.names = points()

    def read(self) -> Values:
        """Read all points."""
        values: Values = {}
        for model_id, names in self.names.items():
            model = self.client.models[model_id][0]
            model.read()
            for name in names:
                values[model_id, name] = getattr(model, name).cvalue
        return values

    def close(self) -> None:
        """Hang up."""
        self.client.close()


@dataclass(slots=True)
class Timed:
    """Times of one way of reading."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    async def run(self, once: Callable[[], Awaitable[None]]) -> None:
        """Time one reading of all devices."""
        wall, cpu = time.perf_counter(), time.process_time()
        await once()
        self.wall_s.append(time.perf_counter() - wall)
        self.cpu_s.append(time.process_time() - cpu)

    def per_s(self, count: int) -> float:
        """Return how many points a second that is, over all rounds."""
        return round(count * len(self.wall_s) / sum(self.wall_s))


@contextmanager
def farm() -> Iterator[tuple[list[int], psutil.Process]]:
    """Run the devices; yields their ports and their process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.device_farm", str(DEVICES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield [int(port) for port in process.stdout.readline().split()], psutil.Process(process.pid)
    finally:
        process.communicate(timeout=10)  # its input ends, and so does it


def least_frames(spans: Sequence[tuple[int, int]], most: int = MAX_REGISTERS) -> int:
    """Return the fewest reads of at most `most` registers that have each span in one of them.

    By dynamic programming over the spans in ascending order, whatever the driver does.
    """
    best = [0]
    for end in range(len(spans)):
        last = max(start + count for start, count in spans[: end + 1])
        fits = [best[i] + 1 for i in range(end + 1) if i == end or last - spans[i][0] <= most]
        best.append(min(fits))
    return best[-1]


async def handles(ports: Sequence[int]) -> list[Handle]:
    """Open the devices as the hub does."""
    registry = build(
        (
            DeviceDescription(
                DeviceSpec(f"pv-{n}", DeviceKind.PV, f"Roof {n}", Control.FLOOR, -5000, 0),
                "sunspec",
                ModbusAddress("127.0.0.1", port, timeout_s=5.0),
                deadline_s=10.0,
            )
            for n, port in enumerate(ports)
        ),
        now=time.time,
    )
    return [await device.open(Mode.READ_WRITE) for device in registry.devices.values()]


class Ways:
    """Every way of reading all devices; made by `connected`."""

    def __init__(
        self, ours: Sequence[Ours], theirs: Sequence[Theirs], opened: Sequence[Handle]
    ) -> None:
        self.ours = ours
        self.theirs = theirs
        self.opened = opened
        self.threads = ThreadPoolExecutor(DEVICES)
        self.timed = {way: Timed() for way in (self.poll, self.cycle, self.peer, self.threaded)}

    async def poll(self) -> None:
        """Our driver, all points, all devices at once."""
        await asyncio.gather(*(device.read() for device in self.ours))

    async def cycle(self) -> None:
        """Our driver as the control cycle uses it."""
        await asyncio.gather(*(handle.read() for handle in self.opened))

    async def peer(self) -> None:
        """pysunspec2's client, one device after the other."""
        for device in self.theirs:
            device.read()

    async def threaded(self) -> None:
        """pysunspec2's client, a thread for each device."""
        loop = asyncio.get_running_loop()
        reads = (loop.run_in_executor(self.threads, device.read) for device in self.theirs)
        await asyncio.gather(*reads)

    async def run(self, rounds: int) -> None:
        """Read in every way in each round; the first reading of each way is not counted."""
        for way in self.timed:
            await way()
        gc.collect()
        for _ in range(rounds):
            for way, timed in self.timed.items():
                await timed.run(way)

    async def compare(self) -> None:
        """See that both read the same values.

        Raises:
            SystemExit: They do not.
        """
        for device, peer in zip(self.ours, self.theirs, strict=True):
            mine, yours = await device.read(), peer.read()
            for key, value in mine.items():
                other = yours[key]
                if value is None or other is None or abs(value - other) > 1e-9 * abs(other):
                    raise SystemExit(f"{key}: we read {value}, pysunspec2 {other}")


@asynccontextmanager
async def connected(ports: Sequence[int]) -> AsyncIterator[Ways]:
    """Connect to the devices in every way."""
    pool = ModbusPool()
    ways = Ways(
        [await Ours.connect(port, pool) for port in ports],
        [await asyncio.to_thread(Theirs, port) for port in ports],
        await handles(ports),
    )
    try:
        yield ways
    finally:
        for handle in ways.opened:
            await handle.close()
        await pool.stop()
        for device in ways.theirs:
            device.close()
        ways.threads.shutdown()


async def figures(rounds: int) -> Mapping[str, Figure]:
    """Measure everything, reading `rounds` times in each way."""
    with farm() as (ports, servers):
        async with connected(ports) as ways:
            await ways.compare()
            busy = servers.cpu_times()
            await ways.run(rounds)
            spent = servers.cpu_times()
            await ways.compare()
    all_points = sum(COUNTS.values()) * DEVICES
    poll, cycle, peer, threaded = ways.timed.values()
    ahead, behind, beside = (way.per_s(all_points) for way in (poll, peer, threaded))
    cpu_s = sum(poll.cpu_s) / rounds
    return {
        **latencies("cycle", poll.wall_s),
        "points": all_points,
        "points_per_s": ahead,
        "pysunspec2_points_per_s": behind,
        "ratio": round(ahead / behind, 1),
        "pysunspec2_threads_points_per_s": beside,
        "ratio_to_threads": round(ahead / beside, 1),
        "ratio_of_cpu": round(sum(peer.cpu_s) / sum(poll.cpu_s), 1),
        "frames": sum(len(device.plan.frames) for device in ways.ours),
        "frames_least": sum(least_frames(device.spans()) for device in ways.ours),
        "cpu_ms_per_cycle": round(1000 * cpu_s, 2),
        "cpu_share": round(cpu_s / CYCLE_S, 4),
        **latencies("reading", cycle.wall_s),
        "pysunspec2_cycle_p50_ms": in_ms(percentile(peer.wall_s, 0.5)),
        "servers_cpu_s": round(spent.user + spent.system - busy.user - busy.system, 2),
        "devices": DEVICES,
        "rounds": rounds,
    }


def main() -> None:
    """Measure and print."""
    line = parser(__doc__)
    line.add_argument("--rounds", type=int, default=500, help="readings of each way")
    options = line.parse_args()
    report(
        "devices",
        asyncio.run(figures(options.rounds)),
        requirements=["SVC-READ", "PRO-IP"],
        headline=[
            "cycle_p50_ms",
            "cycle_p99_ms",
            "points_per_s",
            "pysunspec2_points_per_s",
            "ratio",
            "frames",
            "frames_least",
        ],
        record=options.record,
    )


if __name__ == "__main__":
    main()
