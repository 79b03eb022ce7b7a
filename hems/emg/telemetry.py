"""What the home tells of its meter: mean power, energy, voltage, frequency, by equal intervals.

Readings are those of the connection point's meter, forward meaning from the grid to the home
(import, positive), which is the house's own sign.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hems.image import Image
from hems.sep2.mirror import MirrorSpec, Sample, SeriesSpec

_W: Final = 38
_WH: Final = 72
_V: Final = 29
_HZ: Final = 33
_ENERGY: Final = 12
_CUMULATIVE: Final = 3
_NORMAL: Final = 12
_REVERSE: Final = 19


def mirror_spec(lfdi: str, interval_s: int) -> MirrorSpec:
    """Return the usage point that mirrors the home's meter, with mRIDs that outlive restarts.

    Args:
        lfdi: The home's own LFDI, from which the mRIDs are made.
        interval_s: Length of the intervals in s.
    """
    return MirrorSpec(
        mrid=_mrid(lfdi, "point"),
        description="Connection point",
        series=(
            SeriesSpec(_mrid(lfdi, "power"), "Net active power", _W, interval_s=interval_s),
            SeriesSpec(
                _mrid(lfdi, "import"),
                "Energy from the grid",
                _WH,
                kind=_ENERGY,
                accumulation=_CUMULATIVE,
                data_qualifier=_NORMAL,
            ),
            SeriesSpec(
                _mrid(lfdi, "export"),
                "Energy to the grid",
                _WH,
                flow_direction=_REVERSE,
                kind=_ENERGY,
                accumulation=_CUMULATIVE,
                data_qualifier=_NORMAL,
            ),
            SeriesSpec(
                _mrid(lfdi, "voltage"), "Voltage", _V, power_of_ten=-1, interval_s=interval_s
            ),
            SeriesSpec(
                _mrid(lfdi, "frequency"), "Frequency", _HZ, power_of_ten=-2, interval_s=interval_s
            ),
        ),
        post_s=interval_s,
    )


@dataclass(slots=True)
class _Mean:
    total: float = 0.0
    count: int = 0

    def add(self, value: float | None) -> None:
        if value is not None:
            self.total += value
            self.count += 1

    @property
    def value(self) -> float | None:
        return self.total / self.count if self.count else None


class Telemetry:
    """Turns images into readings.

    Intervals begin at whole multiples of their length, UTC, so that readings of many homes line
    up. An interval in which the meter was not read yields nothing: no value is made up.

    Args:
        lfdi: The home's own LFDI.
        interval_s: Length of the intervals in s.
        post: Takes each finished reading; must not block.
    """

    def __init__(self, lfdi: str, interval_s: int, post: Callable[[Sample], None]) -> None:
        self._lfdi = lfdi
        self._interval_s = interval_s
        self._post = post
        self._index: int | None = None
        self._power, self._voltage, self._frequency = _Mean(), _Mean(), _Mean()
        self._energy: tuple[float | None, float | None] = (None, None)

    def take_image(self, image: Image) -> None:
        """Take the meter's reading in; post the interval that it has ended."""
        index = math.floor(image.at / self._interval_s)
        if self._index is not None and index != self._index:
            self._finish(self._index)
        self._index = index
        meter = image.meter
        if image.net_w is None or meter is None or meter.reading is None:
            return
        reading = meter.reading
        self._power.add(reading.power_w)
        self._voltage.add(reading.voltage_v)
        self._frequency.add(reading.frequency_hz)
        self._energy = (reading.energy_import_wh, reading.energy_export_wh)

    def _finish(self, index: int) -> None:
        start = float(index * self._interval_s)
        means = {
            "power": self._power.value,
            "voltage": self._voltage.value,
            "frequency": self._frequency.value,
        }
        totals = dict(zip(("import", "export"), self._energy, strict=True))
        for name, value in means.items():
            if value is not None:
                self._post(Sample(_mrid(self._lfdi, name), start, self._interval_s, value))
        for name, total_wh in totals.items():
            if total_wh is not None:
                end = start + self._interval_s
                self._post(Sample(_mrid(self._lfdi, name), end, 0, total_wh))
        self._power, self._voltage, self._frequency = _Mean(), _Mean(), _Mean()
        self._energy = (None, None)


def _mrid(lfdi: str, name: str) -> str:
    return hashlib.sha256(f"{lfdi} {name}".encode()).hexdigest()[:32].upper()
