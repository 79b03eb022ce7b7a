"""A device that answers on a real loopback socket, one JSON line a call, and its link."""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field

from der.commands import Command
from der.errors import TransientError
from der.model import Connection, DeviceSpec, Expiry, Reading, Safeguard, Setpoint
from der.service import A, Device, Link, unsupported
from hems.cem.arbiter import Decision
from hems.cem.effects import Effect
from hems.image import Image


@dataclass
class WireDevice:
    """A device's far end: answers reads and takes writes, or hangs, or talks nonsense.

    Attributes:
        spec: What it is.
        power_w: What it says it draws.
        soc: What it says of its charge.
        limit_w: What it says is in force.
        hangs: Whether it takes calls and never answers.
        garbage: Whether it answers with no JSON.
        refuses: What it answers a write with, if not with its consent.
        writes: What it was told, in order; None where it was given back.
        lapses: The lapse times of the same.
        written: Set on every write.
    """

    spec: DeviceSpec
    power_w: float = 0.0
    soc: float | None = None
    limit_w: float | None = None
    hangs: bool = False
    garbage: bool = False
    refuses: str = ""
    writes: list[float | None] = field(default_factory=list)
    lapses: list[float] = field(default_factory=list)
    reads: int = 0
    opened: int = 0
    written: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0
    _server: asyncio.Server | None = None
    _peers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> None:
        """Listen, on the port it had before if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and hang up on everybody."""
        if self._server is None:
            return
        self._server.close()
        for peer in list(self._peers):
            peer.close()
        await self._server.wait_closed()
        self._server = None

    def device(self, clock: "WallClock", deadline_s: float = 1.0) -> Device:
        """Return the near end."""

        async def connect() -> Link:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError as error:
                raise TransientError(f"{self.spec.id}: {error}") from error
            return WireLink(self.spec.id, clock, reader, writer)

        return Device(self.spec, connect, deadline_s)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self._peers.add(writer)
        try:
            while line := await reader.readline():
                answer = self._answer(json.loads(line))
                if self.hangs:
                    continue
                writer.write(b"%%%\n" if self.garbage else json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            self._peers.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def _answer(self, call: dict[str, float | None]) -> dict[str, float | str | None]:
        if "power_w" not in call:
            self.reads += 1
            return {"power_w": self.power_w, "soc": self.soc, "limit_w": self.limit_w}
        if self.refuses:
            return {"error": self.refuses}
        if not self.hangs:
            self.writes.append(call["power_w"])
            self.lapses.append(call["lapse_s"] or 0.0)
            self.written.set()
        return {}


class WallClock:
    """The loop's time as both UTC and monotonic.

    Attributes:
        skip_s: Lets time pass at once.
        set_s: By how much somebody has set UTC.
    """

    def __init__(self) -> None:
        self.skip_s = 0.0
        self.set_s = 0.0

    def now(self) -> float:
        """Return UTC as epoch seconds."""
        return 1_800_000_000.0 + self.monotonic() + self.set_s

    def monotonic(self) -> float:
        """Return the loop's time."""
        return asyncio.get_running_loop().time() + self.skip_s


class ImageWatch:
    """An observer of a cycle, by which a test waits for images."""

    def __init__(self) -> None:
        self.images: list[Image] = []
        self._changed = asyncio.Event()

    def on_image(self, image: Image, decision: Decision) -> None:
        """Keep it."""
        assert decision.at >= image.at
        self.images.append(image)
        self._changed.set()

    def on_effect(self, effect: Effect) -> None:
        """Leave it."""

    async def next(self, count: int) -> list[Image]:
        """Return the next images once they are there."""
        begin = len(self.images)
        async with asyncio.timeout(10):
            while len(self.images) < begin + count:
                self._changed.clear()
                await self._changed.wait()
        return self.images[begin:]


class WireLink:
    """The near end of a `WireDevice`; calls go one after the other."""

    def __init__(
        self,
        name: str,
        clock: WallClock,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._name = name
        self._clock = clock
        self._reader = reader
        self._writer = writer
        self._lock = asyncio.Lock()
        self.connection = Connection("loopback")
        self.safeguard = Safeguard(Expiry.REVERSION)

    async def read(self) -> Reading:
        """Read power and charge."""
        answer = await self._call({})
        power_w, soc, limit_w = answer["power_w"], answer["soc"], answer["limit_w"]
        assert isinstance(power_w, float | int)
        assert soc is None or isinstance(soc, float)
        assert limit_w is None or isinstance(limit_w, float)
        return Reading(self._clock.now(), power_w, soc=soc, limit_w=limit_w)

    async def write(self, setpoint: Setpoint | None) -> None:
        """Write a set-point; null gives the device back."""
        power_w = None if setpoint is None else setpoint.power_w
        lapse_s = None if setpoint is None else setpoint.lapse_s
        await self._call({"power_w": power_w, "lapse_s": lapse_s})

    async def ioctl(self, command: Command[A]) -> object:
        """Refuse: it has none."""
        raise unsupported(self._name, command)

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _call(self, call: dict[str, float | None]) -> dict[str, float | str | None]:
        async with self._lock:
            try:
                self._writer.write(json.dumps(call).encode() + b"\n")
                await self._writer.drain()
                line = await self._reader.readline()
                answer: dict[str, float | str | None] = json.loads(line)
            except (ConnectionError, ValueError) as error:
                raise TransientError(f"{self._name}: no usable answer: {error}") from error
        if "error" in answer:
            raise TransientError(f"{self._name}: {answer['error']}")
        return answer
