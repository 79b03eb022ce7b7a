"""Energy at the meter since a window began: counted from images, over gaps and restarts; pure."""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hems.image import Image

DAY_S: Final = 86_400.0
LONGEST_GAP_S: Final = 30.0
"""Images further apart say nothing by themselves about the energy between them."""
_S_PER_H: Final = 3600.0


def window(now: float, every_s: float, zone: ZoneInfo) -> tuple[float, float]:
    """Return begin and end of the window that holds `now`, by the clock on the wall.

    Args:
        now: UTC epoch seconds.
        every_s: Length of a window: a day (of 23 or 25 hours, too), or a part of an hour.
        zone: Where the home is.
    """
    if every_s < DAY_S:
        offset = datetime.fromtimestamp(now, zone).utcoffset()
        offset_s = 0.0 if offset is None else offset.total_seconds()
        start = math.floor((now + offset_s) / every_s) * every_s - offset_s
        return start, start + every_s
    midnight = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.timestamp(), (midnight + timedelta(days=1)).timestamp()


@dataclass(frozen=True, slots=True)
class Counter:
    """What flowed in one window so far.

    Attributes:
        starts_at: UTC epoch seconds.
        ends_at: UTC epoch seconds.
        import_wh: Taken from the grid.
        export_wh: Given to it, a magnitude.
        at: Until when that is counted; its start where nothing was.
        net_w: Net power since; None while it is unknown.
        registers: The meter's totals then, taken and given in Wh; None where it has none.
    """

    starts_at: float
    ends_at: float
    import_wh: float = 0.0
    export_wh: float = 0.0
    at: float = 0.0
    net_w: float | None = None
    registers: tuple[float, float] | None = None

    @classmethod
    def of(cls, now: float, every_s: float, zone: ZoneInfo) -> "Counter":
        """Return an empty one for the window that holds `now`, counted until its start."""
        starts_at, ends_at = window(now, every_s, zone)
        return cls(starts_at, ends_at, at=starts_at)

    def after(self, image: Image, every_s: float, zone: ZoneInfo, assumed_w: float) -> "Counter":
        """Return the counter with an image worked in; one of the next window where its own is over.

        A gap is filled from the meter's registers where it has some; else what is not known is
        taken for `assumed_w` each way, so that a limit is rather kept too well.

        Args:
            image: What the devices said.
            every_s: Length of a window.
            zone: Where the home is.
            assumed_w: Mean power that is assumed of a time that nobody saw.
        """
        registers = _registers(image)
        if not self.starts_at <= image.at < self.ends_at:
            fresh = Counter.of(image.at, every_s, zone)
            if self.ends_at == fresh.starts_at and image.at - self.at <= LONGEST_GAP_S:
                fresh = replace(fresh, net_w=self.net_w)  # what ran into the new window goes on
            return fresh.after(image, every_s, zone, assumed_w)
        span_s = max(image.at - self.at, 0.0)
        taken_wh, given_wh = self._flowed(span_s, registers, assumed_w)
        return replace(
            self,
            import_wh=self.import_wh + taken_wh,
            export_wh=self.export_wh + given_wh,
            at=max(image.at, self.at),
            net_w=image.net_w,
            registers=registers or self.registers,
        )

    def _flowed(
        self, span_s: float, registers: tuple[float, float] | None, assumed_w: float
    ) -> tuple[float, float]:
        if self.net_w is not None and span_s <= LONGEST_GAP_S:
            energy_wh = self.net_w * span_s / _S_PER_H
            return max(energy_wh, 0.0), max(-energy_wh, 0.0)
        if registers is not None and self.registers is not None:
            taken_wh = registers[0] - self.registers[0]
            given_wh = registers[1] - self.registers[1]
            if taken_wh >= 0 and given_wh >= 0:
                return taken_wh, given_wh
        assumed_wh = assumed_w * span_s / _S_PER_H
        return assumed_wh, assumed_wh


def _registers(image: Image) -> tuple[float, float] | None:
    meter = image.meter
    if image.net_w is None or meter is None or meter.reading is None:
        return None
    taken_wh, given_wh = meter.reading.energy_import_wh, meter.reading.energy_export_wh
    return None if taken_wh is None or given_wh is None else (taken_wh, given_wh)
