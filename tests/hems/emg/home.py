"""Devices and images of a small home, for what it tells of itself."""

from dataclasses import replace
from typing import Any

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from hems.image import Image

LFDI = "A" * 40
METER = DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, 0.0, 0.0)
PV = DeviceSpec("pv", DeviceKind.PV, "Solar", Control.FLOOR, -4000.0, 0.0)
BATTERY = DeviceSpec("battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -5000.0, 5000.0)
EVSE = DeviceSpec("evse", DeviceKind.EVSE, "Charger", Control.CEILING, 0.0, 7400.0)
HEATER = DeviceSpec("heater", DeviceKind.WATER_HEATER, "Tank", Control.SWITCH, 0.0, 2000.0)


def state(
    spec: DeviceSpec,
    power_w: float,
    at: float = 100.0,
    quality: Quality = Quality.GOOD,
    **more: Any,
) -> DeviceState:
    return DeviceState(spec, Reading(at, power_w, **more), quality)


def lost(spec: DeviceSpec, **more: Any) -> DeviceState:
    return replace(state(spec, -5000.0, **more), quality=Quality.LOST)


def image(*states: DeviceState, at: float = 100.0) -> Image:
    return Image(at, int(at), {each.spec.id: each for each in states})
