"""How recipients get what they may see: JSON, units in the names, times as UTC epoch seconds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from der.model import Quality
from hems.image import Image
from hems.store.visibility import Interval, SightingRow
from hems.visibility.grants import Data
from hems.visibility.intervals import parts

_FIELDS: Mapping[Data, tuple[str, ...]] = {
    Data.POWER: ("power_w", "reactive_var"),
    Data.VOLTAGE: ("voltage_v", "voltage_least_v", "voltage_most_v", "frequency_hz"),
    Data.ENERGY: ("import_wh", "export_wh"),
}
"""What of an interval each grant shows; its time and quality go with any."""
SERIES = frozenset(_FIELDS)


def now(image: Image, clock_error_s: float | None) -> bytes:
    """Return one line: what the meter says now, by phase, with time and quality.

    Args:
        image: What was read last.
        clock_error_s: Home's time less the utility's server's; None where that is not known.
    """
    meter = image.meter
    reading = None if meter is None else meter.reading
    said: dict[str, object] = {
        "at": image.at,
        "clock_error_s": clock_error_s,
        "quality": Quality.LOST.value if meter is None else meter.quality.value,
    }
    if reading is not None:
        said["measured_at"] = reading.at
        said["frequency_hz"] = reading.frequency_hz
        said["phases"] = {
            phase or "all": {
                "power_w": part.power_w,
                "reactive_var": part.reactive_var,
                "voltage_v": part.voltage_v,
                "import_wh": part.energy_import_wh,
                "export_wh": part.energy_export_wh,
            }
            for phase, part in parts(reading).items()
        }
    return _line(said)


def series(found: Sequence[Interval], allowed: frozenset[Data], *, more: bool) -> bytes:
    """Return intervals, each with what is allowed of it.

    Args:
        found: The intervals.
        allowed: What of them may be seen.
        more: Whether there are more after the last of them.
    """
    fields = [name for data, names in _FIELDS.items() if data in allowed for name in names]
    told = [
        {
            "start": row.start,
            "length_s": row.length_s,
            "phase": row.phase or "all",
            "measured": row.measured,
            **{name: getattr(row, name) for name in fields},
        }
        for row in found
    ]
    return _line({"intervals": told, "more": more})


def happened(found: Sequence[SightingRow], *, more: bool) -> bytes:
    """Return what happened to the supply."""
    told = [{**asdict(row), "phase": row.phase or "all"} for row in found]
    return _line({"events": told, "more": more})


def allowed(data: frozenset[Data]) -> bytes:
    """Return what a recipient may see."""
    return _line({"granted": sorted(each.value for each in data)})


def refusal(why: str) -> bytes:
    """Return why something is not shown."""
    return _line({"error": why})


def _line(said: Mapping[str, object]) -> bytes:
    return json.dumps(said, allow_nan=False).encode() + b"\n"
