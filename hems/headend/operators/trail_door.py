"""The operator's door for the trail: shown, exported and looked through by auditors."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from hems.headend.errors import RequestError
from hems.headend.operator_door import json_answer, number_in
from hems.headend.operators.models import TrailEntriesOut, TrailEntryOut, VerdictOut
from hems.headend.operators.trail import Trail

_LISTED: Final = 100
_MOST: Final = 1_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet."""


class TrailDoor:
    """The trail.

    Args:
        trail: It.
    """

    def __init__(self, trail: Trail) -> None:
        self._trail = trail

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        return [
            web.get("/trail", self.get_trail),
            web.get("/trail/export", self.get_export, allow_head=False),
            web.get("/trail/check", self.get_check),
        ]

    async def get_trail(self, request: web.Request) -> web.Response:
        """Answer what was done, the latest first; `who` narrows it to one operator."""
        limit = min(max(1, int(number_in(request, "limit", _LISTED))), _MOST)
        before = int(number_in(request, "before", 0)) or None
        found = await self._trail.entries(limit + 1, before, _who(request))
        shown = found[:limit]
        return json_answer(
            TrailEntriesOut(
                entries=[TrailEntryOut.of(each) for each in shown],
                next=shown[-1].number if len(found) > limit else None,
            )
        )

    async def get_export(self, request: web.Request) -> web.StreamResponse:
        """Answer all of it as comma-separated values, the earliest first."""
        answer = web.StreamResponse(
            headers={
                "Content-Type": "text/csv; charset=utf-8",
                "Content-Disposition": 'attachment; filename="trail.csv"',
                "Cache-Control": "no-store",
            }
        )
        await answer.prepare(request)
        await answer.write(_line(list(TrailEntryOut.model_fields)))
        async for some in self._trail.every():
            told = (TrailEntryOut.of(each) for each in some)
            await answer.write(b"".join(_line(_cells(each)) for each in told))
        await answer.write_eof()
        return answer

    async def get_check(self, _request: web.Request) -> web.Response:
        """Answer whether the trail is as it was written."""
        return json_answer(VerdictOut.of(await self._trail.verify()))


def _who(request: web.Request) -> str | None:
    """Return the operator in the query string; None where none is named.

    Raises:
        RequestError: It is no name.
    """
    name = request.query.get("who")
    if name is not None and not name.isprintable():
        raise RequestError("query parameter who is no name")
    return name


def _cells(entry: TrailEntryOut) -> Sequence[str]:
    told = entry.model_dump(mode="json")
    told["at"] = datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="milliseconds")
    told["roles"] = " ".join(entry.roles)
    return ["" if value is None else _safe(str(value)) for value in told.values()]


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: Sequence[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().encode()
