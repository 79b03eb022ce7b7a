"""`hems price`: the operator sets, lists and clears prices at the head-end."""

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from hems.commands.operator import OperatorError, Told, ask, part, when
from hems.commands.output import fail

_LIVE = frozenset({"active", "scheduled"})
_COLUMNS = ("start", "minutes", "price")


class _Price(Told):
    id: str
    flow: str
    start: int
    minutes: float
    price: float | None
    state: str


class _Tariff(Told):
    tariff: str
    primacy: int
    currency: int
    prices: list[_Price]


class _Tariffs(Told):
    tariffs: list[_Tariff]


class _FileError(Exception):
    """A file of prices that cannot be read; `str()` is one sentence."""


def run(options: argparse.Namespace) -> int:
    """Run `hems price`; returns the exit code."""
    try:
        match options.action:
            case "set":
                if options.file is None:
                    return fail("say which file: hems price set FILE (- for what is piped in)")
                tariff = ask(options.operator, "PUT", "/prices", _Tariff, _series(options))
                _print(tariff, options.flow)
            case "clear":
                place = f"/prices/{part(options.tariff)}/{options.flow}"
                _print(ask(options.operator, "DELETE", place, _Tariff), options.flow)
            case _:
                tariffs = ask(options.operator, "GET", "/prices", _Tariffs).tariffs
                if not tariffs:
                    print("no prices yet")
                for tariff in tariffs:
                    _print(tariff, None)
    except (OperatorError, _FileError) as error:
        return fail(str(error))
    return 0


def _series(options: argparse.Namespace) -> dict[str, object]:
    series: dict[str, object] = {
        "tariff": options.tariff,
        "flow": options.flow,
        "prices": read_prices(options.file),
    }
    if options.currency is not None:
        series["currency"] = options.currency
    if options.primacy is not None:
        series["primacy"] = options.primacy
    if options.raw:
        series["raw"] = True
    return series


def read_prices(file: Path) -> Sequence[dict[str, object]]:
    """Read prices from JSON, or from CSV with the columns start, minutes, price.

    Args:
        file: The file; "-" for standard input.

    Raises:
        _FileError: It cannot be read, or is neither.
    """
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _FileError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _FileError(f"{file}: is not UTF-8 text (byte {error.start})") from error
    if text.lstrip().startswith(("[", "{")):
        return _json(text, file)
    return [_row(row, number, file) for number, row in enumerate(_rows(text, file), start=2)]


def _json(text: str, file: Path) -> Sequence[dict[str, object]]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise _FileError(f"{file}: is not JSON: {error}") from error
    items = found.get("prices") if isinstance(found, dict) else found
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _FileError(f"{file}: holds no list of prices, each with {', '.join(_COLUMNS)}")
    return items


def _rows(text: str, file: Path) -> Sequence[dict[str | None, str | None]]:
    reader = csv.DictReader(text.splitlines())
    if not set(_COLUMNS) <= set(reader.fieldnames or ()):
        raise _FileError(f"{file}: its first line does not name {', '.join(_COLUMNS)}")
    try:
        return [dict(row) for row in reader]
    except csv.Error as error:
        raise _FileError(f"{file}: line {reader.line_num} is not CSV: {error}") from error


def _row(row: dict[str | None, str | None], number: int, file: Path) -> dict[str, object]:
    start, minutes, price = ((row.get(name) or "").strip() for name in _COLUMNS)
    try:
        at: object = float(start)
    except ValueError:
        at = start
    try:
        return {"start": at, "minutes": float(minutes), "price": float(price) if price else None}
    except ValueError as error:
        raise _FileError(f"{file}: line {number}: minutes and price must be numbers") from error


def _print(tariff: _Tariff, flow: str | None) -> None:
    shown = [p for p in tariff.prices if flow in {None, p.flow} and p.state in _LIVE]
    print(f"{tariff.tariff}: currency {tariff.currency}, primacy {tariff.primacy}")
    for price in shown:
        cost = "no price" if price.price is None else f"{price.price:g} per kWh"
        print(
            f"    {when(price.start)} for {price.minutes:g} min  {price.flow} {cost}  {price.state}"
        )
    if not shown:
        print("    no prices in force or to come")
