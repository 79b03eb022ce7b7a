"""A link that only keeps what it is told, and calls on a handle to it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from der.commands import (
    Command,
    Connect,
)
from der.errors import TransientError
from der.model import (
    Connection,
    Control,
    DeviceKind,
    DeviceSpec,
    Expiry,
    Reading,
    Safeguard,
    Setpoint,
)
from der.service import Device, Handle, Whence

SPEC = DeviceSpec("bat", DeviceKind.BATTERY, "Battery", Control.TARGET, -4000, 5000)
METER = DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, 0, 0)


@dataclass(slots=True)
class Shelf:
    """A link to a device that keeps its set-point and answers when it may.

    Attributes:
        answers: Cleared while the device hangs.
    """

    setpoints: list[Setpoint | None] = field(default_factory=list)
    commands: list[object] = field(default_factory=list)
    closed: int = 0
    fails: bool = False
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def connection(self) -> Connection:
        return Connection("shelf:1", manufacturer="Maker")

    @property
    def safeguard(self) -> Safeguard:
        return Safeguard(Expiry.REVERSION, "stands still")

    async def read(self) -> Reading:
        await self._answer()
        return Reading(at=1.0, power_w=2.0)

    async def write(self, setpoint: Setpoint | None) -> None:
        await self._answer()
        self.setpoints.append(setpoint)

    async def ioctl(self, command: Command[object]) -> object:
        await self._answer()
        self.commands.append(command)
        if command.answer is Connection:
            return self.connection
        return f"did {command}"

    async def close(self) -> None:
        self.closed += 1

    async def _answer(self) -> None:
        await self.answers.wait()
        if self.fails:
            raise TransientError("bat: shelf is broken")


def shelved(
    spec: DeviceSpec = SPEC, *, hangs: bool = False, deadline_s: float = 1.0
) -> tuple[Device, Shelf]:
    shelf = Shelf()
    if not hangs:
        shelf.answers.set()

    async def connect() -> Shelf:
        return shelf

    return Device(spec, connect, deadline_s), shelf


Call = Callable[[Handle], Awaitable[object]]


def read(handle: Handle) -> Awaitable[object]:
    return handle.read()


def write(handle: Handle) -> Awaitable[object]:
    return handle.write(Setpoint(100, 10))


def release(handle: Handle) -> Awaitable[object]:
    return handle.write(None)


def seek(handle: Handle) -> Awaitable[object]:
    return handle.seek(Whence.ABSOLUTE, 100, 10)


def ioctl(handle: Handle) -> Awaitable[object]:
    return handle.ioctl(Connect())
