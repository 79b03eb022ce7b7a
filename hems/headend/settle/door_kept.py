"""The operator's door for settlements that are made, and stay as they were made."""

from collections.abc import Callable
from contextlib import aclosing
from typing import Self

from aiohttp import web
from pydantic import BaseModel

from hems.clock import Clock
from hems.headend.errors import ConflictError, UnknownItemError
from hems.headend.fleet.door_words import name_in
from hems.headend.operator_door import json_answer
from hems.headend.operators.roles import asker
from hems.headend.records import Event
from hems.headend.settle.chunk import Plan
from hems.headend.settle.counting import Counting
from hems.headend.settle.csv_file import CsvFile
from hems.headend.settle.kept import Kept, KeptSettlements, Packing

_MOST_DIGITS = 9


class KeptOut(BaseModel):
    """A settlement as it was made; `sha256` is of its CSV file."""

    event: str
    version: int
    sha256: str
    made_at: float
    made_by: str
    homes: int

    @classmethod
    def of(cls, kept: Kept) -> Self:
        """Take a record over."""
        return cls(
            event=kept.event,
            version=kept.version,
            sha256=kept.sha256,
            made_at=kept.made_at,
            made_by=kept.made_by,
            homes=kept.homes,
        )


class KeptListOut(BaseModel):
    """All settlements of an event, the first first."""

    settlements: list[KeptOut]


class KeptDoor:
    """Settlements that are made.

    Args:
        counting: Settles homes.
        kept: Where they are kept.
        why_not_final: Says why the settlement of an event may still change; None where it will not.
        clock: The utility's time.
    """

    def __init__(
        self,
        counting: Counting,
        kept: KeptSettlements,
        why_not_final: Callable[[Event, Plan], str | None],
        clock: Clock,
    ) -> None:
        self._counting = counting
        self._kept = kept
        self._why_not_final = why_not_final
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Return where these stand."""
        return [
            web.post("/events/{id}/settlements", self.post_settlement),
            web.get("/events/{id}/settlements", self.get_settlements),
            web.get("/events/{id}/settlements/{version}.csv", self.get_file),
        ]

    async def post_settlement(self, request: web.Request) -> web.Response:
        """Settle an event for good: 201, or 200 where nothing has changed since the last time."""
        event = await self._counting.event(name_in(request))
        why = self._why_not_final(event, self._counting.plan(event))
        if why is not None:
            raise ConflictError(f"event {event.mrid}: cannot be settled for good yet: {why}")
        homes, file, packing = await self._counting.homes(event), CsvFile(), Packing()
        packing.add(file.begin())
        async with aclosing(self._counting.results(event, homes)) as parts:
            async for some in parts:
                packing.add(file.write(some))
        packing.add(file.end())
        kept, new = await self._kept.keep(
            event.mrid,
            packing.end(),
            homes=len(homes),
            at=self._clock.now(),
            by=asker(request).name,
        )
        place = f"/events/{kept.event}/settlements/{kept.version}.csv"
        return json_answer(KeptOut.of(kept), 201 if new else 200, {"Location": place})

    async def get_settlements(self, request: web.Request) -> web.Response:
        """Answer which settlements were made of an event, by whom and when."""
        event = await self._counting.event(name_in(request))
        found = await self._kept.all_of(event.mrid)
        return json_answer(KeptListOut(settlements=[KeptOut.of(each) for each in found]))

    async def get_file(self, request: web.Request) -> web.Response:
        """Answer a settlement as it was made, a line a home."""
        event, text = name_in(request), request.match_info["version"]
        if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
            raise UnknownItemError(f"event {event[:40]}: no settlement {text[:40]!r}")
        kept, body = await self._kept.file(event.upper(), int(text))
        name = f"settlement-{kept.event}-{kept.version}.csv"
        return web.Response(
            body=body,
            content_type=CsvFile.content_type,
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "no-store",
                "ETag": f'"{kept.sha256}"',
            },
        )
