"""The columns of files of settlements: one table for CSV and Parquet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from hems.headend.settle.delivery import Result

Cell = str | float | int | None


class Kind(Enum):
    """What a column holds."""

    TEXT = "text"
    NUMBER = "number"
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        name: Its name.
        kind: What it holds.
        unit: Of a number; empty for none.
        of: Its value of a home.
    """

    name: str
    kind: Kind
    unit: str
    of: Callable[[Result], Cell]


def _seconds(name: str, of: Callable[[Result], Cell]) -> Column:
    return Column(name, Kind.SECONDS, "s", of)


def _number(name: str, unit: str, of: Callable[[Result], Cell]) -> Column:
    return Column(name, Kind.NUMBER, unit, of)


COLUMNS: Final = (
    Column("lfdi", Kind.TEXT, "", lambda r: r.lfdi),
    Column("state", Kind.TEXT, "", lambda r: r.stand.value),
    Column("codes", Kind.TEXT, "", lambda r: " ".join(map(str, r.codes))),
    _seconds("asked_s", lambda r: r.asked_s),
    _seconds("took_part_s", lambda r: r.part_s),
    _seconds("known_s", lambda r: r.known_s),
    _seconds("bridged_s", lambda r: r.bridged_s),
    _number("asked_w", "W", lambda r: r.asked_w),
    _number("asked_wh", "Wh", lambda r: r.asked_wh),
    _number("baseline_w", "W, consumption positive", lambda r: r.baseline_w),
    _number("measured_w", "W, consumption positive", lambda r: r.measured_w),
    _number("delivered_w", "W", lambda r: r.delivered_w),
    _number("delivered_wh", "Wh", lambda r: r.delivered_wh),
    _number("share", "1", lambda r: r.share),
    _number("over_wh", "Wh", lambda r: r.over_wh),
    _number("over_s", "s", lambda r: r.over_s),
    _number("most_over_w", "W", lambda r: r.most_over_w),
    _number("pay", "", lambda r: r.pay),
    Column("flags", Kind.TEXT, "", lambda r: "; ".join(r.flags)),
)
"""All columns, in their order."""


def row(result: Result) -> Sequence[Cell]:
    """Return a home's cells."""
    return [column.of(result) for column in COLUMNS]
