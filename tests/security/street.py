"""A running street: a real head-end, a simulated house, and a hub with accounts for every role."""

import asyncio
import json
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from pydantic import BaseModel, ConfigDict, TypeAdapter

from certs.identity import IdentityFiles
from certs.pki import Pki
from hems.access.rights import Role
from hems.commands.child import Child
from tests.faults.bench import Line, copy_pki, whole_line
from tests.security.attack import Cycle, Where
from tests.security.forging import revoke_some

HOUSE: Final = (
    *("--fixed-load", "1600", "--pv-w", "800", "--battery-soc", "0.7"),
    *("--ev-soc", "0.3", "--ev-max-a", "16", "--ev-arrive-hour", "7.5"),
    *("--tank-temp", "40", "--room-temp", "18"),
)
_A_DAY_S: Final = 86_400.0


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Health(_Read):
    seq: int
    age_s: float


class _Row(_Read):
    seq: int
    at: float
    kind: str
    severity: str
    about: str
    source: str
    text: str
    times: int
    threat: str


class _Rows(_Read):
    rows: list[_Row]


class _Deed(_Read):
    who: str
    role: str
    origin: str
    did: str
    about: str
    outcome: int


class _Deeds(_Read):
    deeds: list[_Deed]


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody with an account at the hub."""

    name: str
    password: str
    role: Role


@dataclass
class Page:
    """A hub's page, as its own machine sees it.

    Attributes:
        url: Its address.
        token: What lets a program of that machine in.
    """

    url: str
    token: str
    session: aiohttp.ClientSession

    @property
    def host(self) -> str:
        """Where it listens."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Where it listens."""
        return urlsplit(self.url).port or 0

    async def get(self, path: str) -> bytes:
        """Return an answer to a program of the hub's own machine."""
        bearer = {"Authorization": f"Bearer {self.token}"}
        async with self.session.get(f"{self.url}{path}", headers=bearer) as answer:
            body = await answer.read()
            assert answer.ok, f"{path}: {answer.status} {body[:200]!r}"
            return body

    async def cycle(self) -> Cycle:
        """Return how the control cycle stands."""
        health = _Health.model_validate_json(await self.get("/api/health"))
        # Its age is given to the millisecond, and the answer took no time to speak of.
        return Cycle(health.seq, time.time() - health.age_s)

    async def security(self, sources: Collection[str] = (), since: float = 0.0) -> list[str]:
        """Return the security log, a line a row, the newest first.

        Args:
            sources: From where; empty for all.
            since: UTC epoch seconds from which on.
        """
        found = _Rows.model_validate_json(await self.get("/api/security/log?most=500"))
        return [
            f"{row.kind} [{row.severity}] from {row.source or '-'} about {row.about or '-'}: "
            f"{row.text}{f' ({row.threat})' if row.threat else ''}"
            for row in found.rows
            if row.at >= since and (not sources or row.source in sources)
        ]

    async def trail(self, sources: Collection[str] = ()) -> list[str]:
        """Return the trail of some sources or else all, a line a row, the newest first."""
        found = _Deeds.model_validate_json(await self.get("/api/trail?most=200"))
        return [
            f"{deed.who or 'nobody'} ({deed.role or '-'}) from {deed.origin}: {deed.did} "
            f"{deed.about} -> {deed.outcome}"
            for deed in found.deeds
            if not sources or deed.origin in sources
        ]


