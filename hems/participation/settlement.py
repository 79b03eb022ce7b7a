"""The settlement file: what was delivered, by event and quarter-hour; pure.

One table, a line an event and a line a quarter-hour of it, units in the column names, times in UTC
by ISO 8601. The last line counts those before it, the header left out, and carries the SHA-256 of
all that stands above it, so that a cut or changed file is seen. The same records give the same
bytes.

A quarter-hour is what the meter of the connection point saw of it: what was delivered in it is the
baseline less that, over the time in which the meter was read (`measured_share`). Of a set-point,
whose energy goes in the direction that was asked for and is counted at the devices, and of what
asks for no energy, the quarter-hours say what was metered alone. Time in which the owner was out of
an event, or its word did not count (another event's did, or the home stood alone), is in none of
its quarter-hours.

An event that asks several things has a record for each. What the meter saw is the same in all of
them: it was delivered once.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from hems.participation.bounds import LESS
from hems.programme_surface import Form
from hems.store.performances import Interval, Settled
from programs.performance import Performance
from programs.registry import BY_ID

COLUMNS: Final = (
    "row",
    "lfdi",
    "event_mrid",
    "programme",
    "use_case",
    "asked_by",
    "asked_kind",
    "asked",
    "asked_unit",
    "starts_utc",
    "length_s",
    "opted_out",
    "baseline_method",
    "baseline_kwh",
    "metered_kwh",
    "promised_kwh",
    "delivered_kwh",
    "baseline_w",
    "settled_s",
    "inside_share",
    "deviation_asked_unit",
    "rebound_w",
    "measured_share",
    "score",
    "note",
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so is run as a formula by spreadsheets."""

Cell = str | float | bool | None


def write(settled: Sequence[Settled], form: Form) -> str:
    """Return the file.

    Args:
        settled: Records with their quarter-hours, in the order in which they are to stand.
        form: CSV, or a JSON object a line.
    """
    rows = [row for each in settled for row in _rows(each)]
    if form is Form.JSON_LINES:
        body = "".join(f"{_json(_full(row))}\n" for row in rows)
        end = {"row": "end", "lines": len(rows), "sha256": _digest(body)}
        return f"{body}{_json(end)}\n"
    body = _csv([COLUMNS, *([_text(c) for c in _full(row).values()] for row in rows)])
    return body + _csv([["end", str(len(rows)), _digest(body)]])


def _rows(settled: Settled) -> Iterable[Mapping[str, Cell]]:
    common = _common(settled.record)
    yield {**common, **_event(settled)}
    for interval in settled.intervals:
        yield {**common, **_interval(interval, counted=_counted(settled.record))}


def _counted(record: Performance) -> bool:
    """Return whether what a record's quarter-hours saw less than the baseline was delivered."""
    if record.kind:
        return record.kind in LESS
    return not record.opted_out  # of a call that was left nobody kept from when on


def _common(record: Performance) -> Mapping[str, Cell]:
    listed = BY_ID.get(record.programme)
    return {
        "lfdi": record.lfdi,
        "event_mrid": record.event,
        "programme": record.programme,
        "use_case": "" if listed is None else "+".join(listed.about.use_cases),
        "asked_by": record.asked_by,
        "asked_kind": record.kind,
        "asked": record.asked,
        "asked_unit": record.unit,
        "opted_out": record.opted_out,
        "baseline_method": record.baseline_by,
    }


def _event(settled: Settled) -> Mapping[str, Cell]:
    record = settled.record
    return {
        "row": "event",
        "starts_utc": _time(record.starts_at),
        "length_s": round(record.ends_at - record.starts_at, 3),
        "baseline_kwh": _sum([i.baseline_wh for i in settled.intervals]),
        "metered_kwh": _sum([i.metered_wh for i in settled.intervals]),
        "promised_kwh": _kwh(record.promised_wh),
        "delivered_kwh": _kwh(record.delivered_wh),
        "baseline_w": _rounded(record.baseline_w),
        "settled_s": _rounded(record.settled_s),
        "inside_share": _rounded(record.inside_share),
        "deviation_asked_unit": _rounded(record.deviation),
        "rebound_w": _rounded(record.rebound_w),
        "measured_share": _rounded(record.measured_share),
        "score": _rounded(record.score),
        "note": record.note,
    }


def _interval(interval: Interval, *, counted: bool) -> Mapping[str, Cell]:
    long_s, baseline_wh, metered_wh = interval.length_s, interval.baseline_wh, interval.metered_wh
    share = 1.0 if interval.measured_s is None else interval.measured_s / long_s
    known = baseline_wh is not None and metered_wh is not None and counted
    saved_wh = (baseline_wh or 0.0) * share - (metered_wh or 0.0)
    return {
        "row": "interval",
        "starts_utc": _time(interval.start),
        "length_s": round(long_s, 3),
        "baseline_kwh": _kwh(baseline_wh),
        "metered_kwh": _kwh(metered_wh),
        "delivered_kwh": _kwh(saved_wh) if known else None,
        "measured_share": _rounded(share),
    }


def _full(row: Mapping[str, Cell]) -> Mapping[str, Cell]:
    return {name: row.get(name) for name in COLUMNS}


def _sum(parts: Sequence[float | None]) -> float | None:
    """Return a sum in kWh; None where one of its parts is not known."""
    known = [part for part in parts if part is not None]
    return _kwh(sum(known)) if parts and len(known) == len(parts) else None


def _kwh(energy_wh: float | None) -> float | None:
    return _rounded(None if energy_wh is None else energy_wh / 1000.0)


def _rounded(number: float | None) -> float | None:
    """Return a number to six digits, never a negative zero."""
    return None if number is None else round(number, 6) + 0.0


def _time(at: float) -> str:
    moment = datetime.fromtimestamp(round(at, 3), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case str():
            return f"'{cell}" if cell.startswith(_FORMULA) else cell
        case _:
            return f"{cell:.6f}".rstrip("0").rstrip(".")


def _csv(rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _json(row: Mapping[str, object]) -> str:
    return json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
