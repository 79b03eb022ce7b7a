"""From the devices' sections to the needs as a rule; pure."""

from collections.abc import Iterable
from typing import Final

from hems.cem.needs import HeatStore
from hems.needs.habits import CarHabit, Habits, RunHabit
from hems.settings.device_section import DeviceSection
from hems.settings.needs_section import CarSection, HeatSection, RunSection

_WATER_WH_PER_L_K: Final = 1.163
"""Heat that makes a litre of water one K warmer."""


def habits(devices: Iterable[DeviceSection]) -> Habits:
    """Return what is wanted of the devices as a rule."""
    known = tuple(devices)
    return Habits(
        tuple(_car(d.id, d.car) for d in known if d.car is not None),
        tuple(_run(d.id, d.run) for d in known if d.run is not None),
        tuple(_heat(d, d.heat) for d in known if d.heat is not None),
    )


def _car(device: str, car: CarSection) -> CarHabit:
    return CarHabit(device, car.mode, car.ready_by, car.days, car.energy, car.power)


def _run(device: str, run: RunSection) -> RunHabit:
    return RunHabit(device, run.profile_w, run.step_s, run.ready_by)


def _heat(device: DeviceSection, heat: HeatSection) -> HeatStore:
    if device.comfort_low is None or device.comfort_high is None:
        raise ValueError(f"{device.id}: what it warms has no bounds")  # its section is refused
    return HeatStore(
        device.id,
        wh_per_k=heat.per_kelvin or (heat.volume or 0.0) * _WATER_WH_PER_L_K,
        loss_w_per_k=heat.loss,
        surroundings_c=heat.surroundings,
        cop=-heat.cop if device.cools else heat.cop,
        low_c=device.comfort_low,
        high_c=device.comfort_high,
        draw_wh_per_day=heat.draw,
    )
