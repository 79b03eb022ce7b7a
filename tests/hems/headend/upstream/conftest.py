"""A utility, an aggregator that is its client, and the aggregator's homes, all on real sockets."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from certs.pki import Pki, init_pki, issue_device
from hems.clock import SystemClock
from hems.headend.db.database import Database
from hems.headend.server import HeadEnd
from hems.headend.sharing.model import Ability
from hems.headend.upstream.client import Upstream
from hems.headend.upstream.settings import UpstreamSettings
from hems.sep2.rules.dialect import Dialect
from tests.hems.headend.conftest import PIN, Operator
from tests.hems.headend.ours import until
from tests.hems.headend.upstream.houses import House, Street, house, lfdi_of, settings_of

NAMES = ("home-a", "home-b", "home-c")


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    made = init_pki(tmp_path_factory.mktemp("upstream") / "pki")
    for name in (*NAMES, "aggregator"):
        issue_device(made, name)
    return made


@pytest.fixture
async def utility(pki: Pki, tmp_path: Path) -> AsyncIterator[HeadEnd]:
    async with HeadEnd(settings_of(pki, tmp_path / "utility")) as running:
        yield running


@pytest.fixture
async def operator(utility: HeadEnd, pki: Pki) -> AsyncIterator[Operator]:
    """The utility's operator, who has entered the aggregator."""
    person = Operator(utility)
    body = {"lfdi": lfdi_of(pki, "aggregator"), "pin": PIN, "edition": "csip-aus"}
    status, answer = await person.ask("POST", "/homes", body)
    assert status == 201, answer
    yield person
    await person.aclose()


@pytest.fixture
async def houses(pki: Pki, tmp_path: Path) -> AsyncIterator[Sequence[House]]:
    """Three homes that can shed 2 kW each."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                house(pki, name, tmp_path / name, Ability("", 2000, need_w=2000))
            )
            for name in NAMES
        ]


@pytest.fixture
def street(houses: Sequence[House]) -> Street:
    return Street(houses)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = await Database.open(tmp_path / "aggregator.sqlite", busy_timeout_s=5)
    yield made
    await made.close()


Run = Callable[..., AbstractAsyncContextManager[Upstream]]


@pytest.fixture
def run(utility: HeadEnd, pki: Pki, database: Database, street: Street) -> Run:
    """Run the aggregator while a context lasts; again and again on one database."""
    identity = pki.identity("aggregator")

    @contextlib.asynccontextmanager
    async def start(**changes: Any) -> AsyncIterator[Upstream]:
        settings = UpstreamSettings(
            **{
                "url": utility.addresses.dcap_url,
                "certificate": identity.certificate,
                "key": identity.key,
                "roots": pki.trust.roots,
                "crls": pki.trust.crls,
                "pin": PIN,
                "edition": Dialect.CSIP_AUS,
                "look_s": 0.2,
                "poll_least_s": 0.2,
                "again_s": 0.5,
                "end_s": 1,
                "post_s": 1,
                **changes,
            }
        )
        upstream = Upstream(
            settings, database, street, SystemClock(), alarm=logging.getLogger(__name__).warning
        )
        task = asyncio.create_task(upstream.run())
        try:
            await until(lambda: upstream.state.state == "connected")
            yield upstream
            assert not task.done(), "the aggregator died"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return start
