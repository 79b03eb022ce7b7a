"""What the home tells of its meter and its DER: means and energies, by equal intervals.

Intervals begin at whole multiples of their length, UTC, so that readings of many homes line up.
An interval in which a device was not read yields nothing: no value is made up. Signs are the
house's own, which are the standard's for readings: forward is from the grid to the home.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from der.model import DeviceKind, DeviceState, Quality, Reading
from hems.emg.registers import Register, energy_wh
from hems.emg.series import MIRRORED, PHASES, SITE, series_mrid
from hems.image import Image
from hems.sep2.enddevice.readings import Sample


@dataclass(slots=True)
class _Mean:
    total: float = 0.0
    count: int = 0

    def add(self, value: float | None) -> None:
        if value is not None:
            self.total += value
            self.count += 1


@dataclass(slots=True)
class _Interval:
    """What was read of one device in one interval."""

    means: dict[str, _Mean] = field(default_factory=dict)
    register: Register | None = None

    def add(self, reading: Reading) -> None:
        for name, value in _values(reading):
            self.means.setdefault(name, _Mean()).add(value)
        if reading.energy_import_wh is not None or reading.energy_export_wh is not None:
            self.register = Register(reading.at, reading.energy_import_wh, reading.energy_export_wh)


class Telemetry:
    """Turns images into readings.

    Args:
        lfdi: The home's own LFDI.
        interval_s: Length of the intervals in s.
        post: Takes each finished reading; must not block.
        on_registers: Told the register values by usage point whenever an interval ends, to keep
            them over a restart; must not block.
    """

    def __init__(
        self,
        lfdi: str,
        interval_s: int,
        post: Callable[[Sample], None],
        on_registers: Callable[[Mapping[str, Register]], None] = lambda _registers: None,
    ) -> None:
        self._lfdi = lfdi
        self._interval_s = interval_s
        self._post = post
        self._on_registers = on_registers
        self._index: int | None = None
        self._intervals: dict[str, _Interval] = {}
        self._registers: dict[str, Register] = {}

    def resume(self, registers: Mapping[str, Register]) -> None:
        """Take up the register values that were kept before a restart."""
        self._registers = {**registers, **self._registers}

    def take_image(self, image: Image) -> None:
        """Take in what was read; post the interval that it has ended."""
        index = math.floor(image.at / self._interval_s)
        if self._index is not None and index != self._index:
            self._finish(self._index)
        self._index = index
        for device in image.devices.values():
            point = _point(device)
            if point and device.quality is Quality.GOOD and device.reading is not None:
                self._intervals.setdefault(point, _Interval()).add(device.reading)

    def _finish(self, index: int) -> None:
        start = float(index * self._interval_s)
        for point, interval in self._intervals.items():
            for name, mean in interval.means.items():
                if mean.count:
                    value = mean.total / mean.count
                    self._tell(point, name, start, self._interval_s, value)
            if interval.register is not None:
                self._count(point, interval.register, start + self._interval_s)
        self._intervals = {}
        self._on_registers(self._registers)

    def _count(self, point: str, now: Register, end: float) -> None:
        """Tell a meter's registers, and what they counted since the last interval that had one."""
        before = self._registers.get(point)
        now = Register(end, now.import_wh, now.export_wh)
        self._registers[point] = now
        old = before or Register(end, None, None)
        pairs = {
            "import": (old.import_wh, now.import_wh),
            "export": (old.export_wh, now.export_wh),
        }
        for name, (was, new) in pairs.items():
            if new is not None:
                self._tell(point, name, end, 0, new)
            counted = energy_wh(was, new)
            if counted is not None and old.at < end:
                self._tell(point, f"{name}ed", old.at, round(end - old.at), counted)

    def _tell(self, point: str, name: str, start: float, duration_s: int, value: float) -> None:
        self._post(Sample(series_mrid(self._lfdi, point, name), start, duration_s, value))


def _point(device: DeviceState) -> str:
    """Return the usage point of a device; empty if it has none."""
    if device.spec.kind is DeviceKind.METER:
        return SITE
    return device.spec.id if device.spec.kind in MIRRORED else ""


def _values(reading: Reading) -> list[tuple[str, float | None]]:
    found = [
        ("power", reading.power_w),
        ("reactive", reading.reactive_var),
        ("voltage", reading.voltage_v),
        ("frequency", reading.frequency_hz),
    ]
    if len(reading.phases) > 1:
        for name, phase in zip(PHASES, reading.phases, strict=False):
            found += [(f"power_{name}", phase.power_w), (f"voltage_{name}", phase.voltage_v)]
    return found
