"""What a settlement is made of, from the database: events, answers, days that do not count."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from sqlalchemy import Connection, Subquery, bindparam, func, select

from hems.headend.models import EventRow, NotifiedRow, ResponseRow
from hems.headend.programmes import Programmes
from hems.headend.records import Event
from hems.headend.rows import event_of
from hems.headend.settle.like_days import LOOK_BACK_DAYS, Calendar
from hems.headend.settle.taking_part import STANDS, Said, Stand

_DAY_S: Final = 86_400
_MOST_S: Final = 8 * _DAY_S
"""No event lasts longer, with all that is drawn by lot."""


def old_event(connection: Connection, mrid: str, programmes: Programmes) -> Event | None:
    """Return an event that no worker remembers any more; None for none of a known programme."""
    row = connection.execute(
        select(EventRow.__table__).where(EventRow.mrid == mrid.upper())
    ).one_or_none()
    program = None if row is None else programmes.of_mrid(row.program)
    return None if row is None or program is None else event_of(row, program.index)


def answers(
    connection: Connection, event: str, lfdis: Sequence[str]
) -> Mapping[str, Sequence[Said]]:
    """Return what homes answered to an event, in the order it came."""
    found: dict[str, list[Said]] = {}
    for row in connection.execute(_ANSWERS, {"event": event, "lfdis": list(lfdis)}):
        found.setdefault(row.lfdi, []).append(Said(row.status, row.created, row.received_at))
    return found


def who_answered(connection: Connection, event: str, after: str, most: int) -> Sequence[str]:
    """Return the homes that answered an event, by LFDI, behind one of them."""
    query = (
        select(ResponseRow.lfdi)
        .where(ResponseRow.subject == event, ResponseRow.lfdi > after)
        .distinct()
        .order_by(ResponseRow.lfdi)
        .limit(most)
    )
    return tuple(connection.execute(query).scalars())


def answered_of(connection: Connection, event: str, lfdis: Sequence[str]) -> frozenset[str]:
    """Return those of some homes that answered an event."""
    query = select(ResponseRow.lfdi).where(
        ResponseRow.subject == event, ResponseRow.lfdi.in_(lfdis)
    )
    return frozenset(connection.execute(query).scalars())


def last_codes(connection: Connection, event: str) -> Mapping[int, int]:
    """Return how many homes answered an event with which code last."""
    last = _last(event)
    query = (
        select(last.c.status, func.count().label("homes"))
        .where(last.c.place == 1)
        .group_by(last.c.status)
        .order_by(last.c.status)
    )
    return {row.status: row.homes for row in connection.execute(query)}


def who_left(connection: Connection, event: str) -> Sequence[str]:
    """Return the homes whose owners have left an event."""
    last = _last(event)
    query = select(last.c.lfdi).where(last.c.place == 1, last.c.status.in_(_LEFT))
    return tuple(connection.execute(query).scalars())


def notified(connection: Connection, event: str) -> int:
    """Return how many homes took a notification of an event."""
    query = select(func.count()).where(NotifiedRow.mrid == event)
    return int(connection.execute(query).scalar_one())


def busy_days(
    connection: Connection, event: Event, calendar: Calendar
) -> Mapping[str, frozenset[date]]:
    """Return by mRID of the programme the days on which something else was asked before."""
    since = event.earliest_start - (LOOK_BACK_DAYS + 1) * _DAY_S - _MOST_S
    query = select(EventRow.__table__).where(
        EventRow.start > since, EventRow.start < event.start, EventRow.mrid != event.mrid
    )
    found: dict[str, frozenset[date]] = {}
    for row in connection.execute(query):
        other = event_of(row, 0)
        end = float(other.latest_end)
        if other.cancelled_at is not None:
            end = min(end, other.cancelled_at)
        if end > other.earliest_start:
            days = calendar.dates(other.earliest_start, end)
            found[row.program] = found.get(row.program, frozenset()) | days
    return found


def _last(event: str) -> Subquery:
    """Return the query for homes' answers, of which the last has the place 1."""
    order = ResponseRow.id.desc()
    place = func.row_number().over(partition_by=ResponseRow.lfdi, order_by=order).label("place")
    return (
        select(ResponseRow.lfdi, ResponseRow.status, place)
        .where(ResponseRow.subject == event, ResponseRow.status.in_(tuple(STANDS)))
        .subquery()
    )


_LEFT: Final = tuple(code for code, stand in STANDS.items() if stand is Stand.LEFT)
_ANSWERS: Final = (
    select(ResponseRow.lfdi, ResponseRow.status, ResponseRow.created, ResponseRow.received_at)
    .where(
        ResponseRow.subject == bindparam("event"),
        ResponseRow.lfdi.in_(bindparam("lfdis", expanding=True)),
    )
    .order_by(ResponseRow.id)
)
