"""A fleet on a real database behind a real operator's door, with time that a test sets."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from hems.headend.book import Book
from hems.headend.errors import RequestError
from hems.headend.fleet.assembly import Fleet, assemble_fleet
from hems.headend.fleet.records import Actor, Role
from hems.headend.fleet.settings import FleetSettings
from hems.headend.modes import Edition, ProgramKind
from hems.headend.operator_door import MAX_BODY, refusal
from hems.headend.programmes import Programmes
from hems.headend.records import Program
from hems.headend.store import Store

START = 1_800_000_000.0
KIND = "1.3.6.1.4.1.32473.1"
ENGINEER = Actor("Erika", Role.ENGINEER)


def lfdi_of(number: int) -> str:
    return f"{number:040X}"


class TestClock:
    """Time as a test says it."""

    __test__ = False

    def __init__(self) -> None:
        self.at = START

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@dataclass
class Desk:
    """One worker's fleet, and who asks at its door."""

    store: Store
    book: Book
    fleet: Fleet
    clock: TestClock
    revoked: set[str]
    url: str = ""
    token: str = "token"
    actor: Actor = ENGINEER
    _session: aiohttp.ClientSession | None = field(default=None, repr=False)

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        if self._session is None:
            headers = {"Authorization": f"Bearer {self.token}"}
            self._session = aiohttp.ClientSession(self.url, headers=headers)
        data = None if body is None else json.dumps(body)
        async with self._session.request(method, path, data=data) as answer:
            return answer.status, await answer.json()

    async def good(self, method: str, path: str, body: object = None) -> Any:
        status, answer = await self.ask(method, path, body)
        assert status in {200, 201}, answer
        return answer

    async def bad(self, status: int, method: str, path: str, body: object = None) -> str:
        got, answer = await self.ask(method, path, body)
        assert got == status, answer
        return str(answer["error"])

    async def grid(self) -> None:
        """Enter a system, a feeder, two transformers and a site on each."""
        await self.good(
            "POST",
            "/fleet/groups",
            {
                "groups": [
                    {"id": "tx-1", "kind": "transformer", "parent": "feeder-1"},
                    {"id": "tx-2", "kind": "transformer", "parent": "feeder-1"},
                    {"id": "feeder-1", "kind": "feeder", "parent": "system"},
                    {"id": "system", "kind": "system", "name": "All of it"},
                ]
            },
        )
        for number in (1, 2):
            await self.good("PUT", f"/fleet/sites/site-{number}", {"group": f"tx-{number}"})

    async def enrolled(self, number: int = 1, site: str | None = "site-1") -> str:
        """Enter a hub with an identity; returns its id."""
        wish = {"kind": KIND, "serial": f"{number:04x}", "lfdi": lfdi_of(number), "site": site}
        return str((await self.good("POST", "/fleet/hubs", wish))["id"])

    async def operating(self, number: int = 1, site: str = "site-1") -> str:
        """Take a hub all the way; returns its id."""
        hub = await self.enrolled(number, site)
        place = f"/fleet/hubs/{hub}"
        await self.good("POST", f"{place}/commissioning", record(self.clock.now()))
        await self.good("POST", f"{place}/state", {"to": "commissioned"})
        await self.good("PUT", f"{place}/licence", {"number": f"L-{number}"})
        await self.good("POST", f"{place}/state", {"to": "operating"})
        return hub

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


def record(at: float) -> dict[str, object]:
    """A commissioning test that was passed."""
    names = ("identity", "registration", "event", "readings", "limits", "safe-state")
    return {
        "tested_by": "Tina Test",
        "witnessed_by": "Willi Witness",
        "checks": [{"name": name, "passed": True} for name in names],
        "at": at,
        "document": "ab" * 32,
    }


async def open_desk(
    database: Path | str, clock: TestClock, settings: FleetSettings | None = None
) -> Desk:
    """Open one worker's fleet, without a door yet."""
    store = await Store.open(database)
    programs = (Program(1, "Peak Saver", "0" * 32, 1, ProgramKind.DER),)
    book = Book(store, Programmes(store, programs, clock, 40732), clock, 40732)
    revoked = set[str]()
    desk: Desk

    fleet = assemble_fleet(
        store,
        book,
        clock.now,
        settings or FleetSettings(),
        Edition.CSIP_AUS,
        revoked=revoked.__contains__,
        who=lambda _request: desk.actor,
        used=lambda name: "programme Peak Saver" if name == "feeder-used" else None,
    )
    await store.load()
    desk = Desk(store, book, fleet, clock, revoked)
    return desk


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
async def desk(database: Path | str, clock: TestClock) -> AsyncIterator[Desk]:
    """A fleet behind its door, empty."""
    opened = await open_desk(database, clock)
    runner = web.AppRunner(door_of(opened), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    opened.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield opened
    await opened.aclose()
    await runner.cleanup()
    await opened.store.close()


def door_of(desk: Desk) -> web.Application:
    """The fleet's doors as the head-end's operator door has them."""

    @web.middleware
    async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except RequestError as error:
            return refusal(error.status, str(error))

    app = web.Application(middlewares=[errors], client_max_size=MAX_BODY)
    for door in desk.fleet.doors:
        app.add_routes(door.routes())
    return app
