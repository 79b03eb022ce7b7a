"""Records that every worker holds in memory: durable first, then seen, by all of them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from hems.headend.db.database import Database

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Changed(Generic[T]):
    """A record that is not as it was.

    Attributes:
        key: Its key.
        before: What it was; None if it is new.
        after: What it is; None if it is gone.
    """

    key: str
    before: T | None
    after: T | None


Listener = Callable[[Sequence[Changed[T]]], None]


class Held(ABC, Generic[T]):
    """Records of one kind, by key, in the order they came. `Database.load` reads them.

    Args:
        database: Where they are.
        kind: Their name in the log of changes.
    """

    def __init__(self, database: Database, kind: str) -> None:
        self.database = database
        self._kind = kind
        self._all: dict[str, T] = {}
        self._listeners: list[Listener[T]] = []
        database.changes.keep(self)

    @property
    def kind(self) -> str:
        """Their name in the log of changes."""
        return self._kind

    @property
    def all(self) -> Mapping[str, T]:
        """All records by key, as they are in the database."""
        return self._all

    def follow(self, listener: Listener[T]) -> None:
        """Have something told of each change, and of all records when they are read at start."""
        self._listeners.append(listener)

    async def load(self, connection: AsyncConnection) -> None:
        """Read all records."""
        found = await self._read(connection, None)
        gone = dict.fromkeys(self._all.keys() - found.keys())
        self._take({**gone, **found})

    async def reread(self, connection: AsyncConnection, keys: Sequence[str]) -> None:
        """Read these records anew."""
        found = await self._read(connection, keys)
        self._take({key: found.get(key) for key in keys})

    async def save(self, *items: tuple[str, T]) -> None:
        """Keep records, all or none; one of the same key is replaced.

        Raises:
            BusyError: The database cannot take them; nothing was stored.
        """
        if not items:
            return
        async with self.database.changing() as draft:
            await self._write(draft.connection, items)
            taken: dict[str, T | None] = dict(items)
            for key in taken:
                draft.changed(self._kind, key)
            draft.after.append(lambda: self._take(taken))

    async def drop(self, *keys: str) -> None:
        """Forget records.

        Raises:
            BusyError: The database cannot do it now; nothing was forgotten.
        """
        if not keys:
            return
        async with self.database.changing() as draft:
            await self._erase(draft.connection, keys)
            for key in keys:
                draft.changed(self._kind, key)
            draft.after.append(lambda: self._take(dict.fromkeys(keys)))

    @abstractmethod
    async def _read(
        self, connection: AsyncConnection, keys: Sequence[str] | None
    ) -> Mapping[str, T]:
        """Return the records of these keys, or all, in the order they came."""

    @abstractmethod
    async def _write(self, connection: AsyncConnection, items: Sequence[tuple[str, T]]) -> None:
        """Insert or replace records."""

    @abstractmethod
    async def _erase(self, connection: AsyncConnection, keys: Sequence[str]) -> None:
        """Delete records."""

    def _take(self, fresh: Mapping[str, T | None]) -> None:
        changes = []
        for key, after in fresh.items():
            before = self._all.get(key)
            if before == after:
                continue
            if after is None:
                del self._all[key]
            else:
                self._all[key] = after
            changes.append(Changed(key, before, after))
        if changes:
            for listener in self._listeners:
                listener(changes)