@dataclass
class Tail:
    """The end of a log file, from a mark on."""

    path: Path
    offset: int = 0

    def mark(self) -> None:
        """Begin here."""
        self.offset = self.path.stat().st_size if self.path.exists() else 0

    def lines(self) -> list[str]:
        """Return what has been written since."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read().decode("utf-8", "replace").splitlines()


@dataclass
class Street:
    """See the module.

    Attributes:
        line: The running line.
        page: The hub's page.
        people: An account of each role.
        folder: For what attackers make.
    """

    line: Line
    page: Page
    people: Mapping[Role, Account]
    folder: Path
    _tails: Mapping[Where, Tail] = field(init=False)
    _visits: int = 0
    _seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        stage = self.line.rig.stage
        self._tails = {Where.HUB: Tail(stage.hub.log), Where.HEAD_END: Tail(stage.headend.log)}

    @property
    def pki(self) -> Pki:
        """Everybody's keys."""
        return self.line.pki

    def mark(self) -> None:
        """Have `lines` return what is written from now on."""
        for tail in self._tails.values():
            tail.mark()
        self._seen.clear()

    async def lines(self, where: Where) -> list[str]:
        """Return the lines of a log; of the page's logs those from attackers' addresses."""
        if where is Where.SECURITY:
            return await self.page.security(self._seen)
        if where is Where.TRAIL:
            return await self.page.trail(self._seen)
        return self._tails[where].lines()

    def logs(self) -> list[str]:
        """Return what our programs have written since the mark."""
        return [line for tail in self._tails.values() for line in tail.lines()]

    async def cycle(self) -> Cycle:
        """Return how the control cycle stands."""
        return await self.page.cycle()

    def address(self) -> str:
        """Return an address of this machine from which nobody has asked yet."""
        self._visits += 1
        address = f"127.66.{self._visits // 250}.{self._visits % 250 + 1}"
        self._seen.add(address)
        return address

    def files(self, name: str) -> Path:
        """Return where somebody may keep files."""
        place = self.folder / name
        place.mkdir(exist_ok=True)
        return place


def token_in(folder: Path) -> str:
    """Return what lets a program of its own machine in at the hub that runs in a folder."""
    (file,) = folder.glob(".*.token")
    return file.read_text(encoding="utf-8").strip()


def caller(identity: IdentityFiles | None) -> ssl.SSLContext:
    """Return the TLS context of somebody who believes everybody and shows what they have."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ALL:@SECLEVEL=0")
    if identity is not None:
        context.load_cert_chain(identity.certificate, identity.key)
    return context


@asynccontextmanager
async def street(folder: Path, pki: Pki) -> AsyncIterator[Street]:
    """Run a street while the context lasts."""
    own = await asyncio.to_thread(copy_pki, pki, folder / "line" / "stage" / "pki")
    await asyncio.to_thread(revoke_some, own)
    async with whole_line(folder / "line", own, HOUSE) as line:
        stage = line.rig.stage
        token = token_in(stage.folder / "hub")
        async with aiohttp.ClientSession() as session:
            page = Page(stage.page, token, session)
            people = await _accounts(page)
            theirs = folder / "attackers"
            theirs.mkdir()
            yield Street(line, page, people, theirs)
        for child in (stage.hub, stage.headend):
            await ended(child)


async def ended(child: Child) -> None:
    """Stop a program, which must end well."""
    code = await child.stop()
    assert code == 0, f"{child.name} ended with {code}: {child.log_end()}"


async def _accounts(page: Page) -> Mapping[Role, Account]:
    """Make an account of each role, as the owner would."""
    people = {role: Account(f"The {role.value}", secrets.token_urlsafe(18), role) for role in Role}
    own = people[Role.OWNER]
    headers = {"Origin": page.url}
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(page.url, cookie_jar=jar, headers=headers) as owner:
        order: dict[str, object] = {"name": own.name, "password": own.password}
        async with owner.post("/api/first", json=order) as answer:
            assert answer.status == 201, await answer.text()
        for role, account in people.items():
            if role is Role.OWNER:
                continue
            order = {"name": account.name, "password": account.password, "role": role.value}
            order["until"] = time.time() + _A_DAY_S
            async with owner.post("/api/people", json=order) as answer:
                assert answer.status == 201, await answer.text()
    return people


def as_json(body: bytes) -> dict[str, object]:
    """Read an answer's object."""
    return TypeAdapter(dict[str, object]).validate_json(body or json.dumps({}).encode())
