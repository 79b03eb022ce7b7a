"""Our own client at our own head-end: the hub's settings, its SQLite store, real TLS."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from certs.pki import Pki
from certs.tls import client_context, server_context
from hems import wiring
from hems.clock import SystemClock
from hems.headend.records import Edition
from hems.headend.server import HeadEnd
from hems.sep2.client import Client
from hems.sep2.transport.http import Limits, Transport
from hems.sep2.walk.walker import Pace
from hems.settings.utility_section import UtilitySection
from hems.store.store import open_store
from tests.hems.headend.conftest import PIN
from tests.interop.lone import DEVICES

WITHIN_S = 20.0
_LOOK_S = 0.02
PACE = Pace(least_poll_s=30.0, default_poll_s=900, first_retry_s=0.05, longest_retry_s=0.1)
"""Polled so seldom that within a test only notifications can bring what is new."""

T = TypeVar("T")


@contextlib.asynccontextmanager
async def client(
    head_end: HeadEnd, pki: Pki, lfdi: str, edition: Edition, folder: Path
) -> AsyncIterator[Client]:
    """Run our client as home-a while the context lasts; it carries out every mode."""
    identity, trust = pki.identity("home-a"), pki.trust
    section = UtilitySection.model_validate(
        {
            "url": head_end.addresses.dcap_url,
            "certificate": identity.certificate,
            "key": identity.key,
            "trust": trust.roots,
            "crls": trust.crls,
            "pin": PIN,
            "edition": edition.value,
        }
    )
    made = wiring.client_settings(section, lfdi, DEVICES)
    settings = replace(made, pace=PACE, profile=replace(made.profile, modes=None), mirrors=())
    store = await open_store(folder / "home.db", SystemClock())
    running = Client(
        settings,
        lambda base: Transport(
            base,
            client_context(identity, trust),
            limits=Limits(total_s=5, connect_s=5),
            schema_ver=wiring.dialect(section).schema_ver,
        ),
        store.ledger,
        SystemClock(),
        random.Random(1),  # noqa: S311 - draws, not secrets
        listen_context=server_context(identity, trust),
    )
    task = asyncio.create_task(running.run())
    try:
        await until(lambda: running.state.state == "connected")
        yield running
        assert not task.done(), "the client died"
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await store.close()


async def until(look: Callable[[], T | None]) -> T:
    """Wait until something is there, and return it."""

    async def now() -> T | None:
        return look()

    return await until_told(now)


async def until_told(ask: Callable[[], Awaitable[T | None]]) -> T:
    """Wait until somebody who is asked tells of something, and return it."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            found = await ask()
            if found:
                return found
            await asyncio.sleep(_LOOK_S)
