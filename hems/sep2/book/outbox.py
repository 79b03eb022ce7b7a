"""Posts owed responses, each exactly once, in order.

A response is owed once it stands in the ledger and done with once the ledger knows where the
server put it. In between the process may die, or an answer be lost: such a row is first looked
for in the server's own list, and posted again only where it is missing, byte for byte the same.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hems.correlation import correlated
from hems.sep2 import resources as res
from hems.sep2.book.answers import resource_of
from hems.sep2.book.ledger import Ledger, LedgerError, ResponseRow
from hems.sep2.errors import (
    ForbiddenError,
    NotFoundError,
    PermanentError,
    RejectedError,
    Sep2Error,
    TransientError,
    TrustError,
)
from hems.sep2.transport.backoff import Backoff
from hems.sep2.transport.http import Transport

_log = logging.getLogger(__name__)

_AGAIN_S = 30.0
_PATIENCE = 4
"""How often a server may say 403 or 404 to a response: some do while they start."""


@dataclass(slots=True)
class _Lane:
    """What is known of one `replyTo`: its failures in a row, and when to try again."""

    backoff: Backoff
    not_before: float = 0.0


@dataclass(slots=True)
class _Pass:
    """What one pass over the owed rows has learnt."""

    stuck: set[str] = field(default_factory=set)
    lists: dict[str, Sequence[res.Response] | None] = field(default_factory=dict)


class Outbox:
    """Sends what the ledger owes.

    Args:
        ledger: Where the owed responses stand.
        server: Name of the server, the ledger's key.
        transport: Way to it.
        rng: For the waiting times.
        on_contact: Told after each answer of the server.
        alarm: Told of each response that is given up.
        silent: Tells of a device, by its LFDI, that nothing is to be sent for it now; what it
            owes waits.
    """

    def __init__(
        self,
        ledger: Ledger,
        server: str,
        transport: Transport,
        rng: random.Random,
        *,
        on_contact: Callable[[], None] = lambda: None,
        alarm: Callable[[str], None] = _log.warning,
        silent: Callable[[str], bool] = lambda _lfdi: False,
    ) -> None:
        self._silent = silent
        self._ledger = ledger
        self._server = server
        self._transport = transport
        self._rng = rng
        self._on_contact = on_contact
        self._alarm = alarm
        self._wake = asyncio.Event()
        self._sure: set[ResponseRow] = set()
        self._seen: set[ResponseRow] = set()
        self._first = True
        self._lanes: dict[str, _Lane] = {}
        self._denied: dict[ResponseRow, int] = {}

    def wake(self) -> None:
        """Look for owed responses now."""
        self._wake.set()

    async def run(self) -> None:
        """Post what is owed whenever there is something; never returns."""
        while True:
            self._wake.clear()
            wait_s = await self.drain()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    async def drain(self) -> float | None:
        """Post all that can be posted now.

        Returns:
            Seconds after which to try again what could not be; None if nothing is left.
        """
        try:
            owed = await self._ledger.unposted(self._server)
        except LedgerError as error:
            self._alarm(f"owed responses cannot be read: {error}")
            return _AGAIN_S
        fresh = set() if self._first else {r for r in owed if r not in self._seen}
        self._sure |= fresh
        self._seen = set(owed)
        self._sure &= self._seen
        self._denied = {row: n for row, n in self._denied.items() if row in self._seen}
        lanes = {row.reply_to for row in owed}
        self._lanes = {href: lane for href, lane in self._lanes.items() if href in lanes}
        self._first = False
        now = asyncio.get_running_loop().time()
        state = _Pass()
        for row in owed:
            if self._silent(row.lfdi):
                continue
            lane = self._lanes.setdefault(row.reply_to, _Lane(Backoff(self._rng)))
            if row.reply_to in state.stuck or lane.not_before > now:
                state.stuck.add(row.reply_to)
                continue
            with correlated(row.subject):
                await self._settle(row, lane, state)
        waits = [self._lanes[href].not_before - now for href in state.stuck]
        return max(0.0, min(waits)) if waits else None

    async def _settle(self, row: ResponseRow, lane: _Lane, state: _Pass) -> None:
        loop = asyncio.get_running_loop()
        try:
            location = await self._found(row, state)
            if location is None:
                self._sure.discard(row)  # from here on it may have arrived
                location = await self._transport.post(row.reply_to, resource_of(row))
            self._on_contact()
            await self._ledger.posted(row, location or row.reply_to)
            _log.info("response %d is with the server", row.status)
        except (TransientError, TrustError) as error:
            self._wait(row, error, lane, state)
        except (PermanentError, RejectedError) as error:
            if isinstance(error, NotFoundError | ForbiddenError):
                self._denied[row] = self._denied.get(row, 0) + 1
                if self._denied[row] < _PATIENCE:
                    self._wait(row, error, lane, state)
                    return
            self._alarm(f"response {row.status} to event {row.subject} is given up: {error}")
            await self._give_up(row, error, lane, state)
        except LedgerError as error:
            self._alarm(f"a posted response cannot be noted: {error}")
            lane.not_before = loop.time() + _AGAIN_S
            state.stuck.add(row.reply_to)
        else:
            lane.backoff.worked()

    def _wait(self, row: ResponseRow, error: Sep2Error, lane: _Lane, state: _Pass) -> None:
        pause_s = lane.backoff.failed(error)
        lane.not_before = asyncio.get_running_loop().time() + pause_s
        state.stuck.add(row.reply_to)
        _log.info("response %d waits: %s", row.status, error)

    async def _give_up(self, row: ResponseRow, error: Sep2Error, lane: _Lane, state: _Pass) -> None:
        try:
            await self._ledger.posted(row, f"refused: {error}")
        except LedgerError:
            lane.not_before = asyncio.get_running_loop().time() + _AGAIN_S
            state.stuck.add(row.reply_to)

    async def _found(self, row: ResponseRow, state: _Pass) -> str | None:
        """Return where the server has a response that may have been sent before; None if not."""
        if row in self._sure:
            return None
        if row.reply_to not in state.lists:
            state.lists[row.reply_to] = await self._theirs(row.reply_to)
        wanted = _identity(resource_of(row))
        for response in state.lists[row.reply_to] or ():
            if _identity(response) == wanted:
                return response.href or row.reply_to
        return None

    async def _theirs(self, reply_to: str) -> Sequence[res.Response] | None:
        """Return the server's list; None where it shows none."""
        try:
            listed = await self._transport.get_list(reply_to, res.ResponseList)
        except TrustError:
            raise
        except (PermanentError, RejectedError) as error:
            _log.info("%s cannot be looked through: %s", reply_to, error)
            return None
        return listed.response


def _identity(response: res.Response) -> tuple[object, ...]:
    modes: tuple[int, int] = (0, 0)
    if isinstance(response, res.DERControlResponse):
        modes = (response.modes_responded or 0, response.modes_responded2 or 0)
    return (
        response.subject.upper().zfill(32),
        response.status,
        response.end_device_lfdi.upper().zfill(40),
        modes,
    )
