"""A mixed-integer linear programme in the making: columns, rows and entries, as arrays.

Written a whole device at a time, never slot by slot: Python's loops would take longer than HiGHS.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.int32]


class Kind(IntEnum):
    """What a column may be, numbered as HiGHS does."""

    ANY = 0
    WHOLE = 1
    NONE_OR_LEAST = 2
    """0, or from its least to its upper bound."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """Something that goes on and off, and stays so for a while.

    Attributes:
        columns: Whether it is on, in order of time.
        least_on: Slots for which it stays on.
        least_off: Slots for which it stays off.
        was_on: Whether it is on before the first.
        kept: Share of what it has done that is left a slot later.
        band: Columns that hold what it has done, one a slot.
        most: By column of `band`, its upper bound less what it does in `least_on` slots.
    """

    columns: Indices
    least_on: int
    least_off: int
    was_on: bool
    kept: float
    band: Indices
    most: Floats


@dataclass(frozen=True, slots=True)
class Programme:
    """Minimise `offset + cost @ x`, with bounds on columns and rows; entries by row (CSR).

    Attributes:
        cost: By column.
        lower: By column.
        upper: By column.
        kind: By column, a `Kind`.
        least: By column, what one that is `Kind.NONE_OR_LEAST` may be if not 0; else its lower
            bound.
        pulses: What goes on and off.
        excess: Columns that stand for what breaks a limit; their cost is no money.
        choices: Sets of columns of which one is to be 1 and the others 0.
        row_lower: By row.
        row_upper: By row.
        starts: By row, where its entries begin; one more at the end.
        columns: By entry.
        values: By entry.
        offset: What is paid in any case.
    """

    cost: Floats
    lower: Floats
    upper: Floats
    kind: Indices
    least: Floats
    excess: Indices
    choices: tuple[Indices, ...]
    pulses: tuple[Pulse, ...]
    row_lower: Floats
    row_upper: Floats
    starts: Indices
    columns: Indices
    values: Floats
    offset: float


class Model:
    """Collects columns, rows and entries.

    An entry of zero is left out. Each pair of row and column may be put once only.
    """

    def __init__(self) -> None:
        self.offset = 0.0
        self._columns = 0
        self._rows = 0
        self._column_parts: list[tuple[Floats, Floats, Floats, Indices, Floats]] = []
        self._choices: list[Indices] = []
        self._excess: list[Indices] = []
        self._pulses: list[Pulse] = []
        self._row_parts: list[tuple[Floats, Floats]] = []
        self._entries: list[tuple[Indices, Indices, Floats]] = []
        self._payments: list[tuple[Indices, Floats]] = []

    def columns(
        self,
        lower: ArrayLike,
        upper: ArrayLike,
        cost: ArrayLike,
        count: int,
        *,
        kind: Kind = Kind.ANY,
        least: ArrayLike | None = None,
    ) -> Indices:
        """Add columns and return their numbers; bounds and cost are one each or one for all.

        Args:
            lower: Bound; 0 for those that are none or at least something.
            upper: Bound.
            cost: Of one.
            count: How many.
            kind: What each may be.
            least: For those that are none or at least something.
        """
        numbers = np.arange(self._columns, self._columns + count, dtype=np.int32)
        self._columns += count
        self._column_parts.append(
            (
                _spread(lower, count),
                _spread(upper, count),
                _spread(cost, count),
                np.full(count, kind, np.int32),
                _spread(lower if least is None else least, count),
            )
        )
        return numbers

    def exceed(self, columns: Indices) -> None:
        """Have columns stand for what breaks a limit."""
        self._excess.append(columns)

    def pulse(self, pulse: Pulse) -> None:
        """Say that binaries are of something that goes on and off; its rows are put apart."""
        self._pulses.append(pulse)

    def choose(self, columns: Indices) -> None:
        """Have one of some binaries be 1, the others 0."""
        self._choices.append(columns)
        self.put(self.rows(1.0, 1.0, 1), columns, 1.0)

    def rows(self, lower: ArrayLike, upper: ArrayLike, count: int) -> Indices:
        """Add `count` rows and return their numbers."""
        numbers = np.arange(self._rows, self._rows + count, dtype=np.int32)
        self._rows += count
        self._row_parts.append((_spread(lower, count), _spread(upper, count)))
        return numbers

    def put(self, rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> None:
        """Add entries; the three are broadcast against each other."""
        r, c, v = np.broadcast_arrays(
            np.asarray(rows, np.int32), np.asarray(columns, np.int32), np.asarray(values, float)
        )
        r, c, v = r.ravel(), c.ravel(), v.ravel()
        if not v.all():
            some = v != 0
            r, c, v = r[some], c[some], v[some]
        self._entries.append((r, c, v))

    def pay(self, columns: Indices, cost: Floats) -> None:
        """Add to the cost of columns, each named once."""
        self._payments.append((columns, cost))

    def finish(self) -> Programme:
        """Return all of it, the entries put in order of rows."""
        lower, upper, cost, kind, least = (
            np.concatenate(part) for part in zip(*self._column_parts, strict=True)
        )
        for paid, more in self._payments:
            cost[paid] += more
        row_lower, row_upper = (np.concatenate(part) for part in zip(*self._row_parts, strict=True))
        rows, columns, values = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        order = np.argsort(rows, kind="stable")
        starts = np.zeros(self._rows + 1, np.int32)
        np.cumsum(np.bincount(rows, minlength=self._rows), out=starts[1:])
        return Programme(
            offset=self.offset,
            cost=cost,
            lower=lower,
            upper=upper,
            kind=kind,
            least=least,
            excess=np.concatenate([np.array([], np.int32), *self._excess]),
            choices=tuple(self._choices),
            pulses=tuple(self._pulses),
            row_lower=row_lower,
            row_upper=row_upper,
            starts=starts,
            columns=columns[order],
            values=values[order],
        )


def _spread(values: ArrayLike, count: int) -> Floats:
    """Return one value for each of `count`."""
    return np.broadcast_to(np.asarray(values, float), (count,))
