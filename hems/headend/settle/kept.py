"""Settlements as they were made: each with its hash, who made it and when; none is ever changed."""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import insert, select

from hems.headend.db.database import Database
from hems.headend.errors import UnknownItemError
from hems.headend.rows import AnyRow
from hems.headend.settle.tables import SettlementRow


@dataclass(frozen=True, slots=True)
class Kept:
    """A settlement that was made.

    Attributes:
        event: mRID of the event.
        version: 1 for the first, one more wherever what it is made of had changed.
        sha256: Of its CSV file, hex.
        made_at: Epoch s.
        made_by: Name of the operator.
        homes: How many homes are in it.
    """

    event: str
    version: int
    sha256: str
    made_at: float
    made_by: str
    homes: int


class Packing:
    """A file that is packed while it is made, so that no more than that is held."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._deflate = zlib.compressobj()
        self._parts: list[bytes] = []

    def add(self, piece: bytes) -> None:
        """Take the next piece."""
        self._hash.update(piece)
        self._parts.append(self._deflate.compress(piece))

    def end(self) -> tuple[str, bytes]:
        """Return the file's SHA-256, hex, and the file deflated."""
        self._parts.append(self._deflate.flush())
        return self._hash.hexdigest(), b"".join(self._parts)


class KeptSettlements:
    """All of them.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(
        self, event: str, packed: tuple[str, bytes], *, homes: int, at: float, by: str
    ) -> tuple[Kept, bool]:
        """Keep a settlement, unless the last one of its event says the same.

        Args:
            event: mRID of the event.
            packed: See `Packing.end`.
            homes: How many homes are in it.
            at: Epoch s.
            by: Name of the operator.

        Returns:
            What is kept, and whether it is new.

        Raises:
            BusyError: The database cannot take it; nothing was kept.
        """
        sha256, body = packed
        async with self._database.changing() as draft:  # one worker at a time says what is next
            query = _OF.where(SettlementRow.event == event).order_by(SettlementRow.version.desc())
            row = (await draft.connection.execute(query.limit(1))).one_or_none()
            if row is not None and row.sha256 == sha256:
                return _kept(row), False
            made = Kept(event, 1 if row is None else row.version + 1, sha256, at, by, homes)
            values = {name: getattr(made, name) for name in Kept.__slots__} | {"body": body}
            await draft.connection.execute(insert(SettlementRow).values(values))
        return made, True

    async def all_of(self, event: str) -> Sequence[Kept]:
        """Return the settlements of an event, the first first.

        Raises:
            BusyError: The database cannot serve.
        """
        query = _OF.where(SettlementRow.event == event).order_by(SettlementRow.version)
        async with self._database.reading() as connection:
            return [_kept(row) for row in await connection.execute(query)]

    async def file(self, event: str, version: int) -> tuple[Kept, bytes]:
        """Return a settlement and its CSV file.

        Raises:
            UnknownItemError: There is none of this version.
            BusyError: The database cannot serve.
        """
        query = select(SettlementRow.__table__).where(
            SettlementRow.event == event, SettlementRow.version == version
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise UnknownItemError(f"event {event[:40]}: no settlement {version}")
        return _kept(row), zlib.decompress(row.body)


_OF: Final = select(*(SettlementRow.__table__.c[name] for name in Kept.__slots__))
"""All of a row but its file."""


def _kept(row: AnyRow) -> Kept:
    return Kept(row.event, row.version, row.sha256, row.made_at, row.made_by, row.homes)
