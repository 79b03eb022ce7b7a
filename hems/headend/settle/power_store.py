"""What homes' meters told, from the database: summed up there as far as intervals allow.

The one place that reads readings for settlement. What was thinned is read like what was not: a
mean over a quarter of an hour is a reading of that length.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Connection,
    Select,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
)

from hems.headend.models import MeterRow, PointRow, ReadingRow, ThinnedRow
from hems.headend.settle.power import At, Piece, Powers, added, powers

LONGEST_S: Final = 3600
"""A reading over a longer time says too little of when."""

_W: Final = 38
_WH: Final = 72
_REVERSE: Final = 19
_HOUR_S: Final = 3600.0
_MEANS: Final = (0, 2, 12)
"""dataQualifier: none, average, normal; not greatest or least ones."""
_WHOLE: Final = (0, 224, 225)
"""Phase codes that mean all phases together."""


_Kept = type[ReadingRow] | type[ThinnedRow]
_KEPT: Final[tuple[_Kept, ...]] = (ReadingRow, ThinnedRow)
"""Where readings are kept: what each says of a time, no other says too."""
_BITS: Final = {At.SITE: 1, At.DER: 3}


@dataclass(frozen=True, slots=True)
class Window:
    """A time of which power is wanted.

    Attributes:
        start: Epoch s.
        end: Epoch s.
    """

    start: int
    end: int


def read_powers(
    connection: Connection, lfdis: Sequence[str], where: At, window: Window, step_s: int
) -> Mapping[str, Powers]:
    """Return homes' mean net power by intervals.

    All meters of a home that told anything in the window are added up. Powers go before energies,
    what is of all phases before single phases; homes that told neither are not there.

    Args:
        connection: Where to look.
        lfdis: Which homes, some hundreds at most.
        where: Measured where.
        window: From when to when; intervals that it cuts are read whole.
        step_s: Length of the intervals.
    """
    first = window.start // step_s * step_s
    last = -(-window.end // step_s) * step_s
    asked = {
        "lfdis": list(lfdis),
        "first": first,
        "early": first - LONGEST_S,
        "last": last,
        "step": step_s,
    }
    rows = (row for query in _PIECES[where] for row in connection.execute(query, asked))
    meters: dict[str, dict[int, dict[int, list[Piece]]]] = {}
    for row in rows:
        piece = Piece(row.begin, row.begin + row.span, float(row.seconds), row.energy)
        own = meters.setdefault(row.lfdi, {}).setdefault(row.rank, {})
        own.setdefault(row.meter, []).append(piece)
    return {lfdi: _sum(found[min(found)].values(), step_s) for lfdi, found in meters.items()}


def _sum(meters: Iterable[Sequence[Piece]], step_s: int) -> Powers:
    return added([powers(pieces, step_s) for pieces in meters])


def latest_power(
    connection: Connection, lfdis: Sequence[str], since: float
) -> Mapping[str, tuple[float, float]]:
    """Return homes' last net power at the connection point: epoch s, and W, import positive.

    Args:
        connection: Where to look.
        lfdis: Which homes, some hundreds at most.
        since: Readings that ended before do not count, epoch s.
    """
    rows = connection.execute(
        _LATEST, {"lfdis": list(lfdis), "early": int(since) - LONGEST_S, "since": int(since)}
    )
    found: dict[str, dict[int, list[tuple[float, float]]]] = {}
    for row in rows:
        told = row.start + row.duration_s, row.value
        found.setdefault(row.lfdi, {}).setdefault(row.rank, []).append(told)
    return {
        lfdi: (min(at for at, _ in ranks[min(ranks)]), sum(w for _, w in ranks[min(ranks)]))
        for lfdi, ranks in found.items()
    }


def _role(bit: int) -> Any:
    """Return whether a bit of roleFlags is set; they are kept as four hex digits."""
    digits = [f"{n:X}" for n in range(16) if n >> bit & 1]
    return func.substr(PointRow.role, 4, 1).in_(digits)


_signed = case((MeterRow.flow == _REVERSE, -1.0), else_=1.0)
_whole = or_(MeterRow.phase.is_(None), MeterRow.phase.in_(_WHOLE))
_rank = case((MeterRow.uom == _W, 0), else_=2) + case((_whole, 0), else_=1)
_mean = or_(MeterRow.qualifier.is_(None), MeterRow.qualifier.in_(_MEANS))


def _param(name: str) -> BindParameter[int]:
    return bindparam(name, type_=BigInteger())


def _joined(columns: Sequence[Any], where: At, kept: _Kept) -> Select[Any]:
    """Return the query for readings of homes' power and energy, means only."""
    return (
        select(PointRow.lfdi, MeterRow.id.label("meter"), _rank.label("rank"), *columns)
        .select_from(kept)
        .join(MeterRow, MeterRow.id == kept.meter)
        .join(PointRow, PointRow.id == MeterRow.point)
        .where(
            PointRow.lfdi.in_(bindparam("lfdis", expanding=True)),
            _role(_BITS[where]),
            _mean,
            kept.start >= _param("early"),
            kept.duration_s <= LONGEST_S,
        )
    )


