"""A scripted home behind its real door: accounts, sessions and the trail in a real store."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from hems.access.access import Access, access
from hems.access.passwords import Hasher
from hems.emg.threats.barrier import Barrier
from hems.security_event import SecurityEvent
from hems.store.store import open_store
from tests.web.surface import ScriptedClock, ScriptedHome
from web.access_api import AccessApi
from web.consents_api import ConsentsApi
from web.door import Door
from web.factors_api import FactorsApi
from web.noticing import Sentinel
from web.operation import Part
from web.people_api import PeopleApi
from web.server import serving
from web.settings import WebSettings

GOOD = "correct horse battery"


@dataclass
class Entry:
    """A home with a door, and how to ask at it.

    Attributes:
        url: The page's address.
        rights: Who may do what.
        clock: Of the home and its accounts.
        folder: Where its store is.
        noted: What was said to bear on security.
        alarms: What all owners were told.
    """

    url: str
    rights: Access
    clock: ScriptedClock
    folder: Path
    noted: list[SecurityEvent]
    alarms: list[str]

    def visitor(self, **headers: str) -> aiohttp.ClientSession:
        """Return a browser of its own: its cookies, and the origin that it sends."""
        jar = aiohttp.CookieJar(unsafe=True)
        return aiohttp.ClientSession(
            self.url, cookie_jar=jar, headers={"Origin": self.url, **headers}
        )


@asynccontextmanager
async def entry(
    folder: Path,
    settings: WebSettings,
    forget: Callable[[str], Awaitable[None]] | None = None,
    *,
    more: Sequence[Part] = (),
    barrier: Barrier | None = None,
) -> AsyncIterator[Entry]:
    """Serve such a home while the context lasts.

    Args:
        folder: Where its store is.
        settings: How it is served.
        forget: Told who has gone.
        more: What else of it is served.
        barrier: Who may ask nothing for a while.
    """
    clock, home = ScriptedClock(), ScriptedHome()
    store = await open_store(folder / "hems.db", clock)
    # Costs of a hash that no hub would use: tests log in often.
    noted: list[SecurityEvent] = []
    alarms: list[str] = []
    rights = access(
        store.people,
        store.trail,
        folder / ".setup-code",
        clock,
        Hasher(1, 64),
        note=noted.append,
        alarm=alarms.append,
    )

    async def set_up() -> bool:
        return True

    try:
        await rights.ready()
        parts: Sequence[Part] = (
            AccessApi(rights, set_up),
            FactorsApi(rights),
            PeopleApi(rights, clock, forget),
            ConsentsApi(rights, clock),
            *more,
        )
        sentinel = Sentinel(clock, barrier=barrier)
        door = Door(rights)
        async with serving(home, settings, clock, parts, door, sentinel=sentinel) as url:
            yield Entry(url, rights, clock, folder, noted, alarms)
    finally:
        await store.close()
