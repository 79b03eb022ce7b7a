"""Who is let in: unknown chargers, versions, and security profiles 1 to 3 over real TLS."""

import logging
import ssl
import time
from pathlib import Path

import aiohttp
import pytest

from der.addresses import CentralSettings, StationAddress, TlsFiles
from der.drivers.ocpp.callers import MOST_CALLERS, Caller, Callers
from der.drivers.ocpp.central import CentralSystem
from der.drivers.ocpp.link16 import V16
from der.drivers.ocpp.link201 import V201
from der.drivers.ocpp.security import refusal
from der.drivers.ocpp.station import Version
from der.errors import PermanentError
from der.model import Setpoint
from tests.der.drivers.ocpp.bench import EVSE, VERSIONS, central, settled
from tests.der.drivers.ocpp.chargers import calling, url
from tests.der.drivers.ocpp.home import charging
from tests.der.drivers.ocpp.papers import Papers

pytestmark = pytest.mark.requirement("L1-AUTH")

of_each_version = pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path / "papers")


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


@of_each_version
@pytest.mark.parametrize(
    ("identity", "password", "status", "why"),
    [
        ("CP9", "", 404, "OCPP: refused a charger: unknown identity 'CP9' from 127.0.0.1 (ocpp"),
        ("CP1", "", 401, "ev: refused a charger: no password (from 127.0.0.1)"),
        ("CP1", "wrong", 401, "ev: refused a charger: a wrong password (from 127.0.0.1)"),
    ],
)
async def test_strangers_are_refused_and_that_is_said_once(
    version: Version,
    identity: str,
    password: str,
    *,
    status: int,
    why: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    address = StationAddress("CP1", password="right")
    async with central(version, address) as (system, station):
        for _ in range(3):
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                async with calling(system.port, version.subprotocol, identity, password=password):
                    pass
            assert caught.value.status == status
        (line,) = warned(caplog)
        assert line.startswith(why)
        async with calling(system.port, version.subprotocol, password="right"):
            await station.arrived()


@of_each_version
async def test_unknown_callers_are_remembered_for_a_scan(version: Version) -> None:
    async with central(version) as (system, _):
        before = time.time()
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with calling(system.port, version.subprotocol, "garage"):
                pass
        (caller,) = system.callers
        assert (caller.identity, caller.remote, caller.subprotocol) == (
            "garage",
            "127.0.0.1",
            version.subprotocol,
        )
        assert before <= caller.at <= time.time()
        system.add(StationAddress("garage"), version, EVSE)
        assert system.callers == ()


def test_few_callers_are_remembered_and_none_that_makes_no_sense() -> None:
    callers = Callers()
    for number in range(3 * MOST_CALLERS):
        assert callers.note(Caller(f"CP{number}", "10.0.0.1", "", float(number)))
    known = callers.all()
    assert len(known) == MOST_CALLERS
    assert known[-1].identity == f"CP{3 * MOST_CALLERS - 1}"
    assert not callers.note(known[0])
    for identity in ("", "x" * 49, "a\nb", "\x1b[2J"):
        assert not callers.note(Caller(identity, "10.0.0.1", "", 0.0))
    assert len(callers.all()) == MOST_CALLERS


@pytest.mark.parametrize(("configured", "calls"), [(V16, V201), (V201, V16)])
async def test_a_charger_of_the_other_version_is_refused(
    configured: Version, calls: Version, caplog: pytest.LogCaptureFixture
) -> None:
    async with central(configured) as (system, station), aiohttp.ClientSession() as http:
        for _ in range(3):
            where = url(system.port, "CP1")
            async with http.ws_connect(where, protocols=(calls.subprotocol,)) as socket:
                message = await socket.receive(timeout=2)
                assert message.type is aiohttp.WSMsgType.CLOSE
        assert not station.online
        wanted, offered = configured.subprotocol, calls.subprotocol
        assert warned(caplog) == [
            f"ev: refused a charger: it offers {offered}, and is configured for {wanted}"
        ]


async def test_a_charger_that_speaks_both_is_spoken_to_as_configured() -> None:
    both = (V201.subprotocol, V16.subprotocol)
    async with (
        central(V16) as (system, _),
        aiohttp.ClientSession() as http,
        http.ws_connect(url(system.port, "CP1"), protocols=both) as socket,
    ):
        assert socket.protocol == V16.subprotocol


@of_each_version
async def test_one_listener_serves_both_versions(version: Version) -> None:
    other = V16 if version is V201 else V201
    async with central(version) as (system, first):
        second = system.add(StationAddress("CP2"), other, EVSE)
        async with (
            calling(system.port, version.subprotocol) as one,
            calling(system.port, other.subprotocol, "CP2") as two,
        ):
            await settled(one)
            await settled(two)
            assert first.online
            assert second.online


def settings(files: TlsFiles, *, certificates: bool = False) -> CentralSettings:
    return CentralSettings(tls=files, client_certificates=certificates)


@of_each_version
async def test_profile_2_is_a_password_over_tls(version: Version, papers: Papers) -> None:
    address = StationAddress("CP1", password="right")
    serves = settings(papers.issue("hub"))
    async with central(version, address, settings=serves) as (system, station):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with calling(
                system.port, version.subprotocol, password="wrong", tls=papers.caller()
            ):
                pass
        with pytest.raises(aiohttp.ClientError):  # no plain WebSockets any more
            async with calling(system.port, version.subprotocol, password="right"):
                pass
        async with calling(
            system.port, version.subprotocol, password="right", tls=papers.caller()
        ) as ev:
            await station.arrived()
            await settled(ev)


@of_each_version
@pytest.mark.parametrize(("name", "alternative"), [("CP1", ""), ("serial", "CP1")])
async def test_profile_3_is_a_certificate_that_names_the_charger(
    version: Version, papers: Papers, name: str, alternative: str
) -> None:
    serves = settings(papers.issue("hub"), certificates=True)
    async with central(version, settings=serves) as (system, station):
        shows = papers.caller(papers.issue(name, alternative))
        async with calling(system.port, version.subprotocol, tls=shows) as ev:
            await station.arrived()
            await settled(ev)


async def test_profile_3_refuses_who_is_somebody_else(
    papers: Papers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    serves = settings(papers.issue("hub"), certificates=True)
    others = Papers(tmp_path / "others")
    foreign = papers.caller(others.issue("CP1"))
    async with central(V201, settings=serves) as (system, station):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with calling(
                system.port, V201.subprotocol, tls=papers.caller(papers.issue("CP2"))
            ):
                pass
        assert caught.value.status == 401
        for shows in (papers.caller(), foreign, foreign):
            with pytest.raises((aiohttp.ClientError, ConnectionError)):
                async with calling(system.port, V201.subprotocol, tls=shows):
                    pass
        assert not station.online
        lines = warned(caplog)
        assert lines[0] == ("ev: refused a charger: its certificate is another's (from 127.0.0.1)")
        handshakes = [line for line in lines if "handshake" in line]
        assert len(handshakes) == len(set(handshakes)) == len(lines) - 1 >= 1


async def test_old_tls_is_refused(papers: Papers) -> None:
    async with central(V16, settings=settings(papers.issue("hub"))) as (system, _):
        old = papers.caller()
        old.set_ciphers("ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            async with calling(system.port, V16.subprotocol, tls=old):
                pass


@pytest.mark.parametrize("missing", ["certificate", "key", "trust"])
async def test_files_that_cannot_be_used_are_one_clear_error(
    papers: Papers, tmp_path: Path, missing: str
) -> None:
    files = papers.issue("hub")
    absent = tmp_path / "absent.pem"
    spoiled = TlsFiles(
        absent if missing == "trust" else files.trust,
        absent if missing == "certificate" else files.certificate,
        absent if missing == "key" else files.key,
    )
    system = CentralSystem(settings(spoiled, certificates=True))
    with pytest.raises(PermanentError, match=r"^OCPP central system: TLS files cannot be used: "):
        await system.start()


@pytest.mark.requirement("PRO-IP")
@of_each_version
async def test_a_simulated_charger_calls_by_each_profile(version: Version, papers: Papers) -> None:
    shown = papers.issue("ev")
    async with charging(
        version,
        settings=settings(papers.issue("hub"), certificates=True),
        password="secret",
        options=[
            ("ocpp_trust", papers.root),
            ("ocpp_certificate", shown.certificate),
            ("ocpp_key", shown.key),
        ],
    ) as ev:
        await ev.handle.write(Setpoint(2300, 600))
        await ev.draws(2290, 2310)


@pytest.mark.parametrize(
    ("authorization", "why"),
    [
        ("", "no password"),
        ("Bearer x", "a wrong password"),
        ("Basic ", "a wrong password"),
        ("Basic \udcff", "a wrong password"),
        ("basic Q1AxOnJpZ2h0", None),
    ],
)
def test_passwords(authorization: str, why: str | None) -> None:
    address = StationAddress("CP1", password="right")
    assert refusal(address, authorization, None, named=False) == why


@pytest.mark.parametrize(
    ("certificate", "comes_in"),
    [
        (None, False),
        ({}, False),
        ({"subject": "CP1"}, False),
        ({"subject": ((("organizationName", "CP1"),),)}, False),
        ({"subject": ((("commonName", "CP10"),),)}, False),
        ({"subject": ((("commonName", "CP1"),),)}, True),
        ({"subjectAltName": (("DNS", "CP1"),)}, True),
        ({"subjectAltName": (("URI", "CP1"),)}, True),
        ({"subjectAltName": (("IP Address", "CP1"),)}, False),
    ],
)
def test_certificates(certificate: dict[str, object] | None, comes_in: bool) -> None:
    why = refusal(StationAddress("CP1"), "", certificate, named=True)
    assert (why is None) is comes_in
