"""Images of a small home, for the tests of planning."""

from dataclasses import replace

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading, Setpoint
from hems.image import Image

T0 = 1_792_400_400.0
"""A whole quarter of an hour."""

METER = DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, -60_000, 60_000)
PV = DeviceSpec("pv", DeviceKind.PV, "Roof", Control.FLOOR, -6_000, 0)
BATTERY = DeviceSpec("battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -5_000, 5_000)
CAR = DeviceSpec("car", DeviceKind.EVSE, "Wallbox", Control.CEILING, 0, 7_400, least_on_w=1_380)
TANK = DeviceSpec(
    "tank", DeviceKind.WATER_HEATER, "Tank", Control.SWITCH, 0, 2_000, min_on_s=600, min_off_s=300
)
PLUG = DeviceSpec("plug", DeviceKind.PLUG, "Dishwasher", Control.SWITCH, 0, 2_200)
SPECS = (METER, PV, BATTERY, CAR, TANK, PLUG)


def reading(at: float, power_w: float, **more: object) -> Reading:
    """Return a reading."""
    return replace(Reading(at, power_w), **more)  # type: ignore[arg-type]


def image(
    at: float = T0,
    *,
    load_w: float = 500.0,
    pv_w: float = -2_000.0,
    battery_w: float = 1_000.0,
    soc: float | None = 0.5,
    car_w: float = 0.0,
    plugged: bool | None = True,
    tank_w: float = 0.0,
    temp_c: float | None = 50.0,
    held_to_w: float | None = None,
) -> Image:
    """Return an image of the home in balance: the meter shows the sum of all."""
    net_w = load_w + pv_w + battery_w + car_w + tank_w
    readings = {
        METER: reading(at, net_w),
        PV: reading(at, pv_w),
        BATTERY: reading(at, battery_w, soc=soc, capacity_wh=10_000.0),
        CAR: reading(at, car_w, connected=plugged, wants_power=plugged),
        TANK: reading(at, tank_w, temp_c=temp_c),
        PLUG: reading(at, 0.0),
    }
    states = {spec.id: DeviceState(spec, each, Quality.GOOD) for spec, each in readings.items()}
    if held_to_w is not None:
        states["pv"] = replace(states["pv"], setpoint=Setpoint(held_to_w, 60.0))
    return Image(at, 1, states)


def without(seen: Image, device: str) -> Image:
    """Return an image in which a device is lost."""
    lost = replace(seen.devices[device], reading=None, quality=Quality.LOST)
    return replace(seen, devices={**seen.devices, device: lost})
