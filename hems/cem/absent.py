"""Devices that cannot be counted on now: lost, silent or asleep, and at worst.

What such a device draws is in the meter's figure, and so part of what cannot be controlled. What it
may draw beyond that is reckoned here: a load may take all that it is not held from by a set-point
that it confirmed and that has not lapsed, an inverter may give all that it is let. A battery does
what it was told until that lapses, and then stands still or follows its own control; that its help
ends is foreseen by `hems.cem.outlook`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from der.model import Control, DeviceState, Quality, Setpoint
from hems.cem.memory import Memory
from hems.cem.policy import AllocatorPolicy
from hems.image import Image


@dataclass(frozen=True, slots=True)
class Absent:
    """What those who cannot be counted on may do beyond what the meter shows; W, not negative.

    Attributes:
        rises: How much more each may draw, by device id.
        falls: How much more each may give.
    """

    rises: Mapping[str, float] = field(default_factory=dict)
    falls: Mapping[str, float] = field(default_factory=dict)

    @property
    def rise_w(self) -> float:
        """All that may be drawn in addition."""
        return sum(self.rises.values())

    @property
    def fall_w(self) -> float:
        """All that may be given in addition."""
        return sum(self.falls.values())


def absent(image: Image, memory: Memory, now: float, policy: AllocatorPolicy) -> Absent:
    """Return what devices without a good reading may do at worst until the next decision.

    One that was never read is left out: what it draws is part of what the meter shows.

    Args:
        image: What the devices said.
        memory: The past.
        now: UTC epoch seconds.
        policy: How long before its lapse a set-point is no longer relied on.
    """
    rises: dict[str, float] = {}
    falls: dict[str, float] = {}
    for name, state in image.devices.items():
        if state.quality is Quality.GOOD or state.reading is None:
            continue
        told = memory.setpoint(name, now + policy.lapse_lead_s)
        low_w, high_w = _range(state, state.reading.power_w, told)
        rise_w, fall_w = high_w - state.reading.power_w, state.reading.power_w - low_w
        if rise_w > 0:
            rises[name] = rise_w
        if fall_w > 0:
            falls[name] = fall_w
    return Absent(rises, falls)


def _range(state: DeviceState, power_w: float, told: Setpoint | None) -> tuple[float, float]:
    """Return between which powers a device may be, by what it was last read at and told."""
    spec = state.spec
    match spec.control:
        case Control.CEILING:
            return power_w, spec.max_w if told is None else min(told.power_w, spec.max_w)
        case Control.SWITCH:
            off = told is not None and told.power_w < spec.max_w
            return power_w, power_w if off else spec.max_w
        case Control.FLOOR:
            return spec.min_w if told is None else max(told.power_w, spec.min_w), power_w
        case Control.TARGET if told is not None:
            return min(power_w, told.power_w), max(power_w, told.power_w)
        case _:
            return power_w, power_w
