"""The bulletin over mutual TLS: what counts, what does not, and what is kept over a restart."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from certs.errors import CertificateError
from certs.pem import read_certificates, read_crls, read_signing_key
from certs.pki import Pki, issue_service
from certs.signed import Purpose, sign_document
from certs.tls import SepContext
from hems.bulletin import MOST_BULLETIN, Bulletin, FirmwareRange
from hems.clock import SystemClock
from hems.emg.feeds.feed import Feed
from hems.emg.feeds.line import Line, LineError
from hems.emg.feeds.reader import Believed
from hems.emg.feeds.tally import Tally
from hems.emg.threats.rules.finding import Threat
from hems.headend.enterprise.book import BulletinBook
from hems.headend.server import HeadEnd
from hems.headend.store import Store as HeadEndStore
from hems.security_event import EventKind, SecurityEvent
from hems.store.store import Store, open_store
from tests.hems.feeds.conftest import Operator, Serve
from tests.web.surface import ScriptedClock

NOW = 1_800_000_000.0
BAD = {"manufacturer": "Acme", "model": "Sun 5", "versions": ["1.3"], "why": "it can be taken over"}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "home.sqlite", SystemClock())
    yield opened
    await opened.close()


@dataclass
class Hub:
    """A hub's feed, and what it notes."""

    feed: Feed
    noted: list[SecurityEvent] = field(default_factory=list)

    @property
    def kinds(self) -> list[EventKind]:
        return [event.kind for event in self.noted]


MakeHub = Callable[[str], Hub]


@pytest.fixture
def make_hub(store: Store, pki: Pki, tls: SepContext) -> MakeHub:
    def make(url: str) -> Hub:
        noted: list[SecurityEvent] = []
        roots, crls = read_certificates(pki.trust.roots), read_crls(pki.trust.crls)
        feed = Feed(
            store.settings,
            Line(url, tls, within_s=5.0),
            lambda: Believed(roots, crls),
            SystemClock(),
            900.0,
            note=noted.append,
            chance=random.SystemRandom(),
        )
        return Hub(feed, noted)

    return make


@pytest.mark.requirement("L2-FEED")
async def test_a_bulletin_is_taken_up_once_and_kept(
    head_end: HeadEnd, operator: Operator, make_hub: MakeHub
) -> None:
    hub = make_hub(head_end.addresses.base_url)
    await hub.feed.look()
    assert (hub.feed.bulletin, hub.noted) == (None, [])  # there is none yet
    await operator.says(firmware=BAD)
    await hub.feed.look()
    assert hub.feed.bulletin is not None
    assert [each.versions for each in hub.feed.bulletin.firmware] == [("1.3",)]
    await hub.feed.look()
    assert hub.kinds == [EventKind.FEED]
    again = make_hub("https://127.0.0.1:9")  # a restart, and nobody can be reached
    await again.feed.load()
    await again.feed.look()
    assert again.feed.bulletin == hub.feed.bulletin
    assert again.noted == []


async def test_what_is_withdrawn_is_gone_with_the_next_bulletin(
    head_end: HeadEnd, operator: Operator, make_hub: MakeHub
) -> None:
    name = await operator.says(firmware=BAD)
    hub = make_hub(head_end.addresses.base_url)
    await hub.feed.look()
    status, _ = await operator.ask("DELETE", f"/bulletin/entries/{name}")
    assert status == 200
    await hub.feed.look()
    assert hub.feed.bulletin is not None
    assert hub.feed.bulletin.firmware != ()  # not published yet
    await operator.ask("POST", "/bulletin/publish")
    await hub.feed.look()
    assert hub.feed.bulletin.firmware == ()
    assert (await operator.ask("DELETE", f"/bulletin/entries/{name}"))[0] == 404


