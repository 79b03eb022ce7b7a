"""The hub reads renewed revocation lists while it runs, for both of its sides."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from certs.pem import read_certificates
from certs.pki import Pki, init_pki, issue_service, revoke
from certs.tls import client_context, server_context
from der.registry import build
from hems.clock import SystemClock
from hems.home import Home
from hems.sep2 import resources as res
from hems.sep2.errors import TrustError
from hems.sep2.transport.listener import Listener
from hems.sep2.xml import MEDIA_TYPE, serialize
from hems.settings.config import Config
from hems.settings.utility_section import UtilitySection
from hems.store.store import open_store

pytestmark = [pytest.mark.requirement("L2-KEYS"), pytest.mark.requirement("L1-AUTH")]

TIME = res.Time(
    current_time=1_800_000_000, dst_end_time=0, dst_offset=0, dst_start_time=0, quality=7,
    tz_offset=0,
)  # fmt: skip


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    made = init_pki(tmp_path / "pki")
    issue_service(made, "sacked", hosts=["127.0.0.1"])
    return made


@pytest.fixture
async def home(pki: Pki, tmp_path: Path) -> AsyncIterator[Home]:
    hub = pki.identity("hub")
    utility = UtilitySection(
        url="https://127.0.0.1:1/dcap",
        certificate=hub.certificate,
        key=hub.key,
        trust=pki.trust.roots,
        crls=pki.trust.crls,
        pin="111115",
    )
    clock = SystemClock()
    store = await open_store(tmp_path / "home.sqlite", clock)
    yield Home(Config(utility=(utility,)), clock, store, build([], now=clock.now))
    await store.close()


def sack(pki: Pki) -> None:
    revoke(pki, read_certificates(pki.identity("sacked").certificate)[0])


async def test_a_server_that_is_revoked_is_asked_nothing_more(home: Home, pki: Pki) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(body=serialize(TIME), content_type=MEDIA_TYPE)

    app = web.Application()
    app.router.add_get("/tm", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    server = server_context(pki.identity("sacked"), pki.trust)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server).start()
    client = home.grid.links[0].client
    async with client._connect(f"https://127.0.0.1:{runner.addresses[0][1]}") as transport:
        await transport.get("/tm", res.Time)
        sack(pki)
        home.refresh_certificates()
        with pytest.raises(TrustError, match="revoked"):
            await transport.get("/tm", res.Time)
    assert asked == ["/tm"]
    await runner.cleanup()


async def test_a_sender_that_is_revoked_is_heard_no_more(home: Home, pki: Pki) -> None:
    heard: list[bytes] = []

    async def handle(body: bytes, _sender: str | None) -> None:
        heard.append(body)

    client = home.grid.links[0].client
    listener = Listener(handle, client._listen_context, host="127.0.0.1")
    uri = await listener.start()
    context = client_context(pki.identity("sacked"), pki.trust)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context), headers={"Content-Type": MEDIA_TYPE}
    ) as session:
        async with session.post(uri, data=b"<one/>") as answer:
            assert answer.status == 204
        sack(pki)
        home.refresh_certificates()
        with pytest.raises(aiohttp.ClientError):
            await session.post(uri, data=b"<two/>")
    assert heard == [b"<one/>"]
    await listener.close()
