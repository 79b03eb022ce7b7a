"""The format in which prices and carbon are read: a list of spans as JSON, or as CSV; pure.

    [{"start": "2026-03-01T00:00:00+01:00", "price_per_mwh": 82.4}, ...]

    start,end,price_per_kwh,export_per_kwh,carbon_g_per_kwh
    2026-03-01T00:00Z,2026-03-01T00:15Z,0.0824,0.07,310

    [{"start": ..., "end": ..., "price_per_kwh": 0.90, "event": "Critical peak", "adds": false}]

`start` and `end` are ISO 8601 with their offset from UTC, or UTC epoch seconds. Without an `end` a
span lasts until the next one, but no longer than the shortest distance between two. A span
with an `event` is a price event of that name: what it says is what is paid, in place of any other
price or on top of it, and nothing more is put on it.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from der.sentence import say
from hems.cem.tariff.rates import Flow, Manner, PriceEvent
from hems.cem.tariff.series import Series, Span

MOST_ENTRIES: Final = 40_000
"""A year by the quarter-hour fits."""
MOST_EVENTS: Final = 1000
"""Each price is asked of all of them."""
_ONE_SPAN_S: Final = 3600.0
"""How long the only span of a document lasts if it does not say."""

_MOST_NAME: Final = 40
"""So much of a field's name is told: it is whatever the source wrote."""

Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]


class DocumentError(ValueError):
    """A document that cannot be used; `str()` is one clause that names the place in it."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a document tells; None for what it does not.

    Attributes:
        price: Of energy taken, per kWh.
        export: Of energy given, per kWh.
        carbon: Of the grid's energy, kg per kWh.
        events: Prices called for a time.
    """

    price: Series | None = None
    export: Series | None = None
    carbon: Series | None = None
    events: tuple[PriceEvent, ...] = ()


