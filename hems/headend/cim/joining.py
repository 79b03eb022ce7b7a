"""The ports, joined to what the head-end has: events, homes, readings, responses, logs."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute

from hems.headend.book import Book
from hems.headend.cim.ordering import SHARED
from hems.headend.cim.ports import Ask, Logged, Transactions
from hems.headend.dispatch import Order
from hems.headend.errors import DispatchError
from hems.headend.mirror_store import MirrorStore, joined, reading_of
from hems.headend.models import LogRow, PointRow, ReadingRow, ResponseRow, ThinnedRow
from hems.headend.modes import MODES_OF, Mode, Value
from hems.headend.records import Program, ReadingRecord, ResponseRecord
from hems.headend.rows import AnyRow, response_of
from hems.headend.store import Store
from hems.sep2.errors import Sep2Error
from hems.sep2.resources.information import LogEvent
from hems.sep2.xml import parse

Reach = Callable[[Collection[str], Sequence[Program]], Sequence[Program]]
"""Of these programmes, those whose events reach just these homes."""
Allow = Callable[[Program, Order], None]
"""Looks at an order before it goes out."""
_AT_ONCE: Final = 500


def allow_all(_program: Program, _order: Order) -> None:
    """Let every order go out."""


def reach_of(book: Book) -> Reach:
    """Return the rule that goes by which homes are assigned to which programme."""
    known: tuple[tuple[int, frozenset[str]], Sequence[Program]] | None = None

    def reach(homes: Collection[str], programs: Sequence[Program]) -> Sequence[Program]:
        # All intervals of an order go to the same homes, and there may be many of both.
        nonlocal known
        key = (book.change, frozenset(homes))
        if known is None or known[0] != key:
            known = (key, [each for each in programs if _reaches(book, each, key[1])])
        return known[1]

    return reach


def _reaches(book: Book, program: Program, homes: frozenset[str]) -> bool:
    return {home.lfdi for home in book.reached_by(program)} == homes


class BookDispatching:
    """Orders as events of the book.

    Args:
        book: The head-end's events and homes.
        reach: Which programmes reach which homes.
        allow: Raises DispatchError where an order needs more than its sender's word.
    """

    def __init__(self, book: Book, reach: Reach, allow: Allow) -> None:
        self._book = book
        self._reach = reach
        self._allow = allow

    async def dispatch(self, ask: Ask) -> str:
        """Give an order, in the transaction that is open; returns the event's mRID.

        Raises:
            DispatchError: It makes no sense, or no programme reaches just these homes.
            BusyError: It cannot be done now.
        """
        programs = self._reach(ask.homes, tuple(self._book.programs.values()))
        if not programs:
            raise DispatchError(f"no programme reaches just these {len(ask.homes)} homes")
        modes = ask.order.modes
        fitting = [
            program
            for program in programs
            if modes <= MODES_OF[program.kind] and ask.mandatory in {None, program.mandatory}
        ]
        if not fitting:
            names = ", ".join(sorted(mode.value for mode in modes))
            raise DispatchError(f"no programme for these homes carries {names} as it is asked")
        # Voluntary ones first, unless the sender says otherwise.
        chosen = min(fitting, key=lambda program: program.mandatory)
        values = {
            mode: _shared(mode, value, len(ask.homes)) for mode, value in ask.order.values.items()
        }
        order = replace(ask.order, values=values, program=chosen.mrid)
        self._allow(chosen, order)
        return (await self._book.dispatch(order)).mrid

    async def cancel(self, event: str) -> None:
        """Cancel an event, in the transaction that is open.

        Raises:
            UnknownItemError: It is not there.
            ConflictError: It is over, or is cancelled already.
            BusyError: It cannot be done now.
        """
        await self._book.cancel(event, randomized=False)


def _shared(mode: Mode, value: Value, homes: int) -> Value:
    """Return each home's part of what all are asked for together, the same for each."""
    if mode in SHARED and isinstance(value, int | float):
        return value / homes
    return value


