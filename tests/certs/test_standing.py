"""What holds while revocation cannot be learned: the rule as a table, and on real connections."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from certs import issue
from certs.errors import PeerError
from certs.hwname import HardwareName
from certs.issue import Authority, Validity
from certs.pem import read_certificates
from certs.pki import Pki, init_pki, issue_device, issue_service, renew_crls, revoke
from certs.standing import STRICT, Answers, Policy, Standing, mark, standing, verdict
from certs.tls import SepContext, client_context, server_context

pytestmark = [pytest.mark.requirement("L2-KEYS"), pytest.mark.requirement("L1-AUTH")]

WAIT_S = 20.0
HOUR = 3600.0
SOFT = Policy(hard=False)
HARD = Policy(hard=True, grace_s=72 * HOUR)


@pytest.mark.parametrize(
    ("after_s", "soft", "hard", "strict"),
    [
        (-1.0, Standing.KNOWN, Standing.KNOWN, Standing.KNOWN),
        (0.0, Standing.KNOWN, Standing.KNOWN, Standing.KNOWN),
        (1.0, Standing.OVERDUE, Standing.OVERDUE, Standing.UNKNOWN),
        (72 * HOUR, Standing.OVERDUE, Standing.OVERDUE, Standing.UNKNOWN),
        (72 * HOUR + 1, Standing.OVERDUE, Standing.UNKNOWN, Standing.UNKNOWN),
        (9e9, Standing.OVERDUE, Standing.UNKNOWN, Standing.UNKNOWN),
    ],
)
def test_the_rule(after_s: float, soft: Standing, hard: Standing, strict: Standing) -> None:
    known_until = 1_800_000_000.0
    now = known_until + after_s
    assert standing(known_until, now, SOFT) is soft
    assert standing(known_until, now, HARD) is hard
    assert standing(known_until, now, STRICT) is strict


@given(
    known=st.floats(0, 4e9),
    first=st.floats(0, 4e9),
    later=st.floats(0, 4e9),
    grace=st.floats(0, 1e7),
)
def test_nothing_gets_better_by_waiting(
    known: float, first: float, later: float, grace: float
) -> None:
    order = list(Standing)
    first, later = sorted((first, later))
    for policy in (SOFT, Policy(hard=True, grace_s=grace)):
        assert order.index(standing(known, first, policy)) <= order.index(
            standing(known, later, policy)
        )


class Papers:
    """A chain of three, and what is known of it."""

    now = datetime(2026, 3, 1, tzinfo=UTC)

    def __init__(self) -> None:
        lasting = Validity.since(self.now, timedelta(days=3650))
        self.root = issue.issue_authority("root", lasting, path_length=1)
        self.ca = issue.issue_authority("ca", lasting, issuer=self.root, path_length=0)
        key = issue.new_key().public_key()
        leaf = issue.issue_device(self.ca, key, HardwareName("1.2.3", b"1"), lasting)
        self.chain = [leaf, self.ca.certificate, self.root.certificate]

    def list(
        self, of: Authority, days: float, *gone: x509.Certificate
    ) -> x509.CertificateRevocationList:
        entries = [issue.revocation(each.serial_number, self.now) for each in gone]
        return issue.issue_crl(of, entries, self.now, timedelta(days=days))

    def day(self, days: float) -> float:
        return (self.now + timedelta(days=days)).timestamp()


papers = Papers()
LEAF, CA = (mark(each) for each in papers.chain[:2])


@pytest.mark.parametrize(
    ("lists", "told", "day", "expected", "worst"),
    [
        ((30, 30), (None, None), 10, Standing.KNOWN, None),
        ((30, 5), (None, None), 10, Standing.OVERDUE, 0),  # the CA's own list tells of the leaf
        ((5, 30), (None, None), 10, Standing.OVERDUE, 1),
        ((30, 5), (None, None), 20, Standing.UNKNOWN, 0),
        ((30, 5), (21, None), 20, Standing.KNOWN, None),  # either source is enough
        ((5, 5), (21, None), 20, Standing.UNKNOWN, 1),
        ((5, 5), (21, 21), 20, Standing.KNOWN, None),
        ((5, 5), (11, 11), 12, Standing.OVERDUE, None),
        ((5, 5), (11, 11), 22, Standing.UNKNOWN, None),
    ],
)
def test_lists_and_answers_stand_in_for_each_other(
    lists: tuple[float, float],
    told: tuple[float | None, float | None],
    day: float,
    expected: Standing,
    worst: int | None,
) -> None:
    """Days until which the lists of root and CA hold, and the answers on leaf and CA."""
    crls = [papers.list(papers.root, lists[0]), papers.list(papers.ca, lists[1])]
    known = {LEAF: told[0], CA: told[1]}
    answers = Answers({name: papers.day(d) for name, d in known.items() if d is not None})
    policy = Policy(hard=True, grace_s=10 * 86400.0)
    found = verdict(papers.chain, crls, answers, papers.day(day), policy)
    assert found.standing is expected
    if worst is not None:
        assert found.certificate == papers.chain[worst]
    assert verdict(papers.chain, crls, answers, papers.day(day), SOFT).standing in {
        Standing.KNOWN,
        Standing.OVERDUE,
    }


@pytest.mark.parametrize("day", [1, 100, 3000])
@pytest.mark.parametrize("policy", [SOFT, HARD, STRICT])
def test_revoked_is_revoked_for_ever_by_either(day: float, policy: Policy) -> None:
    clean = [papers.list(papers.root, 30), papers.list(papers.ca, 30)]
    listed = [papers.list(papers.root, 30), papers.list(papers.ca, 30, papers.chain[0])]
    told = Answers({LEAF: papers.day(4000)}, frozenset({CA}))
    for crls, answers in ((listed, Answers()), (clean, told)):
        found = verdict(papers.chain, crls, answers, papers.day(day), policy)
        assert found.standing is Standing.REVOKED


async def echoed(server: ssl.SSLContext, client: ssl.SSLContext) -> bytes:
    async with line(server, client) as (reader, writer):
        return await say(reader, writer)


async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(b"hello\n")
    return await asyncio.wait_for(reader.readline(), WAIT_S)


@asynccontextmanager
async def line(
    server: ssl.SSLContext, client: ssl.SSLContext
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    done = asyncio.Event()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while got := await reader.readline():
                writer.write(got)
        except OSError:
            pass  # ended on either side
        finally:
            writer.close()
            done.set()

    listener = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=server)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
        try:
            yield reader, writer
        finally:
            writer.close()
            await asyncio.wait_for(done.wait(), WAIT_S)


@pytest.fixture
def old(tmp_path: Path) -> Pki:
    """A PKI whose lists have been overdue for 35 days."""
    return init_pki(tmp_path / "old", now=datetime.now(UTC) - timedelta(days=400))


def contexts(pki: Pki, policy: Policy) -> tuple[SepContext, SepContext]:
    """A server that is patient, and the client that is looked at."""
    server = server_context(pki.identity("utility"), pki.trust, policy=SOFT)
    return server, client_context(pki.identity("hub"), pki.trust, policy=policy)


async def test_overdue_lists_hold_softly_and_refuse_strictly(old: Pki) -> None:
    server, soft = contexts(old, SOFT)
    assert await echoed(server, soft) == b"hello\n"
    _, patient = contexts(old, Policy(hard=True, grace_s=36 * 86400.0))
    assert await echoed(server, patient) == b"hello\n"
    _, strict = contexts(old, STRICT)
    with pytest.raises(ssl.SSLError, match="CRL has expired"):
        await echoed(server, strict)


async def test_hard_refuses_after_its_grace_and_takes_new_lists(old: Pki) -> None:
    server, hard = contexts(old, HARD)
    with pytest.raises(PeerError, match="could not be learned for too long"):
        await echoed(server, hard)
    renew_crls(old)
    hard.reload_crls()
    assert await echoed(server, hard) == b"hello\n"


async def test_an_answer_vouches_where_lists_are_overdue(old: Pki) -> None:
    server, hard = contexts(old, HARD)
    met: list[x509.Certificate] = []
    hard.on_peer = met.extend
    with pytest.raises(PeerError):
        await echoed(server, hard)
    assert len(met) == 3, "who is refused for this alone was met: that is how it can be asked about"
    hard.learn(Answers({mark(each): time.time() + HOUR for each in met}))
    assert await echoed(server, hard) == b"hello\n"


async def test_an_open_connection_ends_when_the_grace_is_over(pki: Pki) -> None:
    server, hard = contexts(pki, HARD)
    async with line(server, hard) as (reader, writer):
        assert await say(reader, writer) == b"hello\n"
        writer.transport.get_extra_info("ssl_object").ends = time.time() - 1.0
        assert await say(reader, writer) == b"hello\n", "judged anew, and still good"
        hard.rules = type(hard.rules)(
            hard.rules.role, hard.rules.roots, (), HARD, Answers({"other": 0.0})
        )
        with pytest.raises(PeerError, match="could not be learned"):
            await say(reader, writer)


@pytest.mark.parametrize("policy", [SOFT, HARD])
async def test_who_is_on_an_overdue_list_is_refused(old: Pki, policy: Policy) -> None:
    issue_service(old, "sacked", hosts=["127.0.0.1"])
    revoke(
        old,
        read_certificates(old.identity("sacked").certificate)[0],
        now=datetime.now(UTC) - timedelta(days=390),
    )
    server = server_context(old.identity("sacked"), old.trust, policy=SOFT)
    client = client_context(old.identity("hub"), old.trust, policy=policy)
    with pytest.raises(ssl.SSLError, match="revoked"):
        await echoed(server, client)


async def test_dates_of_certificates_are_checked_while_lists_are_overdue(old: Pki) -> None:
    now = datetime.now(UTC)
    over = Validity(now - timedelta(days=2), now - timedelta(days=1))
    coming = Validity(now + timedelta(days=1), now + timedelta(days=2))
    for name, validity, said in (("over", over, "has expired"), ("soon", coming, "not yet valid")):
        issue_service(old, name, hosts=["127.0.0.1"], validity=validity)
        server = server_context(old.identity(name), old.trust, policy=SOFT)
        _, client = contexts(old, SOFT)
        with pytest.raises(PeerError, match=said):
            await echoed(server, client)


async def test_a_revocation_by_answer_ends_both_sides(pki: Pki) -> None:
    server, client = contexts(pki, HARD)
    async with line(server, client) as (reader, writer):
        assert await say(reader, writer) == b"hello\n"
        shown = read_certificates(pki.identity("utility").certificate)[0]
        client.learn(Answers(revoked=frozenset({mark(shown)})))
        with pytest.raises(PeerError, match="is revoked"):
            await say(reader, writer)
    with pytest.raises(PeerError, match="is revoked"):
        await echoed(server, client)
    visitor = issue_device(pki, "visitor")
    server.learn(Answers(revoked=frozenset({mark(read_certificates(visitor.certificate)[0])})))
    with pytest.raises(OSError):  # noqa: PT011 - however the connection ends
        await echoed(server, client_context(visitor, pki.trust))
