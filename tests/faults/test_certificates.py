"""Certificates that nobody should believe, shown to each side by the other, on real sockets."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from certs.explain import explain
from certs.identity import IdentityFiles
from certs.pem import read_certificates
from certs.pki import Pki, revoke
from certs.tls import client_context, server_context
from hems.commands.stage import free_port
from tests.faults import identities
from tests.faults.bench import Bench, Line, ask, copy_pki, whole_line, without_certificate
from tests.faults.conftest import EVENING
from tests.hems.sep2.utility import serving
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("LC-TEST"),
    pytest.mark.requirement("L1-AUTH"),
    pytest.mark.requirement("PRO-2030.5"),
]


@dataclass
class Visited:
    """A running line, and who should not be let in; None has no certificate at all."""

    line: Line
    bad: dict[str, IdentityFiles | None]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def visited(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> AsyncIterator[Visited]:
    """Run utility, house and hub, with bad identities beside the good ones."""
    folder = tmp_path_factory.mktemp("visited")
    own = copy_pki(pki, folder / "stage" / "pki")
    bad = {
        "wrong CA": identities.of_another_ca(own, "stranger", identities.device),
        "expired": identities.expired_device(own, "late"),
        "revoked": identities.revoked(own, "thief", identities.device),
        "none": None,
    }
    async with whole_line(folder, own, EVENING) as made:
        yield Visited(made, bad)


VISITS = [
    ("wrong CA", "does not trust the CA of our certificate", "not trusted"),
    ("expired", "says that our certificate has expired", "it has expired"),
    ("revoked", "says that our certificate has been revoked", "it has been revoked"),
    ("none", "got no client certificate", "the peer showed no client certificate"),
]


@pytest.mark.requirement("L2-KEYS")
@pytest.mark.parametrize(("kind", "visitor_reads", "server_says"), VISITS)
@pytest.mark.parametrize("side", ["head-end", "hub"])
async def test_a_bad_visitor_is_refused_and_the_next_good_one_is_served(
    visited: Visited, side: str, kind: str, visitor_reads: str, server_says: str
) -> None:
    line, identity = visited.line, visited.bad[kind]
    url = line.dcap if side == "head-end" else line.notify
    if identity is None:
        context = without_certificate(line.pki)
    else:
        context = client_context(identity, line.pki.trust)
    before = len(line.log(side))
    with pytest.raises(aiohttp.ClientError) as refusal:
        await ask("GET", url, context)
    assert visitor_reads in explain(refusal.value)

    async def said() -> list[str]:
        return [text for text in line.log(side)[before:] if "TLS handshake" in text]

    lines = await until(said, bool, 5.0, "a line in the log")
    assert len(lines) == 1
    assert server_says in lines[0]

    good = line.as_hub() if side == "head-end" else line.as_utility()
    status, _ = await ask("GET", url, good)
    assert status == (200 if side == "head-end" else 405)  # notifications are posted


async def test_a_home_that_is_not_registered_learns_nothing(visited: Visited) -> None:
    """Trusted by its chain alone, a certificate opens the entry and no home's resources."""
    line = visited.line
    stranger = identities.device(line.pki, "neighbour")
    context = client_context(stranger, line.pki.trust)
    status, text = await ask("GET", f"{line.base}/edev/1", context)
    assert status == 403
    assert text.count("\n") == 1
    assert "not registered" in text


async def test_a_hub_that_the_utility_does_not_know_says_so(visited: Visited, bench: Bench) -> None:
    """Believed by its chain, but registered by nobody."""
    pki, own = visited.line.pki, bench.pki.identity("hub")
    newcomer = identities.device(pki, "newcomer")
    config = bench.config(visited.line.dcap).replace(
        str(own.certificate), str(newcomer.certificate)
    )
    config = config.replace(str(own.key), str(newcomer.key))
    config = config.replace(str(bench.pki.folder), str(pki.folder))
    async with bench.running(config) as hub:
        home = await hub.state("refused", reason="403")
        assert len([alarm for alarm in home.alarms if "403" in alarm]) == 1
        await hub.goes_on()
        assert len(hub.logged("WARNING", "403")) == 1


