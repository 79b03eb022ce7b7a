"""The device service model: Open, Close, Read, Write, Seek, IOCTL.

A `Device` opens into a `Handle`; every access to a device goes through one. The rules (modes,
one writer, deadlines, the seek cursor, refusal after closing) stand here once; a driver brings
only a `Link`, which speaks its protocol.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol, TypeVar, cast

from der.commands import Command, Disconnect
from der.errors import DeadlineError, DeviceError, PermanentError, RejectedError
from der.lifeline import Lifeline
from der.model import Connection, Control, DeviceKind, DeviceSpec, Reading, Safeguard, Setpoint
from der.sentence import say

A = TypeVar("A")
_CLOSED: Final = "the handle was closed"

Inspect = Callable[[Connection], str | None]
"""Returns why whoever answers is not to be spoken to, one clause; None where it may be."""


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


class Link(Protocol):
    """A live connection to one device, in its driver's protocol.

    Implementations raise the errors of `der.errors`; they need not check modes, ranges or time.
    """

    @property
    def connection(self) -> Connection:
        """Who answers at the other end."""
        ...

    @property
    def safeguard(self) -> Safeguard:
        """What becomes of the device when the hub falls silent."""
        ...

    async def read(self) -> Reading:
        """Read all that the device measures, in as few frames as it allows."""
        ...

    async def write(self, setpoint: Setpoint | None) -> None:
        """Give the device a set-point; None gives it back to its own control."""
        ...

    async def ioctl(self, command: Command[object]) -> object:
        """Carry out a command; returns a value of the command's `answer` type.

        A command that the device does not have ends in RejectedError (see `unsupported`).
        """
        ...

    async def close(self) -> None:
        """End the connection; never raises."""
        ...


def unsupported(device: str, command: Command[object]) -> RejectedError:
    """Return the error for a command that a device does not have."""
    return RejectedError(f"{device}: has no command {command}")


@dataclass(slots=True)
class Device:
    """A device that can be opened.

    Attributes:
        spec: The device as commissioned.
        connect: Makes the driver's link; raises TransientError or PermanentError.
        deadline_s: Longest time that any one call on a handle may take; a write to a device that
            sleeps may in addition wait for its next wake.
        inspect: Asked before the first call on each connection, and again when who answers
            describes itself otherwise.
        withheld: Whether only a test move may tell it anything, because nobody has approved it yet.
    """

    spec: DeviceSpec
    connect: Callable[[], Awaitable[Link]]
    deadline_s: float = 2.0
    inspect: Inspect = lambda _: None
    withheld: bool = False
    _writer: "Handle | None" = None
    _handles: "list[Handle]" = field(default_factory=list)
    _shut: str | None = None

    async def open(self, mode: Mode) -> "Handle":
        """Open the device.

        Args:
            mode: What the handle will be used for.

        Returns:
            A handle that describes the connection.

        Raises:
            RejectedError: Another handle is already open for writing, the device is shut, or who
                answers is not to be spoken to.
            TransientError: The device does not answer.
            PermanentError: The device is not what the driver expects.
        """
        self._refuse_if_shut("open")
        if mode.writes and self._writer is not None:
            raise RejectedError(f"{self.spec.id}: already open for writing by another handle")
        handle = Handle(self, mode)
        if mode.writes:
            self._writer = handle  # claimed before the first await: two opens cannot both win
        try:
            async with handle.bounded("open"):
                handle.attach(await self.connect())
        except BaseException:
            self.release(handle)
            raise
        self._handles.append(handle)
        try:
            handle.inspect("open")
        except RejectedError:
            await handle.close()
            raise
        if self._shut is not None:  # from above, while it was being opened
            await handle.close()
            self._refuse_if_shut("open")
        return handle

    def release(self, handle: "Handle") -> None:
        """Let go of what `handle` holds: its place, and the writer's claim."""
        if self._writer is handle:
            self._writer = None
        if handle in self._handles:
            self._handles.remove(handle)

    @property
    def shut_because(self) -> str | None:
        """Why the device is shut; None while it may be opened."""
        return self._shut

    async def shut(self, why: str, *, disconnect: bool = True, back: bool = False) -> None:
        """Close the device from above, because it is held unsafe.

        All its handles are closed at once and refuse from then on, saying why; nobody can open it
        until `allow` is called.

        Args:
            why: One clause for the owner ("its firmware was tampered with").
            disconnect: Also take the device itself off, through its writer or anew.
            back: Rather give it back to its own control than take it off.

        Raises:
            DeviceError: The device did not confirm that; it is shut all the same.
        """
        self._shut = why
        off = not disconnect or self.spec.control is Control.NONE
        for handle in tuple(self._handles):
            through = not off and handle.mode.writes
            try:
                await handle.close(disconnect=through, back=back)
            except DeviceError:
                continue  # once more, below, through a connection of its own
            off = off or through
        if not off:
            last = Handle(self, Mode.WRITE_ONLY)
            async with last.bounded("disconnect"):
                last.attach(await self.connect())
            await last.close(disconnect=True, back=back)

    def allow(self) -> None:
        """Let a device that was shut be opened again."""
        self._shut = None

    def _refuse_if_shut(self, call: str) -> None:
        if self._shut is not None:
            raise RejectedError(f"{self.spec.id}: {call} refused: {self._shut}")


