"""A control centre's commands as orders: by the operators' order desk, as the centre's own deed.

The centre stands there as a dispatcher. Contracts hold, and what a second person must confirm is
refused, for nobody sits at the other end who could. The trail is written before the deed.

A command has no name by which it could be known again. The same value for the same point within a
while is therefore the same command, sent again because its answer was lost: it makes no second
event. Last orders are in the database, read and written in the transaction of the order, so that
holds over restarts and for whichever worker the centre reaches.
"""

import json
import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.clock import Clock
from hems.headend.book import Book
from hems.headend.db.database import Database
from hems.headend.errors import (
    BusyError,
    ConflictError,
    DispatchError,
    ForbiddenError,
    RequestError,
    UnknownItemError,
)
from hems.headend.operator_models import EventIn
from hems.headend.operators.roles import Identity, OperatorRole, Way
from hems.headend.operators.trail import Deed, End, Trail
from hems.headend.orders.desk import OrderDesk
from hems.headend.orders.weighing import Weighed
from hems.headend.records import Event
from hems.headend.status import Status
from hems.headend.telecontrol.asdu import Type
from hems.headend.telecontrol.points import Commanded, Place
from hems.headend.telecontrol.tables import PointOrderRow

_UNDER_WAY: Final = frozenset({Status.SCHEDULED, Status.ACTIVE})
_CREATED: Final = 201
_DONE: Final = 200
_BUSY: Final = 503

_log = logging.getLogger(__name__)


class Groups(Protocol):
    """Who is in which group."""

    def depth(self, group: str) -> int:
        """Return how far down a group stands; raises `UnknownItemError` for none."""
        ...

    def homes_in(self, group: str) -> Iterable[str]:
        """Yield the LFDIs of a group's homes."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who commands.

    Attributes:
        centre: Name of the control centre.
        origin: Address that it calls from.
        commands: Whether it may command at all.
    """

    centre: str
    origin: str
    commands: bool

    @property
    def identity(self) -> Identity:
        """Who that is at the order desk."""
        return Identity(self.centre, frozenset({OperatorRole.DISPATCHER}), Way.TELECONTROL)


@dataclass(frozen=True, slots=True)
class _Last:
    """The last order of a point."""

    centre: str
    value: float
    event: str
    at: float


