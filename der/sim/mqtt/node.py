"""A simulated device's connection to the MQTT broker, with last will and all its faults."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

import aiomqtt

from der.mqtt import connected
from der.sim.faults import Fault, FaultKind
from der.sim.journal import Journal

_RETRY_S: Final = 0.2
_CANCEL_AGAIN_S: Final = 0.1
_AWAY: Final = frozenset({FaultKind.OFF, FaultKind.REBOOT})
_SCALE: Final = 1000.0
_HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Out:
    """A message that a device sends."""

    topic: str
    payload: str
    retain: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """How a faulty device sees itself and its world.

    Attributes:
        now: Its own clock, UTC epoch seconds.
        scale: Factor on the powers that it sends.
        refuses: Whether it refuses all that it is told.
    """

    now: float
    scale: float = 1.0
    refuses: bool = False


class MqttDevice(Protocol):
    """What a device says and does; time is the machine's monotonic clock."""

    @property
    def name(self) -> str:
        """Its name in the simulated home."""
        ...

    @property
    def period_s(self) -> float:
        """How often it reports."""
        ...

    @property
    def will(self) -> Out:
        """What the broker says for it when it is gone."""
        ...

    @property
    def listens(self) -> Sequence[str]:
        """Topics on which it can be told something."""
        ...

    def hello(self, view: View) -> Sequence[Out]:
        """Return what it says when it has connected."""
        ...

    def report(self, view: View) -> Sequence[Out]:
        """Return what it says regularly."""
        ...

    def told(self, topic: str, payload: str, view: View) -> Sequence[Out]:
        """Take a message; return what it answers."""
        ...

    def pass_time(self, view: View) -> Sequence[Out]:
        """Do what is due, such as a timer's end; return what it says of it."""
        ...

    def restart(self) -> None:
        """Forget what a power cut takes."""
        ...


class Node:
    """Keeps a device on the broker.

    Args:
        device: What it says and does.
        fault: What goes wrong with it.
        host: The broker's.
        port: The broker's.
        journal: Where what it is told is noted.
    """

    def __init__(
        self, device: MqttDevice, fault: Fault, host: str, port: int, journal: Journal
    ) -> None:
        self.device = device
        self.fault = fault
        self._at = (host, port)
        self.journal = journal
        self._last: dict[str, Out] = {}
        self.connected = False

    async def run(self) -> None:
        """Connect for ever."""
        await _until_first_ends(self._stay())

    async def _stay(self) -> None:
        while True:
            if self.fault.kind in _AWAY:
                self.device.restart()
                while self.fault.kind in _AWAY:
                    await self.fault.until_changed()
            with suppress(aiomqtt.MqttError):
                await self._connect()
            self.connected = False
            # Not a wait for something to happen: the pause is the behaviour.
            await asyncio.sleep(_RETRY_S)

    async def _connect(self) -> None:
        will = self.device.will
        last_will = aiomqtt.Will(will.topic, will.payload, 1, will.retain)
        async with connected(aiomqtt.Client(*self._at, will=last_will, timeout=2.0)) as client:
            if self.device.listens:
                await client.subscribe([(topic, 1) for topic in self.device.listens])
            self.connected = True
            # A device that is stuck before its first report has one to repeat all the same.
            self._last = {out.topic: out for out in self.device.report(self._view())} | self._last
            await self._say(client, self.device.hello(self._view()))
            await _until_first_ends(
                self._listen(client), self._report(client), self._leave_when_away(client)
            )

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            if self.fault.kind is FaultKind.SILENCE:
                continue
            topic = message.topic.value
            raw = message.payload if isinstance(message.payload, bytes) else b""
            payload = raw.decode(errors="replace")
            self.journal.wrote(self.device.name, topic, payload)
            await self._say(client, self.device.told(topic, payload, self._view()))

    async def _report(self, client: aiomqtt.Client) -> None:
        due = time.monotonic()
        while True:
            await self._say(client, self.device.pass_time(self._view()))
            if time.monotonic() >= due:
                due = time.monotonic() + self.device.period_s
                await self._say(client, self.device.report(self._view()))
            await asyncio.sleep(min(0.05, self.device.period_s))

    async def _leave_when_away(self, client: aiomqtt.Client) -> None:
        """Drop the connection without a farewell, so that the broker speaks the last will."""
        while self.fault.kind not in _AWAY:
            await self.fault.until_changed()
        wire = client._client.socket()  # noqa: SLF001 - the library only knows how to say goodbye
        if isinstance(wire, socket.socket):
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
        await asyncio.Event().wait()  # until the listener notices

    async def _say(self, client: aiomqtt.Client, messages: Sequence[Out]) -> None:
        kind = self.fault.kind
        if kind is FaultKind.STUCK:
            messages = [self._last[out.topic] for out in messages if out.topic in self._last]
        else:
            self._last |= {out.topic: out for out in messages}
        if kind is FaultKind.SILENCE or not messages:
            return
        if kind is FaultKind.DELAY:
            await asyncio.sleep(self.fault.delay_s)
        for out in messages:
            payload = self.fault.garbage() if kind is FaultKind.GARBAGE else out.payload
            await client.publish(out.topic, payload, qos=1, retain=out.retain)

    def _view(self) -> View:
        kind = self.fault.kind
        return View(
            time.time() + (_HOUR_S if kind is FaultKind.CLOCK else 0.0),
            _SCALE if kind is FaultKind.SCALE else 1.0,
            kind is FaultKind.EXCEPTION,
        )


@dataclass(slots=True)
class Relay:
    """A switch with a load behind it, and a timer that may flip it.

    Attributes:
        load_w: What it draws when closed.
        on: Whether it is closed.
        flips_at: When it flips by itself, monotonic seconds; None for never.
        energy_wh: Running total.
        clock: The machine's monotonic clock.
    """

    load_w: float
    on: bool = True
    flips_at: float | None = None
    energy_wh: float = 0.0
    clock: Callable[[], float] = time.monotonic
    _metered_at: float | None = None

    @property
    def power_w(self) -> float:
        """What it draws now."""
        return self.load_w if self.on else 0.0

    def set(self, on: bool, flip_after_s: float | None = None) -> None:
        """Close or open it, for good or for a time."""
        self.meter()
        self.on = on
        self.flips_at = None if flip_after_s is None else self.clock() + flip_after_s

    def flipped(self) -> bool:
        """Return whether it has flipped by itself just now."""
        self.meter()
        if self.flips_at is None or self.clock() < self.flips_at:
            return False
        self.set(not self.on)
        return True

    def meter(self) -> None:
        """Count energy up to now."""
        now = self.clock()
        if self._metered_at is not None:
            self.energy_wh += self.power_w * (now - self._metered_at) / _HOUR_S
        self._metered_at = now


async def _until_first_ends(*courses: Coroutine[None, None, None]) -> None:
    tasks = [asyncio.create_task(course) for course in courses]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        # More than once: `asyncio.wait_for`, which the library uses, loses a cancellation that
        # comes together with the answer it waits for (until Python 3.12).
        pending = set(tasks)
        while pending:
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_S)
        await asyncio.gather(*tasks, return_exceptions=True)
