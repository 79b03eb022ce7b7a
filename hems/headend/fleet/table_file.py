"""A file of lines and columns, as people and spreadsheets write them, read bit by bit.

UTF-8 with or without a byte order mark; commas, semicolons or tabs between cells; cells in quotes
that may hold any of these and line ends. The first line names the columns, in any order.
"""

import csv
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from hems.headend.errors import RequestError
from hems.headend.fleet.import_rows import Problem, shown

MOST_LINE: Final = 1 << 16
"""Octets in a line."""
_SEPARATORS: Final = ",;\t"


class TableError(RequestError):
    """A file cannot be read at all; `str()` names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file below the first.

    Attributes:
        number: Of the line, from 1; of its first, where quotes hold line ends.
        cells: By column, without the space around them.
        share: How much of the file was read with it, 0 to 1.
    """

    number: int
    cells: Mapping[str, str]
    share: float


class _Lines:
    """The lines of a file as text, and how far it was read."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self.number = 0
        self.octets = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = self._file.readline(MOST_LINE + 1)
        if not raw:
            raise StopIteration
        self.number += 1
        self.octets += len(raw)
        if len(raw) > MOST_LINE:
            raise TableError(
                f"{self._path}, line {self.number}: longer than {MOST_LINE} octets; "
                "this is no table, or a quote is missing"
            )
        # What is no UTF-8 is found again in its cell.
        return raw.decode("utf-8", "surrogateescape").removeprefix(
            "\ufeff" if self.number == 1 else ""
        )


def read_table(
    path: Path, known: Collection[str], needed: Collection[str]
) -> Iterator[Line | Problem]:
    """Yield a file's lines, and what is wrong with those that are none; empty ones are left out.

    Args:
        path: The file.
        known: Columns that there may be.
        needed: Those that there must be.

    Raises:
        TableError: It cannot be read, its first line does not name the columns, or it has none.
    """
    try:
        with path.open("rb") as file:
            yield from _read(path, file, known, needed)
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror}") from error


def _read(
    path: Path, file: BinaryIO, known: Collection[str], needed: Collection[str]
) -> Iterator[Line | Problem]:
    size = path.stat().st_size
    lines = _Lines(path, file)
    first = next(lines, "")
    separator = max(_SEPARATORS, key=first.count)
    columns = _columns(path, first, separator, known, needed)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    any_line = False
    while True:
        number = lines.number + 1
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            any_line = True
            yield Problem(number, "", f"cannot be read: {error}")
            continue
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        any_line = True
        if len(cells) != len(columns):
            yield Problem(number, "", f"has {len(cells)} cells; there are {len(columns)} columns")
            continue
        named = dict(zip(columns, cells, strict=True))
        if bad := next((name for name, cell in named.items() if not _is_text(cell)), None):
            yield Problem(number, bad, f"{shown(named[bad])} is not text in UTF-8")
            continue
        yield Line(number, named, lines.octets / size if size else 1.0)
    if not any_line:
        raise TableError(f"{path}: has no line below the one that names the columns")


def _columns(
    path: Path, first: str, separator: str, known: Collection[str], needed: Collection[str]
) -> list[str]:
    try:
        row = next(csv.reader([first], delimiter=separator, strict=True), [])
    except csv.Error as error:
        raise TableError(f"{path}, line 1: cannot be read: {error}") from error
    columns = [name.strip().lower() for name in row]
    where = f"{path}, line 1"
    for name in columns:
        if name not in known:
            raise TableError(f"{where}: {shown(name)} is no column; there are {', '.join(known)}")
        if columns.count(name) > 1:
            raise TableError(f"{where}: column {name} comes twice")
    if missing := [name for name in needed if name not in columns]:
        raise TableError(f"{where}: column {missing[0]} is missing")
    return columns


def _is_text(cell: str) -> bool:
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True
