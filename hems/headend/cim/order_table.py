"""Which events were made of which dispatch or control, one row an interval."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update

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

    async def begin(self, key: Key, message_id: str, noun: str, parts: int) -> Sequence[str | None]:
        """Note that an order is to be given; returns the events that its parts have already.

        Raises:
            CimError: Another message has given an order of this mRID.
            BusyError: The database cannot take it.
        """
        own = {"peer": key.peer, "name": key.name}
        async with self._store.writing() as connection:
            await connection.execute(
                insert(connection, CimOrderRow).on_conflict_do_nothing(
                    index_elements=["peer", "name", "part"]
                ),
                [
                    {
                        **own,
                        "part": part,
                        "message_id": message_id,
                        "noun": noun,
                        "began_at": self._clock.now(),
                        "event": None,
                    }
                    for part in range(parts)
                ],
            )
            rows = (
                await connection.execute(
                    select(CimOrderRow.__table__).filter_by(**own).order_by(CimOrderRow.part)
                )
            ).all()
            if any(row.message_id != message_id for row in rows):
                reason = f"{key.name} was ordered by another message already"
                raise CimError(Fault.RELATION, reason, "mRID")
        return [row.event for row in rows]

    async def given(self, key: Key, part: int, event: str | None) -> None:
        """Note the event that was made of a part; None where it was taken back.

        Raises:
            BusyError: The database cannot take it.
        """
        async with self._store.writing() as connection:
            await connection.execute(
                update(CimOrderRow)
                .where(
                    CimOrderRow.peer == key.peer,
                    CimOrderRow.name == key.name,
                    CimOrderRow.part == part,
                )
                .values(event=event)
            )

    async def drop(self, key: Key) -> None:
        """Forget an order that was taken back.

        Raises:
            BusyError: The database cannot do it now.
        """
        async with self._store.writing() as connection:
            await connection.execute(
                delete(CimOrderRow).where(
                    CimOrderRow.peer == key.peer, CimOrderRow.name == key.name
                )
            )

    async def events(self, key: Key) -> Sequence[str]:
        """Return the events of an order, the first interval's first; nothing where it is none."""
        query = (
            select(CimOrderRow.event)
            .where(
                CimOrderRow.peer == key.peer,
                CimOrderRow.name == key.name,
                CimOrderRow.event.is_not(None),
            )
            .order_by(CimOrderRow.part)
        )
        async with self._store.reading() as connection:
            return [event for event in (await connection.execute(query)).scalars() if event]

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

    async def claimed(self, events: Collection[str]) -> frozenset[str]:
        """Return those of these events that are noted with an order."""
        return frozenset(await self.asked(events))
