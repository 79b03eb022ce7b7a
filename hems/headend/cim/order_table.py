"""Which events were made of which dispatch or control, one row an interval."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from hems.clock import Clock
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.models import CimOrderRow
from hems.headend.cim.ports import Transactions
from hems.headend.sql import insert

_MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Key:
    """A dispatch or control.

    Attributes:
        peer: Who sent it.
        name: Its mRID.
    """

    peer: str
    name: str


class OrderTable:
    """The orders of enterprise systems.

    Args:
        store: The open database.
        clock: Its time.
    """

    def __init__(self, store: Transactions, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def add(self, key: Key, message_id: str, noun: str, events: Sequence[str]) -> None:
        """Note the events that were made of an order.

        Raises:
            CimError: Another message has given an order of this mRID.
            BusyError: The database cannot take it.
        """
        rows = [
            {
                "peer": key.peer,
                "name": key.name,
                "part": part,
                "message_id": message_id,
                "noun": noun,
                "given_at": self._clock.now(),
                "event": event,
            }
            for part, event in enumerate(events)
        ]
        own = (CimOrderRow.peer == key.peer) & (CimOrderRow.name == key.name)
        async with self._store.writing() as connection:
            known = await connection.execute(select(CimOrderRow.part).where(own).limit(1))
            if known.first() is not None:
                reason = f"{key.name} was ordered by another message already"
                raise CimError(Fault.RELATION, reason, "mRID")
            await connection.execute(insert(connection, CimOrderRow), rows)

    async def events(self, key: Key) -> Sequence[str]:
        """Return the events of an order, the first interval's first; nothing where it is none."""
        query = (
            select(CimOrderRow.event)
            .where(CimOrderRow.peer == key.peer, CimOrderRow.name == key.name)
            .order_by(CimOrderRow.part)
        )
        async with self._store.reading() as connection:
            return (await connection.execute(query)).scalars().all()

    async def asked(self, events: Collection[str]) -> Mapping[str, str]:
        """Return of which order each of these events is, by the event's mRID."""
        wanted, found = sorted(events), dict[str, str]()
        async with self._store.reading() as connection:
            for start in range(0, len(wanted), _MOST_AT_ONCE):
                some = wanted[start : start + _MOST_AT_ONCE]
                rows = await connection.execute(
                    select(CimOrderRow.event, CimOrderRow.name).where(CimOrderRow.event.in_(some))
                )
                found |= {row.event: row.name for row in rows}
        return found
