"""The page on the home's network: HTTPS over real sockets, and what plain HTTP gives away."""

import asyncio
import plistlib
import re
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from cryptography import x509

from certs.page import fingerprint
from tests.waiting import until
from tests.web.lan import OUTSIDE, OnNetwork, on_network
from tests.web.surface import ScriptedClock, ScriptedHome
from web.lan_api import LanApi
from web.server import serving
from web.settings import WebSettings

pytestmark = [pytest.mark.requirement("ROLE-UI")]
DAY_S = 86_400.0


class SetClock:
    """A clock that is set by hand."""

    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[OnNetwork]:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "trust.html").write_text("<title>shell</title>")
    (static / "assets" / "a.js").write_text("1")
    (static / "private.txt").write_text("not the shell's")
    async with on_network(tmp_path, names=("hub.lan",)) as hub:
        yield hub


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


async def test_a_client_that_trusts_the_authority_is_served(
    hub: OnNetwork, client: aiohttp.ClientSession
) -> None:
    async with client.get(f"{hub.https}/api/home", ssl=hub.trusting()) as answer:
        assert answer.status == 200
        assert "Strict-Transport-Security" not in answer.headers
        assert (await answer.json())["devices"]


async def test_a_client_that_does_not_trust_it_gets_nothing(
    hub: OnNetwork, client: aiohttp.ClientSession
) -> None:
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await client.get(f"{hub.https}/api/home")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_it_speaks_tls_1_2_and_1_3_with_ciphers_of_today(
    hub: OnNetwork, version: ssl.TLSVersion
) -> None:
    context = hub.trusting()
    context.minimum_version = context.maximum_version = version
    address = urlsplit(hub.https)
    _, writer = await asyncio.open_connection(OUTSIDE, address.port, ssl=context)
    cipher = writer.get_extra_info("cipher")[0]
    writer.close()
    await writer.wait_closed()
    assert "GCM" in cipher or "CHACHA20" in cipher


async def test_it_speaks_nothing_older(hub: OnNetwork) -> None:
    context = hub.trusting()
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(OUTSIDE, urlsplit(hub.https).port, ssl=context)


@pytest.mark.parametrize(
    "path", ["/api/home", "/api/stream", "/devices", "/private.txt", "/api/history?day=2026-06-17"]
)
async def test_plain_http_from_the_network_only_shows_the_way(
    hub: OnNetwork, client: aiohttp.ClientSession, path: str
) -> None:
    async with client.get(f"{hub.http}{path}", allow_redirects=False) as answer:
        assert answer.status == 307
        assert answer.headers["Location"] == f"{hub.https}{path}"


async def test_its_first_page_by_plain_http_is_how_to_trust_it(
    hub: OnNetwork, client: aiohttp.ClientSession
) -> None:
    async with client.get(hub.http, headers={"Accept": "text/html"}) as answer:
        assert answer.status == 200
        assert answer.url.path == "/trust"
        assert f"connect-src 'self' {hub.https};" in answer.headers["Content-Security-Policy"]
        assert "shell" in await answer.text()


@pytest.mark.parametrize("path", ["/assets/a.js", "/api/lan", "/api/lan/code.svg"])
async def test_what_that_page_needs_is_there(
    hub: OnNetwork, client: aiohttp.ClientSession, path: str
) -> None:
    async with client.get(f"{hub.http}{path}", allow_redirects=False) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("path", ["/api/../api/home", "/assets/../api/home", "/api/lan/../home"])
async def test_no_detour_leads_to_the_home(hub: OnNetwork, path: str) -> None:
    address = urlsplit(hub.http)
    reader, writer = await asyncio.open_connection(OUTSIDE, address.port)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n".encode()
    )
    answer = await reader.read()
    writer.close()
    assert not answer.startswith(b"HTTP/1.1 200")
    assert b"net_w" not in answer


async def test_nobody_steers_by_plain_http(hub: OnNetwork, client: aiohttp.ClientSession) -> None:
    async with client.post(
        f"{hub.http}/api/devices/car/wish", json={"power_w": 0, "seconds": 60}
    ) as answer:
        assert answer.status == 403
        assert "HTTPS" in (await answer.json())["error"]


async def test_this_machine_is_served_as_ever(
    hub: OnNetwork, client: aiohttp.ClientSession
) -> None:
    async with client.get(f"{hub.here}/api/home") as answer:
        assert answer.status == 200


@pytest.mark.parametrize("host", ["evil.example", "hems.local.evil.example"])
async def test_a_foreign_name_is_refused_by_https_too(
    hub: OnNetwork, client: aiohttp.ClientSession, host: str
) -> None:
    for url in (hub.https, hub.http):
        async with client.get(
            f"{url}/api/lan", ssl=hub.trusting(), headers={"Host": host}
        ) as answer:
            assert answer.status == 421


