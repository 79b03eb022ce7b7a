"""What all homes have said of themselves, each document parsed once."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection, select

from hems.headend.ability.documents import Document, der_of, parsed, sheds_of, telling
from hems.headend.ability.told import Told
from hems.headend.models import DocumentRow

R = TypeVar("R")
_Key = tuple[str, str]
"""LFDI, and kind of document."""
_CHUNK: Final = 200


class Inquiries(Protocol):
    """The database: see `hems.headend.db.database.Database`."""

    async def inquire(self, work: Callable[[Connection], R]) -> R:
        """Run queries that are a plain function."""
        ...


class Sayings:
    """What all homes have said, each document parsed once.

    Args:
        database: Where homes' documents are.
    """

    def __init__(self, database: Inquiries) -> None:
        self._database = database
        self._known: dict[_Key, tuple[float, Document | None]] = {}
        self._told: dict[str, Told] = {}

    async def read(self) -> Mapping[str, Told]:
        """Return what each home has said, by LFDI; those that never said anything are not in it.

        They were heard of when they said it last, or later; of meters nothing is in it.

        Raises:
            BusyError: The database cannot serve.
        """
        times = await self._database.inquire(_times)
        gone = self._known.keys() - times.keys()
        fresh = sorted(key for key, at in times.items() if self._known.get(key, (-1.0,))[0] != at)
        for key in gone:
            del self._known[key]
        for start in range(0, len(fresh), _CHUNK):
            some = frozenset(fresh[start : start + _CHUNK])
            rows = await self._database.inquire(_bodies_of(some))
            # The first time it is all that all homes ever said: not on the event loop.
            self._known |= await asyncio.to_thread(_parsed_all, rows)
        changed = {lfdi for lfdi, _ in (*gone, *fresh)}
        mine: dict[str, list[Document]] = {lfdi: [] for lfdi in changed}
        latest: dict[str, float] = {}
        for (lfdi, _), (at, document) in self._known.items():
            if lfdi in changed:
                latest[lfdi] = max(at, latest.get(lfdi, at))
                mine[lfdi] += [] if document is None else [document]
        for lfdi, own in mine.items():
            self._told[lfdi] = Told(latest.get(lfdi), der=der_of(own), sheds=sheds_of(own))
        return self._told


def _times(connection: Connection) -> dict[_Key, float]:
    columns = DocumentRow.lfdi, DocumentRow.kind, DocumentRow.updated_at
    query = select(*columns).where(telling())
    return {(row.lfdi, row.kind): row.updated_at for row in connection.execute(query)}


def _bodies_of(keys: frozenset[_Key]) -> Callable[[Connection], list[tuple[_Key, float, bytes]]]:
    query = select(DocumentRow.__table__).where(
        DocumentRow.lfdi.in_({lfdi for lfdi, _ in keys}),
        DocumentRow.kind.in_({kind for _, kind in keys}),
    )

    def work(connection: Connection) -> list[tuple[_Key, float, bytes]]:
        rows = connection.execute(query)
        found = [((row.lfdi, row.kind), row.updated_at, row.body) for row in rows]
        return [row for row in found if row[0] in keys]

    return work


def _parsed_all(
    rows: list[tuple[_Key, float, bytes]],
) -> dict[_Key, tuple[float, Document | None]]:
    return {key: (at, _document(key[1], at, body)) for key, at, body in rows}


def _document(kind: str, at: float, body: bytes) -> Document | None:
    record = parsed(kind, body)
    return None if record is None else Document(kind, record, at)
