"""What every programme decides on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from der.commands import DeviceOptions
from der.model import DeviceState
from programs.signal import Signal


@dataclass(frozen=True, slots=True)
class Sensed:
    """What is measured of the grid where the home is connected; None while it is unknown.

    Attributes:
        voltage_v: Present voltage, phase to neutral, the mean of the phases.
        level_v: The same followed within 10 s (90 % of a step) and held still while it moves by
            little, for what the hub decides by it.
        below_v: By how much the lowest phase lies below the mean, followed alike; not negative.
        above_v: By how much the highest lies above it.
        frequency_hz: Present frequency.
        base_var: Reactive power at the meter less what devices say that they move, absorbing
            positive, followed within some seconds.
        before_w: Power of each device when the frequency was last near its nominal value, by id.
    """

    voltage_v: float | None = None
    level_v: float | None = None
    frequency_hz: float | None = None
    base_var: float | None = None
    before_w: Mapping[str, float] = field(default_factory=dict)
    below_v: float = 0.0
    above_v: float = 0.0


@dataclass(frozen=True, slots=True)
class Inputs:
    """The home and what is asked of it, at one instant.

    Attributes:
        signals: All signals from outside.
        devices: The home's devices, by id, each with the set-point that it has now.
        net_w: Net power at the meter in W, import positive; None while unknown.
        now: UTC epoch seconds.
        uncomfortable: Devices whose temperature has left its comfort bounds and is not yet back.
        past_net: Net power at the meter over the last two minutes, as far as it is known: UTC epoch
            seconds and W, oldest first, the reading that is decided on last.
        options: What devices say that they can do, by id, as far as they have been asked.
        sensed: What is measured of the grid.
    """

    signals: Sequence[Signal]
    devices: Mapping[str, DeviceState]
    net_w: float | None
    now: float
    uncomfortable: frozenset[str] = frozenset()
    past_net: Sequence[tuple[float, float]] = ()
    options: Mapping[str, DeviceOptions] = field(default_factory=dict)
    sensed: Sensed = Sensed()
