"""A home's client for tests: its certificate, its ledger, and what it was told."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from zeroconf.asyncio import AsyncZeroconf

from certs.identity import lfdi, sfdi
from certs.pem import read_certificates
from certs.pki import Pki
from certs.tls import client_context, server_context
from hems.clock import Clock, SystemClock
from hems.sep2.client import Client, ClientSettings, ClientState, ListenSettings
from hems.sep2.enddevice.readings import SeriesSpec
from hems.sep2.enddevice.registration import Identity
from hems.sep2.rules.events import Schedule
from hems.sep2.transport.http import Limits, Transport
from hems.sep2.walk.walker import Pace
from tests.hems.sep2.memory_ledger import MemoryLedger
from tests.hems.sep2.utility import PIN, Utility

MODE = "opModImpLimW"
PACE = Pace(least_poll_s=0.1, default_poll_s=900, first_retry_s=0.05, longest_retry_s=0.1)
METER = SeriesSpec("5E", "net power", uom=38)


class Home:
    """A client with its ledger; `start` it as often as a test restarts it."""

    def __init__(self, pki: Pki) -> None:
        certificate = read_certificates(pki.identity("hub").certificate)[0]
        self.pki = pki
        self.lfdi = lfdi(certificate.public_bytes(Encoding.DER))
        self.sfdi = sfdi(self.lfdi)
        self.ledger = MemoryLedger()
        self.clock: Clock = SystemClock()
        self.schedules: list[tuple[float, Schedule]] = []
        self.states: list[ClientState] = []
        self.alarms: list[str] = []
        self.members: set[int] = set()
        self._news = asyncio.Event()

    def utility(self, poll_s: int = 1) -> Utility:
        return Utility(self.lfdi, self.sfdi, default_poll_s=poll_s)

    def listen(self, port: int = 0) -> ListenSettings:
        return ListenSettings("127.0.0.1", port)

    def make(
        self, url: str | None, zeroconf: AsyncZeroconf | None = None, **changes: Any
    ) -> Client:
        settings = ClientSettings(
            identity=Identity(self.lfdi, self.sfdi, PIN),
            server="utility",
            url=url,
            pace=PACE,
            listen=ListenSettings("127.0.0.1"),
        )
        return Client(
            replace(settings, **changes),
            self._connect,
            self.ledger,
            self.clock,
            random.Random(1),  # noqa: S311 - draws, not secrets
            listen_context=server_context(self.pki.identity("hub"), self.pki.trust),
            zeroconf=zeroconf,
            on_schedule=self._on_schedule,
            on_member=self._on_member,
            on_state=self._on_state,
            alarm=self._on_alarm,
        )

    @contextlib.asynccontextmanager
    async def client(self, url: str | None, **changes: Any) -> AsyncIterator[Client]:
        async with self.following(self.make(url, **changes)) as client:
            yield client

    @contextlib.asynccontextmanager
    async def following(self, client: Client) -> AsyncIterator[Client]:
        """Have a client that was made before run."""
        task = asyncio.create_task(client.run())
        try:
            yield client
            assert not task.done(), "the client died"
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _connect(self, base: str) -> Transport:
        context = client_context(self.pki.identity("hub"), self.pki.trust)
        return Transport(base, context, limits=Limits(total_s=2, connect_s=2))

    def _on_schedule(self, schedule: Schedule) -> None:
        self.schedules.append((time.perf_counter(), schedule))
        self._news.set()

    def _on_member(self, index: int, _schedule: Schedule) -> None:
        self.members.add(index)
        self._news.set()

    def _on_state(self, state: ClientState) -> None:
        self.states.append(state)
        self._news.set()

    def _on_alarm(self, sentence: str) -> None:
        self.alarms.append(sentence)
        self._news.set()

    async def until(self, true: Callable[[], Any]) -> None:
        try:
            async with asyncio.timeout(8):
                while not true():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"never came: {self.states[-3:]} {self.alarms}") from None

    @property
    def limit_w(self) -> Any:
        """The import limit in force, None if there is none."""
        if not self.schedules or MODE not in self.schedules[-1][1].active:
            return None
        return self.schedules[-1][1].active[MODE].value

    @property
    def state(self) -> str:
        return self.states[-1].state if self.states else ""