class Handle:
    """An open device. All calls raise RejectedError once closed."""

    def __init__(self, device: Device, mode: Mode) -> None:
        self.spec = device.spec
        self.mode = mode
        self._device = device
        self._link: Link | None = None
        self._life = Lifeline()
        self._inspected: Connection | None = None
        self._under_way = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._cursor_w = 0.0

    def attach(self, link: Link) -> None:
        """Take the link over; called once, by `Device.open`."""
        self._link = link

    @asynccontextmanager
    async def bounded(self, call: str, takes_s: float = 0.0) -> AsyncIterator[None]:
        """Hold a call to the device's deadline, and end it at once when the handle is closed.

        Args:
            call: What it is, for messages.
            takes_s: Seconds that it may take, where that is more than the device's deadline.

        Raises:
            DeadlineError: The time is up.
            RejectedError: The handle was closed meanwhile.
        """
        deadline_s, life = max(self._device.deadline_s, takes_s), self._life
        self._under_way += 1
        self._quiet.clear()
        try:
            async with life.bounded(deadline_s):
                yield
        except TimeoutError as error:
            if life.cause is not None:
                raise self._closed(call) from error
            raise DeadlineError(
                say(
                    "{id}: {call} got no answer within {seconds:g} s",
                    id=self.spec.id,
                    call=call,
                    seconds=deadline_s,
                )
            ) from error
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._quiet.set()

    @property
    def closed(self) -> bool:
        """Whether the handle refuses all calls."""
        return self._link is None

    @property
    def connection(self) -> Connection:
        """Who answers at the other end."""
        return self._open_link("describe").connection

    @property
    def safeguard(self) -> Safeguard:
        """What becomes of the device when the hub falls silent."""
        return self._open_link("describe").safeguard

    def inspect(self, call: str) -> None:
        """See who answers, where that is not known or has changed.

        Args:
            call: What it is asked for, for messages.

        Raises:
            RejectedError: Who answers is not to be spoken to.
        """
        connection = self._open_link(call).connection
        if connection == self._inspected:
            return
        why = self._device.inspect(connection)
        if why is not None:
            self._inspected = None
            raise RejectedError(
                say("{id}: {call} refused: {why}", id=self.spec.id, call=call, why=why)
            )
        self._inspected = connection

    async def read(self) -> Reading:
        """Read the device.

        Raises:
            RejectedError: The handle is write-only or closed.
            TransientError: No usable answer in time.
        """
        link = self._open_link("read")
        if not self.mode.reads:
            raise RejectedError(f"{self.spec.id}: read through a write-only handle")
        self.inspect("read")
        async with self.bounded("read"):
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
        self.inspect("write")
        if setpoint is not None:
            self._check_range(setpoint)
        sleep = self.spec.sleep
        wakes_s = 0.0 if sleep is None else sleep.period_s + sleep.awake_s
        async with self.bounded("write", self._device.deadline_s + wakes_s):
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

    async def ioctl(self, command: Command[A]) -> A:
        """Carry out an I/O control command; returns what the command says that it answers.

        Raises:
            RejectedError: Closed handle, read-only for a command that changes the device, or the
                device has no such command.
            PermanentError: The device, or its driver, answers with something else.
            TransientError: The device did not confirm in time.
        """
        call = f"ioctl {command}"
        link = self._writable_link(call) if command.changes else self._open_link(call)
        self.inspect(call)
        async with self.bounded(call, command.takes_s):
            answer = await link.ioctl(command)
        if not isinstance(answer, command.answer):
            raise PermanentError(f"{self.spec.id}: {call} is answered with {answer!r}")
        return cast("A", answer)

    async def close(self, *, disconnect: bool = False, back: bool = False) -> None:
        """End the connection; calling it again does nothing.

        Args:
            disconnect: First take the device itself off, because it is held unsafe, when calls
                under way have ended: a write must not end after it and undo it. One that hangs is
                ended at the deadline. The handle is closed even if the device does not confirm.
            back: `disconnect` gives the device back to its own control, and leaves it on.

        Raises:
            RejectedError: `disconnect` through a read-only handle.
            TransientError: The device did not confirm that.
        """
        if self._link is None:
            return
        if disconnect:
            self._writable_link("disconnect")
        link, self._link = self._link, None  # from here on nothing new comes through
        try:
            if disconnect:
                await self._calm()
                async with self.bounded("disconnect"):
                    await (link.write(None) if back else link.ioctl(Disconnect()))
        finally:
            self._life.cut(_CLOSED)
            self._device.release(self)
            await link.close()

    async def _calm(self) -> None:
        """Return when no call is under way any more; one that outlasts the deadline is ended."""
        for _ in range(2):
            with suppress(TimeoutError):
                async with asyncio.timeout(self._device.deadline_s):
                    await self._quiet.wait()
                    return
            self._life.cut(_CLOSED)
            self._life = Lifeline()  # of the disconnection

    def _open_link(self, call: str) -> Link:
        if self._link is None:
            raise self._closed(call)
        return self._link

    def _closed(self, call: str) -> RejectedError:
        why = self._device.shut_because
        cause = "on a closed handle" if why is None else f"refused: {why}"
        return RejectedError(f"{self.spec.id}: {call} {cause}")

    def _writable_link(self, call: str) -> Link:
        link = self._open_link(call)
        if not self.mode.writes:
            raise RejectedError(f"{self.spec.id}: {call} through a read-only handle")
        switched = self.spec.kind is DeviceKind.TIE and call != "write"
        if self.spec.control is Control.NONE and not switched:
            raise RejectedError(f"{self.spec.id}: {call} on a device that cannot be controlled")
        return link

    def _check_range(self, setpoint: Setpoint) -> None:
        spec = self.spec
        for power_w in (setpoint.power_w, setpoint.revert_w):
            if power_w is None or spec.min_w <= power_w <= spec.max_w:  # a NaN fails this too
                continue
            raise RejectedError(
                say(
                    "{id}: set-point {power:g} W is outside {least:g} to {most:g} W",
                    id=spec.id,
                    power=power_w,
                    least=spec.min_w,
                    most=spec.max_w,
                )
            )
        if not (math.isfinite(setpoint.lapse_s) and setpoint.lapse_s > 0):
            raise RejectedError(f"{spec.id}: a set-point needs a lapse time above 0 s")
