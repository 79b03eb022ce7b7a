"""What flows in the home at one image, as the accounts want it; pure."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from der.model import DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from hems.image import Image

WAITS: Final = frozenset(
    {
        DeviceKind.EVSE,
        DeviceKind.HEAT_PUMP,
        DeviceKind.WATER_HEATER,
        DeviceKind.THERMOSTAT,
        DeviceKind.PLUG,
    }
)
"""Kinds whose energy control can move in time."""
_RUNS_SHARE: Final = 0.01
_RUNS_W: Final = 5.0
"""What draws less than this, and less than its share of the rated power, stands by."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A load that can wait.

    Attributes:
        power_w: What it draws.
        wants: Whether it runs, or would if it were allowed.
    """

    power_w: float
    wants: bool


@dataclass(frozen=True, slots=True)
class Registers:
    """What the meter has counted in all, Wh."""

    import_wh: float
    export_wh: float


@dataclass(frozen=True, slots=True)
class Flows:
    """The home's flows, powers in W, passive sign; None where they are not known.

    Attributes:
        at: UTC epoch seconds.
        net_w: At the meter.
        sun_w: Of all PV, never positive; 0 where there is none.
        batteries_w: Of all batteries; 0 where there is none.
        waiting: By device id; one that does not answer is not told apart from the house.
        stored: State of charge by battery, as far as known.
        registers: Of the meter.
    """

    at: float
    net_w: float | None
    sun_w: float | None
    batteries_w: float | None
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    stored: Mapping[str, float] = field(default_factory=dict)
    registers: Registers | None = None


def flows(image: Image, asked: Collection[str] = ()) -> Flows:
    """Return the flows of an image.

    Args:
        image: The home.
        asked: Ids of appliances that the owner has asked to run and that have not begun.
    """
    states = image.devices.values()
    batteries = [s for s in states if s.spec.kind is DeviceKind.BATTERY]
    suns = [s for s in states if s.spec.kind is DeviceKind.PV]
    sun_w = _sum(suns)
    waiting = {
        state.spec.id: Waiting(reading.power_w, _wants(state.spec, reading, asked))
        for state in states
        if state.spec.kind in WAITS and (reading := _known(state)) is not None
    }
    charges = ((s.spec.id, reading.soc) for s in batteries if (reading := _known(s)) is not None)
    return Flows(
        at=image.at,
        net_w=image.net_w if image.net_w is not None and math.isfinite(image.net_w) else None,
        sun_w=None if sun_w is None else min(0.0, sun_w),
        batteries_w=_sum(batteries),
        waiting=waiting,
        stored={device: soc for device, soc in charges if soc is not None},
        registers=_registers(image.meter),
    )


def _known(state: DeviceState) -> Reading | None:
    """Return what a device said that still holds; one asleep is as it was when it fell asleep."""
    reading = state.reading
    if state.quality not in {Quality.GOOD, Quality.ASLEEP} or reading is None:
        return None
    return reading if math.isfinite(reading.power_w) else None


def _sum(states: Collection[DeviceState]) -> float | None:
    total = 0.0
    for state in states:
        reading = _known(state)
        if reading is None:
            return None
        total += reading.power_w
    return total


def _wants(spec: DeviceSpec, reading: Reading, asked: Collection[str]) -> bool:
    if reading.power_w > max(_RUNS_W, _RUNS_SHARE * spec.max_w) or spec.id in asked:
        return True
    if spec.kind is DeviceKind.EVSE:
        # A charger that cannot say whether the car is full says at least that there is one.
        return reading.connected is True and reading.wants_power is not False
    return reading.wants_power is True


def _registers(meter: DeviceState | None) -> Registers | None:
    reading = None if meter is None else _known(meter)
    if reading is None or reading.energy_import_wh is None or reading.energy_export_wh is None:
        return None
    return Registers(reading.energy_import_wh, reading.energy_export_wh)
