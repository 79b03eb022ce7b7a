"""Who wants to be told of what, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, select

from hems.headend.cim.models import CimSubscriptionRow
from hems.headend.cim.nouns import Noun
from hems.headend.cim.ports import Transactions
from hems.headend.errors import ConflictError
from hems.headend.sql import insert

MOST: Final = 100
"""Subscriptions of one peer."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A wish to be told.

    Attributes:
        id: Its number; 0 where the configuration has it.
        peer: Whose it is.
        noun: Of what.
        address: Where to.
    """

    id: int
    peer: str
    noun: str
    address: str


class Subscriptions:
    """All of them.

    Args:
        store: The open database.
        fixed: Those that the configuration has.
    """

    def __init__(self, store: Transactions, fixed: Sequence[Subscription] = ()) -> None:
        self._store = store
        self._fixed = tuple(fixed)

    async def of(self, noun: Noun) -> Sequence[Subscription]:
        """Return who wants to be told of a noun."""
        query = select(CimSubscriptionRow.__table__).where(CimSubscriptionRow.noun == noun.value)
        async with self._store.reading() as connection:
            rows = (await connection.execute(query)).all()
        kept = [Subscription(row.id, row.peer, row.noun, row.address) for row in rows]
        return [each for each in self._fixed if each.noun == noun.value] + kept

    async def of_peer(self, peer: str) -> Sequence[Subscription]:
        """Return a peer's, in the order they came."""
        query = (
            select(CimSubscriptionRow.__table__)
            .where(CimSubscriptionRow.peer == peer)
            .order_by(CimSubscriptionRow.id)
        )
        async with self._store.reading() as connection:
            rows = (await connection.execute(query)).all()
        return [Subscription(row.id, row.peer, row.noun, row.address) for row in rows]

    async def add(self, peer: str, noun: Noun, address: str) -> Subscription:
        """Keep a wish; the same again is the same one.

        Raises:
            ConflictError: The peer has too many.
            BusyError: The database cannot take it.
        """
        key = {"peer": peer, "noun": noun.value, "address": address}
        others = (CimSubscriptionRow.peer == peer) & ~(
            (CimSubscriptionRow.noun == noun.value) & (CimSubscriptionRow.address == address)
        )
        async with self._store.writing() as connection:
            count = await connection.execute(
                select(func.count()).select_from(CimSubscriptionRow).where(others)
            )
            if int(count.scalar_one()) >= MOST:
                raise ConflictError(f"{peer} has {MOST} subscriptions already")
            await connection.execute(
                insert(connection, CimSubscriptionRow)
                .values(**key)
                .on_conflict_do_nothing(index_elements=["peer", "noun", "address"])
            )
            found = await connection.execute(select(CimSubscriptionRow.id).filter_by(**key))
            return Subscription(int(found.scalar_one()), peer, noun.value, address)

    async def remove(self, peer: str, number: int) -> bool:
        """Forget a peer's wish; return whether it was there."""
        async with self._store.writing() as connection:
            done = await connection.execute(
                delete(CimSubscriptionRow).where(
                    CimSubscriptionRow.id == number, CimSubscriptionRow.peer == peer
                )
            )
            return done.rowcount == 1