async def test_bulletins_outlive_the_head_end(operator: Operator, head_end: HeadEnd) -> None:
    await operator.says(firmware=BAD)
    book = head_end.enterprise.book
    assert book is not None
    settings = head_end._settings
    assert settings.bulletins is not None
    store = await HeadEndStore.open(settings.database)
    again = BulletinBook(store, settings.bulletins, time.time)
    await store.load()
    assert again.published == book.published
    assert [each.firmware for each in again.entries] == [FirmwareRange.model_validate(BAD)]
    await store.close()


async def test_a_stranger_gets_no_bulletin_and_tells_nothing(
    head_end: HeadEnd, operator: Operator, stranger_tls: SepContext
) -> None:
    await operator.says(firmware=BAD)
    line = Line(head_end.addresses.base_url, stranger_tls)
    with pytest.raises(LineError, match="403"):
        await line.get("bulletin", MOST_BULLETIN, kind="application/jose")
    with pytest.raises(LineError, match="403"):
        await line.post("statistics", b"{}", "application/json")


def _made(number: int, issued: float, lasting_s: float = 3600.0, **more: object) -> bytes:
    bulletin = Bulletin.model_validate(
        {
            "enterprise": "Utility",
            "number": number,
            "issued": issued,
            "expires": issued + lasting_s,
            **more,
        }
    )
    return bulletin.model_dump_json().encode()


def _signed(pki: Pki, body: bytes, name: str = "bulletins") -> bytes:
    files = pki.identity(name)
    chain = read_certificates(files.certificate)
    return sign_document(body, Purpose.BULLETIN, read_signing_key(files.key), chain)


@dataclass
class Enterprise:
    """One that says whatever a test wants."""

    url: str
    says: bytes = b""
    asked: list[Mapping[str, str]] = field(default_factory=list)


@pytest.fixture
async def hostile(serve: Serve) -> Enterprise:
    async def handler(request: web.Request) -> web.StreamResponse:
        made.asked.append(dict(request.headers))
        return web.Response(body=made.says, content_type="application/jose")

    made = Enterprise("")
    made.url = await serve(handler)
    return made


def _now() -> float:
    return datetime.now(UTC).timestamp()


@pytest.mark.requirement("L2-FEED")
async def test_an_older_bulletin_is_refused_also_after_a_restart(
    pki: Pki, hostile: Enterprise, make_hub: MakeHub
) -> None:
    older, newer = _signed(pki, _made(6, _now())), _signed(pki, _made(7, _now()))
    hub = make_hub(hostile.url)
    hostile.says = newer
    await hub.feed.look()
    again = make_hub(hostile.url)
    await again.feed.load()
    hostile.says = older
    for _ in range(3):
        await again.feed.look()
    assert again.kinds == [EventKind.REPLAY]  # said once, not at every look
    assert again.feed.bulletin is not None
    assert again.feed.bulletin.number == 7


@pytest.mark.requirement("L2-FEED")
async def test_a_number_stands_for_one_bulletin(
    pki: Pki, hostile: Enterprise, make_hub: MakeHub
) -> None:
    """Nobody between hub and enterprise may choose among several of one number."""
    body = _made(7, _now(), firmware=[BAD])
    hub = make_hub(hostile.url)
    hostile.says = _signed(pki, body)
    await hub.feed.look()
    hostile.says = _signed(pki, body)  # another signature of the same
    await hub.feed.look()
    assert hub.kinds == [EventKind.FEED]
    hostile.says = _signed(pki, _made(7, _now()))
    await hub.feed.look()
    assert hub.kinds == [EventKind.FEED, EventKind.REPLAY]
    assert hub.feed.bulletin is not None
    assert len(hub.feed.bulletin.firmware) == 1


@pytest.mark.parametrize(("ago_s", "why"), [(7200.0, "is over"), (-7200.0, "of a time to come")])
async def test_a_bulletin_out_of_its_time_is_refused(
    pki: Pki, hostile: Enterprise, make_hub: MakeHub, ago_s: float, why: str
) -> None:
    hub = make_hub(hostile.url)
    hostile.says = _signed(pki, _made(1, _now() - ago_s))
    await hub.feed.look()
    assert hub.feed.bulletin is None
    assert hub.kinds == [EventKind.FEED_REFUSED]
    assert why in hub.noted[0].text