class StoreFleet:
    """What homes are and tell, from the database.

    Args:
        book: The registered homes.
        store: Responses.
        mirrors: Readings.
        transactions: The database, for what neither of them asks.
    """

    def __init__(
        self, book: Book, store: Store, mirrors: MirrorStore, transactions: Transactions
    ) -> None:
        self._book = book
        self._store = store
        self._mirrors = mirrors
        self._transactions = transactions

    def knows(self, lfdi: str) -> bool:
        """Return whether a home is registered."""
        return self._book.home(lfdi) is not None

    async def readings(
        self, homes: Collection[str] | None, since: float, until: float, limit: int
    ) -> Sequence[ReadingRecord]:
        """Return readings that begin in a time, the earliest first."""
        found: list[ReadingRecord] = []
        async with self._transactions.reading() as connection:
            for kept in (ReadingRow, ThinnedRow):
                query = joined(kept).where(kept.start >= since).order_by(kept.start)
                if until < _FOR_EVER:
                    query = query.where(kept.start < until)
                for some in _batches(homes):
                    part = query if some is None else query.where(PointRow.lfdi.in_(some))
                    rows = await connection.execute(part.limit(limit))
                    found += [reading_of(row) for row in rows]
        return sorted(found, key=lambda record: record.start)[:limit]

    async def latest(self, homes: Collection[str]) -> Sequence[ReadingRecord]:
        """Return the last reading of each meter of these homes."""
        wanted = frozenset(homes)
        return [record for record in await self._mirrors.latest() if record.lfdi in wanted]

    async def responses(self, event: str) -> Sequence[ResponseRecord]:
        """Return what homes answered to an event."""
        return await self._store.responses(subject=event)

    async def logs(
        self, homes: Collection[str] | None, since: float, until: float, limit: int
    ) -> Sequence[Logged]:
        """Return what homes wrote into their logs in a time, the earliest first."""
        query = _LOGS.where(LogRow.created >= since).order_by(LogRow.created, LogRow.id)
        if until < _FOR_EVER:
            query = query.where(LogRow.created < until)
        found: list[Logged] = []
        async with self._transactions.reading() as connection:
            for some in _batches(homes):
                part = query if some is None else query.where(LogRow.lfdi.in_(some))
                found += _logged((await connection.execute(part.limit(limit))).all())
        return sorted(found, key=lambda item: item.event.created_date_time)[:limit]


class StoreArrivals:
    """What has come since, by the numbers that the database gives.

    Args:
        store: The open database.
    """

    def __init__(self, store: Transactions) -> None:
        self._store = store

    async def last(self, kind: str) -> int:
        """Return the number of the last one of a kind; 0 for none."""
        column = _NUMBERS[kind]
        async with self._store.reading() as connection:
            return (await connection.execute(select(func.max(column)))).scalar_one() or 0

    async def readings(
        self, after: int, to: int, limit: int
    ) -> Sequence[tuple[int, ReadingRecord]]:
        """Return readings of these numbers, in order, with them."""
        number = ReadingRow.id
        query = _READINGS.where(number > after, number <= to).order_by(number).limit(limit)
        query = query.add_columns(number)
        async with self._store.reading() as connection:
            return [(row.id, reading_of(row)) for row in await connection.execute(query)]

    async def responses(self, after: int, to: int, limit: int) -> Sequence[ResponseRecord]:
        """Return responses of these numbers, in order."""
        number = ResponseRow.id
        query = select(ResponseRow.__table__).where(number > after, number <= to)
        async with self._store.reading() as connection:
            rows = await connection.execute(query.order_by(number).limit(limit))
            return [response_of(row) for row in rows]

    async def logs(self, after: int, to: int, limit: int) -> Sequence[Logged]:
        """Return entries of homes' logs of these numbers, in order."""
        query = _LOGS.where(LogRow.id > after, LogRow.id <= to).order_by(LogRow.id).limit(limit)
        async with self._store.reading() as connection:
            return _logged((await connection.execute(query)).all())


_FOR_EVER: Final = float("inf")
_NUMBERS: Final[Mapping[str, InstrumentedAttribute[int]]] = {
    "reading": ReadingRow.id,
    "response": ResponseRow.id,
    "log": LogRow.id,
}
_LOGS: Final = select(LogRow.__table__)
_READINGS: Final = joined(ReadingRow)


def _logged(rows: Sequence[AnyRow]) -> list[Logged]:
    found: list[Logged] = []
    for row in rows:
        try:
            found.append(Logged(row.id, row.lfdi, parse(row.body, LogEvent)))
        except Sep2Error:
            continue  # kept by an earlier version that took what this one does not
    return found


def _batches(homes: Collection[str] | None) -> Sequence[Sequence[str] | None]:
    if homes is None:
        return (None,)
    every = sorted(homes)
    return [every[start : start + _AT_ONCE] for start in range(0, len(every), _AT_ONCE)]