def _pieces(where: At, kept: _Kept) -> Select[Any]:
    """Return the query for what meters counted, by interval where a reading lies within one."""
    start, duration_s = kept.start, kept.duration_s
    step, first = _param("step"), _param("first")
    within = start % step + duration_s <= step
    begin = case((within, start - start % step), else_=start).label("begin")
    span = case((within, step), else_=duration_s).label("span")
    energy = case((MeterRow.uom == _W, duration_s), else_=literal(_HOUR_S))
    return (
        _joined(
            (
                begin,
                span,
                func.sum(duration_s).label("seconds"),
                func.sum(kept.value * _signed * energy).label("energy"),
            ),
            where,
            kept,
        )
        .where(
            MeterRow.uom.in_((_W, _WH)),
            duration_s > 0,
            start < _param("last"),
            start > first - duration_s,  # never a sum: a home may tell the greatest start
        )
        .group_by(PointRow.lfdi, MeterRow.id, _rank, begin, span)
    )


_PIECES: Final = {where: tuple(_pieces(where, kept) for kept in _KEPT) for where in At}


def _latest() -> Select[Any]:
    """Return the query for the last power of each meter."""
    order = ReadingRow.start.desc(), ReadingRow.id.desc()
    place = func.row_number().over(partition_by=ReadingRow.meter, order_by=order).label("place")
    value = (ReadingRow.value * _signed).label("value")
    each = (
        _joined((ReadingRow.start, ReadingRow.duration_s, value, place), At.SITE, ReadingRow)
        .where(MeterRow.uom == _W, ReadingRow.start >= _param("since") - ReadingRow.duration_s)
        .subquery()
    )
    return select(each).where(each.c.place == 1)


_LATEST: Final = _latest()


def earliest(connection: Connection, lfdis: Sequence[str]) -> Mapping[str, int]:
    """Return when the first reading of homes began that is kept, of any meter, epoch s."""
    found: dict[str, int] = {}
    for kept in _KEPT:
        first = (
            select(kept.start)
            .where(kept.meter == MeterRow.id)
            .order_by(kept.start if kept is ReadingRow else ThinnedRow.slot)
            .limit(1)
            .correlate(MeterRow)
            .scalar_subquery()
        )
        query = (
            select(PointRow.lfdi, func.min(first).label("start"))
            .join(MeterRow, MeterRow.point == PointRow.id)
            .where(PointRow.lfdi.in_(lfdis))
            .group_by(PointRow.lfdi)
        )
        for row in connection.execute(query):
            if row.start is not None:
                found[row.lfdi] = min(row.start, found.get(row.lfdi, row.start))
    return found
