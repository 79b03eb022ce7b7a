"""`hems headend import` and `import-groups`: a file of hubs, or groups, into the running fleet.

The file is read bit by bit and told in batches, so that its length does not matter.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from hems.commands.operator import OperatorError, Told, ask, part, plain
from hems.commands.output import fail
from hems.commands.progress import Bar, bar
from hems.headend.fleet.import_rows import COLUMNS, NEEDED, Problem
from hems.headend.fleet.table_file import Line, TableError, read_table

_MOST_LINES: Final = 500
_MOST_OCTETS: Final = 200_000
"""Of a batch; the head-end takes a little more of both."""
_PATIENCE_S: Final = 600.0
"""For the step into the fleet, which is one transaction for the whole file."""
_GROUP_COLUMNS: Final = ("id", "name", "kind", "parent", "lat", "lon")


class _Problem(Told):
    line: int
    column: str
    reason: str


class _Problems(Told):
    problems: list[_Problem]


class _Import(Told):
    id: str
    good: int
    known: int
    bad: int
    imported: int
    problems: list[_Problem]


class _Group(Told):
    id: str


class _Groups(Told):
    groups: list[_Group]


class _Bad:
    """The bad lines of a file, as they are told; so many are shown."""

    def __init__(self, path: Path, most: int) -> None:
        self._path = path
        self._most = most
        self.lines = set[int]()
        self.shown: list[str] = []
        self.hidden = 0

    def add(self, problems: Sequence[_Problem]) -> None:
        """Take problems of a batch."""
        for each in problems:
            self.lines.add(each.line)
            if len(self.shown) == self._most:
                self.hidden += 1
            else:
                column = f", {plain(each.column)}" if each.column else ""
                self.shown.append(f"{self._path}, line {each.line}{column}: {plain(each.reason)}")


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code, 1 where a line is bad."""
    try:
        if options.what == "import-groups":
            return _groups(options)
        return _hubs(options)
    except (OperatorError, TableError) as error:
        return fail(str(error))


def _hubs(options: argparse.Namespace) -> int:
    path: Path = options.file
    lines = read_table(path, COLUMNS, (NEEDED,))
    first = next(lines)  # before anything is begun: is it a file of hubs at all?
    begun = ask(options.operator, "POST", "/fleet/imports", _Import, {"name": path.name[-200:]})
    place = f"/fleet/imports/{part(begun.id)}"
    bad = _Bad(path, options.most)
    try:
        with bar() as shown:
            for batch, share in _batches(first, lines):
                told = ask(options.operator, "POST", f"{place}/lines", _Problems, {"lines": batch})
                bad.add(told.problems)
                shown.move(share, f"{batch[-1]['line']} lines, {len(bad.lines)} of them bad")
            stands = ask(options.operator, "GET", place, _Import)
            if not options.dry_run and (options.only_good or not stands.bad):
                stands = _enter(options, place, stands, shown)
    except OperatorError as error:
        if not (again := _look(options, place)) or not again.bad:
            raise
        bad.add(again.problems)
        print(*bad.shown, sep="\n")
        return fail(f"{error}; nothing was entered")
    finally:
        _forget(options, place)
    bad.add([each for each in stands.problems if each.line not in bad.lines])
    return _tell(options, stands, bad)


def _enter(options: argparse.Namespace, place: str, stands: _Import, shown: Bar) -> _Import:
    """Have the good lines entered, a slice at a time where only these are wanted."""
    whole = stands.good or 1
    while True:
        shown.move(stands.imported / whole, f"{stands.imported} entered")
        before = stands.good
        wish = {"only_good": options.only_good}
        stands = ask(options.operator, "POST", f"{place}/run", _Import, wish, within_s=_PATIENCE_S)
        if not stands.good or stands.good == before:
            return stands


