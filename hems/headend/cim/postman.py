"""Brings what is to go out, by whatever carrier its address names; tried for a day."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import delete, select, update

from hems.clock import Clock
from hems.headend.cim.models import CimMessageRow, CimPostRow
from hems.headend.cim.ports import Transactions
from hems.headend.errors import BusyError

_AT_ONCE: Final = 20
_LEASE_S: Final = 60.0
"""For so long nobody else brings what one worker has taken."""
_LONGEST_WAIT_S: Final = 300.0
_LOOK_S: Final = 2.0
_LONGEST_NOTE: Final = 300

_log = logging.getLogger(__name__)


class NotBroughtError(Exception):
    """A message was not taken at its address.

    Attributes:
        final: Whether it will not be taken later either.
    """

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class Carrier(Protocol):
    """Brings messages to addresses of one kind."""

    async def bring(self, address: str, message_id: str, body: bytes) -> None:
        """Bring a message; it is taken when this returns. Brought twice, it has the same id.

        Raises:
            NotBroughtError: It is not taken.
        """
        ...


class _Nowhere:
    """Brings nothing."""

    async def bring(self, address: str, message_id: str, body: bytes) -> None:
        """Say so."""
        kind = address.partition(":")[0]
        reason = f"message {message_id} of {len(body)} octets: nothing goes by {kind} from here"
        raise NotBroughtError(reason, final=True)


@dataclass(frozen=True, slots=True)
class _Due:
    number: int
    address: str
    message_id: str
    body: bytes
    tries: int
    expires_at: float
    audit: int


class Postman:
    """Empties the outbox.

    Args:
        store: The open database.
        clock: Its time.
        carriers: By what an address begins with.
        wake: Set when something is to go out.
    """

    def __init__(
        self,
        store: Transactions,
        clock: Clock,
        carriers: Mapping[str, Carrier],
        wake: asyncio.Event,
    ) -> None:
        self._store = store
        self._clock = clock
        self._carriers = carriers
        self._wake = wake

    async def run(self) -> None:
        """Bring what is due, until cancelled."""
        while True:
            self._wake.clear()
            try:
                brought = await self.bring_due()
            except BusyError as error:
                _log.warning("what is to go out waits: %s", error)
                brought = 0
            if not brought:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _LOOK_S)

    async def bring_due(self) -> int:
        """Bring some of what is due; return how many that were.

        Raises:
            BusyError: The database cannot serve.
        """
        due = await self._lease()
        await asyncio.gather(*(self._bring(each) for each in due))
        return len(due)

    async def _lease(self) -> Sequence[_Due]:
        now = self._clock.now()
        some = (
            select(CimPostRow.number)
            .where(CimPostRow.next_at <= now)
            .order_by(CimPostRow.next_at, CimPostRow.number)
            .limit(_AT_ONCE)
        )
        async with self._store.reading() as connection:
            if (await connection.execute(some)).first() is None:
                return ()
        async with self._store.writing() as connection:
            rows = await connection.execute(
                update(CimPostRow)
                .where(CimPostRow.number.in_(some), CimPostRow.next_at <= now)
                .values(next_at=now + _LEASE_S)
                .returning(CimPostRow.__table__)
            )
            found = [
                _Due(
                    row.number,
                    row.address,
                    row.message_id,
                    row.body,
                    row.tries,
                    row.expires_at,
                    row.audit,
                )
                for row in rows
            ]
        return sorted(found, key=lambda due: due.number)

    async def _bring(self, due: _Due) -> None:
        kind = due.address.partition(":")[0]
        try:
            try:
                await self._carriers.get(kind, _Nowhere()).bring(
                    due.address, due.message_id, due.body
                )
            except NotBroughtError as error:
                await self._not_brought(due, error)
            else:
                await self._done(due, kind, "DELIVERED", "")
        except BusyError as error:
            # Nobody takes it before its lease is over; brought twice, it has the same id.
            _log.warning("what became of message %s is not noted: %s", due.message_id, error)

    async def _not_brought(self, due: _Due, error: NotBroughtError) -> None:
        now = self._clock.now()
        _log.warning("message %s was not taken at %s: %s", due.message_id, due.address, error)
        kind = due.address.partition(":")[0]
        if error.final:
            await self._done(due, kind, "REFUSED", str(error))
        elif now >= due.expires_at:
            await self._done(due, kind, "EXPIRED", str(error))
        else:
            wait_s = min(2.0**due.tries, _LONGEST_WAIT_S)
            async with self._store.writing() as connection:
                await connection.execute(
                    update(CimPostRow)
                    .where(CimPostRow.number == due.number)
                    .values(next_at=now + wait_s, tries=due.tries + 1)
                )

    async def _done(self, due: _Due, carrier: str, result: str, reason: str) -> None:
        async with self._store.writing() as connection:
            await connection.execute(delete(CimPostRow).where(CimPostRow.number == due.number))
            await connection.execute(
                update(CimMessageRow)
                .where(CimMessageRow.number == due.audit)
                .values(carrier=carrier, result=result, reason=reason[:_LONGEST_NOTE])
            )
