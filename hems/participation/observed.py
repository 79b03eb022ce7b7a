"""When devices are seen to obey what an event had them told; pure but for what it remembers.

It fills in of the effect ledger what nobody can say at the moment of a write.
"""

from dataclasses import dataclass
from typing import Final

from der.model import Control, DeviceState, Quality
from hems.cem.effects import Effect as Written
from hems.image import Image
from hems.participation.bounds import ACCURACY
from hems.store.effects import Effect

LOOKED_FOR_S: Final = 900.0
"""A device that has not obeyed after so long is looked at no more; the ledger then says so."""
_LEAST_W: Final = 10.0
"""Readings of small devices are no better than this."""


@dataclass(frozen=True, slots=True)
class _Told:
    event: str
    mode: str
    setpoint_w: float
    written_at: float


class Observed:
    """Looks whether devices do what they were told for an event."""

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}

    def told(self, written: Written) -> None:
        """Take in the outcome of a write; the last one to a device counts."""
        if written.refresh or written.support or written.written_at is None:
            return
        self._told.pop(written.device, None)
        if written.event and written.setpoint_w is not None:
            self._told[written.device] = _Told(
                written.event, written.source, written.setpoint_w, written.written_at
            )

    def look(self, image: Image) -> list[Effect]:
        """Return what is seen on an image that was not seen before, as the ledger takes it."""
        found = []
        for device, told in list(self._told.items()):
            state = image.devices.get(device)
            power_w = None if state is None else _power_since(state, told.written_at)
            if state is not None and power_w is not None and obeys(state, told.setpoint_w, power_w):
                found.append(
                    Effect(
                        told.event,
                        told.mode,
                        device,
                        observed_w=power_w,
                        observed_at=image.at,
                    )
                )
                del self._told[device]
            elif state is None or not -LOOKED_FOR_S <= image.at - told.written_at <= LOOKED_FOR_S:
                del self._told[device]
        return found


def obeys(state: DeviceState, setpoint_w: float, power_w: float) -> bool:
    """Return whether a power is what a set-point asks of a device, W, consumption positive."""
    spec = state.spec
    tolerance_w = max(ACCURACY * max(abs(spec.min_w), abs(spec.max_w)), _LEAST_W)
    match spec.control:
        case Control.TARGET:
            return abs(power_w - setpoint_w) <= tolerance_w
        case Control.CEILING | Control.SWITCH:
            return power_w <= setpoint_w + tolerance_w
        case Control.FLOOR:
            return power_w >= setpoint_w - tolerance_w
        case Control.NONE:
            return False


def _power_since(state: DeviceState, written_at: float) -> float | None:
    """Return what a device was read to do after it was told; None while that is not known."""
    reading = state.reading
    if reading is None or state.quality is not Quality.GOOD or reading.at <= written_at:
        return None
    return reading.power_w