def _batches(
    first: Line | Problem, rest: Iterator[Line | Problem]
) -> Iterator[tuple[list[dict[str, object]], float]]:
    """Yield lines as they are told, so many as fit, and how much of the file that is."""
    batch: list[dict[str, object]] = []
    octets, share = 0, 0.0
    for each in _chain(first, rest):
        told = _told(each)
        length = len(json.dumps(told))
        if batch and (len(batch) == _MOST_LINES or octets + length > _MOST_OCTETS):
            yield batch, share
            batch, octets = [], 0
        batch.append(told)
        octets += length + 2
        share = each.share if isinstance(each, Line) else share
    yield batch, 1.0


def _chain(first: Line | Problem, rest: Iterator[Line | Problem]) -> Iterator[Line | Problem]:
    yield first
    yield from rest


def _told(line: Line | Problem) -> dict[str, object]:
    if isinstance(line, Problem):
        return {"line": line.line, "column": line.column, "problem": line.reason}
    cells = {name: cell for name, cell in line.cells.items() if cell}
    if too_long := next((name for name, cell in cells.items() if len(cell) > _MOST_CELL), None):
        return {"line": line.number, "column": too_long, "problem": "is too long"}
    return {"line": line.number, "cells": cells}


_MOST_CELL: Final = 1_000


def _tell(options: argparse.Namespace, stands: _Import, bad: _Bad) -> int:
    for line in bad.shown:
        print(line)
    if bad.hidden:
        print(f"... and {bad.hidden} more; --most shows more of them")
    entered = f"{stands.imported} entered"
    if options.dry_run:
        entered = f"{stands.good} could be entered"
    elif bad.lines and not options.only_good:
        entered = f"nothing was entered; --only-good enters the {stands.good} good lines"
    print(f"{options.file}: {entered}, {stands.known} there already, {len(bad.lines)} bad")
    return 1 if bad.lines else 0


def _look(options: argparse.Namespace, place: str) -> _Import | None:
    try:
        return ask(options.operator, "GET", place, _Import)
    except OperatorError:
        return None


def _forget(options: argparse.Namespace, place: str) -> None:
    """Have the head-end forget the file's lines; one that cannot does so by itself in a day."""
    try:
        ask(options.operator, "DELETE", place, _Import)
    except OperatorError:
        return


def _groups(options: argparse.Namespace) -> int:
    path: Path = options.file
    entered = 0
    batch: list[tuple[int, dict[str, object]]] = []
    with bar() as shown:
        for each in read_table(path, _GROUP_COLUMNS, ("id", "kind")):
            if isinstance(each, Problem):
                where = f"{path}, line {each.line}{', ' if each.column else ''}{each.column}"
                raise TableError(f"{where}: {each.reason}; {entered} groups were entered before")
            batch.append((each.number, _group(path, each)))
            if len(batch) == _MOST_LINES:
                entered += _enter_groups(options, batch, entered)
                shown.move(each.share, f"{entered} groups")
                batch = []
        if batch:
            entered += _enter_groups(options, batch, entered)
    print(f"{path}: {entered} groups entered")
    return 0


def _group(path: Path, line: Line) -> dict[str, object]:
    cells = {name: cell for name, cell in line.cells.items() if cell}
    lat, lon = cells.pop("lat", None), cells.pop("lon", None)
    group: dict[str, object] = {**cells}
    if (lat is None) != (lon is None):
        raise TableError(f"{path}, line {line.number}: lat and lon go together")
    if lat is not None and lon is not None:
        try:
            group["place"] = {
                "lat": float(lat.replace(",", ".")),
                "lon": float(lon.replace(",", ".")),
            }
        except ValueError:
            raise TableError(f"{path}, line {line.number}, lat: is no place on the map") from None
    return group


def _enter_groups(
    options: argparse.Namespace, batch: Sequence[tuple[int, dict[str, object]]], before: int
) -> int:
    """Enter a batch, all of it or nothing; returns how many."""
    wish = {"groups": [group for _, group in batch]}
    try:
        done = ask(options.operator, "POST", "/fleet/groups", _Groups, wish, within_s=_PATIENCE_S)
    except OperatorError as error:
        where = f"{options.file}, lines {batch[0][0]} to {batch[-1][0]}"
        raise OperatorError(f"{where}: {error}; {before} groups were entered before") from error
    return len(done.groups)