async def test_the_check_can_be_read_from_the_plain_page_alone_among_all_answers(
    hub: OnNetwork, client: aiohttp.ClientSession
) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with client.get(
        f"{hub.https}/trust/check", ssl=hub.trusting(), headers=headers
    ) as answer:
        assert answer.status == 204
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    async with client.get(f"{hub.https}/api/lan", ssl=hub.trusting(), headers=headers) as answer:
        assert answer.status == 403
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_it_tells_names_and_fingerprint(
    hub: OnNetwork, client: aiohttp.ClientSession
) -> None:
    async with client.get(f"{hub.http}/api/lan") as answer:
        told = await answer.json()
    assert told["page"] == f"https://hub.lan:{hub.presence.https_port}"
    assert told["trust"].endswith("/trust")
    assert OUTSIDE in told["names"]
    digest = fingerprint(hub.presence.identity.authority)
    assert told["fingerprint"] == digest.hex(":").upper()
    assert len(told["spoken"].split()) == 6


async def test_the_certificate_comes_as_each_system_takes_it(
    hub: OnNetwork, client: aiohttp.ClientSession
) -> None:
    own = hub.presence.identity.authority
    async with client.get(f"{hub.http}/api/lan/home-energy.crt") as answer:
        assert answer.content_type == "application/x-x509-ca-cert"
        assert x509.load_pem_x509_certificate(await answer.read()) == own
    async with client.get(
        f"{hub.http}/api/lan/home-energy.mobileconfig", headers={"Accept-Language": "de"}
    ) as answer:
        assert answer.content_type == "application/x-apple-aspen-config"
        profile = plistlib.loads(await answer.read())
    (inner,) = profile["PayloadContent"]
    assert inner["PayloadType"] == "com.apple.security.root"
    assert x509.load_der_x509_certificate(inner["PayloadContent"]) == own


async def test_the_code_for_the_phone_is_a_picture_without_styles(
    hub: OnNetwork, client: aiohttp.ClientSession
) -> None:
    async with client.get(f"{hub.here}/api/lan/code.svg") as answer:
        assert answer.content_type == "image/svg+xml"
        drawn = await answer.text()
    assert re.match(r"<svg xmlns=", drawn)
    assert "style" not in drawn


async def test_a_renewed_certificate_is_shown_and_open_connections_stay(tmp_path: Path) -> None:
    clock = SetClock(1_781_698_800.0)
    async with (
        on_network(tmp_path, clock=clock, look_s=0.05) as hub,
        aiohttp.ClientSession() as client,
    ):
        port = urlsplit(hub.https).port
        lax = ssl.create_default_context()
        lax.check_hostname, lax.verify_mode = False, ssl.CERT_NONE
        reader, writer = await asyncio.open_connection(OUTSIDE, port, ssl=lax)
        before = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        shown = hub.presence.identity.shown

        async def now_shown() -> x509.Certificate | None:
            return hub.presence.identity.shown

        clock.at += 25 * DAY_S
        await until(now_shown, lambda now: now is not shown, 20, "the certificate is renewed")

        writer.write(f"GET /api/lan HTTP/1.1\r\nHost: {OUTSIDE}:{port}\r\n\r\n".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 200"), "the open one goes on"
        writer.close()
        _, again = await asyncio.open_connection(OUTSIDE, port, ssl=lax)
        after = again.get_extra_info("ssl_object").getpeercert(binary_form=True)
        again.close()
        assert before != after
        async with client.get(f"{hub.https}/api/lan", ssl=lax) as answer:
            assert answer.status == 200


async def test_a_folder_that_cannot_be_written_is_said_and_the_page_stays(tmp_path: Path) -> None:
    clock = SetClock(1_781_698_800.0)
    async with on_network(tmp_path, clock=clock, look_s=0.05) as hub:
        file = tmp_path / "page" / "page.pem"
        file.unlink()
        file.mkdir()
        (file / "in the way").touch()
        clock.at += 25 * DAY_S

        async def alarms() -> list[str]:
            return [alarm for alarm in hub.alarms if alarm is not None]

        (alarm, *_) = await until(alarms, bool, 20, "it is said")
        assert "page.pem" in alarm
        lax = ssl.create_default_context()
        lax.check_hostname, lax.verify_mode = False, ssl.CERT_NONE
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"{hub.https}/api/lan", ssl=lax) as answer,
        ):
            assert answer.status == 200


async def test_a_hub_for_this_machine_alone_says_so(
    tmp_path: Path, client: aiohttp.ClientSession
) -> None:
    settings = WebSettings(port=0, static_dir=tmp_path)
    async with serving(ScriptedHome(), settings, ScriptedClock(), [LanApi(None)]) as url:
        async with client.get(f"{url}/api/lan") as answer:
            assert (await answer.json())["served"] is False
        async with client.get(f"{url}/api/lan/home-energy.crt") as answer:
            assert answer.status == 404
