"""A ledger in memory that keeps the port's promises; it outlives the engine that uses it."""

from collections.abc import Sequence

from hems.sep2.ledger import EventRow, LedgerError, ResponseRow


class MemoryLedger:
    """Implements `hems.sep2.ledger.Ledger`; `full` makes every write fail, `unreadable` reads."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], EventRow] = {}
        self.responses: dict[tuple[str, str, int, str], ResponseRow] = {}
        self.locations: dict[tuple[str, str, int, str], str] = {}
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
            self.rows[event.server, event.mrid] = event
        for response in responses:
            self.responses.setdefault(_key(response), response)

    async def unposted(self) -> Sequence[ResponseRow]:
        return [r for k, r in self.responses.items() if k not in self.locations]

    async def posted(self, response: ResponseRow, location: str) -> None:
        self._check()
        self.locations[_key(response)] = location

    async def server_offset(self, server: str) -> float | None:
        return self.offsets.get(server)

    async def save_server_offset(self, server: str, offset_s: float) -> None:
        self._check()
        self.offsets[server] = offset_s

    @property
    def codes(self) -> list[tuple[str, int]]:
        """The owed and posted responses in order: (subject, status)."""
        return [(r.subject, r.status) for r in self.responses.values()]


def _key(row: ResponseRow) -> tuple[str, str, int, str]:
    return (row.subject, row.lfdi, row.status, row.modes)
