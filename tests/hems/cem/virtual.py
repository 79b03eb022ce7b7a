"""A loop whose time passes at once, and a house on it whose devices take their time to answer."""

import asyncio
import selectors
from collections.abc import Coroutine
from dataclasses import dataclass, field

from der.commands import Command
from der.model import Connection, Control, DeviceSpec, Expiry, Reading, Safeguard, Setpoint
from der.service import A, Device, Link, unsupported
from hems.clock import Clock


class _Selector(selectors.DefaultSelector):
    """Never waits; the time that it was to wait has passed instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._passing = _Selector()
        super().__init__(self._passing)

    def time(self) -> float:
        return self._passing.now


def in_no_time(work: Coroutine[object, object, None]) -> None:
    """Run what only sleeps and computes."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(work)


@dataclass
class House:
    """What flows: each device's power, and the rest.

    Attributes:
        clock: The hub's.
        base_w: What nobody controls.
        power: By device id, W.
        wants: What loads would draw, W.
        writes: By device id, what it was told, in order.
    """

    clock: Clock
    base_w: float
    power: dict[str, float] = field(default_factory=dict)
    wants: dict[str, float] = field(default_factory=dict)
    writes: dict[str, list[float | None]] = field(default_factory=dict)

    @property
    def net_w(self) -> float:
        """What the true meter shows."""
        return self.base_w + sum(self.power.values())

    def device(self, spec: DeviceSpec, takes_s: float) -> Device:
        """Return a device of it, each call on which takes so long."""
        if spec.control is not Control.NONE:
            self.power[spec.id] = self.wants.get(spec.id, 0.0)
        self.writes[spec.id] = []

        async def connect() -> Link:
            return _Slow(self, spec, takes_s)

        return Device(spec, connect)

    def obey(self, spec: DeviceSpec, told_w: float | None) -> None:
        """Have a device do what it is told, at once."""
        self.writes[spec.id].append(told_w)
        wants_w = self.wants.get(spec.id, 0.0)
        match spec.control:
            case Control.TARGET:
                self.power[spec.id] = told_w or 0.0
            case Control.FLOOR:
                self.power[spec.id] = wants_w if told_w is None else max(wants_w, told_w)
            case _:
                allowed_w = wants_w if told_w is None else min(wants_w, told_w)
                least_w = spec.max_w if spec.control is Control.SWITCH else spec.least_on_w
                off = told_w is not None and told_w < least_w
                self.power[spec.id] = 0.0 if off else allowed_w


class _Slow:
    """One link, on which calls go one after the other."""

    def __init__(self, house: House, spec: DeviceSpec, takes_s: float) -> None:
        self._house = house
        self._spec = spec
        self._half_s = takes_s / 2
        self._turn = asyncio.Lock()
        self.connection = Connection("slow gateway")
        self.safeguard = Safeguard(Expiry.REVERSION)

    async def read(self) -> Reading:
        async with self._turn:
            await asyncio.sleep(self._half_s)
            house, name = self._house, self._spec.id
            power_w = house.net_w if self._spec.control is Control.NONE else house.power[name]
            await asyncio.sleep(self._half_s)
        soc = 0.6 if self._spec.control is Control.TARGET else None
        loads = self._spec.control in {Control.CEILING, Control.SWITCH}
        wants = house.wants.get(name, 0.0) > 0 if loads else None
        return Reading(house.clock.now(), power_w, soc=soc, wants_power=wants)

    async def write(self, setpoint: Setpoint | None) -> None:
        async with self._turn:
            await asyncio.sleep(self._half_s)
            self._house.obey(self._spec, None if setpoint is None else setpoint.power_w)
            await asyncio.sleep(self._half_s)

    async def ioctl(self, command: Command[A]) -> object:
        raise unsupported(self._spec.id, command)

    async def close(self) -> None:
        """Nothing is open."""
