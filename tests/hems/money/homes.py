"""Homes for the tests of the accounts: images, minutes, contracts."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from hems.cem.planner.problem import Prices
from hems.cem.slots import Slots
from hems.cem.tariff.rates import Contract, Rate
from hems.cem.tariff.schedule import Schedule
from hems.image import Image
from hems.money.settle import Plant
from hems.money.tally import Drawn, Minute, Tag
from hems.money.twins import Cell
from hems.money.wanting import Load

T = 1_800_000_000  # a whole hour of UTC
BERLIN = ZoneInfo("Europe/Berlin")
CELL = Cell(10_000.0, 1000.0, 3000.0, 4000.0, 0.9, 0.8)
CAR = Load(6000.0)
PLANT = Plant({"battery": CELL}, {"car": CAR}, 1)
CONTRACT = Contract(BERLIN, Rate(Schedule(0.30)), Rate(Schedule(0.08)), "EUR")
TAG = Tag(0.30, 0.08)
SPECS = {
    "meter": DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, 0.0, 0.0),
    "pv": DeviceSpec("pv", DeviceKind.PV, "Sun", Control.FLOOR, -8000.0, 0.0),
    "battery": DeviceSpec(
        "battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -4000.0, 3000.0
    ),
    "car": DeviceSpec("car", DeviceKind.EVSE, "Car", Control.CEILING, 0.0, 6000.0),
    "tank": DeviceSpec("tank", DeviceKind.WATER_HEATER, "Tank", Control.SWITCH, 0.0, 2000.0),
    "wash": DeviceSpec("wash", DeviceKind.PLUG, "Washer", Control.SWITCH, 0.0, 2000.0),
}


@dataclass
class HeldClock:
    """Time as the test sets it."""

    at: float = float(T)

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


def state(device: str, reading: Reading | None, quality: Quality = Quality.GOOD) -> DeviceState:
    return DeviceState(SPECS[device], reading, quality)


def image(at: float, powers: Mapping[str, float], **readings: Reading) -> Image:
    """Return an image of devices that draw these powers, or read as given."""
    known = {device: Reading(at, power_w) for device, power_w in powers.items()} | readings
    return Image(at, round(at), {d: state(d, reading) for d, reading in known.items()})


def minute(
    index: int,
    rest_w: float,
    *,
    battery_w: float = 0.0,
    car_w: float = 0.0,
    wants: bool = False,
    seconds: float = 60.0,
    tag: Tag = TAG,
) -> Minute:
    """Return the minute of this number after `T`, all of it as the powers say."""
    hours = seconds / 3600.0
    net_wh = (rest_w + battery_w + car_w) * hours
    return Minute(
        at=T + 60 * index,
        metered_s=seconds,
        import_wh=max(0.0, net_wh),
        export_wh=max(0.0, -net_wh),
        compared_s=seconds,
        net_wh=net_wh,
        rest_wh=rest_w * hours,
        waiting={"car": Drawn(car_w * hours, wants=wants or car_w > 0.0)},
        tag=tag,
    )


def flat(slots: Slots) -> Prices:
    """Return the prices of `CONTRACT`."""
    return Prices((0.30,) * slots.count, (0.08,) * slots.count, (0.4,) * slots.count)
