"""What every programme decides on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from der.model import DeviceState
from programs.signal import Signal


@dataclass(frozen=True, slots=True)
class Inputs:
    """The home and what is asked of it, at one instant.

    Attributes:
        signals: All signals from outside.
        devices: The home's devices, by id, each with the set-point that it has now.
        net_w: Net power at the meter in W, import positive; None while unknown.
        now: UTC epoch seconds.
        uncomfortable: Devices whose temperature has left its comfort bounds and is not yet back.
    """

    signals: Sequence[Signal]
    devices: Mapping[str, DeviceState]
    net_w: float | None
    now: float
    uncomfortable: frozenset[str] = frozenset()
