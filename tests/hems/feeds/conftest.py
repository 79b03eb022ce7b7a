"""An enterprise with a bulletin and firmware lists, a home with a certificate, on real sockets."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import aiohttp
import pytest
from aiohttp import web

from certs.identity import lfdi
from certs.pem import der, read_certificates
from certs.pki import Pki, init_pki, issue_device, issue_signer
from certs.signed import Purpose
from certs.tls import SepContext, server_context
from hems.emg.feeds.line import secured
from hems.headend.enterprise.settings import BulletinSettings, FirmwareSettings
from hems.headend.firmware.repository import FirmwareRepository
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    made = init_pki(tmp_path_factory.mktemp("feeds") / "pki")
    issue_device(made, "home")
    issue_device(made, "stranger")
    issue_signer(made, "bulletins", [Purpose.BULLETIN])
    return made


@pytest.fixture
def repository(tmp_path: Path) -> FirmwareRepository:
    made = FirmwareRepository(tmp_path / "lists")
    made.make(root_keys=2, threshold=2)
    return made


@pytest.fixture
def settings(pki: Pki, tmp_path: Path) -> HeadEndSettings:
    utility, signer = pki.identity("utility"), pki.identity("bulletins")
    return HeadEndSettings(
        database=tmp_path / "headend.sqlite",
        certificate=utility.certificate,
        key=utility.key,
        roots=pki.trust.roots,
        crls=pki.trust.crls,
        token_file=tmp_path / "token",
        busy_timeout_s=0.1,
        requests_per_minute=100_000,
        bulletins=BulletinSettings(certificate=signer.certificate, key=signer.key),
        firmware=FirmwareSettings(folder=tmp_path / "lists"),
    )


@dataclass(frozen=True)
class Operator:
    """Somebody at the operator's door."""

    head_end: HeadEnd
    session: aiohttp.ClientSession

    async def ask(
        self, method: str, path: str, body: object = None
    ) -> tuple[int, dict[str, object]]:
        url = self.head_end.addresses.operator_url + path
        async with self.session.request(method, url, json=body) as response:
            return response.status, {} if response.status == 204 else await response.json()

    async def says(self, **entry: object) -> str:
        """Add an entry and publish; returns the entry's id."""
        status, made = await self.ask("POST", "/bulletin/entries", entry)
        assert status == 201, made
        status, _ = await self.ask("POST", "/bulletin/publish")
        assert status == 201
        return str(made["id"])


@pytest.fixture
async def head_end(settings: HeadEndSettings) -> AsyncIterator[HeadEnd]:
    async with HeadEnd(settings) as running:
        yield running


@pytest.fixture
async def operator(head_end: HeadEnd, pki: Pki) -> AsyncIterator[Operator]:
    headers = {"Authorization": f"Bearer {head_end.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        person = Operator(head_end, session)
        own = lfdi(der(read_certificates(pki.identity("home").certificate)[0]))
        status, answer = await person.ask("POST", "/homes", {"lfdi": own, "pin": "123455"})
        assert status == 201, answer
        yield person


@pytest.fixture
def tls(pki: Pki) -> SepContext:
    """The home's TLS context."""
    return secured(pki.identity("home"), pki.trust)


@pytest.fixture
def stranger_tls(pki: Pki) -> SepContext:
    return secured(pki.identity("stranger"), pki.trust)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Serve(Protocol):
    """Starts a server that answers as a handler does; returns where it is."""

    async def __call__(self, handler: Handler, name: str = "utility") -> str: ...


@pytest.fixture
async def serve(pki: Pki) -> AsyncIterator[Serve]:
    """Start servers under certificates of the test PKI."""
    runners: list[web.AppRunner] = []

    async def start(handler: Handler, name: str = "utility") -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        context = server_context(pki.identity(name), pki.trust)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        return f"https://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()
