"""From an image to what an island is decided on, and to what its inverter can do. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from der.model import Alarm, Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from hems.image import Image
from hems.microgrid.carry import Carried, Flexible, Stock, Stretch, carried
from hems.microgrid.expected import Expected
from hems.microgrid.plant import Plant
from hems.microgrid.seen import Seen, Side
from hems.microgrid.tally import Draw
from programs.microgrid import level
from programs.proposal import Bounds
from programs.rules import SHEDDABLE

FRESH_S: Final = 3.0
"""What is older decides about no switch."""
HOUR_S: Final = 3600.0
_SEEN: Final = frozenset({DeviceKind.METER, DeviceKind.PV, DeviceKind.BATTERY})
_HEATS: Final = frozenset({DeviceKind.HEAT_PUMP, DeviceKind.WATER_HEATER, DeviceKind.THERMOSTAT})
_DUTY: Final = 0.35
"""Share of its time for which what heats behind a thermostat runs."""
_DERATED: Final = 0.8
"""Share of the power that is counted on after each collapse."""
_LEAST_DERATED: Final = 0.4
_SAG_HZ: Final = 0.4
_SAGGING: Final = 0.7
_FULL_SOC, _TAPER_SOC = 0.98, 0.9


def fresh(state: DeviceState | None, now: float) -> Reading | None:
    """Return a device's reading if it is of now."""
    if state is None or state.reading is None or state.quality is not Quality.GOOD:
        return None
    return state.reading if now - state.reading.at <= FRESH_S else None


def seen(image: Image, plant: Plant, sun_w: float) -> Seen:
    """Return what an image tells of tie, inverter and both sides.

    Args:
        image: What the devices said.
        plant: Which are they.
        sun_w: What the sun is expected to give now, W.
    """
    tie = fresh(image.devices.get(plant.tie), image.at)
    former = fresh(image.devices.get(plant.former), image.at)
    witnesses = [
        Side(reading.voltage_v, reading.frequency_hz)
        for state in image.devices.values()
        if state.spec.kind in _SEEN and (reading := fresh(state, image.at)) is not None
    ]
    bus = tie or former
    return Seen(
        grid=Side() if tie is None else Side(tie.grid_voltage_v, tie.grid_frequency_hz),
        bus=Side() if bus is None else Side(bus.voltage_v, bus.frequency_hz),
        witnesses=witnesses,
        angle_deg=None if tie is None else tie.angle_deg,
        closed=None if tie is None else tie.connected,
        forming=None if former is None else former.forming,
        gave_up=former is not None and Alarm.FAULT in (former.alarms or ()),
        soc=None if former is None else former.soc,
        tie_w=None if tie is None else tie.power_w,
        loads_off=all(is_off(state) for state in loads(image)),
        sun_w=sun_w,
    )


def loads(image: Image) -> Sequence[DeviceState]:
    """Return the loads that can be switched."""
    return [s for s in image.devices.values() if s.spec.control in SHEDDABLE]


def is_off(state: DeviceState) -> bool:
    """Whether a load has confirmed that it may not run."""
    told = state.setpoint
    least_w = state.spec.least_on_w if state.spec.control is Control.CEILING else state.spec.max_w
    return told is not None and told.power_w < max(least_w, 1.0)


def bounds(former: DeviceState | None, plant: Plant, tries: int) -> Bounds:
    """Return what the inverter may give (positive) and take (negative), W.

    Args:
        former: Its device; None where there is none.
        plant: Which part of its rating is kept free.
        tries: How often it gave up of late: each time less is counted on.
    """
    if former is None:
        return Bounds(0.0, 0.0)
    reading, spec = former.reading, former.spec
    derated = max(_DERATED**tries, _LEAST_DERATED)
    most_w = -spec.min_w * (1 - plant.headroom) * derated
    hertz = None if reading is None else reading.frequency_hz
    if hertz and hertz < plant.limits.nominal_hz - _SAG_HZ:
        most_w *= _SAGGING
    soc = None if reading is None else reading.soc
    taper = 1.0 if soc is None else (_FULL_SOC - soc) / (_FULL_SOC - _TAPER_SOC)
    return Bounds(-spec.max_w * min(max(taper, 0.0), 1.0), most_w)


def stock(former: DeviceState | None, floor_soc: float) -> Stock | None:
    """Return the energy that there is; None where charge or capacity is not known."""
    reading = None if former is None else former.reading
    if reading is None or reading.soc is None or reading.capacity_wh is None:
        return None
    return Stock(
        max(reading.soc - floor_soc, 0.0) * reading.capacity_wh,
        (1.0 - reading.soc) * reading.capacity_wh,
    )


def ahead(
    expected: Expected, now: float, duration_s: float, present_w: float | None = None
) -> Sequence[Stretch]:
    """Return what is expected of the home by the hour.

    Args:
        expected: Who knows.
        now: UTC epoch seconds.
        duration_s: How far to look.
        present_w: What is drawn now that cannot be switched: the first hour goes on like that.
    """
    parts: list[Stretch] = []
    start, end = now, now + duration_s
    while start < end:
        until = min(start + HOUR_S, end)
        load_w, sun_w = expected.load_w(start, until), expected.sun_w(start, until)
        if start == now and present_w is not None:
            load_w = present_w
        parts.append(Stretch(until - start, max(load_w, 0.0), max(sun_w, 0.0)))
        start = until
    return parts


def energy_plan(
    image: Image, plant: Plant, time_ahead: Sequence[Stretch], held: Iterable[str]
) -> Carried | None:
    """Return which loads the energy carries for the time ahead; None where it is not known.

    Args:
        image: What the devices said.
        plant: The island's.
        time_ahead: What is expected.
        held: Ids of loads that are held back for want of energy now.
    """
    there, back = stock(image.devices.get(plant.former), plant.floor_soc), frozenset(held)
    if there is None:
        return None
    flexible = [
        Flexible(s.spec.id, mean_w(s.spec), level(s.spec), s.spec.id in back) for s in loads(image)
    ]
    return carried(there, time_ahead, flexible)


def mean_w(spec: DeviceSpec) -> float:
    """Return what a load draws on the mean while it may run, W."""
    if spec.control is Control.CEILING:
        return spec.least_on_w or spec.max_w
    return spec.max_w * (_DUTY if spec.kind in _HEATS else 1.0)


def draws(image: Image, plant: Plant) -> Mapping[int, Draw]:
    """Return what is drawn and lacked by essentiality; -1 is what cannot be switched."""
    found: dict[int, Draw] = {}
    switched_w = made_w = 0.0
    for state in image.devices.values():
        reading = fresh(state, image.at)
        if reading is None:
            continue
        spec = state.spec
        if spec.control in SHEDDABLE:
            before = found.get(level(spec), Draw())
            power_w = max(reading.power_w, 0.0)
            lacks = is_off(state) and reading.wants_power is not False
            lacked_w = max(mean_w(spec) - power_w, 0.0) if lacks else 0.0
            found[level(spec)] = Draw(before.served_w + power_w, before.unserved_w + lacked_w)
            switched_w += reading.power_w
        elif spec.control is not Control.NONE:
            made_w += reading.power_w
    former = fresh(image.devices.get(plant.former), image.at)
    if former is not None:
        found[-1] = Draw(served_w=max(-made_w - switched_w, 0.0))
    return found
