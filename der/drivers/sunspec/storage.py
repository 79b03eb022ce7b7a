"""What SunSpec says of a battery: charge, capacity and complaints, of models 713, 802 and 124."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from der.drivers.sunspec.block import Block
from der.model import Alarm

STORAGE_MODELS: Final = (713, 802, 124)
"""Those that tell the charge, the richest first."""

_FULL: Final = 1.01
"""A full battery's state of charge may round to a little over 1."""
_ERROR: Final = 2  # Sta


@dataclass(frozen=True, slots=True)
class StorageMeasures:
    """Where a model keeps what is known of a battery.

    Attributes:
        soc: State of charge in percent.
        capacity: In Wh; empty where the model does not have it.
        status: Of the storage, an enumeration in which 2 is an error.
        alarms: Bits of what it complains of.
        meanings: Bits of them that are alarms; all others are warnings.
    """

    soc: str
    capacity: str = ""
    status: str = ""
    alarms: str = ""
    meanings: Mapping[int, Alarm] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All points."""
        return tuple(n for n in (self.soc, self.capacity, self.status, self.alarms) if n)


_BATTERY_ALARMS: Final = {
    # 802's own over- and under-voltage are the cells', not the grid's.
    **dict.fromkeys((0, 1, 3, 5, 7, 9, 11, 13, 15, 18, 20, 21, 22, 25, 28), Alarm.FAULT),
    23: Alarm.OPENED,
}
STORAGE: Final[Mapping[int, StorageMeasures]] = {
    713: StorageMeasures("SoC", "WHRtg", status="Sta"),
    802: StorageMeasures("SoC", "WHRtg", alarms="Evt1", meanings=_BATTERY_ALARMS),
    124: StorageMeasures("ChaState"),
}


@dataclass(frozen=True, slots=True)
class Charge:
    """What is known of a battery.

    Attributes:
        soc: State of charge, 0 to 1.
        capacity_wh: Its capacity.
        alarms: What it complains of.
        sane: Whether the charge that it gave can be.
    """

    soc: float | None = None
    capacity_wh: float | None = None
    alarms: frozenset[Alarm] = frozenset()
    sane: bool = True


def charge(measures: StorageMeasures, block: Block, rated_wh: float | None) -> Charge:
    """Return what a model says of the battery.

    Args:
        measures: Where it says it.
        block: Its points.
        rated_wh: Capacity by the nameplate, where the model has none.
    """
    percent = block.number(measures.soc)
    capacity_wh = block.number(measures.capacity) if measures.capacity else None
    found: set[Alarm] = set()
    if measures.status and block.number(measures.status) == _ERROR:
        found.add(Alarm.FAULT)
    bits = int(block.number(measures.alarms) or 0) if measures.alarms else 0
    for bit, alarm in (measures.meanings or {}).items():
        if bits >> bit & 1:
            found.add(alarm)
    soc = None if percent is None else percent / 100.0
    sane = soc is None or 0 <= soc <= _FULL
    return Charge(
        soc=min(soc, 1.0) if soc is not None and sane else None,
        capacity_wh=rated_wh if capacity_wh is None else capacity_wh,
        alarms=frozenset(found),
        sane=sane,
    )
