"""A settlement as CSV (RFC 4180, UTF-8): a line a home."""

import csv
import io
from collections.abc import Iterable, Sequence

from hems.headend.settle.columns import COLUMNS, Cell, row
from hems.headend.settle.delivery import Result

_DIGITS = 3


class CsvFile:
    """A file in the making, handed out piece by piece."""

    content_type = "text/csv"

    def write(self, results: Iterable[Result]) -> bytes:
        """Return the lines of some homes."""
        return _lines([_shown(cell) for cell in row(result)] for result in results)

    def begin(self) -> bytes:
        """Return the line with the columns' names."""
        return _lines([[column.name for column in COLUMNS]])

    def end(self) -> bytes:
        """Return what comes last: nothing."""
        return b""


def _shown(cell: Cell) -> str | int | float:
    if cell is None:
        return ""
    return round(cell, _DIGITS) if isinstance(cell, float) else cell


def _lines(rows: Iterable[Sequence[str | int | float]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()
