"""The durable memory of events and responses: the port `hems.sep2.book.ledger.Ledger` on SQLite."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from sqlalchemy import and_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from hems.clock import Clock
from hems.sep2.book.ledger import EventRow, ResponseRow
from hems.store.database import Database
from hems.store.schema import events, responses, server_offsets

DAY_S: Final = 86_400
OVER: Final = ("completed", "cancelled", "superseded", "rejected")
"""Phases after which an event changes no more."""
PAST: Final = "completed"
"""The phase of events whose time is over; all others may still be listed by their server."""
RECENT_S: Final = 2 * DAY_S
"""For how long what is past is taken up again after a restart."""

_EVENT: Final = tuple(c for c in events.c if c.name != "changed_at")
_RESPONSE: Final = tuple(c for c in responses.c if c.name != "id")
_EVENT_KEY: Final = ("server", "lfdi", "mrid")
_RESPONSE_KEY: Final = ("server", "subject", "lfdi", "status", "modes")


class SqlLedger:
    """Events, responses and server offsets, on the disk before a call returns.

    Each method raises `hems.store.errors.StoreError` if SQLite refuses, `StoreFullError` on a full
    disk; then nothing of that call stands.
    """

    def __init__(
        self, database: Database, clock: Clock, *, retention_s: float = 400 * DAY_S
    ) -> None:
        self._database = database
        self._clock = clock
        self._retention_s = retention_s
        self._unclaimed = False

    async def events(self) -> Sequence[EventRow]:
        """Return the kept events that may still matter; see the port.

        Prices alone leave some hundred past events a day, of which the retention keeps a year's:
        to read them all would hold a start up for many seconds.
        """
        now = self._clock.now()
        oldest, recent = now - self._retention_s, now - min(self._retention_s, RECENT_S)
        kept = and_(events.c.phase != PAST, events.c.changed_at >= oldest)
        query = (
            select(*_EVENT)
            .where(or_(events.c.phase.not_in(OVER), kept, events.c.changed_at >= recent))
            .order_by(events.c.changed_at, events.c.server, events.c.mrid)
        )
        async with self._database.ledger() as connection:
            rows = [EventRow(**row) for row in (await connection.execute(query)).mappings()]
        self._unclaimed = any(not row.lfdi for row in rows)
        return rows

    async def save(self, events: Sequence[EventRow], responses: Sequence[ResponseRow]) -> None:
        """Insert or replace events and add responses, in one durable transaction.

        A response that is there already (same key) stays as it is: it is never owed twice.
        """
        now = self._clock.now()
        async with self._database.ledger() as connection:
            if events:
                rows = [{**asdict(event), "changed_at": now} for event in events]
                await connection.execute(_REPLACE_EVENT, rows)
                claimed = [e for e in events if e.lfdi and self._unclaimed]
                if claimed:  # rows of the first revision are the home's from now on
                    keys = [{"of_server": e.server, "of_mrid": e.mrid} for e in claimed]
                    await connection.execute(_DROP_UNCLAIMED, keys)
            if responses:
                await connection.execute(_ADD_RESPONSE, [asdict(r) for r in responses])

    async def unposted(self, server: str) -> Sequence[ResponseRow]:
        """Return the responses still owed to a server, oldest first."""
        query = (
            select(*_RESPONSE)
            .where(responses.c.location.is_(None), responses.c.server == server)
            .order_by(responses.c.created, responses.c.id)
        )
        async with self._database.ledger() as connection:
            return [ResponseRow(**row) for row in (await connection.execute(query)).mappings()]

    async def owed(self) -> int:
        """Return how many responses are still owed, to whichever server."""
        query = select(func.count()).select_from(responses).where(responses.c.location.is_(None))
        async with self._database.ledger() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def posted(self, response: ResponseRow, location: str) -> None:
        """Note that the server has a response."""
        key = (responses.c[name] == getattr(response, name) for name in _RESPONSE_KEY)
        async with self._database.ledger() as connection:
            await connection.execute(update(responses).where(*key).values(location=location))

    async def server_offset(self, server: str) -> float | None:
        """Return the last known server time less local time, in s; None if never known."""
        query = select(server_offsets.c.offset_s).where(server_offsets.c.server == server)
        async with self._database.ledger() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def save_server_offset(self, server: str, offset_s: float) -> None:
        """Keep the server's offset for the next start."""
        row = {"server": server, "offset_s": offset_s, "saved_at": self._clock.now()}
        async with self._database.ledger() as connection:
            await connection.execute(_REPLACE_OFFSET, row)

    async def readdress(self, server: str, former: str, lfdi: str) -> int:
        """Give a device's events to the LFDI that its renewed certificate has; see the port."""
        theirs = and_(events.c.server == server, events.c.lfdi == former)
        async with self._database.ledger() as connection:
            query = update(events).where(theirs).values(lfdi=lfdi).prefix_with("OR REPLACE")
            return int((await connection.change(query)).rowcount)

    async def purge(self, now: float) -> int:
        """Forget events that are over, and their responses, once older than the retention.

        What is still owed to a server is kept with its event, however old.

        Args:
            now: UTC epoch seconds.

        Returns:
            How many events were forgotten.
        """
        oldest = now - self._retention_s
        answers = and_(
            responses.c.server == events.c.server,
            responses.c.lfdi == events.c.lfdi,
            responses.c.subject == events.c.mrid,
        )
        owed = exists().where(answers, responses.c.location.is_(None))
        old = and_(events.c.phase.in_(OVER), events.c.changed_at < oldest, ~owed)
        orphaned = ~exists().where(answers)
        async with self._database.ledger() as connection:
            forgotten = await connection.change(delete(events).where(old))
            await connection.execute(
                delete(responses).where(
                    orphaned, responses.c.location.is_not(None), responses.c.created < oldest
                )
            )
        return int(forgotten.rowcount)


_add_event = insert(events)
_REPLACE_EVENT: Final = _add_event.on_conflict_do_update(
    index_elements=_EVENT_KEY,
    set_={c.name: c for c in _add_event.excluded if c.name not in _EVENT_KEY},
)
_DROP_UNCLAIMED: Final = delete(events).where(
    events.c.lfdi == "",
    events.c.server == bindparam("of_server"),
    events.c.mrid == bindparam("of_mrid"),
)
_ADD_RESPONSE: Final = insert(responses).on_conflict_do_nothing(index_elements=_RESPONSE_KEY)
_add_offset = insert(server_offsets)
_REPLACE_OFFSET: Final = _add_offset.on_conflict_do_update(
    index_elements=["server"],
    set_={"offset_s": _add_offset.excluded.offset_s, "saved_at": _add_offset.excluded.saved_at},
)
