"""What every worker holds in memory, kept as the database has it by a log of changes.

The log is written under the one lock for changes, so its numbers come in the order of commits: who
has read up to one has missed nothing before it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.headend.models import ChangeRow

CHANNEL: Final = "hems_changes"
KEPT: Final = 10_000
"""Changes that are remembered; who is farther behind reads everything anew."""


class Kept(Protocol):
    """Records of one kind that are held in memory."""

    @property
    def kind(self) -> str:
        """Its name in the log."""
        ...

    async def load(self, connection: AsyncConnection) -> None:
        """Read all records."""
        ...

    async def reread(self, connection: AsyncConnection, keys: Sequence[str]) -> None:
        """Read these records anew; one that is not there any more is gone."""
        ...


@dataclass(slots=True)
class Draft:
    """A transaction of changes that is not committed yet.

    Attributes:
        connection: On which it is.
        keys: What is changed: kind and key of each, in order.
        after: What takes the changes into memory once they are durable, in order.
        number: Of the last of its changes in the log; known once they are logged.
        open: Whether the transaction still goes on.
    """

    connection: AsyncConnection
    keys: dict[tuple[str, str], None] = field(default_factory=dict)
    after: list[Callable[[], None]] = field(default_factory=list)
    number: int = 0
    open: bool = True

    def changed(self, kind: str, key: str) -> None:
        """Note that a record is changed in this transaction."""
        self.keys[kind, key] = None


class Changes:
    """All records that are held in memory, and up to where the log is known.

    Attributes:
        seen: Number of the last change that is known here.
        on_change: Called after changes have come into memory, own or others'.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self.seen = 0
        self.on_change: Callable[[], None] = _nobody

    def keep(self, kept: Kept) -> None:
        """Hold records of one more kind, before `load`."""
        self._kept[kept.kind] = kept

    async def load(self, connection: AsyncConnection) -> None:
        """Read everything. What is changed meanwhile is read again by the next `catch_up`."""
        self.seen = await _last(connection)
        for kept in self._kept.values():
            await kept.load(connection)

    async def catch_up(self, connection: AsyncConnection) -> None:
        """Take what others have changed since."""
        rows = await connection.execute(
            select(ChangeRow.number, ChangeRow.kind, ChangeRow.key)
            .where(ChangeRow.number >= self.seen)
            .order_by(ChangeRow.number)
        )
        found = rows.all()
        oldest = found[0].number if found else 0
        missed = oldest != self.seen if self.seen else oldest > 1
        if missed:
            await self.load(connection)  # what comes after what was known last is forgotten
            self.on_change()
            return
        fresh = [row for row in found if row.number > self.seen]
        if not fresh:
            return
        keys: dict[str, dict[str, None]] = {}
        for row in fresh:
            keys.setdefault(row.kind, {})[row.key] = None
        for kind, of_kind in keys.items():
            kept = self._kept.get(kind)
            if kept is not None:
                await kept.reread(connection, tuple(of_kind))
        self.seen = fresh[-1].number
        self.on_change()

    async def log(self, draft: Draft) -> None:
        """Write a transaction's changes into the log, and wake who waits for them."""
        if not draft.keys:
            return
        rows = [{"kind": kind, "key": key} for kind, key in draft.keys]
        await draft.connection.execute(insert(ChangeRow), rows)
        draft.number = await _last(draft.connection)
        await draft.connection.execute(
            delete(ChangeRow).where(ChangeRow.number <= draft.number - KEPT)
        )
        if draft.connection.dialect.name == "postgresql":
            await draft.connection.execute(text("SELECT pg_notify(:to, '')"), {"to": CHANNEL})

    def take(self, draft: Draft) -> None:
        """Take a transaction's changes into memory; they are durable now."""
        if not draft.keys:
            return
        for take in draft.after:
            take()
        self.seen = draft.number
        self.on_change()


async def _last(connection: AsyncConnection) -> int:
    found = await connection.execute(select(func.max(ChangeRow.number)))
    return found.scalar_one() or 0


def _nobody() -> None:
    """Stand in until someone listens."""
