"""What is measured of the grid at the connection point, followed from one image to the next.

Pure. Voltages and frequencies of one reading are noise; what the hub decides by them is followed
with a delay and held still against small moves, so that no loop through the feeder hunts.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from der.model import DeviceState, Quality
from hems.image import Image
from programs.inputs import Sensed
from programs.rules import PRODUCING

_NINETY_PER_CENT: Final = math.log(10.0)
"""Time constants in which a first-order lag follows nine tenths of a step."""
_LEAST_HZ: Final = 40.0
_MOST_HZ: Final = 70.0
"""No grid is outside these: such a frequency is a fault in what is said."""
_MOST_V: Final = 1000.0
"""Nor above this between phase and neutral, in a house."""
_LONGEST_GAP_S: Final = 30.0
"""After a longer time without a reading it is begun anew."""


@dataclass(frozen=True, slots=True)
class SensingPolicy:
    """How what is measured is followed.

    Attributes:
        level_s: Time to follow 90 % of a step of the voltage.
        hold_v: By less than this the followed voltage does not move.
        base_s: Time to follow 90 % of a step of the home's own reactive power.
        near_hz: As near to its nominal value the frequency counts as undisturbed.
        nominal_hz: The nominal values there are.
    """

    level_s: float = 10.0
    hold_v: float = 0.3
    base_s: float = 3.0
    near_hz: float = 0.03
    nominal_hz: tuple[float, ...] = (50.0, 60.0)


@dataclass(frozen=True, slots=True)
class Senses:
    """What was measured so far.

    Attributes:
        sensed: As the programmes see it.
        at: When, UTC epoch seconds; -inf before the first.
        lag_v: The voltage as followed, before it is held still.
    """

    sensed: Sensed = field(default_factory=Sensed)
    at: float = -math.inf
    lag_v: float | None = None

    def look(self, image: Image, policy: SensingPolicy) -> "Senses":
        """Return what is measured with one more image."""
        since_s = image.at - self.at
        fresh = 0.0 < since_s <= _LONGEST_GAP_S
        before = self if fresh else Senses()
        if since_s == 0.0:
            return self
        voltages, frequency_hz = _voltages(image), _frequency(image)
        voltage_v = sum(voltages) / len(voltages) if voltages else None
        lag_v = _followed(before.lag_v, voltage_v, since_s, policy.level_s)
        level_v = before.sensed.level_v
        if lag_v is None or level_v is None or abs(lag_v - level_v) > policy.hold_v:
            level_v = lag_v
        below_v, above_v = _spread(before, voltages, since_s, policy)
        base_var = _followed(before.sensed.base_var, _base_var(image), since_s, policy.base_s)
        return Senses(
            Sensed(
                voltage_v,
                level_v,
                frequency_hz,
                base_var,
                _undisturbed(before.sensed.before_w, frequency_hz, image, policy),
                below_v,
                above_v,
            ),
            image.at,
            lag_v,
        )

    def shifted(self, by_s: float) -> "Senses":
        """Return it with its time moved by as much as UTC was set."""
        return replace(self, at=self.at + by_s)


def _followed(
    before: float | None, now: float | None, since_s: float, reach_s: float
) -> float | None:
    """Return a value followed with a first-order lag; None while it is unknown."""
    if before is None or now is None:
        return now
    return now + (before - now) * math.exp(-_NINETY_PER_CENT * since_s / reach_s)


def _good(devices: Iterable[DeviceState]) -> list[DeviceState]:
    return [d for d in devices if d.quality is Quality.GOOD and d.reading is not None]


def _spread(
    before: Senses, voltages: Sequence[float], since_s: float, policy: SensingPolicy
) -> tuple[float, float]:
    """Return by how much the lowest phase lies below the mean and the highest above, followed."""
    if not voltages:
        return 0.0, 0.0
    mean_v, began = sum(voltages) / len(voltages), before.lag_v is None
    present = mean_v - min(voltages), max(voltages) - mean_v
    followed = [
        _followed(None if began else past, now, since_s, policy.level_s)
        for past, now in zip((before.sensed.below_v, before.sensed.above_v), present, strict=True)
    ]
    return followed[0] or 0.0, followed[1] or 0.0


def _voltages(image: Image) -> Sequence[float]:
    """Return the voltages of the phases at the meter; an inverter's without it."""
    meter = image.meter
    for device in _good([*([] if meter is None else [meter]), *image.devices.values()]):
        reading = device.reading
        if reading is None:
            continue
        found = [p.voltage_v for p in reading.phases if p.voltage_v and _is_voltage(p.voltage_v)]
        if found:
            return found
        if reading.voltage_v is not None and _is_voltage(reading.voltage_v):
            return [reading.voltage_v]
    return []


def _is_voltage(volts: float) -> bool:
    return 0.0 <= volts <= _MOST_V  # False for what is no number


def _frequency(image: Image) -> float | None:
    """Return the frequency at the meter; an inverter's without it."""
    meter = image.meter
    found = (
        d.reading.frequency_hz
        for d in _good([*([] if meter is None else [meter]), *image.devices.values()])
        if d.reading is not None
    )
    return next((hz for hz in found if hz is not None and _LEAST_HZ <= hz <= _MOST_HZ), None)


def _base_var(image: Image) -> float | None:
    """Return the meter's reactive power less the devices'; None if the meter does not say."""
    good = _good([] if image.meter is None else [image.meter])
    reading = good[0].reading if good else None
    if reading is None or reading.reactive_var is None:
        return None
    moved = [
        d.reading.reactive_var
        for d in _good(image.devices.values())
        if d.spec.control in PRODUCING and d.reading is not None
    ]
    base_var = reading.reactive_var - sum(var for var in moved if var is not None)
    return base_var if math.isfinite(base_var) else None


def _undisturbed(
    before: Mapping[str, float], frequency_hz: float | None, image: Image, policy: SensingPolicy
) -> Mapping[str, float]:
    """Return the power of each device while the frequency was near its nominal value."""
    if frequency_hz is None:
        return before
    if min(abs(frequency_hz - hz) for hz in policy.nominal_hz) > policy.near_hz:
        return before
    present = {
        d.spec.id: d.reading.power_w for d in _good(image.devices.values()) if d.reading is not None
    }
    return {**before, **present}
