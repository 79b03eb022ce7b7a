"""Whether a utility's server still counts: real TLS, a real responder, and what goes wrong."""

import asyncio
import contextlib
import random
import shutil
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp

from certs import cas
from certs.errors import PeerError
from certs.identity import Trust
from certs.ocsp import timing
from certs.ocsp.answer import MOST_OCTETS
from certs.ocsp.client import Means
from certs.ocsp.issued import Issued
from certs.ocsp.question import question as ask_about
from certs.ocsp.transport import RESPONSE_TYPE
from certs.pem import read_certificates
from certs.pki import Pki, init_pki, renew_crls, revoke
from certs.standing import Policy, Standing, Verdict
from certs.tls import client_context, server_context
from hems.clock import SystemClock
from hems.headend.ocsp.delegates import answerers
from hems.headend.ocsp.responder import DeclinedError, answer, declined
from hems.server_certificate import ServerCertificate, ServerTerms, Told
from hems.store.store import Store, open_store
from tests.certs.ocsp_papers import Draft, Signer
from tests.certs.test_standing import line, say
from tests.waiting import until

pytestmark = [pytest.mark.requirement("L2-KEYS"), pytest.mark.requirement("L1-AUTH")]

SOFT, HARD = Policy(hard=False), Policy(hard=True, grace_s=72 * 3600.0)
TERMS = ServerTerms("utility", SOFT, server="127.0.0.1")
Answers = Callable[[bytes], bytes | web.Response | Awaitable[web.Response]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Desk:
    """A responder that answers as it is told to."""

    port: int = field(default_factory=free_port)
    answers: Answers = bytes
    tls: ssl.SSLContext | None = None
    asked: list[bytes] = field(default_factory=list)
    elsewhere: int = 0

    @property
    def url(self) -> str:
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://127.0.0.1:{self.port}/ocsp"

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_post("/ocsp", self._answer)
        app.router.add_route("*", "/elsewhere", self._not_here)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=self.tls).start()
        try:
            yield
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        octets = await request.read()
        self.asked.append(octets)
        said = self.answers(octets)
        if isinstance(said, bytes):
            return web.Response(body=said, content_type=RESPONSE_TYPE)
        return said if isinstance(said, web.Response) else await said

    async def _not_here(self, _request: web.Request) -> web.Response:
        self.elsewhere += 1
        return web.Response()


def rightly(pki: Pki) -> Answers:
    """Answer as the CA's responder does."""
    who, knows = answerers(pki, time.time()), Issued(pki.folder).knows

    def said(octets: bytes) -> bytes:
        try:
            return answer(octets, who, knows, time.time(), timedelta(hours=1))
        except DeclinedError as error:
            return declined(error.status)

    return said


class Bench:
    """A hub's eye on its utility's server, which it meets on a real connection."""

    def __init__(self, pki: Pki, folder: Path, store: Store, desk: Desk) -> None:
        self.pki, self.store, self.desk = pki, store, desk
        # The hub's own lists: a revocation by the CA gets there by itself only through OCSP.
        self.trust = Trust(pki.trust.roots, folder / "hub-crls.pem")
        self.take_lists()
        self.verdicts: list[Standing] = []
        self.unasked: list[str | None] = []
        self.server = server_context(pki.identity("utility"), pki.trust, policy=SOFT)

    def take_lists(self) -> None:
        shutil.copy(self.pki.trust.crls, self.trust.crls)

    @contextlib.asynccontextmanager
    async def watching(self, terms: ServerTerms = TERMS) -> AsyncIterator["Watching"]:
        tasks: set[asyncio.Task[None]] = set()

        def judged(verdict: Verdict) -> None:
            self.verdicts.append(verdict.standing)

        eye = ServerCertificate(
            terms,
            self.trust,
            self.store.settings,
            SystemClock(),
            tell=Told(
                judged,
                self.unasked.append,
                lambda work: tasks.add(asyncio.create_task(work)),
            ),
            chance=random.SystemRandom(),
        )
        context = client_context(self.pki.identity("hub"), self.trust, policy=terms.policy)
        eye.cover(context, meets=True)
        await eye.resume()
        await eye.look()
        run = asyncio.create_task(eye.run())
        try:
            yield Watching(self, eye)
        finally:
            run.cancel()
            await asyncio.gather(run, *tasks, return_exceptions=True)
            assert run.cancelled(), "it never ends by itself"


