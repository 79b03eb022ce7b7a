"""The mapping table: a file of lines and columns, each line judged; every mistake has its place."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from hems.headend.dispatch import MAX_DURATION_S
from hems.headend.errors import SettingsError
from hems.headend.fleet.import_rows import ID, Problem, shown
from hems.headend.fleet.table_file import TableError, read_table
from hems.headend.modes import Mode
from hems.headend.telecontrol.asdu import EVERYBODY, MOST_ADDRESS, Type
from hems.headend.telecontrol.points import (
    COMMANDS,
    END,
    POINTS,
    SHARED,
    Commanded,
    Place,
    Quantity,
    Seen,
    Table,
)

COLUMNS: Final = (
    "common",
    "address",
    "type",
    "carries",
    "group",
    "scale",
    "dead_band",
    "period_s",
    "interrogation",
    "minutes",
    "program",
    "amount",
    "direct",
    "value",
    "ends",
)
NEEDED: Final = ("common", "address", "type", "carries")
MOST_ROWS: Final = 10_000
_MOST_TOLD: Final = 20
_MOST_PERIOD_S: Final = 86_400.0
_MOST_GROUP: Final = 16
_SEEN: Final = frozenset({Type.M_SP_TB_1, Type.M_ME_TF_1})
_COMMANDED: Final = frozenset({Type.C_SC_NA_1, Type.C_SE_NC_1})
_OF_SEEN: Final = frozenset({"dead_band", "period_s", "interrogation"})
_OF_COMMANDED: Final = frozenset({"minutes", "program", "amount", "direct", "value", "ends"})
_WHOLES: Final = {"each": False, "all": True}
_YES: Final = {"yes": True, "no": False}

T = TypeVar("T")


class _CellError(ValueError):
    """A cell does not say what its column is for."""


@dataclass(slots=True)
class _Cells:
    """The cells of one line, and what was found wrong with them."""

    line: int
    cells: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def has(self, column: str) -> bool:
        return bool(self.cells.get(column))

    def wrong(self, column: str, reason: str) -> None:
        self.problems.append(Problem(self.line, column, reason))

    def read(self, column: str, parse: Callable[[str], T], default: T) -> T:
        """Return what a cell says; the default where it is empty, or wrong."""
        cell = self.cells.get(column, "")
        if not cell:
            return default
        try:
            return parse(cell)
        except _CellError as error:
            self.wrong(column, str(error))
            return default

    def need(self, column: str, parse: Callable[[str], T], default: T) -> T:
        """Return what a cell says that must not be empty."""
        if not self.has(column):
            self.wrong(column, "is empty, and is needed here")
        return self.read(column, parse, default)

    def spare(self, columns: frozenset[str], whose: str) -> None:
        """Find cells that say what means nothing in this line."""
        for column in COLUMNS:
            if column in columns and self.has(column):
                self.wrong(column, f"means nothing {whose}")


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found in a file.

    Attributes:
        table: Its good lines.
        problems: What is wrong with the others.
    """

    table: Table
    problems: Sequence[Problem]


def judge_file(path: Path) -> Judged:
    """Read a mapping table, and look at each line.

    Raises:
        SettingsError: It cannot be read at all.
    """
    seen: dict[Place, Seen] = {}
    commanded: dict[Place, Commanded] = {}
    lines: dict[Place, int] = {}
    problems: list[Problem] = []
    try:
        for line in read_table(path, COLUMNS, NEEDED):
            if isinstance(line, Problem):
                problems.append(line)
                continue
            if len(lines) >= MOST_ROWS:
                raise SettingsError(f"{path}: has more than {MOST_ROWS} lines")
            row, wrong = judge(line.number, line.cells)
            problems += wrong
            if row is None:
                continue
            if row.place in lines:
                said = f"is line {lines[row.place]}'s already, of the same common address"
                problems.append(Problem(line.number, "address", said))
                continue
            lines[row.place] = line.number
            if isinstance(row, Seen):
                seen[row.place] = row
            else:
                commanded[row.place] = row
    except TableError as error:
        raise SettingsError(str(error)) from error
    problems += _ends(commanded, lines)
    return Judged(Table(seen, commanded), sorted(problems, key=lambda each: each.line))


def load_table(path: Path) -> Table:
    """Return a mapping table in which nothing is wrong.

    Raises:
        SettingsError: It cannot be read, or lines are wrong; the message names each by its place.
    """
    judged = judge_file(path)
    if judged.problems:
        told = [told_of(path, each) for each in judged.problems[:_MOST_TOLD]]
        more = len(judged.problems) - len(told)
        raise SettingsError("\n".join([*told, *([f"and {more} more"] if more else [])]))
    return judged.table


def told_of(path: Path, problem: Problem) -> str:
    """Return what is wrong and where, in one line."""
    column = f", {problem.column}" if problem.column else ""
    return f"{path}, line {problem.line}{column}: {problem.reason}"


def judge(
    number: int, cells: Mapping[str, str]
) -> tuple[Seen | Commanded | None, Sequence[Problem]]:
    """Return what a line says, or everything that is wrong with it.

    Args:
        number: Of the line.
        cells: By column, without the space around them.
    """
    line = _Cells(number, cells)
    common = line.need("common", _whole(1, EVERYBODY - 1), 1)
    address = line.need("address", _whole(1, MOST_ADDRESS), 1)
    kind = line.need("type", _kind, None)
    row: Seen | Commanded | None = None
    if kind in _SEEN:
        row = _seen(line, (common, address), kind)
    elif kind in _COMMANDED:
        row = _commanded(line, (common, address), kind)
    return (None if line.problems else row), line.problems