class _Entry(BaseModel):
    """One span as written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: AwareDatetime
    end: AwareDatetime | None = None
    price_per_kwh: Number | None = None
    price_per_mwh: Number | None = None
    export_per_kwh: Number | None = None
    export_per_mwh: Number | None = None
    carbon_kg_per_kwh: Number | None = None
    carbon_g_per_kwh: Number | None = None
    event: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    adds: bool = False

    @model_validator(mode="after")
    def _one_unit_each(self) -> Self:
        for one, other in (
            ("price_per_kwh", "price_per_mwh"),
            ("export_per_kwh", "export_per_mwh"),
            ("carbon_kg_per_kwh", "carbon_g_per_kwh"),
        ):
            if getattr(self, one) is not None and getattr(self, other) is not None:
                raise ValueError(f"has both {one} and {other}")
        if self.event is None and self.adds:
            raise ValueError("adds to a price, but is no event")
        if self.event is not None and (self.end is None or self.end <= self.start):
            raise ValueError("is an event without an end after its start")
        if self.event is not None and self.price is None and self.export is None:
            raise ValueError("is an event without a price")
        return self

    @property
    def price(self) -> float | None:
        return _either(self.price_per_kwh, self.price_per_mwh)

    @property
    def export(self) -> float | None:
        return _either(self.export_per_kwh, self.export_per_mwh)

    @property
    def carbon(self) -> float | None:
        return _either(self.carbon_kg_per_kwh, self.carbon_g_per_kwh)


def parse(text: str, told_at: float) -> Document:
    """Read a document.

    Args:
        text: It, JSON if it begins with a bracket, else CSV.
        told_at: When it was read, UTC epoch seconds.

    Raises:
        DocumentError: It is something else, contradicts itself, or tells nothing.
    """
    raw = _of_json(text) if text.lstrip("\ufeff \t\r\n")[:1] in {"[", "{"} else _of_csv(text)
    told = [_entry(number, each) for number, each in enumerate(raw, 1)]
    entries = [entry for entry in told if entry.event is None]
    if len(told) - len(entries) > MOST_EVENTS:
        raise DocumentError(
            say(
                "it has {told} events, more than {most_events}",
                told=len(told) - len(entries),
                most_events=MOST_EVENTS,
            )
        )
    spans = tuple(_spans(entries))
    try:
        document = Document(
            _series(((s, e.price) for s, e in zip(spans, entries, strict=True)), told_at),
            _series(((s, e.export) for s, e in zip(spans, entries, strict=True)), told_at),
            _series(((s, e.carbon) for s, e in zip(spans, entries, strict=True)), told_at),
            tuple(event for entry in told for event in _events(entry)),
        )
    except ValueError as error:
        raise DocumentError(str(error)) from error
    if document == Document():
        raise DocumentError(say("it tells neither prices nor carbon"))
    return document


def _of_json(text: str) -> Sequence[object]:
    try:
        found: object = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise DocumentError(say("it is not JSON: {error}", error=error)) from error
    if not isinstance(found, list):
        raise DocumentError(say("its JSON is no list of spans"))
    if len(found) > MOST_ENTRIES:
        raise DocumentError(
            say(
                "it has {found} entries, more than {most_entries}",
                found=len(found),
                most_entries=MOST_ENTRIES,
            )
        )
    return found


def _of_csv(text: str) -> Sequence[object]:
    rows = csv.DictReader(text.lstrip("\ufeff").splitlines(), skipinitialspace=True)
    made: list[object] = []
    try:
        if "start" not in (rows.fieldnames or ()):
            raise DocumentError("it is neither JSON nor CSV with a column 'start'")
        for row in rows:
            if None in row:
                raise DocumentError(
                    say("entry {made} has more fields than there are columns", made=len(made) + 1)
                )
            made.append({name: value for name, value in row.items() if value not in {None, ""}})
            if len(made) > MOST_ENTRIES:
                raise DocumentError(
                    say("it has more than {most_entries} entries", most_entries=MOST_ENTRIES)
                )
    except csv.Error as error:
        raise DocumentError(
            say("entry {made} is no CSV: {error}", made=len(made) + 1, error=error)
        ) from error
    return made


def _entry(number: int, raw: object) -> _Entry:
    try:
        return _Entry.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = "".join(f"{_shown(str(part))}: " for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ").replace("Input should", "must")
        if first["type"] == "timezone_aware":
            reason = "must have its offset from UTC, such as +01:00 or Z"
        elif first["type"] == "extra_forbidden":
            reason = "is not known here"
        raise DocumentError(f"entry {number}: {place}{reason}") from error


def _shown(name: str) -> str:
    return (name if name.isprintable() else ascii(name))[:_MOST_NAME]


def _events(entry: _Entry) -> Iterator[PriceEvent]:
    if entry.event is None or entry.end is None:
        return
    manner = Manner.ADD if entry.adds else Manner.REPLACE
    start, end = entry.start.timestamp(), entry.end.timestamp()
    for flow, per_kwh in ((Flow.IMPORT, entry.price), (Flow.EXPORT, entry.export)):
        if per_kwh is not None:
            yield PriceEvent(start, end, per_kwh, entry.event, manner, flow)


def _spans(entries: Sequence[_Entry]) -> Iterator[tuple[float, float]]:
    """Yield from when until when each entry holds, UTC epoch seconds."""
    starts = sorted({entry.start.timestamp() for entry in entries})
    shortest = min((b - a for a, b in pairwise(starts)), default=_ONE_SPAN_S)
    for entry in entries:
        start = entry.start.timestamp()
        yield start, start + shortest if entry.end is None else entry.end.timestamp()


def _series(
    values: Iterable[tuple[tuple[float, float], float | None]], told_at: float
) -> Series | None:
    spans = [Span(start, end, value) for (start, end), value in values if value is not None]
    return Series.of(spans, told_at) if spans else None


def _either(whole: float | None, thousandth: float | None) -> float | None:
    """Return a value given in a unit, or in its thousandth."""
    if whole is not None:
        return whole
    return None if thousandth is None else thousandth / 1000.0
