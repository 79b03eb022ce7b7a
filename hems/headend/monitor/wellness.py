"""Whether a worker is well, in a word, for load balancers and service managers: no login."""

from typing import Final

from aiohttp import web
from pydantic import BaseModel
from sqlalchemy import Connection, func, select

from hems.clock import Clock
from hems.headend.errors import BusyError, RequestError
from hems.headend.models import ChangeRow
from hems.headend.operator_door import json_answer
from hems.headend.store import Store
from hems.knocks import Knocks

LIVE: Final = "/health/live"
READY: Final = "/health/ready"
FAR_BEHIND: Final = 1000
"""A worker that has so many changes of others still to read answers homes from the past."""


class StateOut(BaseModel):
    """One word: "ok", "database" where that cannot be asked, or "behind" its other workers."""

    status: str


class OftenError(RequestError):
    """Asked too often."""

    status = 429


class Wellness:
    """Tells whether a worker answers, and whether it can do what it is asked.

    Args:
        store: What it needs for that.
        clock: Where the time comes from.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._knocks = Knocks()

    def routes(self) -> list[web.RouteDef]:
        """Return where this stands."""
        return [web.get(LIVE, self.get_live), web.get(READY, self.get_ready)]

    async def get_live(self, request: web.Request) -> web.Response:
        """Answer whether the worker answers at all."""
        self._count(request)
        return json_answer(StateOut(status="ok"))

    async def get_ready(self, request: web.Request) -> web.Response:
        """Answer whether the worker can serve homes now; with status 503 where it cannot."""
        self._count(request)

        def look(connection: Connection) -> int:
            return connection.execute(select(func.max(ChangeRow.number))).scalar_one() or 0

        try:
            behind = await self._store.inquire(look) - self._store.changes.seen
        except BusyError:
            return json_answer(StateOut(status="database"), 503)
        far = behind > FAR_BEHIND
        return json_answer(StateOut(status="behind" if far else "ok"), 503 if far else 200)

    def _count(self, request: web.Request) -> None:
        if self._knocks.too_many(request.remote or "", self._clock.monotonic()):
            raise OftenError("this was asked too often within a second")
