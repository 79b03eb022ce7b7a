"""Records that are few and all in memory: one table keeps them as JSON, validated when read."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from hems.headend.errors import StoreError
from hems.headend.models import ItemRow
from hems.headend.store import Store

T = TypeVar("T")


class Shelf(Generic[T]):
    """Where records of one kind are kept.

    Args:
        store: The open database.
        kind: Name of the kind in the table.
        record: Their class, a dataclass.
    """

    def __init__(self, store: Store, kind: str, record: type[T]) -> None:
        self._store = store
        self._kind = kind
        self._adapter = TypeAdapter(record)

    async def load(self) -> Sequence[tuple[str, T]]:
        """Return all records with their owners, in the order they were first kept.

        Raises:
            StoreError: One cannot be read.
        """
        query = (
            select(ItemRow.id, ItemRow.owner, ItemRow.body)
            .where(ItemRow.kind == self._kind)
            .order_by(ItemRow.number)
        )
        async with self._store.reading() as connection:
            rows = (await connection.execute(query)).all()
        try:
            return [(row.owner, self._adapter.validate_json(row.body)) for row in rows]
        except ValidationError as error:
            raise StoreError(f"the database holds a {self._kind} that cannot be read") from error

    async def save(self, *items: tuple[str, str, T]) -> None:
        """Keep records, all or none; one of the same id is replaced.

        Args:
            items: Of each its id, its owner and the record.

        Raises:
            BusyError: The database cannot take them; nothing was stored.
        """
        async with self._store.writing() as connection:
            for name, owner, item in items:
                values = {"owner": owner, "body": self._adapter.dump_json(item).decode()}
                await connection.execute(
                    insert(ItemRow)
                    .values(kind=self._kind, id=name, **values)
                    .on_conflict_do_update(index_elements=["kind", "id"], set_=values)
                )

    async def drop(self, *names: str) -> None:
        """Forget records by id.

        Raises:
            BusyError: The database cannot do it now; nothing was forgotten.
        """
        async with self._store.writing() as connection:
            await connection.execute(
                delete(ItemRow).where(ItemRow.kind == self._kind, ItemRow.id.in_(names))
            )
