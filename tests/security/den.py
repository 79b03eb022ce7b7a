"""A running hub whose utility and whose devices are in an attacker's hands."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from certs.pki import Pki
from certs.tls import server_context
from hems.commands.stage import LOOPBACK
from tests.faults.bench import Bench, Hub, copy_pki, house
from tests.faults.scripted import LyingUtility
from tests.hems.sep2.utility import serving
from tests.security.attack import Cycle, Where
from tests.security.forging import revoke_some
from tests.security.relay import Relay, relayed
from tests.security.street import HOUSE, Page, Tail, ended, token_in
from tests.waiting import until

Act = Callable[[web.Request], Awaitable[web.StreamResponse]]
_DEVICES: Final = ("meter", "pv", "battery", "water_heater")
_ASKED: Final = ("GET /dcap", "GET /tm", "GET /edev", "GET /edev/1/fsa")
_BACK_WITHIN_S: Final = 75.0
_BY_THOUSANDS: Final = 1000


class Hostile(LyingUtility):
    """A utility that does at some paths what no good one does.

    Attributes:
        acts: Who answers instead, by path.
        seen: How often each path was asked for.
    """

    def __init__(self, lfdi: str) -> None:
        super().__init__(lfdi)
        self.acts: dict[str, Act] = {}
        self.seen: dict[str, int] = {}

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.seen[request.path] = self.seen.get(request.path, 0) + 1
        act = self.acts.get(request.path) if request.method == "GET" else None
        return await (super()._answer(request) if act is None else act(request))


@dataclass
class Den:
    """See the module.

    Attributes:
        hub: The hub.
        page: Its page.
        bench: The simulated house.
        utility: The utility.
        way: The wire to it.
        wires: The wires to devices, by device.
        elsewhere: Where the hub has no business: its calls are counted.
        pki: Everybody's keys.
        folder: For what attackers make.
    """

    hub: Hub
    page: Page
    bench: Bench
    utility: Hostile
    way: Relay
    wires: Mapping[str, Relay]
    elsewhere: Relay
    pki: Pki
    folder: Path
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(_BY_THOUSANDS))
    _tail: Tail = field(init=False)
    _since: float = 0.0

    def __post_init__(self) -> None:
        self._tail = Tail(self.hub.child.log)

    def mark(self) -> None:
        """Have `lines` return what is written from now on."""
        self._tail.mark()
        self._since = time.time()

    async def lines(self, where: Where) -> list[str]:
        """Return the lines of a log since the mark."""
        if where is Where.SECURITY:
            return await self.page.security(since=self._since)
        return self.hub.log.splitlines() if where is Where.HUB_RUN else self._tail.lines()

    def logs(self) -> list[str]:
        """Return what the hub has written since the mark."""
        return self._tail.lines()

    async def cycle(self) -> Cycle:
        """Return how the control cycle stands."""
        return await self.page.cycle()

    async def asks(self, path: str) -> None:
        """Wait until the utility has been asked once more for something."""
        before = self.utility.asked.count(f"GET {path}")

        async def times() -> int:
            return self.utility.asked.count(f"GET {path}") - before

        await until(times, bool, _BACK_WITHIN_S, f"{path} is asked for once more")

    async def connected(self) -> str:
        """Wait until the utility, which is honest again, has been asked all that it is asked."""
        before = {path: self.utility.asked.count(path) for path in _ASKED}

        async def missing() -> list[str]:
            return [path for path in _ASKED if self.utility.asked.count(path) == before[path]]

        await until(missing, lambda paths: not paths, _BACK_WITHIN_S, "asked once more")
        home = await until(
            self.hub.home,
            lambda home: home.utility.state == "connected",
            _BACK_WITHIN_S,
            "connected again",
        )
        return home.utility.state

    async def obeys(self) -> str:
        """Have the honest utility ask for an event, and wait for the hub's answer to it."""
        self.honest()
        await self.connected()
        mrid = f"{next(self._numbers):08X}"
        self.utility.shed(mrid)

        async def codes() -> list[tuple[str, int | None]]:
            return self.utility.codes

        await until(
            codes, lambda found: (mrid, 1) in found, _BACK_WITHIN_S, "an answer to an event"
        )
        self.utility.shed(None)
        return "event received"

    def honest(self) -> None:
        """Have the utility be honest."""
        self.utility.lies.clear()
        self.utility.acts.clear()
        self.utility.redirects.clear()
        self.utility.faults.clear()
        self.utility.ahead_s = 0.0
        if self.way.attacker is not None:
            self.way.taken_over(None)

    async def well(self, device: str) -> str:
        """Wait until a device, whose wire is free again, is read."""
        if device in self.wires:
            self.wires[device].taken_over(None)

        async def quality() -> str:
            return (await self.hub.home()).tile(device).quality

        return await until(
            quality, lambda q: q == "good", _BACK_WITHIN_S, f"{device} is read again"
        )

    def files(self, name: str) -> Path:
        """Return where somebody may keep files."""
        place = self.folder / name
        place.mkdir(exist_ok=True)
        return place


@asynccontextmanager
async def den(folder: Path, pki: Pki) -> AsyncIterator[Den]:
    """Run a den while the context lasts; its hub must end well."""
    theirs = folder / "attackers"
    await asyncio.to_thread(theirs.mkdir, parents=True)
    own = await asyncio.to_thread(copy_pki, pki, folder / "pki")
    await asyncio.to_thread(revoke_some, own)
    async with AsyncExitStack() as stack:
        bench = await stack.enter_async_context(house(folder, own, HOUSE))
        utility = Hostile(bench.hub_lfdi)
        context = server_context(own.identity("utility"), own.trust)
        await stack.enter_async_context(serving(utility, context))
        way = await stack.enter_async_context(relayed(urlsplit(utility.base).port or 0))
        wires = {
            name: await stack.enter_async_context(relayed(bench.ports[name])) for name in _DEVICES
        }
        bench.ports = {**bench.ports, **{name: wire.port for name, wire in wires.items()}}
        elsewhere = await stack.enter_async_context(relayed(way.port))
        dcap = f"https://{LOOPBACK}:{way.port}/dcap"
        hub = bench.prepare(bench.config(dcap))
        stack.push_async_callback(hub.child.stop)
        await hub.start()
        session = await stack.enter_async_context(aiohttp.ClientSession())
        page = Page(hub.page, token_in(hub.child.log.parent), session)
        made = Den(hub, page, bench, utility, way, wires, elsewhere, own, theirs)
        await made.connected()
        yield made
        await ended(hub.child)
