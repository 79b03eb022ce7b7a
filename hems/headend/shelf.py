"""Records that are few and all in memory: one table keeps them as JSON, validated when read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.headend.db.database import Database
from hems.headend.db.held import Held
from hems.headend.errors import StoreError
from hems.headend.models import ItemRow
from hems.headend.sql import insert

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Owned(Generic[T]):
    """A record and whose it is.

    Attributes:
        owner: Whose, in whatever words its kind has for that.
        item: The record.
    """

    owner: str
    item: T


class Shelf(Held[Owned[T]]):
    """Where records of one kind are kept.

    Args:
        database: The database.
        kind: Name of the kind in the table.
        record: Their class, a dataclass.
    """

    def __init__(self, database: Database, kind: str, record: type[T]) -> None:
        super().__init__(database, kind)
        self._adapter = TypeAdapter(record)

    @property
    def items(self) -> Iterable[T]:
        """All records, in the order they were first kept."""
        return (owned.item for owned in self.all.values())

    def find(self, key: str) -> T | None:
        """Return a record; None if there is none of this key."""
        found = self.all.get(key)
        return None if found is None else found.item

    async def put(self, *items: tuple[str, str, T]) -> None:
        """Keep records, all or none; one of the same id is replaced.

        Args:
            items: Of each its id, its owner and the record.

        Raises:
            BusyError: The database cannot take them; nothing was stored.
        """
        await self.save(*((key, Owned(owner, item)) for key, owner, item in items))

    async def _read(
        self, connection: AsyncConnection, keys: Sequence[str] | None
    ) -> Mapping[str, Owned[T]]:
        query = select(ItemRow.id, ItemRow.owner, ItemRow.body).where(ItemRow.kind == self.kind)
        if keys is not None:
            query = query.where(ItemRow.id.in_(keys))
        rows = await connection.execute(query.order_by(ItemRow.number))
        try:
            return {r.id: Owned(r.owner, self._adapter.validate_json(r.body)) for r in rows}
        except ValidationError as error:
            raise StoreError(f"the database holds a {self.kind} that cannot be read") from error

    async def _write(
        self, connection: AsyncConnection, items: Sequence[tuple[str, Owned[T]]]
    ) -> None:
        for key, owned in items:
            body = self._adapter.dump_json(owned.item).decode()
            values = {"owner": owned.owner, "body": body}
            await connection.execute(
                insert(connection, ItemRow)
                .values(kind=self.kind, id=key, **values)
                .on_conflict_do_update(index_elements=["kind", "id"], set_=values)
            )

    async def _erase(self, connection: AsyncConnection, keys: Sequence[str]) -> None:
        await connection.execute(
            delete(ItemRow).where(ItemRow.kind == self.kind, ItemRow.id.in_(keys))
        )