class Ordering:
    """Carries out commands.

    Args:
        desk: Takes orders.
        trail: Where it is written down.
        database: Where the last orders are.
        book: Events and homes.
        groups: Who is in which group.
        clock: The utility's time.
        resend_s: Within this the same value is the same command.
    """

    def __init__(
        self,
        desk: OrderDesk,
        trail: Trail,
        database: Database,
        book: Book,
        groups: Groups,
        *,
        clock: Clock,
        resend_s: float,
    ) -> None:
        self._desk = desk
        self._trail = trail
        self._database = database
        self._book = book
        self._groups = groups
        self._clock = clock
        self._resend_s = resend_s

    async def check(self, row: Commanded, value: float, caller: Caller) -> None:
        """Look whether a command would be carried out; nothing is ordered.

        Args:
            row: The point.
            value: What is commanded, on the line; 1 and 0 of a single command.
            caller: Who commands.

        Raises:
            RequestError: It would not; the message says why.
            BusyError: The database cannot serve.
        """
        _allowed(row, value, caller)
        if not _ends(row, value):
            _, weighed = await self._weighed(row, _amount(row, value))
            if weighed.why_two is not None:
                raise ForbiddenError(f"{weighed.why_two}: a second person would have to confirm it")

    async def carry_out(self, row: Commanded, value: float, caller: Caller) -> None:
        """Carry a command out, once however often it is sent; durable when this returns.

        Raises:
            RequestError: It was not; the message says why.
            BusyError: It may have been; the same command again tells.
        """
        common, address = row.place
        detail = json.dumps({"value": value, "carries": row.mode, "group": row.group})
        about = f"{common}/{address}"
        did = f"telecontrol {row.kind.name}"
        deed = Deed.of(caller.identity, did, caller.origin, about, detail)
        number = await self._trail.begin(deed)
        end = End(of=number, outcome=500, reason="it went wrong")
        try:
            _allowed(row, value, caller)
            if _ends(row, value):
                place = row.place if row.mode is not None else (common, row.ends)
                end = await self._ended(number, place)
            else:
                end = await self._ordered(number, row, _amount(row, value), caller)
        except (RequestError, BusyError) as error:
            status = error.status if isinstance(error, RequestError) else _BUSY
            end = End(of=number, outcome=status, reason=str(error))
            raise
        finally:
            await self._close(end)
        _log.info("%s: %s at %s: %s", caller.centre, row.kind.name, about, end.made or "as before")

    async def _ordered(self, number: int, row: Commanded, amount: float, caller: Caller) -> End:
        wish, _ = await self._weighed(row, amount)
        async with self._database.changing() as draft:
            now, last = self._clock.now(), await _last(draft.connection, row.place)
            if last is not None and self._is_again(last, amount, caller, now):
                return End(of=number, outcome=_DONE, made=_path(last.event))
            made = await self._desk.order(wish, caller.identity, alone=True)
            if not isinstance(made.item, Event):
                raise ForbiddenError("a second person must confirm it")
            await _keep(
                draft.connection, row.place, _Last(caller.centre, amount, made.item.mrid, now)
            )
        return End(of=number, outcome=_CREATED, made=_path(made.item.mrid))

    async def _ended(self, number: int, place: Place) -> End:
        async with self._database.changing() as draft:
            last = await _last(draft.connection, place)
            if last is None or self._under_way(last.event) is None:
                return End(of=number, outcome=_DONE)  # there is nothing to end
            try:
                await self._desk.cancel(last.event, randomized=False)
            except ConflictError:  # it was over within this very moment
                return End(of=number, outcome=_DONE)
        return End(of=number, outcome=_DONE, made=_path(last.event))

    async def _weighed(self, row: Commanded, amount: float) -> tuple[EventIn, Weighed]:
        """Return a command as an order that makes sense and reaches somebody, and what it would do.

        Raises:
            RequestError: It does not.
            BusyError: The database cannot serve.
        """
        homes = self._homes(row.group)
        if not homes:
            raise DispatchError("there are no homes that it is for")
        wish = _event(row, amount / homes if row.shared else amount)
        weighed = await self._desk.preview(wish)
        if not weighed.reached:
            raise DispatchError(f"it reaches none of the {weighed.homes} homes that it is for")
        if row.shared and weighed.reached < homes:
            wish = _event(row, amount / weighed.reached)
            weighed = await self._desk.preview(wish)
        return wish, weighed

    def _homes(self, group: str | None) -> int:
        if group is None:
            return len(self._book.homes)
        self._groups.depth(group)
        return sum(self._book.home(lfdi) is not None for lfdi in self._groups.homes_in(group))

    def _is_again(self, last: _Last, amount: float, caller: Caller, now: float) -> bool:
        return (
            (last.centre, last.value) == (caller.centre, amount)
            and 0 <= now - last.at < self._resend_s
            and self._under_way(last.event) is not None
        )

    def _under_way(self, mrid: str) -> Event | None:
        """Return an event that goes on, or is to come; None where it is over or forgotten."""
        try:
            event = self._book.event(mrid)
        except UnknownItemError:
            return None
        return event if self._book.state(event).status in _UNDER_WAY else None

    async def _close(self, end: End) -> None:
        try:
            await self._trail.end(end)
        except BusyError as error:
            _log.error("the trail lacks the end of %d (%d): %s", end.of, end.outcome, error)


def _allowed(row: Commanded, value: float, caller: Caller) -> None:
    """Refuse what is not for this control centre, or says nothing."""
    if not caller.commands:
        raise ForbiddenError("this control centre may see, and not command")
    if not math.isfinite(value):
        raise DispatchError("the value is no number")
    if row.mode is None and not value:
        raise DispatchError("only ON ends an event")


def _ends(row: Commanded, value: float) -> bool:
    return row.mode is None or (row.kind is Type.C_SC_NA_1 and not value)


def _amount(row: Commanded, value: float) -> float:
    return (row.value if row.kind is Type.C_SC_NA_1 else value) * row.scale


def _event(row: Commanded, amount: float) -> EventIn:
    mode = "" if row.mode is None else row.mode.value
    return EventIn.model_validate(
        {mode: amount, "minutes": row.minutes, "program": row.program, "group": row.group}
    )


def _path(mrid: str) -> str:
    return f"/events/{mrid}"


async def _last(connection: AsyncConnection, place: Place) -> _Last | None:
    query = select(PointOrderRow.__table__).where(
        PointOrderRow.common == place[0], PointOrderRow.address == place[1]
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _Last(row.centre, row.value, row.event, row.ordered_at)


async def _keep(connection: AsyncConnection, place: Place, last: _Last) -> None:
    common, address = place
    await connection.execute(
        delete(PointOrderRow).where(
            PointOrderRow.common == common, PointOrderRow.address == address
        )
    )
    await connection.execute(
        insert(PointOrderRow).values(
            common=common,
            address=address,
            centre=last.centre,
            value=last.value,
            event=last.event,
            ordered_at=last.at,
        )
    )