async def test_one_that_ends_counts_no_more(
    pki: Pki, hostile: Enterprise, make_hub: MakeHub
) -> None:
    hub = make_hub(hostile.url)
    hostile.says = _signed(pki, _made(1, _now(), 0.5))
    await hub.feed.look()
    assert hub.feed.bulletin is not None
    assert hub.feed.lapsed is None
    await asyncio.sleep(0.6)
    assert hub.feed.bulletin is None
    assert "has ended" in (hub.feed.lapsed or "")
    hostile.says = _signed(pki, _made(2, _now()))
    await hub.feed.look()
    assert hub.feed.lapsed is None


async def test_what_nobody_may_say_is_refused(
    pki: Pki, hostile: Enterprise, make_hub: MakeHub
) -> None:
    good = _signed(pki, _made(1, _now()))
    head, body, signature = good.split(b".")
    other = _signed(pki, _made(2, _now())).split(b".")[1]
    hub = make_hub(hostile.url)
    for says in (
        b"",
        b"<html>",
        head + b"." + other + b"." + signature,
        head + b"." + body + b".",
        _signed(pki, b"{}"),
        _signed(pki, b'{"number": NaN}'),
    ):
        hostile.says = says
        await hub.feed.look()
        assert hub.feed.bulletin is None
    assert set(hub.kinds) == {EventKind.FEED_REFUSED}
    hostile.says = good
    await hub.feed.look()
    assert hub.kinds[-1] is EventKind.FEED


def test_the_utilitys_own_certificate_signs_no_bulletin(pki: Pki) -> None:
    with pytest.raises(CertificateError, match="may not sign"):
        _signed(pki, _made(1, _now()), "utility")


async def test_a_bulletin_without_end_is_refused(serve: Serve, make_hub: MakeHub) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 100_000_000:
            await response.write(b"A" * 65536)
            await asyncio.sleep(0)
            sent += 65536
        return response

    hub = make_hub(await serve(endless))
    await hub.feed.look()
    assert hub.kinds == [EventKind.SERVER_REFUSED]
    assert sent < 40_000_000


