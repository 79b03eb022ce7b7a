"""The device service model: Open, Close, Read, Write, Seek, IOCTL.

A `Device` opens into a `Handle`; every access to a device goes through one. The rules (modes,
one writer, deadlines, the seek cursor, refusal after closing) stand here once; a driver brings
only a `Link`, which speaks its protocol.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Protocol

from der.errors import DeadlineError, RejectedError
from der.model import Connection, Control, DeviceSpec, Reading, Setpoint


class Mode(Enum):
    """What a handle may be used for."""

    READ_ONLY = "read-only"
    WRITE_ONLY = "write-only"
    READ_WRITE = "read-write"

    @property
    def reads(self) -> bool:
        """Whether the mode allows reading."""
        return self is not Mode.WRITE_ONLY

    @property
    def writes(self) -> bool:
        """Whether the mode allows writing."""
        return self is not Mode.READ_ONLY


class Whence(Enum):
    """What a seek's offset is counted from."""

    ABSOLUTE = "absolute"
    """Watts."""
    RELATIVE = "relative"
    """Watts from the present set-point."""
    OF_MAX = "of-max"
    """A share, -1 to 1, of the device's greatest consumption (positive) or production."""


class Command(StrEnum):
    """The closed set of I/O control operations."""

    CONNECT = "connect"
    DISCONNECT = "disconnect"
    IDENTIFY = "identify"
    RESET = "reset"


class Link(Protocol):
    """A live connection to one device, in its driver's protocol.

    Implementations raise the errors of `der.errors`; they need not check modes, ranges or time.
    """

    @property
    def connection(self) -> Connection:
        """Who answers at the other end."""
        ...

    async def read(self) -> Reading:
        """Read all that the device measures, in as few frames as it allows."""
        ...

    async def write(self, setpoint: Setpoint | None) -> None:
        """Give the device a set-point; None gives it back to its own control."""
        ...

    async def ioctl(self, command: Command) -> str:
        """Carry out a command; returns the device's answer in words."""
        ...

    async def close(self) -> None:
        """End the connection; never raises."""
        ...


@dataclass(slots=True)
class Device:
    """A device that can be opened.

    Attributes:
        spec: The device as commissioned.
        connect: Makes the driver's link; raises TransientError or PermanentError.
        deadline_s: Longest time that any one call on a handle may take.
    """

    spec: DeviceSpec
    connect: Callable[[], Awaitable[Link]]
    deadline_s: float = 2.0
    _writer: "Handle | None" = None

    async def open(self, mode: Mode) -> "Handle":
        """Open the device.

        Args:
            mode: What the handle will be used for.

        Returns:
            A handle that describes the connection.

        Raises:
            RejectedError: Another handle is already open for writing.
            TransientError: The device does not answer.
            PermanentError: The device is not what the driver expects.
        """
        if mode.writes and self._writer is not None:
            raise RejectedError(f"{self.spec.id}: already open for writing by another handle")
        handle = Handle(self, mode)
        if mode.writes:
            self._writer = handle  # claimed before the first await: two opens cannot both win
        try:
            async with _deadline(self, "open"):
                await handle.attach(await self.connect())
        except BaseException:
            self.release(handle)
            raise
        return handle

    def release(self, handle: "Handle") -> None:
        """Let go of the writer's claim if `handle` holds it."""
        if self._writer is handle:
            self._writer = None