@dataclass
class Watching:
    bench: Bench
    eye: ServerCertificate

    @contextlib.asynccontextmanager
    async def line(
        self,
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        (context,) = self.eye._contexts
        async with line(self.bench.server, context) as both:
            yield both

    async def talks(self) -> bytes:
        async with self.line() as (reader, writer):
            return await say(reader, writer)

    async def until(self, true: Callable[[], object], what: str) -> None:
        async def look() -> object:
            return true()

        await until(look, bool, 30.0, what)

    @property
    def vouched(self) -> int:
        return len(self.eye._answers.good_until)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    found = Desk()
    async with found.open():
        yield found


@pytest.fixture
async def bench(tmp_path: Path, desk: Desk) -> AsyncIterator[Bench]:
    pki = init_pki(tmp_path / "pki", ocsp=desk.url)
    desk.answers = rightly(pki)
    store = await open_store(tmp_path / "home.sqlite", SystemClock())
    yield Bench(pki, tmp_path, store, desk)
    await store.close()


@pytest.fixture
async def overdue(tmp_path: Path, desk: Desk) -> AsyncIterator[Bench]:
    """A bench whose lists have been overdue for 35 days."""
    then = datetime.now(UTC) - timedelta(days=400)
    pki = init_pki(tmp_path / "old", ocsp=desk.url, now=then)
    store = await open_store(tmp_path / "home.sqlite", SystemClock())
    yield Bench(pki, tmp_path, store, desk)
    await store.close()


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have it ask again at once."""
    monkeypatch.setattr(timing, "after_answer_s", lambda *_: 0.1)
    monkeypatch.setattr(timing, "after_failure_s", lambda *_: 0.1)


def shown(pki: Pki) -> x509.Certificate:
    return read_certificates(pki.identity("utility").certificate)[0]


async def test_a_server_is_asked_about_aside_with_its_ca(bench: Bench) -> None:
    async with bench.watching() as watching:
        assert bench.desk.asked == [], "nobody is known yet"
        assert await watching.talks() == b"hello\n"
        await watching.until(lambda: watching.vouched == 2, "server and CA were asked about")
        assert len(bench.desk.asked) == 2
        assert await watching.talks() == b"hello\n"
    async with bench.watching() as watching:
        assert watching.vouched == 2, "it is known over a restart"
    assert (bench.verdicts, bench.unasked) == ([], [])


@pytest.mark.usefixtures("often")
async def test_a_revocation_ends_the_connection_and_is_remembered(bench: Bench) -> None:
    async with bench.watching() as watching, watching.line() as (reader, writer):
        assert await say(reader, writer) == b"hello\n"
        await watching.until(lambda: watching.vouched == 2, "it counts")
        assert await say(reader, writer) == b"hello\n"
        revoke(bench.pki, shown(bench.pki))
        await watching.until(lambda: bench.verdicts, "the responder said so")
        assert bench.verdicts == [Standing.REVOKED]
        with pytest.raises(PeerError, match="is revoked"):
            await say(reader, writer)
        with pytest.raises(PeerError, match="is revoked"):
            await watching.talks()
    bench.desk.answers = lambda _octets: web.Response(status=503)
    async with bench.watching() as watching:
        assert bench.verdicts == [Standing.REVOKED, Standing.REVOKED]
        with pytest.raises(PeerError, match="is revoked"):
            await watching.talks()


@pytest.mark.usefixtures("often")
async def test_a_revoked_ca_is_found_too(bench: Bench) -> None:
    operational = cas.authority(bench.pki.ca, "operational").certificate
    async with bench.watching() as watching:
        revoke(bench.pki, operational)
        assert await watching.talks() == b"hello\n"
        await watching.until(lambda: bench.verdicts, "the responder said so")
        with pytest.raises(PeerError, match="operational CA is revoked"):
            await watching.talks()


def _signer(pki: Pki, name: str) -> Signer:
    found = cas.authority(pki.ca, name)
    return Signer(found.certificate, found.key)


def _spoken(pki: Pki, octets: bytes, **change: object) -> bytes:
    """Answer about the certificate that was asked for, but for something."""
    asked = ocsp.load_der_ocsp_request(octets)
    nonce = asked.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    known = [shown(pki), cas.authority(pki.ca, "operational").certificate]
    about = next(each for each in known if each.serial_number == asked.serial_number)
    above = "operational" if about is known[0] else "root"
    issuer = cas.authority(pki.ca, above).certificate
    question = ask_about(about, issuer)
    now = datetime.now(UTC)
    draft = Draft(
        question, _signer(pki, above), at=now, until=now + timedelta(hours=1), nonce=nonce
    )
    return replace(draft, **change).octets()  # type: ignore[arg-type] # a table's columns


async def _slowly() -> web.Response:
    await asyncio.sleep(30.0)
    return web.Response()


LONG_AGO = datetime.now(UTC) - timedelta(days=9)
UNKNOWN = ocsp.OCSPCertStatus.UNKNOWN
BAD: dict[str, tuple[Callable[[Pki, bytes], object], str]] = {
    "unknown": (lambda pki, q: _spoken(pki, q, status=UNKNOWN), "does not know"),
    "forged": (lambda pki, q: _spoken(pki, q, signer=_signer(pki, "mica")), "CA"),
    "stale": (
        lambda pki, q: _spoken(pki, q, at=LONG_AGO, until=LONG_AGO + timedelta(days=1)),
        "held until",
    ),
    "replayed": (lambda pki, q: _spoken(pki, q, nonce=b"\1" * 32), "nonce differs"),
    "another": (
        lambda pki, q: _spoken(pki, q, about=cas.authority(pki.ca, "mica").certificate),
        "another certificate",
    ),
    "huge": (
        lambda *_: web.Response(body=bytes(MOST_OCTETS + 1), content_type=RESPONSE_TYPE),
        "longer than",
    ),
    "endless": (
        lambda *_: web.Response(body=bytes(10_000_000), content_type=RESPONSE_TYPE),
        "longer than",
    ),
    "slow": (lambda *_: _slowly(), "does not answer within"),
    "elsewhere": (
        lambda *_: web.Response(status=302, headers={"Location": "/elsewhere"}),
        "status 302",
    ),
    "page": (lambda *_: web.Response(text="Login"), "no responder"),
    "declined": (lambda *_: declined(ocsp.OCSPResponseStatus.TRY_LATER), "try later"),
    "garbage": (lambda *_: b"0\x82", "damaged"),
}


@pytest.mark.parametrize("what", BAD)
async def test_a_bad_answer_changes_nothing_and_is_said_once(
    bench: Bench, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, said = BAD[what]
    if what == "slow":
        hurried = partial(Means, within_s=0.3)
        monkeypatch.setattr("hems.server_certificate.Means", hurried)
    good = bench.desk.answers
    bench.desk.answers = lambda octets: make(bench.pki, octets)  # type: ignore[assignment,return-value] # a table
    async with bench.watching() as watching:
        assert await watching.talks() == b"hello\n"
        await watching.until(lambda: len(watching.eye._failures) == 2, "both were asked about")
        assert len(bench.unasked) == 1
        assert said in str(bench.unasked[0])
        assert await watching.talks() == b"hello\n"
        assert (watching.vouched, bench.verdicts, bench.desk.elsewhere) == (0, [], 0)
        bench.desk.answers = good
        watching.eye._due.clear()
        watching.eye._wake.set()
        await watching.until(lambda: watching.vouched == 2, "it answers again")
        await watching.until(lambda: bench.unasked[-1] is None, "that is said")
    assert len(bench.unasked) == 2


async def test_an_older_responder_knows_its_ca_by_sha1(bench: Bench) -> None:
    good = bench.desk.answers

    def older(octets: bytes) -> bytes:
        if isinstance(ocsp.load_der_ocsp_request(octets).hash_algorithm, hashes.SHA256):
            return declined(ocsp.OCSPResponseStatus.UNAUTHORIZED)
        said = good(octets)
        assert isinstance(said, bytes)
        return said

    bench.desk.answers = older
    async with bench.watching() as watching:
        assert await watching.talks() == b"hello\n"
        await watching.until(lambda: watching.vouched == 2, "it was asked the older way")


async def test_soft_goes_on_with_what_was_known_and_says_so(overdue: Bench) -> None:
    overdue.desk.answers = lambda _octets: web.Response(status=503)
    async with overdue.watching() as watching:
        assert await watching.talks() == b"hello\n"
        await watching.until(lambda: overdue.verdicts == [Standing.OVERDUE], "it is said")
        assert await watching.talks() == b"hello\n"
        renew_crls(overdue.pki)
        overdue.take_lists()
        await watching.eye.look()
        assert overdue.verdicts == [Standing.OVERDUE, Standing.KNOWN]


@pytest.mark.usefixtures("often")
async def test_hard_ends_after_its_grace_and_goes_on_by_itself(overdue: Bench) -> None:
    overdue.desk.answers = lambda _octets: web.Response(status=503)
    async with overdue.watching(replace(TERMS, policy=HARD)) as watching:
        with pytest.raises(PeerError, match="could not be learned"):
            await watching.talks()
        await watching.until(lambda: overdue.verdicts == [Standing.UNKNOWN], "it is said")
        with pytest.raises(PeerError, match="could not be learned"):
            await watching.talks()
        overdue.desk.answers = rightly(overdue.pki)  # the responder is back, the lists are not
        await watching.until(lambda: overdue.verdicts[-1] is Standing.KNOWN, "it counts again")
        assert await watching.talks() == b"hello\n"
    overdue.desk.answers = lambda _octets: web.Response(status=503)
    async with overdue.watching(replace(TERMS, policy=HARD)) as watching:
        assert await watching.talks() == b"hello\n", "the answer holds over a restart"
    overdue.verdicts.clear()
    patient = Policy(hard=True, grace_s=40 * 86400.0)
    async with overdue.watching(replace(TERMS, policy=patient)) as watching:
        assert await watching.talks() == b"hello\n"


async def test_hard_knows_it_at_the_start_before_any_connection(overdue: Bench) -> None:
    async with overdue.watching(replace(TERMS, asks=False)) as watching:
        assert await watching.talks() == b"hello\n"
        await watching.until(lambda: overdue.verdicts == [Standing.OVERDUE], "the chain is kept")
    overdue.verdicts.clear()
    async with overdue.watching(replace(TERMS, asks=False, policy=HARD)):
        assert overdue.verdicts == [Standing.UNKNOWN]
    assert overdue.desk.asked == []


async def test_nobody_is_called_for_a_chain_that_is_not_proven(
    bench: Bench, tmp_path: Path, desk: Desk
) -> None:
    stranger = init_pki(tmp_path / "stranger", ocsp=desk.url)
    bench.server = server_context(stranger.identity("utility"), bench.pki.trust)
    async with bench.watching() as watching:
        with pytest.raises(OSError, match="certificate verify failed"):
            await watching.talks()
        assert watching.eye._memory.chain == ()
    assert desk.asked == []


@pytest.mark.parametrize(
    ("terms", "asked"),
    [
        (replace(TERMS, server="utility.example"), False),
        (replace(TERMS, server=""), False),
        (replace(TERMS, server="192.168.1.9"), False),
        (replace(TERMS, server="localhost"), True),
        (replace(TERMS, asks=False), False),
    ],
)
async def test_no_certificate_sends_the_hub_further_into_the_home(
    bench: Bench, terms: ServerTerms, asked: bool
) -> None:
    async with bench.watching(terms) as watching:
        assert await watching.talks() == b"hello\n"
        await watching.until(lambda: watching.eye._memory.chain, "the chain is known")
        if asked:
            await watching.until(lambda: watching.vouched == 2, "it is asked about")
        else:
            assert await watching.eye._ask_due() > 0.0
    assert bool(bench.desk.asked) is asked


async def test_the_owner_may_say_who_is_asked(bench: Bench) -> None:
    other = Desk(answers=bench.desk.answers)
    async with (
        other.open(),
        bench.watching(replace(TERMS, server="utility.example", responder=other.url)) as watching,
    ):
        assert await watching.talks() == b"hello\n"
        await watching.until(lambda: watching.vouched == 2, "it is asked about there")
    assert (len(other.asked), bench.desk.asked) == (2, [])


async def test_a_responder_may_stand_under_the_utilitys_own_root(bench: Bench) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own = bench.pki.identity("utility")
    tls.load_cert_chain(own.certificate, own.key)
    other = Desk(answers=bench.desk.answers, tls=tls)
    async with (
        other.open(),
        bench.watching(replace(TERMS, responder=other.url)) as watching,
    ):
        assert await watching.talks() == b"hello\n"
        await watching.until(lambda: watching.vouched == 2, "it is asked about by https")


async def test_what_is_remembered_may_be_damaged(bench: Bench) -> None:
    for text in ("", "{}", "[]", '{"chain": "x", "good_until": {}, "revoked": []}'):
        await bench.store.settings.put("revocation utility", text)
        async with bench.watching() as watching:
            assert await watching.talks() == b"hello\n"


async def test_a_chain_of_a_root_that_is_trusted_no_more_is_forgotten(
    bench: Bench, tmp_path: Path
) -> None:
    async with bench.watching() as watching:
        assert await watching.talks() == b"hello\n"
        await watching.until(lambda: watching.vouched == 2, "it is known")
    other = init_pki(tmp_path / "other")
    bench.trust = Trust(other.trust.roots, other.trust.crls)
    async with bench.watching() as watching:
        assert watching.eye._memory.chain == ()