async def test_a_server_that_hangs_or_leads_away_costs_nothing(
    serve: Serve, tls: SepContext
) -> None:
    over = asyncio.Event()

    async def hanging(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("away"):
            raise web.HTTPFound("http://127.0.0.1:1/")
        await over.wait()
        return web.Response()

    line = Line(await serve(hanging), tls, within_s=0.5)
    with pytest.raises(LineError, match="does not answer within"):
        await line.get("bulletin", 10, kind="application/jose")
    over.set()
    with pytest.raises(LineError, match="302"):
        await line.get("away", 10, kind="application/jose")


async def test_another_homes_certificate_makes_no_server(
    pki: Pki, tls: SepContext, serve: Serve
) -> None:
    """Homes hang under the same root; without a name of its own none is the enterprise."""

    async def handler(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x")

    if not pki.identity("elsewhere").certificate.exists():
        issue_service(pki, "elsewhere", hosts=["elsewhere.example"])
    for name in ("stranger", "elsewhere"):
        url = await serve(handler, name)
        with pytest.raises(LineError) as caught:
            await Line(url, tls).get("bulletin", 10, kind="*/*")
        assert caught.value.hostile


@pytest.mark.requirement("L3-MONITOR")
async def test_days_in_numbers_are_told_once_they_are_over(
    head_end: HeadEnd, operator: Operator, store: Store, tls: SepContext
) -> None:
    clock = ScriptedClock(_now())
    line = Line(head_end.addresses.base_url, tls)
    devices = [("Acme", "Sun 5", "1.4"), ("Acme", "Sun 5", "1.4"), ("Voltly", "B\n2", "")]
    tally = Tally(
        store.settings, clock, line, lambda: devices, "0.1.0", chance=random.SystemRandom()
    )
    await tally.load()
    for kind in (EventKind.LOGIN_FAILED, EventKind.LOGIN_FAILED, EventKind.CONNECTION):
        tally.note(SecurityEvent(kind, "the secret name of Mrs Smith, 192.0.2.7", "smith"))
    tally.found(Threat.GUESSING)
    for _ in range(100):  # what a device is told each second would tell how a home lives
        tally.note(SecurityEvent(EventKind.SETPOINT, "x", "battery"))
    await tally.look()
    assert (await operator.ask("GET", "/statistics"))[1]["homes"] == []
    clock.at += -clock.now() % 86400 - 1  # the day's last second
    await tally.look()
    assert (await operator.ask("GET", "/statistics"))[1]["homes"] == []
    clock.at += 6 * 3600
    again = Tally(store.settings, clock, line, lambda: devices, "0.1.0")  # after a restart
    await again.load()
    await again.look()
    told = (await operator.ask("GET", "/statistics"))[1]
    counts = {"login-failed": 2, "connection": 1, "threat-guessing": 1}
    assert [each["events"] for each in told["homes"]] == [counts]  # type: ignore[attr-defined]
    assert {"manufacturer": "Acme", "model": "Sun 5", "firmware": "1.4", "count": 2} in told[
        "devices"
    ]  # type: ignore[operator]
    body = again.of(datetime.fromtimestamp(clock.now(), UTC).date()).decode()
    assert "Smith" not in body
    assert "192.0.2.7" not in body


async def test_without_consent_nothing_is_counted_nor_kept(store: Store) -> None:
    clock = ScriptedClock(NOW)
    tally = Tally(store.settings, clock, None, list, "0.1.0")
    await tally.load()
    tally.note(SecurityEvent(EventKind.LOGIN_FAILED, "x"))
    await tally.look()
    assert "feed statistics" not in await store.settings.all()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"day": "2026-13-01", "software": "1"}',
        b'{"day": "2020-01-01", "software": "1"}',
        b'{"day": "2026-01-01", "software": "1", "events": {"UPPER": 1}}',
        b'{"day": "2026-01-01", "software": "1", "events": {"x": -1}}',
        b'{"day": "2026-01-01", "software": "1", "events": {"x": 1e400}}',
        b"{" + b" " * 20_000 + b"}",
    ],
)
async def test_numbers_that_are_none_are_refused(
    head_end: HeadEnd, operator: Operator, tls: SepContext, body: bytes
) -> None:
    with pytest.raises(LineError, match="answers 4"):
        await Line(head_end.addresses.base_url, tls).post("statistics", body, "application/json")
    assert (await operator.ask("GET", "/statistics"))[1]["homes"] == []


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"firmware": BAD, "device": {"trusted": False, "manufacturer": "A", "why": "x"}},
        {"firmware": {**BAD, "versions": []}},
        {"alert": {"id": "a b", "severity": "warning", "text": "x"}},
        {"alert": {"id": "a", "severity": "loud", "text": "x"}},
        {"alert": {"id": "a", "severity": "warning", "text": "x", "networks": ["0.0.0.0/0"]}},
        {"alert": {"id": "a", "severity": "warning", "text": "x", "networks": ["::/0"]}},
        {"alert": {"id": "a", "severity": "warning", "text": "x\u202e"}},
        {"severity": {"kind": "no kind", "severity": "info"}},
    ],
)
async def test_the_operators_mistakes_are_told(
    operator: Operator, entry: dict[str, object]
) -> None:
    status, answer = await operator.ask("POST", "/bulletin/entries", entry)
    assert status == 422
    assert answer["error"]
    assert (await operator.ask("GET", "/bulletin"))[1]["entries"] == []