def _seen(line: _Cells, place: Place, kind: Type) -> Seen | None:
    line.spare(_OF_COMMANDED, "of a point that is seen")
    quantity = line.need("carries", _one_of(Quantity), None)
    if quantity is not None and (quantity in POINTS) != (kind is Type.M_SP_TB_1):
        fits = Type.M_SP_TB_1 if quantity in POINTS else Type.M_ME_TF_1
        line.wrong("type", f"{quantity.value} is {fits.name}")
    if kind is Type.M_SP_TB_1:
        line.spare(frozenset({"scale", "dead_band"}), "of a single point")
    if quantity is None:
        return None
    return Seen(
        place,
        quantity,
        line.read("group", _id, None),
        line.read("scale", _scale, 1.0),
        line.read("dead_band", _number(0.0, 1e12), 0.0),
        line.read("period_s", _number(1.0, _MOST_PERIOD_S), 0.0),
        line.read("interrogation", _whole(1, _MOST_GROUP), 0),
    )


def _commanded(line: _Cells, place: Place, kind: Type) -> Commanded | None:
    line.spare(_OF_SEEN, "of a point that is commanded")
    direct = line.read("direct", _word(_YES), default=False)
    if line.cells.get("carries", "").lower() == END:
        if kind is not Type.C_SC_NA_1:
            line.wrong("type", f"{END} is {Type.C_SC_NA_1.name}")
        idle = frozenset({"scale", "minutes", "program", "amount", "value", "group"})
        line.spare(idle, f"of {END}")
        ends = line.need("ends", _whole(1, MOST_ADDRESS), 0)
        return Commanded(place, kind, None, None, direct=direct, ends=ends)
    line.spare(frozenset({"ends"}), f"but of {END}")
    mode = line.need("carries", _mode, None)
    shared = line.read("amount", _word(_WHOLES), default=False)
    if shared and mode not in SHARED:
        line.wrong("amount", "cannot be of all homes together: it does not add up over them")
    if kind is Type.C_SE_NC_1:
        line.spare(frozenset({"value"}), "of a set-point, which brings its own")
    else:
        line.need("value", _number(-1e12, 1e12), 0.0)
    minutes = line.need("minutes", _number(1 / 60, MAX_DURATION_S / 60), 1.0)
    return Commanded(
        place,
        kind,
        mode,
        line.read("group", _id, None),
        line.read("scale", _scale, 1.0),
        minutes,
        line.read("program", _text, None),
        shared,
        direct,
        line.read("value", _number(-1e12, 1e12), 0.0),
    )


def _ends(commanded: Mapping[Place, Commanded], lines: Mapping[Place, int]) -> Sequence[Problem]:
    """Return what is wrong with rows that end what others order."""
    found = []
    for place, row in commanded.items():
        if row.mode is not None:
            continue
        other = commanded.get((place[0], row.ends))
        if other is None or other.mode is None:
            said = f"there is no command at address {row.ends} that orders anything"
            found.append(Problem(lines[place], "ends", said))
    return found


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(cell: str) -> int:
        if not (cell.isascii() and cell.isdigit() and len(cell) <= _DIGITS):
            raise _CellError(f"{shown(cell)} is no whole number")
        if not least <= int(cell) <= most:
            raise _CellError(f"{shown(cell)} is outside {least} to {most}")
        return int(cell)

    return parse


_DIGITS: Final = 12


def _number(least: float, most: float) -> Callable[[str], float]:
    def parse(cell: str) -> float:
        try:
            value = float(cell)
        except ValueError:
            raise _CellError(f"{shown(cell)} is no number") from None
        if not least <= value <= most:
            raise _CellError(f"{shown(cell)} is outside {least:g} to {most:g}")
        return value

    return parse


def _scale(cell: str) -> float:
    value = _number(-1e12, 1e12)(cell)
    if not math.isfinite(value) or abs(value) < _LEAST_SCALE:
        raise _CellError(f"{shown(cell)} is no scale: what one is on the line")
    return value


_LEAST_SCALE: Final = 1e-6


def _kind(cell: str) -> Type | None:
    names = {kind.name: kind for kind in (*_SEEN, *_COMMANDED)}
    if cell.upper() not in names:
        raise _CellError(f"{shown(cell)} is not known; there are {', '.join(sorted(names))}")
    return names[cell.upper()]


def _mode(cell: str) -> Mode | None:
    names = {mode.value: mode for mode in Mode if mode in COMMANDS}
    if cell.lower() not in names:
        raise _CellError(f"{shown(cell)} is no command; there are {END}, {', '.join(names)}")
    return names[cell.lower()]


def _one_of(kind: type[Quantity]) -> Callable[[str], Quantity | None]:
    def parse(cell: str) -> Quantity | None:
        names = {each.value: each for each in kind}
        if cell.lower() not in names:
            raise _CellError(f"{shown(cell)} cannot be seen; there are {', '.join(names)}")
        return names[cell.lower()]

    return parse


def _word(words: Mapping[str, bool]) -> Callable[[str], bool]:
    def parse(cell: str) -> bool:
        if cell.lower() not in words:
            raise _CellError(f"{shown(cell)} is neither of {', '.join(words)}")
        return words[cell.lower()]

    return parse


def _id(cell: str) -> str | None:
    if not ID.fullmatch(cell):
        raise _CellError(f"{shown(cell)} is no id of a group")
    return cell


def _text(cell: str) -> str | None:
    if not cell.isprintable():
        raise _CellError(f"{shown(cell)} holds what cannot be printed")
    return cell
