"""A ledger in memory that keeps the port's promises; it outlives the engine that uses it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from hems.sep2.book.ledger import EventRow, LedgerError, ResponseRow

_Key: TypeAlias = tuple[str, str, str, int, str]


class MemoryLedger:
    """Implements `hems.sep2.book.ledger.Ledger`; `full` fails every write, `unreadable` reads."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], EventRow] = {}
        self.responses: dict[_Key, ResponseRow] = {}
        self.locations: dict[_Key, str] = {}
        self.offsets: dict[str, float] = {}
        self.full = False
        self.unreadable = False
        self.saves = 0

    def _check(self) -> None:
        if self.full:
            raise LedgerError("the disk is full")

    async def events(self) -> Sequence[EventRow]:
        if self.unreadable:
            raise LedgerError("the disk is full")
        return list(self.rows.values())

    async def save(self, events: Sequence[EventRow], responses: Sequence[ResponseRow]) -> None:
        self._check()
        self.saves += 1
        for event in events:
            self.rows[event.server, event.lfdi, event.mrid] = event
        for response in responses:
            self.responses.setdefault(_key(response), response)

    async def unposted(self, server: str) -> Sequence[ResponseRow]:
        return [
            r for k, r in self.responses.items() if k not in self.locations and r.server == server
        ]

    async def posted(self, response: ResponseRow, location: str) -> None:
        self._check()
        self.locations[_key(response)] = location

    async def server_offset(self, server: str) -> float | None:
        return self.offsets.get(server)

    async def save_server_offset(self, server: str, offset_s: float) -> None:
        self._check()
        self.offsets[server] = offset_s

    async def readdress(self, server: str, former: str, lfdi: str) -> int:
        self._check()
        theirs = [row for row in self.rows.values() if (row.server, row.lfdi) == (server, former)]
        for row in theirs:
            del self.rows[row.server, row.lfdi, row.mrid]
            self.rows[row.server, lfdi, row.mrid] = replace(row, lfdi=lfdi)
        return len(theirs)

    @property
    def codes(self) -> list[tuple[str, int]]:
        """The owed and posted responses in order: (subject, status)."""
        return [(r.subject, r.status) for r in self.responses.values()]


def _key(row: ResponseRow) -> _Key:
    return (row.server, row.subject, row.lfdi, row.status, row.modes)
