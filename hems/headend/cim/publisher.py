"""Passes on what homes tell, to those who want to know: each thing once, whichever worker looks."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import select

from hems.headend.cim.actions import Told
from hems.headend.cim.envelope import Verb
from hems.headend.cim.errors import CimError
from hems.headend.cim.journal import Journal
from hems.headend.cim.letters import Letters
from hems.headend.cim.models import CimMarkRow
from hems.headend.cim.nouns import Noun
from hems.headend.cim.order_table import OrderTable
from hems.headend.cim.ports import Arrivals, Transactions
from hems.headend.cim.telling import end_device_events, meter_readings
from hems.headend.errors import BusyError
from hems.headend.sql import insert

_MOST: Final = 500
"""Of one kind in one message."""
KINDS: Final = ("reading", "response", "log")

_log = logging.getLogger(__name__)


class Publisher:
    """Looks for what has come.

    Args:
        store: The open database.
        arrivals: What has come since.
        orders: What was made of which order.
        journal: Where messages go out.
        letters: Writes them.
        look_s: How often it looks.
        post: Set when something is to go out.
    """

    def __init__(
        self,
        store: Transactions,
        arrivals: Arrivals,
        orders: OrderTable,
        journal: Journal,
        letters: Letters,
        *,
        look_s: float,
        post: asyncio.Event,
    ) -> None:
        self._store = store
        self._arrivals = arrivals
        self._orders = orders
        self._journal = journal
        self._letters = letters
        self._look_s = look_s
        self._post = post
        self._seen: dict[str, int] = {}

    async def run(self) -> None:
        """Look, until cancelled."""
        while True:
            try:
                await self.look()
            except (BusyError, CimError) as error:
                _log.warning("what homes tell is passed on later: %s", error)
            await asyncio.sleep(self._look_s)

    async def look(self) -> None:
        """Pass on what had come when it was last looked.

        A number may become visible after a greater one, as long as two transactions are under
        way; so what is new is passed on at the next look.

        Raises:
            BusyError: The database cannot serve.
        """
        for kind in KINDS:
            last = await self._arrivals.last(kind)
            settled = self._seen.get(kind, last)
            self._seen[kind] = last
            while await self._pass_on(kind, settled):
                pass

    async def _pass_on(self, kind: str, settled: int) -> bool:
        """Pass on one message's worth; return whether there may be more."""
        mark = await self._mark(kind)
        if mark is not None and mark >= settled:
            return False
        async with self._store.changing():
            mark = await self._mark(kind)
            if mark is None:
                # What was told before anybody listened is history, for those who ask.
                await self._save_mark(kind, settled)
                return False
            if mark >= settled:
                return False
            told, numbers = await self._told(kind, mark, settled)
            posts = await self._letters.posts(told)
            await self._journal.send(posts)
            more = len(numbers) == _MOST
            await self._save_mark(kind, numbers[-1] if more else settled)
        if posts:
            self._post.set()
        return more

    async def _told(self, kind: str, after: int, to: int) -> tuple[Sequence[Told], Sequence[int]]:
        if kind == "reading":
            readings = await self._arrivals.readings(after, to, _MOST)
            payload: object = meter_readings([record for _, record in readings])
            numbers = [number for number, _ in readings]
            return _created(Noun.READINGS, payload, numbers), numbers
        if kind == "response":
            responses = await self._arrivals.responses(after, to, _MOST)
            asked: Mapping[str, str] = await self._orders.asked({r.subject for r in responses})
            numbers = [record.id for record in responses]
            return _created(Noun.EVENTS, end_device_events(responses, (), asked), numbers), numbers
        logs = await self._arrivals.logs(after, to, _MOST)
        numbers = [item.number for item in logs]
        return _created(Noun.EVENTS, end_device_events((), logs, {}), numbers), numbers

    async def _mark(self, kind: str) -> int | None:
        query = select(CimMarkRow.number).where(CimMarkRow.kind == kind)
        async with self._store.reading() as connection:
            found: int | None = (await connection.execute(query)).scalar_one_or_none()
            return found

    async def _save_mark(self, kind: str, number: int) -> None:
        async with self._store.writing() as connection:
            await connection.execute(
                insert(connection, CimMarkRow)
                .values(kind=kind, number=number)
                .on_conflict_do_update(index_elements=["kind"], set_={"number": number})
            )


def _created(noun: Noun, payload: object, numbers: Sequence[int]) -> Sequence[Told]:
    return (Told(noun, Verb.CREATED, payload),) if numbers else ()
