"""A hub that is stopped, harmed and started again, and what stands beside it on its disk."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from certs.pki import Pki
from certs.tls import server_context
from tests.faults.bench import Bench, Hub, house
from tests.faults.scripted import LyingUtility
from tests.hems.sep2.utility import serving
from tests.security.attack import Cycle, Where
from tests.security.street import HOUSE, Page, Tail, ended, token_in
from tests.waiting import until

_WITHIN_S: Final = 40.0


@dataclass
class Vault:
    """See the module.

    Attributes:
        hub: The hub.
        page: Its page.
        store: The folder of its store.
        kept: The same as it was when the hub had been stopped in order.
        folder: For what attackers make.
        pki: Everybody's keys.
        record: What parts that stand alone have said to their `Note`.
    """

    hub: Hub
    page: Page
    store: Path
    kept: Path
    folder: Path
    pki: Pki
    record: list[str] = field(default_factory=list)
    _run: int = 0
    _last: Cycle | None = None
    _down: bool = False
    _tail: Tail = field(init=False)
    _since: float = 0.0

    def __post_init__(self) -> None:
        self._tail = Tail(self.hub.child.log)

    def mark(self) -> None:
        """Have `lines` return what is written from now on."""
        self._tail.mark()
        self._since = time.time()
        self.record.clear()

    async def lines(self, where: Where) -> list[str]:
        """Return the lines of a log since the mark; of the trail all."""
        if where is Where.RECORD:
            return self.record
        if where is Where.SECURITY:
            return await self.page.security(since=self._since)
        if where is Where.TRAIL:
            return await self.page.trail()
        return self._tail.lines()

    def logs(self) -> list[str]:
        """Return what the hub has written since the mark."""
        return self._tail.lines()

    async def cycle(self) -> Cycle:
        """Return how the control cycle stands; while the hub is stopped as it stood last."""
        if self._down and self._last is not None:
            return self._last
        found = await self.page.cycle()
        self._last = Cycle(found.seq, found.at, self._run)
        return self._last

    async def stop(self) -> None:
        """Stop the hub in order; it must end well."""
        self._down = True
        await ended(self.hub.child)

    async def start(self) -> None:
        """Start the hub (again)."""
        await self.hub.start()
        self._run += 1
        self.page.url = self.hub.page
        self.page.token = token_in(self.hub.child.log.parent)
        self._down = False

    async def harmed(self, harm: Callable[[Path], None]) -> None:
        """Have the hub's disk harmed while it is stopped, and start it."""
        await self.stop()
        await asyncio.to_thread(harm, self.store)
        await self.start()

    async def restored(self) -> None:
        """Put the store back as it was, and start the hub."""
        await self.stop()
        await asyncio.to_thread(self._put_back)
        await self.start()

    def _put_back(self) -> None:
        shutil.rmtree(self.store)
        shutil.copytree(self.kept, self.store)

    async def alarm(self, words: str) -> str:
        """Wait for an alarm with these words."""

        async def found() -> list[str]:
            return [alarm for alarm in (await self.hub.home()).alarms if words in alarm]

        return (await until(found, bool, _WITHIN_S, f"an alarm: {words}"))[0]

    def fresh(self, name: str) -> Path:
        """Return an empty folder."""
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        return place


@asynccontextmanager
async def vault(folder: Path, pki: Pki) -> AsyncIterator[Vault]:
    """Run a vault while the context lasts."""
    theirs = folder / "attackers"
    await asyncio.to_thread(theirs.mkdir, parents=True)
    async with AsyncExitStack() as stack:
        bench: Bench = await stack.enter_async_context(house(folder, pki, HOUSE))
        utility = LyingUtility(bench.hub_lfdi)
        context = server_context(pki.identity("utility"), pki.trust)
        await stack.enter_async_context(serving(utility, context))
        store = folder / "store"
        more = f'[store]\npath = "{store / "hems.db"}"\n'
        hub = bench.prepare(bench.config(f"{utility.base}/dcap", more=more))
        stack.push_async_callback(hub.child.stop)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        made = Vault(hub, Page("", "", session), store, folder / "kept", theirs, pki)
        await made.start()
        await hub.state("connected")
        # Something bearing on security, so that there are rows that an attacker wants gone.
        for number in range(5):
            async with session.get(f"{made.page.url}/wp-login-{number}.php") as answer:
                assert answer.status == 404, answer.status
        await made.stop()
        shutil.copytree(store, made.kept)
        await made.start()
        yield made
        await ended(hub.child)
