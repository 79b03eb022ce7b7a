"""Orders that operators have named, so that one that was not answered may be sent again.

The name is kept in the transaction of what the order caused, and only with it: what was refused
leaves none. Sent again, an order is answered as it was and does nothing more.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy import delete, insert, select

from hems.clock import Clock
from hems.headend.db.database import Database
from hems.headend.errors import DispatchError, RequestError
from hems.headend.operators.roles import Identity
from hems.headend.orders.tables import OrderKeyRow

KEY: Final = "Idempotency-Key"
"""Header by which an order is named."""
AGAIN: Final = "Idempotency-Replayed"
"""Header of an answer that was given before."""
LONGEST: Final = 64
KEPT_S: Final = 86_400.0
"""For how long names are known; events and proposals are remembered longer than that."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Named:
    """An order with the name that an operator gave it.

    Attributes:
        person: Who gives it, as people are told apart; empty for the machine.
        key: Its name, of this person's.
        digest: Of what is asked.
    """

    person: str
    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Made(Generic[T]):
    """What came of an order.

    Attributes:
        item: The event or the proposal, as it is now.
        again: Whether it came of the same order before.
    """

    item: T
    again: bool = False


def named(
    keys: Sequence[str], by: Identity, place: str, wish: BaseModel | None = None
) -> Named | None:
    """Return an order with its name; None where it has none.

    Args:
        keys: What the header says, each time that it is there.
        by: Who gives it.
        place: The path.
        wish: The body; None for none.

    Raises:
        RequestError: It is no name, or there are several.
    """
    if not keys:
        return None
    key = keys[0]
    if len(keys) > 1 or not 1 <= len(key) <= LONGEST or not (key.isascii() and key.isprintable()):
        raise RequestError(
            f"the header {KEY} is not once 1 to {LONGEST} printable ASCII characters"
        )
    # What is asked counts, not in which order and with how many spaces it is written.
    asked = "" if wish is None else wish.model_dump_json(exclude_defaults=True)
    return Named(by.person, key, hashlib.sha256(f"{place}\n{asked}".encode()).hexdigest())


class Repeats:
    """What came of named orders.

    Args:
        database: Where it is kept.
        clock: The utility's time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def made(self, order: Named | None) -> str | None:
        """Return what came of an order before, in the transaction that is open; None if new.

        Raises:
            DispatchError: Another order has this name.
        """
        if order is None:
            return None
        query = select(OrderKeyRow.digest, OrderKeyRow.made).where(
            OrderKeyRow.person == order.person, OrderKeyRow.key == order.key
        )
        async with self._database.changing() as draft:
            row = (await draft.connection.execute(query)).one_or_none()
        if row is None:
            return None
        if row.digest != order.digest:
            raise DispatchError(f"something else was ordered with the {KEY} {order.key!r}")
        return str(row.made)

    async def keep(self, order: Named | None, made: str) -> None:
        """Keep what came of an order, in the transaction in which it does."""
        if order is None:
            return
        async with self._database.changing() as draft:
            await draft.connection.execute(
                insert(OrderKeyRow).values(
                    person=order.person,
                    key=order.key,
                    digest=order.digest,
                    made=made,
                    kept_at=self._clock.now(),
                )
            )

    async def forget_old(self) -> None:
        """Forget names that were given long ago.

        Raises:
            BusyError: The database cannot do it now.
        """
        old = self._clock.now() - KEPT_S
        async with self._database.writing() as connection:
            await connection.execute(delete(OrderKeyRow).where(OrderKeyRow.kept_at < old))
