"""The history as CSV (RFC 4180), which no spreadsheet takes for formulas."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from hems.reports.table import FIGURES, Row

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula, full-width forms too."""


def header(zone: str) -> bytes:
    """Return the first line; the columns' names say units and zone."""
    local = f"start_local ({zone})"
    return _lines([["start_utc", "end_utc", local, "device", "name", "kind", *FIGURES]])


def lines(rows: Iterable[Row]) -> bytes:
    """Return the lines of rows."""
    return _lines(
        [
            row.start.strftime("%Y-%m-%dT%H:%M:%SZ"),
            row.end.strftime("%Y-%m-%dT%H:%M:%SZ"),
            row.start_local.isoformat(),
            *(harmless(text) for text in (row.device, row.name, row.kind)),
            *("" if figure is None else f"{figure:.10g}" for figure in row.figures),
        ]
        for row in rows
    )


def harmless(text: str) -> str:
    """Return text that is only text in a spreadsheet: people name devices as they like."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _lines(cells: Iterable[Iterable[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(cells)
    return out.getvalue().encode()
