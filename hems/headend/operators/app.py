"""The operator's door put together: accounts, trail, gate, and all that may be asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiohttp import hdrs, web

from hems.clock import Clock
from hems.headend.db.database import Database
from hems.headend.operator_api import Door
from hems.headend.operator_door import MAX_BODY
from hems.headend.operators.accounts import Accounts
from hems.headend.operators.attempts import Attempts
from hems.headend.operators.door import OperatorDoor
from hems.headend.operators.gate import Gate
from hems.headend.operators.keys import Keys
from hems.headend.operators.openapi import document
from hems.headend.operators.page import CONSOLE, ConsolePage
from hems.headend.operators.rules import Rules
from hems.headend.operators.table import table
from hems.headend.operators.trail import Trail
from hems.headend.operators.trail_door import TrailDoor
from hems.page_files import SAFE_HEADERS

_CONSOLE: Final = Path(__file__).resolve().parents[3] / "web" / "console-static"


class Contents:
    """The document of what is served, itself too.

    Args:
        doors: What else is served.
        rules: Who may ask for it.
    """

    def __init__(self, doors: Sequence[Door], rules: Rules) -> None:
        self._doors = (self, *doors)
        self._rules = rules
        self._told: Mapping[str, Any] | None = None

    def routes(self) -> list[web.RouteDef]:
        """Return where it stands."""
        return [web.get("/openapi.json", self.get_document)]

    async def get_document(self, _request: web.Request) -> web.Response:
        """Answer this document."""
        if self._told is None:  # it takes its time, and few ask for it
            routes = [route for door in self._doors for route in door.routes()]
            self._told = document(routes, self._rules)
        return web.json_response(self._told)


@dataclass(frozen=True, slots=True)
class Operators:
    """Who works at the utility. Make it before `Database.load`.

    Attributes:
        accounts: Who there is.
        keys: What lets them in.
        attempts: Counts who guesses.
        trail: What they did.
    """

    accounts: Accounts
    keys: Keys
    attempts: Attempts
    trail: Trail

    async def keep(self) -> None:
        """Forget what is over.

        Raises:
            BusyError: The database cannot do it now.
        """
        await self.keys.forget_old()
        await self.attempts.forget_old()

    def app(self, doors: Sequence[Door], token: str, *, remote: bool) -> web.Application:
        """Return the door as a web application.

        Args:
            doors: What may be asked for beside operators and the trail.
            token: The machine's own.
            remote: Whether requests may come from other machines: that token is worth nothing
                there.
        """
        rules = table()
        every: list[Door] = [
            OperatorDoor(self.accounts, self.keys, self.attempts, self.trail),
            TrailDoor(self.trail),
            *doors,
        ]
        gate = Gate(self.accounts, self.trail, rules, token)
        app = web.Application(
            middlewares=[gate.middleware(remote=remote)], client_max_size=MAX_BODY
        )
        app.on_response_prepare.append(_add_headers)
        every.append(ConsolePage(_CONSOLE))
        for door in (*every, Contents(every, rules)):
            app.add_routes(door.routes())
        return app


def operators_of(database: Database, clock: Clock) -> Operators:
    """Return a database's operators, nobody until it loads."""
    keys = Keys(database, clock)
    return Operators(
        Accounts(database, keys, clock), keys, Attempts(database, clock), Trail(database, clock)
    )


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put on every answer what keeps browsers from doing more with it than they should."""
    response.headers.update(SAFE_HEADERS)
    if not request.path.startswith(CONSOLE):
        response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
