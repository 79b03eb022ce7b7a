"""What of the home's troubles the utility's log is told: DER alarms, lost devices, tampering.

DER alarms have the standard's codes: twice the bit of `alarmStatus`, and one more for the return to
normal. What the standard has no code for goes under this maker's own, listed here; of PV and
storage it goes to the function set of DER as well.
"""

from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Final

from der.model import Alarm, DeviceState, Quality
from hems.emg.der_report import DER_KINDS
from hems.emg.der_status import ALARM_BITS
from hems.image import Image
from hems.sep2.enddevice.logevents import DER, GENERAL, SECURITY, VENDOR, Happening


class Code(IntEnum):
    """This maker's own log event codes; each but the last has its return to normal next to it."""

    DEVICE_LOST = 0
    DEVICE_BACK = 1
    FAULT = 2
    FAULT_OVER = 3
    TAMPER = 4
    TAMPER_OVER = 5
    CERTIFICATE = 6


_OWN: Final[Mapping[Alarm, Code]] = {Alarm.OPENED: Code.TAMPER, Alarm.FAULT: Code.FAULT}


GRACE_S: Final = 60.0
"""A device that was not there yet at the start counts as lost only after this."""


class AlarmLog:
    """Tells what has begun and ended between two images.

    Args:
        pen: Private enterprise number of the maker, under which its own codes stand.
    """

    def __init__(self, pen: int = 0) -> None:
        self._pen = pen
        self._alarms: dict[str, frozenset[Alarm]] = {}
        self._seen: set[str] = set()
        self._lost: set[str] = set()
        self._begun: float | None = None
        self._standing: frozenset[Alarm] = frozenset()

    def look(self, image: Image) -> list[Happening]:
        """Return what has begun or ended since the last image."""
        found: list[Happening] = []
        if self._begun is None:
            self._begun = image.at
        for device in image.devices.values():
            found += self._look_at(device, image.at)
        return [*found, *self._standard(image.at)]

    def certificate(self, at: float, details: str) -> Happening:
        """Return that a certificate does not hold, or soon will not."""
        return self._own(at, SECURITY, Code.CERTIFICATE, details)

    def _look_at(self, device: DeviceState, at: float) -> Iterator[Happening]:
        name = device.spec.id
        concerned = DER if device.spec.kind in DER_KINDS else GENERAL
        known = name in self._seen or at - (self._begun or at) > GRACE_S
        if device.quality is Quality.LOST and name not in self._lost and known:
            self._lost.add(name)
            yield self._own(at, concerned, Code.DEVICE_LOST, device.spec.name)
        if device.quality is not Quality.GOOD or device.reading is None:
            return
        self._seen.add(name)
        if name in self._lost:
            self._lost.remove(name)
            yield self._own(at, concerned, Code.DEVICE_BACK, device.spec.name)
        now = device.reading.alarms
        if now is None:
            return
        before = self._alarms.get(name, frozenset())
        self._alarms[name] = now
        for alarm, code in _OWN.items():
            function_set = SECURITY if code is Code.TAMPER else concerned
            if alarm in now and alarm not in before:
                yield self._own(at, function_set, code, device.spec.name)
            elif alarm in before and alarm not in now:
                yield self._own(at, function_set, Code(code + 1), device.spec.name)

    def _standard(self, at: float) -> Iterator[Happening]:
        """Yield the standard's alarms: of all DER together, as DERStatus tells them."""
        now = frozenset(a for alarms in self._alarms.values() for a in alarms if a in ALARM_BITS)
        for alarm in sorted(now ^ self._standing):
            code = 2 * ALARM_BITS[alarm] + (0 if alarm in now else 1)
            yield Happening(at, DER, code, alarm.value.replace("_", " "))
        self._standing = now

    def _own(self, at: float, function_set: int, code: Code, details: str) -> Happening:
        return Happening(at, function_set, code, details, VENDOR, self._pen)
