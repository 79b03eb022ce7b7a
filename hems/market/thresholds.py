"""The operator's net-benefits prices, month by month: read, kept and dated.

    month,price_per_mwh,published,operator
    2026-11,41.30,2026-10-15,Example ISO

as CSV, or the same as a JSON list. What was once read is kept when the source no longer tells it:
who settles an event of last spring needs the figure of last spring.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from der.sentence import say

MOST_MONTHS: Final = 600
_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")

Price = Annotated[float, Field(allow_inf_nan=False, gt=0, le=1e6)]


class ThresholdError(ValueError):
    """Net-benefits prices that cannot be used; `str()` is one clause that names the place."""


class Threshold(BaseModel):
    """The net-benefits price of one month.

    Attributes:
        month: Which, as in "2026-11".
        price_per_mwh: It.
        price_per_kwh: The same, in place of it.
        published: When the operator published it.
        operator: Who that is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    month: Annotated[str, Field(pattern=_MONTH.pattern, max_length=7)]
    price_per_mwh: Price | None = None
    price_per_kwh: Price | None = None
    published: date
    operator: Annotated[str, Field(max_length=100)] = ""

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        if (self.price_per_mwh is None) is (self.price_per_kwh is None):
            raise ValueError("needs one of price_per_mwh and price_per_kwh")
        return self

    @property
    def per_kwh(self) -> float:
        """The price per kWh."""
        if self.price_per_kwh is not None:
            return self.price_per_kwh
        return (self.price_per_mwh or 0.0) / 1000.0


class Kept(BaseModel):
    """All that is known, as the store has it.

    Attributes:
        read_at: When the source was last read well, UTC epoch seconds.
        source: Where it was read, as people may see it.
        months: One for each month that was ever told.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    read_at: float = 0.0
    source: str = ""
    months: tuple[Threshold, ...] = ()

    def joined(self, told: Iterable[Threshold], read_at: float, source: str) -> "Kept":
        """Return what is known after a reading: of a month told twice, what was published last."""
        known: dict[str, Threshold] = {each.month: each for each in self.months}
        for each in told:
            before = known.get(each.month)
            if before is None or each.published >= before.published:
                known[each.month] = each
        months = tuple(known[month] for month in sorted(known))
        return Kept(read_at=read_at, source=source, months=months[-MOST_MONTHS:])

    def at(self, when: float, zone: ZoneInfo) -> Threshold | None:
        """Return the threshold of the month that holds `when`; None if it is not known.

        That of another month never stands in for it.

        Args:
            when: UTC epoch seconds.
            zone: The operator's, in which months begin.
        """
        month = datetime.fromtimestamp(when, zone).strftime("%Y-%m")
        return next((each for each in self.months if each.month == month), None)


def parse(text: str) -> Sequence[Threshold]:
    """Read a document of net-benefits prices, JSON if it begins with a bracket, else CSV.

    Raises:
        ThresholdError: It is something else, tells a month twice at one date, or tells nothing.
    """
    text = text.lstrip("\ufeff \t\r\n")
    rows = _json(text) if text[:1] in {"[", "{"} else _csv(text)
    if len(rows) > MOST_MONTHS:
        raise ThresholdError(
            say(
                "it has {rows} months, more than {most_months}",
                rows=len(rows),
                most_months=MOST_MONTHS,
            )
        )
    found: list[Threshold] = []
    for number, row in enumerate(rows, 1):
        try:
            found.append(Threshold.model_validate(row))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])[:40]
            reason = first["msg"].removeprefix("Value error, ")
            raise ThresholdError(f"entry {number}: {f'{key}: ' if key else ''}{reason}") from error
    if not found:
        raise ThresholdError(say("it tells no month"))
    told: dict[tuple[str, date], float] = {}
    for each in found:
        if told.setdefault((each.month, each.published), each.per_kwh) != each.per_kwh:
            raise ThresholdError(
                say(
                    "{month} has two prices, both published {published}",
                    month=each.month,
                    published=each.published.isoformat(),
                )
            )
    return found


def _json(text: str) -> Sequence[object]:
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ThresholdError(say("it is not JSON: {error}", error=error)) from error
    if not isinstance(found, list):
        raise ThresholdError(say("it is no list"))
    return found


def _csv(text: str) -> Sequence[Mapping[str, str]]:
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        rows = [dict(row) for row in reader]
    except csv.Error as error:
        raise ThresholdError(say("it is not CSV: {error}", error=error)) from error
    found: list[Mapping[str, str]] = []
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise ThresholdError(
                say("entry {number} has not as many fields as the first line", number=number)
            )
        found.append({key: value for key, value in row.items() if value != ""})
    return found
