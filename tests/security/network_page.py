"""Attacks on the page as the home's network has it: by HTTPS, with a certificate of its own CA."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import aiohttp

from tests.security.attack import Attack, Kind
from tests.security.street import Street
from tests.security.visits import sent_to
from tests.web.lan import OUTSIDE, OnNetwork, on_network

_WITHIN_S: Final = 20.0
_REQUEST: Final = b"GET /api/home HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
Try = Callable[[OnNetwork], Awaitable[str]]


def served(attempt: Try) -> Callable[[Street], Awaitable[str]]:
    """Serve a page to the network, and have it attacked."""

    async def attack(street: Street) -> str:
        folder = street.files("network")
        async with on_network(folder) as page:
            return await attempt(page)

    return attack


async def _speaks(page: OnNetwork, context: ssl.SSLContext, name: str | None = None) -> str:
    """Shake hands, and ask for the home; returns what comes of it."""
    try:
        async with asyncio.timeout(_WITHIN_S):
            reader, writer = await asyncio.open_connection(
                OUTSIDE, page.presence.https_port, ssl=context, server_hostname=name or OUTSIDE
            )
            try:
                writer.write(_REQUEST)
                return (await reader.readline()).decode("latin-1") or "closed without an answer"
            finally:
                writer.close()
    except ssl.SSLCertVerificationError as error:
        return f"refused by the browser: {error.verify_message}"
    except OSError as error:  # of TLS as well
        return f"refused: {type(error).__name__}"


def _anybody(ciphers: str = "ALL:@SECLEVEL=0") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers(ciphers)
    return context


def of_version(version: ssl.TLSVersion) -> Try:
    """Speak an old version of TLS at best."""

    async def attempt(page: OnNetwork) -> str:
        context = _anybody()
        context.maximum_version = version
        return await _speaks(page, context)

    return attempt


def by_cipher(cipher: str) -> Try:
    """Offer a weak cipher, and no other."""

    async def attempt(page: OnNetwork) -> str:
        context = _anybody(f"{cipher}:@SECLEVEL=0")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return await _speaks(page, context)

    return attempt


async def plain_to_tls(page: OnNetwork) -> str:
    """Send a request in the clear to the port of HTTPS."""
    answer = await sent_to(OUTSIDE, page.presence.https_port, _REQUEST, OUTSIDE)
    assert "power" not in answer, answer[:200]
    return answer


async def plain_read(page: OnNetwork) -> str:
    """Read the home by plain HTTP, as who listens on the network would."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{page.http}/api/home", allow_redirects=False) as answer,
    ):
        text = await answer.text()
        assert "devices" not in text, text[:200]
        return f"{answer.status} {answer.headers.get('Location', '')}"


async def plain_steer(page: OnNetwork) -> str:
    """Act by plain HTTP."""
    headers = {"Origin": page.http}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{page.http}/api/wishes/ev", json={}, headers=headers) as answer,
    ):
        return f"{answer.status} {await answer.text()}"


async def other_name(page: OnNetwork) -> str:
    """Have the hub's own certificate believed for another host."""
    return await _speaks(page, page.trusting(), "bank.example")


async def other_host(page: OnNetwork) -> str:
    """Ask by HTTPS under another host's name (DNS rebinding)."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(
            f"{page.https}/api/home", ssl=page.trusting(), headers={"Host": "evil.example"}
        ) as answer,
    ):
        return f"{answer.status} {await answer.text()}"


async def system_roots(page: OnNetwork) -> str:
    """Have a browser that knows nothing of the hub's CA believe it."""
    return await _speaks(page, ssl.create_default_context())


async def _rightly(page: OnNetwork) -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{page.https}/api/home", ssl=page.trusting()) as answer,
    ):
        assert answer.headers["X-Frame-Options"] == "DENY"
        return f"{answer.status} "


def _row(
    id_: str, does: str, attempt: Try, defence: str, silent: str, *, quick: bool = False
) -> Attack[Street]:
    return Attack(
        f"lan-{id_}",
        Kind.TLS,
        does,
        served(attempt),
        defence,
        None,
        served(_rightly),
        "^200 ",
        silent,
        deep=not quick,
    )


_BEFORE: Final = "the handshake fails before anything is asked of the page"
_THEIRS: Final = "it is the browser that refuses"
_LED: Final = "any browser that was not told of HTTPS begins so"
ROWS: Final[Sequence[Attack[Street]]] = [
    _row(
        "tls-1.1",
        "Speaks TLS 1.1 to the page",
        of_version(ssl.TLSVersion.TLSv1_1),
        "^refused: ",
        _BEFORE,
        quick=True,
    ),
    _row("tls-1.0", "Speaks TLS 1.0", of_version(ssl.TLSVersion.TLSv1), "^refused: ", _BEFORE),
    *(
        _row(
            f"cipher-{name}",
            f"Offers {cipher} alone",
            by_cipher(cipher),
            "^refused: ",
            _BEFORE,
        )
        for name, cipher in {
            "cbc": "ECDHE-ECDSA-AES128-SHA",
            "cbc-sha256": "ECDHE-ECDSA-AES128-SHA256",
            "null": "ECDHE-ECDSA-NULL-SHA",
            "anonymous": "AECDH-AES128-SHA",
        }.items()
    ),
    _row(
        "plain-to-tls",
        "Speaks plain HTTP to the port of HTTPS",
        plain_to_tls,
        "^closed|^400 ",
        _BEFORE,
    ),
    _row("plain-read", "Reads the home by plain HTTP", plain_read, "^307 https://", _LED),
    _row("plain-steer", "Acts by plain HTTP", plain_steer, "^403 .*HTTPS", _LED, quick=True),
    _row(
        "other-name",
        "Shows the hub's certificate as another host's",
        other_name,
        "^refused by the browser: .*(?i:host ?name|not valid)",
        _THEIRS,
    ),
    _row("other-host", "Asks under another host's name", other_host, "^421 ", _BEFORE),
    _row(
        "stranger",
        "Shows the hub's certificate to who was not told of its CA",
        system_roots,
        "^refused by the browser: ",
        _THEIRS,
    ),
]
