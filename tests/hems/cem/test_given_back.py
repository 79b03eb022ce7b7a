"""A device that leaves the home while it is restricted: its switch closed, its guard told."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from der.commands import Command, Connect, Disconnect
from der.model import Connection, DeviceSpec, Expiry, Reading, Safeguard, Setpoint
from der.service import A, Device, Link, unsupported
from hems.cem.cycle import Cycle
from hems.image import ImageRing
from programs.signal import Signal, SignalKind
from tests.hems.cem.plant import METER, PV
from tests.hems.cem.wire import ImageWatch, WallClock
from tests.waiting import until

pytestmark = pytest.mark.requirement("SVC-IOCTL")


@dataclass
class Roof:
    """An inverter whose switch nothing closes but a word, or its meter."""

    spec: DeviceSpec
    clock: WallClock
    opened: bool = False
    limit_w: float | None = None
    held: dict[str, bool] = field(default_factory=dict)
    connection: Connection = field(default_factory=lambda: Connection("here"))
    safeguard: Safeguard = field(default_factory=lambda: Safeguard(Expiry.GUARD, "gives", "power"))

    async def connect(self) -> Link:
        return self

    async def read(self) -> Reading:
        power_w = -3_000.0 if self.spec is PV and self.limit_w is None else 0.0
        return Reading(self.clock.now(), power_w, connected=not self.opened, limit_w=self.limit_w)

    async def write(self, setpoint: Setpoint | None) -> None:
        self.limit_w = None if setpoint is None else setpoint.power_w

    async def ioctl(self, command: Command[A]) -> object:
        if not isinstance(command, Connect | Disconnect):
            raise unsupported(self.spec.id, command)
        self.opened = isinstance(command, Disconnect)
        return "done"

    async def close(self) -> None:
        """Nothing is open."""

    def prepare(self) -> None:
        """Nothing to start."""

    def hold(self, device: str, lapse_s: float, *, opened: bool = False) -> None:
        """Note it, as a guard does."""
        assert lapse_s > 0
        self.held[device] = opened

    def given_back(self, device: str) -> None:
        """Note it."""
        self.held.pop(device, None)


async def test_a_roof_that_leaves_in_a_disconnection_is_not_off_for_ever() -> None:
    clock, watch = WallClock(), ImageWatch()
    roof, meter = Roof(PV, clock), Roof(METER, clock)
    meter.safeguard = replace(meter.safeguard, expiry=Expiry.NOTHING_TO_END)
    now = clock.now()
    off = Signal("E1", "P", SignalKind.DISCONNECT, 0.0, now, now + 600, binding=True)
    cycle = Cycle(
        {each.spec.id: Device(each.spec, each.connect) for each in (meter, roof)},
        ImageRing(),
        clock,
        lambda: (off,),
        [watch],
        period_s=0.05,
        sentry=roof,
    )
    running = asyncio.create_task(cycle.run())

    async def is_off() -> bool:
        return roof.opened and roof.held == {"pv": True}

    await until(is_off, bool, 10.0, "the roof is off, and guarded")
    async with cycle.given_back("pv"), cycle.given_back("meter"):
        assert not roof.opened
        assert roof.limit_w is None
        assert not roof.held
        cycle.stop(give_back=False)
        await asyncio.wait_for(running, 10)
    assert not roof.opened
    assert not roof.held
