"""The owner's settings: a few named texts that outlive a restart."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from hems.store.database import Database
from hems.store.schema import settings


class Settings:
    """Named texts on the disk; raises `hems.store.errors.StoreError` if SQLite refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Mapping[str, str]:
        """Return all settings by name."""
        async with self._database.ledger() as connection:
            rows = await connection.execute(select(settings.c.name, settings.c.value))
            return {name: value for name, value in rows}  # noqa: C416 - rows are not plain tuples

    async def put(self, name: str, value: str) -> None:
        """Set one, in place of what it was."""
        async with self._database.ledger() as connection:
            await connection.execute(_PUT, {"name": name, "value": value})


_add = insert(settings)
_PUT: Final = _add.on_conflict_do_update(
    index_elements=["name"], set_={"value": _add.excluded.value}
)