class Handle:
    """An open device. All calls raise RejectedError once closed."""

    def __init__(self, device: Device, mode: Mode) -> None:
        self.spec = device.spec
        self.mode = mode
        self._device = device
        self._link: Link | None = None
        self._cursor_w = 0.0

    async def attach(self, link: Link) -> None:
        """Take the link over; called once, by `Device.open`."""
        self._link = link

    @property
    def closed(self) -> bool:
        """Whether the handle refuses all calls."""
        return self._link is None

    @property
    def connection(self) -> Connection:
        """Who answers at the other end."""
        return self._open_link("describe").connection

    async def read(self) -> Reading:
        """Read the device.

        Raises:
            RejectedError: The handle is write-only or closed.
            TransientError: No usable answer in time.
        """
        link = self._open_link("read")
        if not self.mode.reads:
            raise RejectedError(f"{self.spec.id}: read through a write-only handle")
        async with _deadline(self._device, "read"):
            return await link.read()

    async def write(self, setpoint: Setpoint | None) -> None:
        """Give the device a set-point, or None to give it back to its own control.

        Args:
            setpoint: Watts within the device's range, and the time after which it lapses.

        Raises:
            RejectedError: Read-only or closed handle, or a set-point out of range.
            TransientError: The device did not confirm in time.
        """
        link = self._writable_link("write")
        if setpoint is not None:
            self._check_range(setpoint)
        async with _deadline(self._device, "write"):
            await link.write(setpoint)
        self._cursor_w = 0.0 if setpoint is None else setpoint.power_w

    async def seek(self, whence: Whence, offset: float, lapse_s: float) -> float:
        """Move the set-point and return where it now is, in W.

        Args:
            whence: What `offset` is counted from.
            offset: Watts, or a share of the maximum for `Whence.OF_MAX`.
            lapse_s: As in `Setpoint`.

        Raises:
            RejectedError: As for `write`.
            TransientError: As for `write`.
        """
        if whence is Whence.ABSOLUTE:
            target_w = offset
        elif whence is Whence.RELATIVE:
            target_w = self._cursor_w + offset
        else:
            target_w = offset * (self.spec.max_w if offset >= 0 else -self.spec.min_w)
        await self.write(Setpoint(target_w, lapse_s))
        return target_w

    async def ioctl(self, command: Command) -> str:
        """Carry out an I/O control command; returns the device's answer in words.

        Raises:
            RejectedError: Closed or read-only handle, or the device has no such command.
            TransientError: The device did not confirm in time.
        """
        link = self._writable_link(f"ioctl {command}")
        async with _deadline(self._device, f"ioctl {command}"):
            return await link.ioctl(command)

    async def close(self, *, disconnect: bool = False) -> None:
        """End the connection; calling it again does nothing.

        Args:
            disconnect: First take the device itself off, because it is held unsafe. The handle
                is closed even if that fails.

        Raises:
            RejectedError: `disconnect` through a read-only handle.
            TransientError: The device did not confirm that it is off.
        """
        try:
            if disconnect and not self.closed:
                await self.ioctl(Command.DISCONNECT)
        finally:
            link, self._link = self._link, None
            self._device.release(self)
            if link is not None:
                await link.close()

    def _open_link(self, call: str) -> Link:
        if self._link is None:
            raise RejectedError(f"{self.spec.id}: {call} on a closed handle")
        return self._link

    def _writable_link(self, call: str) -> Link:
        link = self._open_link(call)
        if not self.mode.writes:
            raise RejectedError(f"{self.spec.id}: {call} through a read-only handle")
        if self.spec.control is Control.NONE:
            raise RejectedError(f"{self.spec.id}: {call} on a device that cannot be controlled")
        return link

    def _check_range(self, setpoint: Setpoint) -> None:
        spec = self.spec
        for power_w in (setpoint.power_w, setpoint.revert_w):
            if power_w is None or spec.min_w <= power_w <= spec.max_w:  # a NaN fails this too
                continue
            raise RejectedError(
                f"{spec.id}: set-point {power_w:g} W is outside {spec.min_w:g} to {spec.max_w:g} W"
            )
        if not (math.isfinite(setpoint.lapse_s) and setpoint.lapse_s > 0):
            raise RejectedError(f"{spec.id}: a set-point needs a lapse time above 0 s")


@asynccontextmanager
async def _deadline(device: Device, call: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(device.deadline_s):
            yield
    except TimeoutError as error:
        raise DeadlineError(
            f"{device.spec.id}: {call} got no answer within {device.deadline_s:g} s"
        ) from error
