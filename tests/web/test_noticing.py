"""What nobody of the house asks is noted; who is barred gets no answer, unless they are known."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from hems.access.rights import Role, Who
from hems.emg.threats.barrier import Barrier
from hems.security_event import EventKind, SecurityEvent
from tests.web.surface import ScriptedClock, ScriptedHome
from web.noticing import Sentinel
from web.operation import OpenDoor
from web.server import serving
from web.settings import WebSettings

pytestmark = pytest.mark.requirement("L2-EVENTS")

SOURCE = "127.0.0.1"


class _Open(Barrier):
    """A barrier that may be closed to this machine, as it never is in a hub."""

    def close(self, source: str, until: float, why: str = "") -> bool:
        self._until[source] = until, why
        return True


@dataclass
class Known(OpenDoor):
    """A door at which everybody has logged in, or nobody has."""

    role: Role | None

    async def who(self, request: web.Request) -> Who | None:
        del request
        return None if self.role is None else Who("Ada", self.role)


@dataclass
class Seen:
    """What was noted."""

    events: list[SecurityEvent] = field(default_factory=list)
    barrier: Barrier = field(default_factory=_Open)
    clock: ScriptedClock = field(default_factory=ScriptedClock)

    @asynccontextmanager
    async def page(self, role: Role | None = Role.OWNER) -> AsyncIterator[str]:
        """Serve the page; yields its address."""
        clock = self.clock
        sentinel = Sentinel(clock, self.events.append, self.barrier)
        async with serving(
            ScriptedHome(), WebSettings(port=0), clock, (), Known(role), sentinel=sentinel
        ) as url:
            yield url


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "kind"),
    [
        ("GET", "/api/home", {"Host": "evil.example"}, 421, EventKind.REQUEST_REFUSED),
        ("GET", "/api/home", {"Sec-Fetch-Site": "cross-site"}, 403, EventKind.REQUEST_REFUSED),
        ("POST", "/api/wishes", {"Origin": "https://evil"}, 403, EventKind.REQUEST_REFUSED),
        ("GET", "/wp-login.php", {}, 404, EventKind.REQUEST_MALFORMED),
        ("GET", "/../../etc/passwd", {}, 404, EventKind.REQUEST_MALFORMED),
        ("DELETE", "/api/home", {}, 405, EventKind.REQUEST_MALFORMED),
        ("GET", "/api/history?start=x", {}, 400, EventKind.REQUEST_MALFORMED),
    ],
)
async def test_what_is_refused_is_noted(
    method: str, path: str, headers: dict[str, str], status: int, kind: EventKind
) -> None:
    seen = Seen()
    async with (
        seen.page() as url,
        aiohttp.ClientSession() as session,
        session.request(method, f"{url}{path}", headers=headers) as answer,
    ):
        assert answer.status == status
    (event,) = seen.events
    assert (event.kind, event.source) == (kind, SOURCE)
    assert event.about.startswith(method)
    assert len(event.about) < 140


async def test_what_is_asked_without_the_right_to_it_is_noted() -> None:
    seen = Seen()
    async with (
        seen.page(None) as url,
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/home") as answer,
    ):
        assert answer.status == 401
    assert [event.kind for event in seen.events] == [EventKind.REQUEST_REFUSED]


async def test_what_the_page_asks_is_not_noted() -> None:
    seen = Seen()
    async with (
        seen.page() as url,
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/home") as answer,
    ):
        assert answer.status == 200
    assert seen.events == []


@pytest.mark.parametrize(("role", "status"), [(None, 429), (Role.HOUSEHOLD, 200)])
async def test_who_is_barred_is_answered_once_they_have_logged_in(
    role: Role | None, status: int
) -> None:
    seen = Seen()
    seen.barrier.close(SOURCE, seen.clock.monotonic() + 590.0)
    async with (
        seen.page(role) as url,
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/home") as answer,
    ):
        assert answer.status == status
        said = await answer.json()
    if role is None:
        assert "Try again in 10 min" in said["error"]
    assert seen.events == []  # what is barred is not counted on
