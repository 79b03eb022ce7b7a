"""Opening a device's switch, from the utility's word to the device and back."""

from dataclasses import dataclass, field, replace

import pytest

from der.commands import Command, Connect, Disconnect
from der.errors import TransientError
from der.model import (
    Connection,
    DeviceSpec,
    DeviceState,
    Expiry,
    Quality,
    Reading,
    Safeguard,
    Setpoint,
)
from der.service import A, Device, Handle, Link, Mode, unsupported
from hems.cem.allocator import allocate
from hems.cem.arbiter import arbitrate
from hems.cem.memory import Memory
from hems.cem.orders import Order
from hems.cem.policy import AllocatorPolicy
from hems.cem.telling import Teller
from hems.image import Image
from programs import disconnect
from programs.inputs import Inputs
from programs.proposal import Proposal, Rank
from programs.signal import Signal, SignalKind
from tests.hems.cem.plant import BATTERY, BREAKER, METER, PV, T0, limit

pytestmark = pytest.mark.requirement("SVC-IOCTL")


def asked(*, now: float = T0) -> tuple[Proposal, ...]:
    signal = Signal("E1", "P", SignalKind.DISCONNECT, 0.0, T0, T0 + 60, binding=True)
    devices = {s.id: DeviceState(s, None, Quality.GOOD) for s in (PV, BATTERY)}
    return (BREAKER, *disconnect.propose(Inputs([signal], devices, 0.0, now), POLICY))


POLICY = disconnect.DisconnectPolicy()


def image(*, at: float = T0, connected: bool = True, power_w: float = -3_000.0) -> Image:
    def state(spec: DeviceSpec, watts: float) -> DeviceState:
        reading = Reading(at, watts, soc=0.5, connected=connected)
        return DeviceState(spec, reading, Quality.GOOD)

    return Image(
        at,
        1,
        {"meter": state(METER, power_w), "pv": state(PV, power_w), "battery": state(BATTERY, 0)},
    )


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize("device", ["pv", "battery"])
def test_it_is_opened_renewed_and_closed(device: str) -> None:
    memory, policy = Memory(), AllocatorPolicy()

    def order(at: float, now: tuple[Proposal, ...], *, connected: bool) -> Order:
        nonlocal memory
        power_w = -3_000.0 if connected else 0.0
        seen = image(at=at, connected=connected, power_w=power_w)
        made = allocate(seen, arbitrate(now, at), at, memory, policy)
        memory, told = made.memory, made.orders[device]
        if told.write:
            memory = memory.confirmed(device, told.setpoint, at, disconnected=told.disconnect)
        return told

    free = order(T0 - 10, (BREAKER,), connected=True)
    assert (free.disconnect, free.connect) == (False, False)
    opened = order(T0, asked(), connected=True)
    assert (opened.write, opened.disconnect, opened.connect) == (True, True, False)
    assert opened.setpoint is not None
    assert opened.setpoint.power_w == 0
    assert opened.setpoint.lapse_s <= 70
    again = order(T0 + 1, asked(), connected=False)
    assert (again.write, again.disconnect) == (False, True)
    renewed = order(T0 + 40, asked(), connected=False)
    assert (renewed.write, renewed.refresh, renewed.disconnect) == (True, True, True)
    closed = order(T0 + 60, (BREAKER,), connected=False)
    assert (closed.write, closed.disconnect, closed.connect) == (True, False, True)
    after = order(T0 + 61, (BREAKER,), connected=True)
    assert (after.disconnect, after.connect) == (False, False)


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize("device", ["pv", "battery"])
@pytest.mark.parametrize("event", [True, False], ids=["the event goes on", "the event is over"])
def test_a_hub_that_restarts_finds_the_switch_open(device: str, *, event: bool) -> None:
    now = asked() if event else (BREAKER,)
    seen = image(connected=False, power_w=0.0)
    made = allocate(seen, arbitrate(now, T0), T0, Memory(), AllocatorPolicy())
    order = made.orders[device]
    assert order.disconnect is event
    assert order.connect is not event
    assert order.write


