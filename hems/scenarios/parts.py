"""The home's devices without their sockets: each a `der.service.Link` onto the simulated house.

They take what real ones take: a set-point with its lapse time, a switch, grid-support functions
with theirs. They fail as real ones do: not there, silent, garbled, stuck.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Generic, TypeVar

from der.commands import (
    Ability,
    Command,
    Connect,
    DeviceOptions,
    Disconnect,
    HoldReactive,
    Options,
    ReadFunction,
    ReleaseReactive,
    StopFunction,
    WriteFunction,
)
from der.curves import GridFunction, GridSupport
from der.errors import TransientError
from der.model import Connection, Control, DeviceKind, DeviceSpec, Expiry, Reading, Safeguard
from der.model import Setpoint as Told
from der.service import Device, Link, unsupported

T = TypeVar("T")

_FUNCTIONS: Final = {
    DeviceKind.PV: frozenset(GridFunction),
    DeviceKind.BATTERY: frozenset(GridFunction),
}


class Ill(StrEnum):
    """What is wrong with a device."""

    OFF = "off"
    """It is not to be reached."""
    SILENT = "silent"
    """It takes what it is sent and never answers."""
    GARBLED = "garbled"
    """What it says is no number."""
    STUCK = "stuck"
    """It goes on saying what it said last, and does nothing that it is told."""


@dataclass(slots=True)
class Held(Generic[T]):
    """Something that a device was told for a time.

    Attributes:
        what: What it was.
        until: Monotonic seconds.
    """

    what: T
    until: float = math.inf


@dataclass(slots=True)
class Part:
    """One device of the simulated home.

    Attributes:
        spec: As the hub knows it.
        now: Monotonic seconds.
        measure: Returns what it would say now.
        setpoint: What it was told.
        opened: Its switch, while it stands open.
        functions: Grid-support functions that are on.
        held: The reactive power or power factor that it holds.
        own: Takes commands that only this device knows and answers in words; None where it does
            not know one.
        ill: What is wrong with it; None if nothing is.
        writes: How often it was told a set-point.
    """

    spec: DeviceSpec
    now: Callable[[], float]
    measure: Callable[[], Reading]
    setpoint: Held[Told] | None = None
    opened: Held[None] | None = None
    functions: dict[GridFunction, Held[GridSupport]] = field(default_factory=dict)
    held: Held[HoldReactive] | None = None
    own: Callable[[Command[object]], str | None] = lambda _command: None
    ill: Ill | None = None
    writes: int = 0
    _said: Reading | None = None

    def device(self) -> Device:
        """Return it as the hub opens it."""
        return Device(self.spec, self._connect)

    def asked_w(self) -> float | None:
        """Return the power that it is told to have now, W; None if it runs by itself."""
        if self.setpoint is None:
            return None
        if self.now() < self.setpoint.until:
            return self.setpoint.what.power_w
        return self.setpoint.what.revert_w

    @property
    def off(self) -> bool:
        """Whether its switch stands open."""
        return self.opened is not None and self.now() < self.opened.until

    @property
    def running(self) -> dict[GridFunction, GridSupport]:
        """The grid-support functions that are on now."""
        now = self.now()
        return {name: held.what for name, held in self.functions.items() if now < held.until}

    @property
    def holds(self) -> HoldReactive | None:
        """The reactive power or power factor that it holds now; None if none."""
        return None if self.held is None or self.now() >= self.held.until else self.held.what

    def fall_ill(self, ill: Ill | None) -> None:
        """Begin to fail, or cease to; one that was off has forgotten what it was told."""
        if ill is Ill.OFF:
            self.setpoint, self.opened, self.held = None, None, None
            self.functions.clear()
        self.ill = ill

    async def _connect(self) -> Link:
        await self.answering("connect")
        return _Line(self)

    async def answering(self, call: str) -> None:
        """Return if it can answer.

        Raises:
            TransientError: It is not to be reached.
        """
        if self.ill is Ill.OFF:
            raise TransientError(f"{self.spec.id}: {call}: nobody answers at its address")
        if self.ill is Ill.SILENT:
            await asyncio.Event().wait()  # the caller's deadline ends it

    def say(self) -> Reading:
        """Return what it says of itself."""
        fresh = self.measure()
        if self.ill is Ill.GARBLED:
            return replace(fresh, power_w=math.nan)
        if self.ill is Ill.STUCK and self._said is not None:
            return replace(self._said, at=fresh.at)
        self._said = fresh
        return fresh

    def take(self, told: Told | None) -> None:
        """Take a set-point, or the way back to its own control."""
        if self.ill is Ill.STUCK:
            return
        self.writes += 1
        self.setpoint = None if told is None else Held(told, self.now() + told.lapse_s)


class _Line:
    """The hub's end of one device."""

    def __init__(self, part: Part) -> None:
        self._part = part
        kind = part.spec.kind
        self.connection = Connection("in this process", "Simulated", kind.value, part.spec.id)
        controlled = part.spec.control is not Control.NONE
        self.safeguard = Safeguard(Expiry.REVERSION if controlled else Expiry.NOTHING_TO_END)

    async def read(self) -> Reading:
        await self._part.answering("read")
        return self._part.say()

    async def write(self, setpoint: Told | None) -> None:
        await self._part.answering("write")
        self._part.take(setpoint)

    async def ioctl(self, command: Command[object]) -> object:
        part = self._part
        await part.answering(str(command))
        answered = part.own(command)
        if answered is not None:
            return answered
        answer = self._told(command)
        if answer is None:
            raise unsupported(part.spec.id, command)
        return answer

    def _told(self, command: Command[object]) -> object | None:
        """Return what it answers to a command; None to one that it does not have."""
        part = self._part
        if isinstance(command, Options):
            return self._options()
        if part.spec.kind not in _FUNCTIONS:
            return None
        match command:
            case Disconnect():
                part.opened = Held(None, self._until(command.lapse_s))
                return "its switch is open"
            case Connect():
                part.opened = None
                return "its switch is closed"
            case HoldReactive():
                part.held = Held(command, self._until(command.lapse_s))
                return "it holds that"
            case ReleaseReactive():
                part.held = None
                return "its reactive power is its own"
        return self._supporting(command)

    def _supporting(self, command: Command[object]) -> object | None:
        part = self._part
        match command:
            case WriteFunction():
                held = Held(command.settings, self._until(command.lapse_s))
                part.functions[command.settings.function] = held
                return command.settings
            case ReadFunction():
                return part.running.get(command.function)
            case StopFunction():
                part.functions.pop(command.function, None)
                return "it is off"
        return None

    def _until(self, lapse_s: float | None) -> float:
        return math.inf if lapse_s is None else self._part.now() + lapse_s

    def _options(self) -> DeviceOptions:
        spec = self._part.spec
        functions = _FUNCTIONS.get(spec.kind, frozenset())
        able = {Ability.POWER} if spec.control is not Control.NONE else set()
        if functions:
            able |= {Ability.CONNECT, Ability.REACTIVE}
        if spec.kind is DeviceKind.BATTERY:
            able |= {Ability.FORMING}
        return DeviceOptions(frozenset(able), functions, self.safeguard)

    async def close(self) -> None:
        """Nothing is open."""