SERVERS: dict[str, Callable[[Pki], IdentityFiles]] = {
    "not trusted": lambda pki: identities.of_another_ca(pki, "impostor", identities.service),
    "it has expired": lambda pki: identities.expired_service(pki, "lapsed"),
    "it has been revoked": lambda pki: identities.revoked(pki, "sacked", identities.service),
}


@pytest.mark.requirement("L2-KEYS")
@pytest.mark.parametrize(
    "reason",
    [
        "not trusted",
        pytest.param("it has expired", marks=pytest.mark.deep),
        pytest.param("it has been revoked", marks=pytest.mark.deep),
    ],
)
async def test_the_hub_refuses_a_bad_server_says_why_and_goes_on(
    bench: Bench, tmp_path: Path, reason: str
) -> None:
    """Then the right server comes to the same address and is taken without a restart."""
    pki = copy_pki(bench.pki, tmp_path / "pki")
    identity = SERVERS[reason](pki)
    port = free_port()
    config = bench.config(f"https://127.0.0.1:{port}/dcap")
    config = config.replace(str(bench.pki.folder), str(pki.folder))
    impostor, right = bench.utility(), bench.utility()
    async with bench.running(config) as hub:
        async with serving(impostor, server_context(identity, pki.trust), port):
            home = await hub.state("refused", reason=reason)
            assert f"127.0.0.1:{port}" in home.utility.detail
            await hub.goes_on()
            assert impostor.asked == []  # nothing was said to it
            home = await hub.home()
            assert any(reason in alarm for alarm in home.alarms)
            assert len(hub.logged("WARNING", reason)) == 1
        async with serving(right, server_context(pki.identity("utility"), pki.trust), port):
            await hub.state("connected", 30.0)


async def test_a_hub_whose_own_certificate_is_revoked_says_so(bench: Bench) -> None:
    pki = copy_pki(bench.pki, bench.folder / "revoked-pki")
    identity = identities.revoked(pki, "former-hub", identities.device)
    own = bench.pki.identity("hub")
    scripted = bench.utility()
    async with serving(scripted, server_context(pki.identity("utility"), pki.trust)):
        config = bench.config(f"{scripted.base}/dcap")
        config = config.replace(str(own.certificate), str(identity.certificate))
        config = config.replace(str(own.key), str(identity.key))
        async with bench.running(config) as hub:
            said = "the peer says that our certificate has been revoked"
            home = await hub.state("refused", reason=said)
            assert home.alarms
            await hub.goes_on()


async def test_a_server_with_another_pin_hears_nothing_more(bench: Bench) -> None:
    scripted = bench.utility()
    scripted.change("/edev/1/rg", pin=123455)
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with (
        serving(scripted, context),
        bench.running(bench.config(f"{scripted.base}/dcap")) as hub,
    ):
        await hub.state("refused", reason="registration PIN is not this home's")
        asked = list(scripted.asked)
        assert asked[-1] == "GET /edev/1/rg"
        assert not scripted.got  # no reading, no subscription, no response
        await hub.goes_on(4)
        assert scripted.asked == asked
        assert len(hub.logged("WARNING", "registration PIN")) == 1


@pytest.mark.deep
@pytest.mark.requirement("L2-KEYS")
@pytest.mark.timeout(180)
async def test_a_revocation_reaches_a_hub_that_is_connected(bench: Bench, tmp_path: Path) -> None:
    pki = copy_pki(bench.pki, tmp_path / "pki")
    scripted = bench.utility()
    server = pki.identity("utility")
    async with serving(scripted, server_context(server, pki.trust)):
        config = bench.config(f"{scripted.base}/dcap")
        config = config.replace(str(bench.pki.folder), str(pki.folder))
        async with bench.running(config) as hub:
            await hub.state("connected")
            revoke(pki, read_certificates(server.certificate)[0])
            await hub.state("refused", 90.0, "revoked")
            asked = len(scripted.asked)
            await hub.goes_on(3)
            assert len(scripted.asked) == asked
