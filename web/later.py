"""Parts of the API that are loaded when somebody first asks them something.

A page shows few of its views on most days, and some of them once in years: their shapes, and what
they alone need of the home, are not to be in memory meanwhile, nor to be loaded at each start.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NoReturn

from aiohttp import web
from yarl import URL

from web.operation import Part, limits, routes

UNDER: Final[Mapping[str, Sequence[str]]] = {
    "access_api": ("/api/first", "/api/login", "/api/logout", "/api/me"),
    "agent_api": ("/api/agent",),
    "archive_api": ("/api/backup", "/api/restore", "/api/wipe"),
    "barred_api": ("/api/security/barred",),
    "bill_api": ("/api/bill",),
    "consents_api": ("/api/consents",),
    "device_api": ("/api/callers", "/api/devices"),
    "factors_api": (
        "/api/me/app",
        "/api/me/codes",
        "/api/me/factors",
        "/api/me/passkeys",
        "/api/me/proof",
    ),
    "found_api": ("/api/devices", "/api/found"),
    "history_api": ("/api/history",),
    "island_api": ("/api/island",),
    "lan_api": ("/api/lan",),
    "metrics_api": ("/metrics",),
    "money_api": ("/api/money",),
    "needs_api": ("/api/appliances", "/api/cars", "/api/needs"),
    "people_api": ("/api/people", "/api/tokens", "/api/trail"),
    "plan_api": ("/api/plan",),
    "programmes_api": ("/api/programmes", "/api/settlement.csv", "/api/settlement.jsonl"),
    "push_api": ("/api/push",),
    "reserves_api": ("/api/reserves",),
    "security_api": ("/api/alarms", "/api/security"),
    "security_log_api": ("/api/security/log",),
    "settings_api": ("/api/settings",),
    "setup_api": ("/api/setup",),
    "time_api": ("/api/time",),
    "trust_api": ("/api/trust",),
    "updates_api": ("/api/updates",),
    "visibility_api": ("/api/accesses", "/api/grants"),
}
"""The paths under which a module of this package answers: known before it is loaded."""


class Later:
    """A part that is made at the first request for a path under which it answers.

    Args:
        module: By its name in `UNDER`.
        make: Makes the part, and loads what that takes; called in a thread, at most once.
    """

    def __init__(self, module: str, make: Callable[[], Part]) -> None:
        self.under: Final = UNDER[module]
        self._make = make
        self._making = asyncio.Lock()
        self._part: Part | None = None
        self._resources: Sequence[web.AbstractResource] = ()

    async def part(self) -> Part:
        """Return the part."""
        async with self._making:
            if self._part is None:
                self._part = await asyncio.to_thread(self._make)
            return self._part

    async def resources(
        self, largest: dict[tuple[str, str], int]
    ) -> Sequence[web.AbstractResource]:
        """Return where the part answers.

        Args:
            largest: Where the part's own limits of bodies are written (`web.security.LIMITS`).
        """
        part = await self.part()
        if not self._resources:
            router = web.UrlDispatcher()
            router.add_routes(routes(part))
            largest.update(limits([part]))
            self._resources = tuple(router.resources())
        return self._resources

    def join(self, router: web.UrlDispatcher, largest: dict[tuple[str, str], int]) -> None:
        """Have a server answer by this part, too.

        Args:
            router: The server's.
            largest: See `resources`.
        """
        for path in self.under:
            router.register_resource(_Under(path, self, largest))


class _Under(web.AbstractResource):
    """All paths under one, for the server's router; what a part does not answer, another may."""

    def __init__(self, path: str, later: Later, largest: dict[tuple[str, str], int]) -> None:
        super().__init__()
        self._path = path
        self._later = later
        self._largest = largest

    @property
    def canonical(self) -> str:
        return self._path

    async def resolve(
        self, request: web.Request
    ) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        allowed: set[str] = set()
        for resource in await self._later.resources(self._largest):
            found, methods = await resource.resolve(request)
            if found is not None:
                return found, methods
            allowed |= methods
        return None, allowed

    def raw_match(self, path: str) -> bool:
        del path
        return False  # else the router would add its own routes to this one

    def get_info(self) -> NoReturn:
        raise NotImplementedError

    def url_for(self, **_parts: str) -> URL:
        return URL(self._path)

    def add_prefix(self, prefix: str) -> NoReturn:
        raise NotImplementedError

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        return iter(())

    def __len__(self) -> int:
        return 0