def test_a_limit_of_zero_opens_no_switch() -> None:
    zero = limit(0.0, 0.0, Rank.BINDING, "battery")
    made = allocate(image(), arbitrate([BREAKER, zero], T0), T0, Memory(), AllocatorPolicy())
    assert not made.orders["battery"].disconnect


@dataclass
class Inverter:
    """A link that keeps in order what it is told."""

    switch: bool = True
    expiry: Expiry = Expiry.REVERSION
    fails: str = ""
    said: list[str] = field(default_factory=list)
    connection: Connection = field(default_factory=lambda: Connection("here"))

    @property
    def safeguard(self) -> Safeguard:
        return Safeguard(self.expiry)

    async def read(self) -> Reading:
        return Reading(T0, 0.0)

    async def write(self, setpoint: Setpoint | None) -> None:
        if self.fails:
            raise TransientError(self.fails)
        self.said.append("free" if setpoint is None else f"{setpoint.power_w:g} W")

    async def ioctl(self, command: Command[A]) -> object:
        if not self.switch or not isinstance(command, Connect | Disconnect):
            raise unsupported("pv", command)
        lapse = f" {command.lapse_s:g} s" if isinstance(command, Disconnect) else ""
        self.said.append(f"{command}{lapse}")
        return "done"

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Diary:
    """A sentry that writes into an inverter's list, so that the order of all is seen."""

    said: list[str]

    def prepare(self) -> None:
        """Nothing to start."""

    def hold(self, device: str, lapse_s: float, *, opened: bool = False) -> None:
        self.said.append(f"guard {device} {lapse_s:g} s{' opened' if opened else ''}")

    def given_back(self, device: str) -> None:
        self.said.append(f"guard {device} no more")


ZERO = Order(Setpoint(0.0, 70), write=True)


async def opened(link: Inverter) -> tuple[Teller, Handle]:
    async def connect() -> Link:
        return link

    return Teller(Diary(link.said)), await Device(PV, connect).open(Mode.READ_WRITE)


@pytest.mark.parametrize(
    ("expiry", "order", "said"),
    [
        (
            Expiry.REVERSION,
            replace(ZERO, disconnect=True),
            ["guard pv 70 s opened", "0 W", "Disconnect 70 s"],
        ),
        (
            Expiry.REVERSION,
            Order(None, write=True, connect=True),
            ["Connect", "free", "guard pv no more"],
        ),
        (
            Expiry.GUARD,
            replace(ZERO, connect=True),
            ["guard pv 70 s", "Connect", "0 W", "guard pv no more", "guard pv 70 s"],
        ),
        (Expiry.GUARD, ZERO, ["guard pv 70 s", "0 W"]),
        (Expiry.GUARD, Order(None, write=True), ["free", "guard pv no more"]),
        (Expiry.REVERSION, ZERO, ["0 W"]),
    ],
)
async def test_what_is_said_in_which_order(expiry: Expiry, order: Order, said: list[str]) -> None:
    link = Inverter(expiry=expiry)
    teller, handle = await opened(link)
    await teller.tell(handle, order)
    assert link.said == said


async def test_a_device_without_a_switch_stays_at_zero_and_is_asked_once() -> None:
    link = Inverter(switch=False)
    teller, handle = await opened(link)
    for _ in range(2):
        await teller.tell(handle, replace(ZERO, disconnect=True))
    assert link.said == ["guard pv 70 s opened", "0 W", "guard pv no more", "0 W"]


async def test_without_switch_or_timer_it_stays_guarded_at_its_zero() -> None:
    """Else it would stay at zero for ever, should the hub die before it renews."""
    link = Inverter(switch=False, expiry=Expiry.GUARD)
    teller, handle = await opened(link)
    await teller.tell(handle, replace(ZERO, disconnect=True))
    assert link.said == ["guard pv 70 s opened", "0 W", "guard pv no more", "guard pv 70 s"]


async def test_a_guard_knows_of_what_a_device_may_hold_though_it_did_not_confirm() -> None:
    link = Inverter(expiry=Expiry.GUARD, fails="pv: no answer")
    teller, handle = await opened(link)
    with pytest.raises(TransientError):
        await teller.tell(handle, ZERO)
    assert link.said == ["guard pv 70 s"]
