"""The test move over real sockets, in the simulated house.

What is wrong is found, what is good passes, also while the house does other things; and the device
is always given back.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

import pytest

from der.addresses import Address, MappedAddress, ModbusAddress, P1Address, StationAddress
from der.commands import Command
from der.commissioning.judge import Trouble, Verdict
from der.commissioning.move import run
from der.drivers.ocpp.central import CentralSystem
from der.errors import RejectedError, TransientError
from der.model import Connection, DeviceKind, Phase, Reading, Safeguard, Setpoint
from der.registry import Registry, build
from der.service import A, Device, Handle, Link, Mode
from der.sim.faults import FaultKind
from der.sim.options import Options
from der.sim.runner import SimulatedHome
from tests.der.described import described
from tests.waiting import until

pytestmark = [
    pytest.mark.requirement("LC-COMMISSION"),
    pytest.mark.requirement("ROLE-DEM"),
    pytest.mark.requirement("SVC-WRITE"),
]

MOVE_S = 0.4
QUIET = {
    "ocpp": "", "fixed_load": 400.0, "pv_w": 2500.0, "tank_temp": 45.0, "room_temp": 23.0,
    "p1_port": 0, "p1_period": 0.1,
}  # fmt: skip
BATTERY_ON_B = {"phases": "ABC", "wiring": "battery=B,pv=A,water_heater=C,heat_pump=A"}
SPECS = {
    "battery": (DeviceKind.BATTERY, -5000.0, 5000.0),
    "pv": (DeviceKind.PV, -4000.0, 0.0),
    "water_heater": (DeviceKind.WATER_HEATER, 0.0, 2500.0),
}


@asynccontextmanager
async def _house(**options: object) -> AsyncIterator[SimulatedHome]:
    async with SimulatedHome(Options.model_validate({**QUIET, **options})) as home:

        async def pv_w() -> float:
            return home.house.now.pv.power_w

        await until(pv_w, bool, 10.0, "the house is at work")
        yield home


def _registry(home: SimulatedHome, *, p1: bool, phases: tuple[Phase, ...] = ()) -> Registry:
    found = home.addresses()
    meter: Address = ModbusAddress("127.0.0.1", found["meter"].port)
    if p1:
        meter = P1Address("127.0.0.1", found["p1"].port)
    driver = "p1" if p1 else "sunspec"
    descriptions = [described("meter", DeviceKind.METER, driver, meter)]
    for name, (kind, min_w, max_w) in SPECS.items():
        bus = ModbusAddress("127.0.0.1", found[name].port)
        at: Address = MappedAddress(bus, "relay-board") if name == "water_heater" else bus
        driver = "modbus" if name == "water_heater" else "sunspec"
        made = described(name, kind, driver, at, max_w, min_w=min_w)
        descriptions.append(replace(made, spec=replace(made.spec, phases=phases)))
    return build(descriptions, now=time.time)


async def _moved(
    home: SimulatedHome,
    name: str = "battery",
    *,
    p1: bool = False,
    phases: tuple[Phase, ...] = (),
    device: Device | None = None,
) -> Verdict:
    registry = _registry(home, p1=p1, phases=phases)
    await registry.start()
    handle = await (device or registry.devices[name]).open(Mode.READ_WRITE)
    meter = await registry.devices["meter"].open(Mode.READ_ONLY)
    try:
        return await run(handle, meter, time.time, move_s=MOVE_S)
    finally:
        await handle.close()
        await meter.close()
        await registry.stop()


def _troubles(verdict: Verdict) -> set[Trouble]:
    return {finding.trouble for finding in verdict.findings}


@pytest.mark.parametrize(
    ("name", "p1"),
    [("battery", False), ("battery", True), ("pv", True), ("water_heater", False)],
    ids=["battery-sunspec", "battery-customer-port", "pv-customer-port", "heater-sunspec"],
)
async def test_a_good_device_passes_and_its_phase_is_found(name: str, *, p1: bool) -> None:
    wired = {"battery": Phase.B, "pv": Phase.A, "water_heater": Phase.C}
    async with _house(**BATTERY_ON_B) as home:
        verdict = await _moved(home, name, p1=p1, phases=(wired[name],))
        assert verdict.passed, verdict.findings
        assert verdict.moved, verdict
        assert verdict.phases == (wired[name],)
        last = [w.what for w in home.journal.writes() if w.device == name][-1]
        assert last, "given back"


@pytest.mark.deep
@pytest.mark.requirement("ROLE-SMG")
async def test_a_charging_car_is_limited_and_seen_on_its_phase() -> None:
    """A charger tells its power every second, so its steps last longer."""
    charger = described("ev", DeviceKind.EVSE, "ocpp16", StationAddress("ev"), 7360, deadline_s=5)
    charger = replace(charger, spec=replace(charger.spec, least_on_w=1380.0, phases=(Phase.C,)))
    chargers = build([charger], now=time.time)
    await chargers.start()
    (central,) = chargers.services.values()
    assert isinstance(central, CentralSystem)
    url = f"ws://127.0.0.1:{central.port}/ocpp/ev"

    async def open_charger() -> Handle | None:
        try:
            return await chargers.devices["ev"].open(Mode.READ_WRITE)
        except TransientError:
            return None

    async with AsyncExitStack() as stack:
        stack.push_async_callback(chargers.stop)
        house = _house(phases="ABC", wiring="ev=C", ocpp=url, start_hour=18)
        home = await stack.enter_async_context(house)
        registry = _registry(home, p1=True)
        await registry.start()
        stack.push_async_callback(registry.stop)

        async def charging_w() -> float:
            return home.house.now.ev.power_w

        handle = await until(open_charger, lambda h: h is not None, 30.0, "the charger calls in")
        assert handle is not None
        stack.push_async_callback(handle.close)
        meter = await registry.devices["meter"].open(Mode.READ_ONLY)
        stack.push_async_callback(meter.close)
        await until(charging_w, lambda w: w > 1300, 30.0, "the car charges at its fallback")
        verdict = await run(handle, meter, time.time, move_s=2.0)
        assert verdict.passed, verdict
        assert verdict.moved, verdict
        assert verdict.phases == (Phase.C,)


@pytest.mark.parametrize(
    ("options", "told", "trouble", "words"),
    [
        ({"meter_inverted": "ABC"}, (), Trouble.METER_INVERTED, "counts the other way round"),
        ({"meter_order": "BAC"}, (Phase.B,), Trouble.OTHER_PHASE, "on phase A: phases are swapped"),
        (
            {"meter_inverted": "B", "wiring": "battery=ABC"},
            (),
            Trouble.PHASE_INVERTED,
            "the other way round on phase B, not on phases A and C",
        ),
    ],
    ids=["turned", "swapped", "one-turned"],
)
async def test_a_wrongly_fitted_meter_is_found(
    options: dict[str, str], told: tuple[Phase, ...], trouble: Trouble, words: str
) -> None:
    async with _house(**{**BATTERY_ON_B, **options}) as home:
        verdict = await _moved(home, phases=told)
        assert _troubles(verdict) == {trouble}, verdict
        assert words in verdict.findings[0].text
        assert not verdict.passed
        assert verdict.moved


@dataclass(slots=True)
class Turned:
    """A link whose device is wired the wrong way: it does the opposite of what it is told."""

    link: Link
    told: list[Setpoint | None] = field(default_factory=list)

    @property
    def connection(self) -> Connection:
        return self.link.connection

    @property
    def safeguard(self) -> Safeguard:
        return self.link.safeguard

    async def read(self) -> Reading:
        return await self.link.read()

    async def write(self, setpoint: Setpoint | None) -> None:
        self.told.append(setpoint)
        turned = None if setpoint is None else replace(setpoint, power_w=-setpoint.power_w)
        await self.link.write(turned)

    async def ioctl(self, command: Command[A]) -> object:
        return await self.link.ioctl(command)

    async def close(self) -> None:
        await self.link.close()


async def test_an_inverted_battery_is_found() -> None:
    async with _house() as home:
        right = _registry(home, p1=False).devices["battery"]

        async def connect() -> Link:
            return Turned(await right.connect())

        verdict = await _moved(home, device=Device(right.spec, connect))
        assert _troubles(verdict) == {Trouble.DEVICE_INVERTED}, verdict
        assert "moved the other way" in verdict.findings[0].text
        assert not verdict.moved


@asynccontextmanager
async def _noise(home: SimulatedHome, seed: int) -> AsyncIterator[None]:
    """Let the house draw what it likes, with a kettle on now and then."""
    rng = random.Random(seed)  # noqa: S311 - noise, not a secret

    async def flicker() -> None:
        while True:
            kettle_w = 2000.0 if rng.random() < 0.04 else 0.0
            for _ in range(8 if kettle_w else 1):
                home.house.fixed_load_w = 500.0 + abs(rng.gauss(0.0, 40.0)) + kettle_w
                await asyncio.sleep(0.2)

    task = asyncio.create_task(flicker())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("inverted", ["", "ABC"], ids=["good", "turned"])
async def test_a_noisy_house_does_not_turn_the_verdict(inverted: str) -> None:
    """It may leave it open, and must not give the wrong one."""
    right = {Trouble.METER_INVERTED} if inverted else set()
    async with _house(**BATTERY_ON_B, meter_inverted=inverted) as home, _noise(home, 3):
        verdict = await _moved(home, phases=(Phase.B,))
        assert _troubles(verdict) in (right, {Trouble.UNCLEAR}), verdict
        assert verdict.moved, "the device's own word is clear"


@pytest.mark.parametrize(
    ("kind", "trouble"),
    [
        (FaultKind.STUCK, Trouble.METER_STUCK),
        (FaultKind.SILENCE, Trouble.METER_SILENT),
        (FaultKind.GARBAGE, Trouble.METER_SILENT),
    ],
)
async def test_a_sick_meter_is_named_and_not_the_device(kind: FaultKind, trouble: Trouble) -> None:
    async with _house() as home:
        registry = _registry(home, p1=True)
        await registry.start()
        device = await registry.devices["battery"].open(Mode.READ_WRITE)
        meter = await registry.devices["meter"].open(Mode.READ_ONLY)
        home.devices.faults["p1"].set(kind)
        verdict = await run(device, meter, time.time, move_s=0.2, rounds=1)
        assert _troubles(verdict) <= {trouble, Trouble.METER_SILENT}, verdict
        assert verdict.findings
        assert verdict.moved
        await device.close()
        await meter.close()
        await registry.stop()


async def test_a_device_that_refuses_or_is_silent_is_named() -> None:
    async with _house() as home:
        home.devices.faults["battery"].set(FaultKind.NONE)
        registry = _registry(home, p1=False)
        await registry.start()
        device = await registry.devices["battery"].open(Mode.READ_WRITE)
        home.devices.faults["battery"].set(FaultKind.EXCEPTION)
        verdict = await run(device, None, time.time, move_s=0.3)
        assert _troubles(verdict) == {Trouble.UNREADABLE}
        assert "Battery cannot be read: battery: " in verdict.findings[0].text
        await device.close()
        await registry.stop()


@dataclass(slots=True)
class Kept:
    """A link to a device that can be told to go wrong; it remembers what it was told."""

    told: list[Setpoint | None] = field(default_factory=list)
    refuses: bool = False
    keeps: bool = False
    connection: Connection = field(default_factory=lambda: Connection("here"))
    safeguard: Safeguard = field(default_factory=Safeguard)

    async def read(self) -> Reading:
        told = self.told[-1] if self.told else None
        return Reading(time.time(), 0.0 if told is None else told.power_w)

    async def write(self, setpoint: Setpoint | None) -> None:
        if self.refuses or (self.keeps and setpoint is None):
            raise RejectedError("battery: locked by its maker")
        await asyncio.sleep(0.01)
        self.told.append(setpoint)

    async def ioctl(self, command: Command[A]) -> object:
        raise RejectedError(str(command))

    async def close(self) -> None:
        """Nothing to close."""


async def _open(link: Kept) -> Handle:
    spec = described("battery", DeviceKind.BATTERY, "sunspec", None, 5000.0, min_w=-5000.0).spec

    async def connect() -> Link:
        return link

    return await Device(spec, connect).open(Mode.READ_WRITE)


async def test_a_device_that_takes_no_set_point_is_named() -> None:
    verdict = await run(await _open(Kept(refuses=True)), None, time.time, move_s=0.1)
    assert _troubles(verdict) == {Trouble.REFUSED, Trouble.NOT_GIVEN_BACK}
    assert "Battery was told to rest, and refused: battery: locked by its maker" in (
        verdict.findings[0].text
    )


async def test_without_a_meter_the_device_s_own_word_passes_in_one_round() -> None:
    link = Kept()
    told: list[tuple[float, str]] = []
    verdict = await run(
        await _open(link), None, time.time, lambda *how: told.append(how), move_s=0.1
    )
    assert verdict.passed
    assert _troubles(verdict) == {Trouble.NO_METER}
    assert [s and s.power_w for s in link.told] == [0.0, 500.0, -500.0, 0.0, None]
    assert told[0] == (0.0, "rest")
    assert told[-1] == (1.0, "given back")
    assert sorted(share for share, _ in told) == [share for share, _ in told]


async def test_what_could_not_be_given_back_is_said() -> None:
    verdict = await run(await _open(Kept(keeps=True)), None, time.time, move_s=0.1)
    assert not verdict.passed
    assert "was not given back to its own control" in verdict.findings[-1].text


@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
async def test_cancelled_it_still_gives_the_device_back(*, again: bool) -> None:
    link = Kept()
    moving = asyncio.create_task(run(await _open(link), None, time.time, move_s=5.0))

    async def told() -> int:
        return len(link.told)

    await until(told, bool, 5.0, "the first step")
    moving.cancel()
    if again:
        await asyncio.sleep(0)
        moving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await moving
    assert link.told[-1] is None


async def test_a_meter_that_fails_now_and_then_is_borne() -> None:
    link = Kept()

    class Flaky(Kept):
        reads = 0

        async def read(self) -> Reading:
            Flaky.reads += 1
            if Flaky.reads % 3 == 0:
                raise TransientError("meter: lost")
            told = link.told[-1] if link.told else None
            return Reading(time.time(), 300.0 + (0.0 if told is None else told.power_w))

    meter = await _open(Flaky())
    verdict = await run(await _open(link), meter, time.time, move_s=0.3)
    assert verdict.passed, verdict
