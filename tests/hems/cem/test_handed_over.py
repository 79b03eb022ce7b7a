"""One home follows another within an event: it goes on from what its devices were told."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from der.errors import TransientError
from der.model import Setpoint
from der.service import Device, Link
from hems.cem.cycle import Cycle
from hems.cem.memory import DeviceMemory, Given, Memory, Sample
from hems.image import ImageRing
from programs.signal import Signal, SignalKind
from tests.hems.cem.plant import BATTERY, CAR, HEATER, METER, T0, Loop, Plant, limit
from tests.hems.cem.virtual import House, in_no_time
from tests.hems.cem.wire import ImageWatch, WallClock

pytestmark = pytest.mark.requirement("ROLE-CEM", "LC-COMMISSION")

LIMIT_W = 3_000.0
EVENT = Signal("E1", "P", SignalKind.IMPORT_LIMIT, LIMIT_W, 0.0, 1e12, binding=True)


def away(device: Device, clock: WallClock, until_s: float) -> Device:
    """Return a device that can be reached only from some time on, as a charger that calls in."""

    async def connect() -> Link:
        if clock.monotonic() < until_s:
            raise TransientError("it has not called in yet")
        return await device.connect()

    return Device(device.spec, connect)


def home(devices: Mapping[str, Device], clock: WallClock, begins_s: float = 0.0) -> Cycle:
    def asked() -> Sequence[Signal]:
        return (EVENT,) if clock.monotonic() >= begins_s else ()

    return Cycle(devices, ImageRing(), clock, asked, [ImageWatch()], period_s=1.0)


@pytest.mark.parametrize("reached_after_s", [0.0, 3.0])
@pytest.mark.parametrize("base_w", [2_400.0, 4_500.0, 5_500.0, 6_000.0])
@pytest.mark.parametrize("ran_s", [1.0, 3.0, 6.0, 40.0])
@pytest.mark.parametrize("joins", [False, True])
def test_the_limit_holds_while_one_home_follows_the_other(
    base_w: float, reached_after_s: float, ran_s: float, *, joins: bool
) -> None:
    async def run() -> None:
        clock = WallClock()
        house = House(clock, base_w, wants={"car": 7_000.0, "heater": 1_500.0})
        specs = {METER: 0.01, BATTERY: 0.05, CAR: 0.3}
        before = {spec.id: house.device(spec, takes_s) for spec, takes_s in specs.items()}
        former = home(before, clock, clock.monotonic() + 40.0 - ran_s)
        running = asyncio.create_task(former.run())
        await asyncio.sleep(40.33)
        assert house.net_w <= LIMIT_W
        assert house.power["car"] >= CAR.least_on_w, "what the battery makes room for is used"
        former.stop(give_back=False)
        await running

        told = house.power["car"], house.power["battery"]
        after = dict(before)
        after["car"] = away(before["car"], clock, clock.monotonic() + reached_after_s)
        if joins:  # so far it was part of what nobody controls
            after["heater"] = house.device(HEATER, 0.01)
            house.base_w -= house.power["heater"]
        heir = home(after, clock)
        heir.inherit(former.bequeath(), before.keys())
        running = asyncio.create_task(heir.run())
        nets: list[float] = []
        for _ in range(600):
            await asyncio.sleep(0.05)
            house.base_w += 3.0 if len(nets) % 40 < 20 else -3.0
            nets.append(house.net_w)
        heir.stop(give_back=False)
        await running
        assert max(nets) <= LIMIT_W, (told, nets)

    in_no_time(run())


@pytest.mark.parametrize("drawn_w", [1_400.0, 2_500.0, 3_600.0])
def test_a_charger_of_which_nothing_is_known_has_the_batteries_help_at_once(
    drawn_w: float,
) -> None:
    plant = Plant(specs=(METER, BATTERY, CAR), base_w=2_800.0, wants={"car": 7_000.0})
    plant.told["car"] = Setpoint(drawn_w, 60.0)
    plant.told["battery"] = Setpoint(-drawn_w, 60.0)
    plant.power.update(car=drawn_w, battery=-drawn_w)
    made = Loop(plant).decide(limit(LIMIT_W))
    car, battery = made.orders["car"].setpoint, made.orders["battery"].setpoint
    assert car is not None
    assert battery is not None
    assert car.power_w > drawn_w + 500.0, "there is room for more"
    assert plant.base_w + car.power_w + battery.power_w <= LIMIT_W


def test_who_follows_knows_of_the_devices_that_stay_and_tells_them_again() -> None:
    car, heater = DeviceMemory(1_500.0, changed_at=T0), DeviceMemory(0.0, changed_at=T0 - 9)
    memory = Memory(
        {"car": car, "heater": heater},
        {"car": Given(Setpoint(1_500, 60), T0), "heater": Given(Setpoint(0, 60), T0 - 9)},
        base_w=300.0,
        base_at=T0,
        base_of=frozenset({"car", "heater"}),
        past=(Sample(T0, 300.0, 0.0),),
        returned_at=T0 - 3,
        probing=True,
        uncomfortable=frozenset({"heater"}),
    )
    passed_on = memory.passed_on({"car", "cellar"})
    assert passed_on == replace(
        memory,
        devices={"car": car},
        given={"car": Given(Setpoint(1_500, 60), T0, doubtful=True)},
        probing=False,
        uncomfortable=frozenset(),
    )


async def test_a_clock_set_in_between_counts_once() -> None:
    clock = WallClock()
    former, heir = home({}, clock), home({}, clock)
    former._memory = Memory(returned_at=clock.now())
    at = clock.now()
    clock.set_s = 3_600.0
    heir.inherit(former.bequeath(), ())
    heir._follow_clock()
    assert heir._memory.returned_at == pytest.approx(at + 3_600.0, abs=1.0)
