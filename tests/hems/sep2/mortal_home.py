"""A home in a process of its own, on a real store, that dies by SIGKILL at a chosen moment.

    python -m tests.hems.sep2.mortal_home PKI URL STORE LFDI SFDI NUMBER

A boundary is the moment before or after a transaction of the ledger. The process kills itself at
boundary NUMBER, the first being 1; with 0 it runs until its standard input ends and then prints
how many boundaries it passed.
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from certs.pki import open_pki
from certs.tls import client_context
from hems.clock import SystemClock
from hems.sep2.book.ledger import EventRow, Ledger, ResponseRow
from hems.sep2.book.requests import Wish
from hems.sep2.client import Client
from hems.sep2.enddevice.registration import Identity
from hems.sep2.settings import ClientSettings, ClientState
from hems.sep2.transport.http import Limits, Transport
from hems.sep2.walk.walker import Pace
from hems.store.store import open_store
from tests.hems.sep2.utility import PIN

SERVER = "utility"
PACE = Pace(least_poll_s=0.1, default_poll_s=900, first_retry_s=0.05, longest_retry_s=0.1)


class MortalLedger:
    """A ledger that ends the process at a boundary of its transactions."""

    def __init__(self, ledger: Ledger, fatal: int) -> None:
        self._ledger = ledger
        self._fatal = fatal
        self.passed = 0

    def _boundary(self) -> None:
        self.passed += 1
        if self.passed == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    async def events(self) -> Sequence[EventRow]:
        return await self._ledger.events()

    async def save(self, events: Sequence[EventRow], responses: Sequence[ResponseRow]) -> None:
        self._boundary()
        await self._ledger.save(events, responses)
        self._boundary()

    async def unposted(self, server: str) -> Sequence[ResponseRow]:
        return await self._ledger.unposted(server)

    async def posted(self, response: ResponseRow, location: str) -> None:
        self._boundary()
        await self._ledger.posted(response, location)
        self._boundary()

    async def server_offset(self, server: str) -> float | None:
        return await self._ledger.server_offset(server)

    async def save_server_offset(self, server: str, offset_s: float) -> None:
        known = await self._ledger.server_offset(server)
        if known is None or abs(known - offset_s) > 1:  # a clock that stands is no new boundary
            self._boundary()
            await self._ledger.save_server_offset(server, offset_s)
            self._boundary()

    async def readdress(self, server: str, former: str, lfdi: str) -> int:
        self._boundary()
        count = await self._ledger.readdress(server, former, lfdi)
        self._boundary()
        return count


async def _end_of_input() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    await reader.read()


async def _reserve_once(client: Client, connected: asyncio.Event) -> None:
    """Ask for a flow reservation, unless an earlier life of this home has."""
    await connected.wait()
    if not client.engine.reservations:
        now = int(client.engine.server_time())
        await client.engine.reserve(Wish(7000.0, 3500.0, now, now + 100_000))


async def main(arguments: Sequence[str]) -> None:
    """Run the home."""
    folder, url, path, lfdi, sfdi, fatal = arguments
    pki = open_pki(Path(folder))
    context = client_context(pki.identity("hub"), pki.trust)
    clock = SystemClock()
    store = await open_store(Path(path), clock)
    ledger = MortalLedger(store.ledger, int(fatal))
    connected = asyncio.Event()

    def on_state(state: ClientState) -> None:
        if state.state == "connected":
            connected.set()

    client = Client(
        ClientSettings(Identity(lfdi, int(sfdi), PIN), SERVER, url, pace=PACE),
        lambda base: Transport(base, context, limits=Limits(total_s=10, connect_s=10)),
        ledger,
        clock,
        random.Random(),  # noqa: S311 - draws, not secrets
        on_state=on_state,
    )
    running = asyncio.create_task(client.run())
    wishing = asyncio.create_task(_reserve_once(client, connected))
    ended = asyncio.create_task(_end_of_input())
    await asyncio.wait([running, ended], return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        await running  # the client died, which it never does by itself: say why
    for task in (running, wishing):
        task.cancel()
    await asyncio.wait([running, wishing])
    await store.close()
    print(ledger.passed, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
