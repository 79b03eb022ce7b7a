"""Attacks with certificates by those who call in: at the head-end, and at the hub's own door."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from certs.explain import explain
from certs.identity import IdentityFiles
from certs.pki import Pki
from hems.sep2.xml import MEDIA_TYPE
from tests.faults.bodies import GOOD
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.forging import ANYBODY, CALLING_SERVICES, DEVICES, Made, Mint, look_alike
from tests.security.street import Street, caller

_WITHIN_S: Final = 10.0
_MOST: Final = 65_536


@dataclass(frozen=True, slots=True)
class Door:
    """Where somebody calls in.

    Attributes:
        name: For people.
        url: Where it is.
        asks: What is asked there: method, body.
        who: Who may ask.
        served: How that one is answered.
        log: Where it writes who was refused.
        service: Whether services call there, as well as devices.
    """

    name: str
    url: Callable[[Street], str]
    asks: tuple[str, str]
    who: str
    served: str
    log: Where
    service: bool


REGISTERED: Final = Door(
    "the head-end's resources of a home",
    lambda street: f"{street.line.base}/edev/1",
    ("GET", ""),
    "hub",
    "^200 ",
    Where.HEAD_END,
    service=False,
)
HEAD_END: Final = Door(
    "the head-end",
    lambda street: street.line.dcap,
    ("GET", ""),
    "hub",
    "^200 ",
    Where.HEAD_END,
    service=False,
)
LISTENER: Final = Door(
    "the hub's door for notifications",
    lambda street: street.line.notify,
    ("POST", GOOD),
    "utility",
    # Of a subscription that nobody has: it was read, and its sender believed.
    "^404 ",
    Where.HUB,
    service=True,
)


async def call(street: Street, door: Door, identity: IdentityFiles | None) -> str:
    """Call in once; returns status and beginning of the answer, or why there was none."""
    url = urlsplit(door.url(street))
    method, body = door.asks
    request = (
        f"{method} {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n"
        f"Accept: {MEDIA_TYPE}\r\nContent-Type: {MEDIA_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )
    return await speak(url.hostname or "", url.port or 0, caller(identity), request.encode())


async def speak(host: str, port: int, context: ssl.SSLContext | None, request: bytes) -> str:
    """Send octets; returns status and beginning of what came back, or why nothing did."""
    try:
        async with asyncio.timeout(_WITHIN_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=context)
            try:
                writer.write(request)
                got = await reader.read(_MOST)
            finally:
                writer.close()
    except ssl.SSLError as error:
        return f"refused: {explain(error)} ({error.reason})"
    except ConnectionError as error:
        return f"refused: {type(error).__name__}"
    except TimeoutError:
        return "refused: no answer"
    text = got.decode("utf-8", "replace")
    return re.sub(r"^HTTP/1\.[01] ", "", text) if text else "refused: closed without an answer"


def _attempt(
    door: Door, name: str, make: Made, *, service: bool
) -> Callable[[Street], Awaitable[str]]:
    async def attempt(street: Street) -> str:
        shown = await asyncio.to_thread(make, Mint(street.pki, service))
        files = shown.store(street.files("callers"), name)
        answer = await call(street, door, files)
        assert not re.search(door.served, answer), f"it was served: {answer[:80]}"
        return answer

    return attempt


def _rightly(door: Door) -> Callable[[Street], Awaitable[str]]:
    async def rightly(street: Street) -> str:
        return await call(street, door, street.pki.identity(door.who))

    return rightly


_SAYS: Final[Mapping[str, str]] = {
    "expired": "it has expired",
    "revoked": "it has been revoked",
    "not yet valid": "not yet valid|not valid yet",
    "signed with SHA-1": "SHA-256|digest|too weak",
    "signed with SHA-384": "SHA-256",
    "with an RSA key": "elliptic-curve",
    "with an Ed25519 key": "elliptic-curve",
}
"""What the log must say, where any line about a failed handshake would not be enough."""
_QUICK: Final = frozenset(
    {"of a CA that nobody trusts", "expired", "revoked", "with a key on P-224", "with an RSA key"}
)


def _rows(door: Door, faults: Mapping[str, Made], *, service: bool) -> Sequence[Attack[Street]]:
    side = "head-end" if door is HEAD_END else "hub"
    holder = "service" if service else "device"
    return [
        Attack(
            f"certificate-{side}-{holder}-{'-'.join(re.findall('[a-zA-Z0-9]+', name))}".lower(),
            Kind.CERTIFICATES,
            f"Calls {door.name} with a {holder}'s certificate {name}",
            _attempt(door, f"{side}-{holder}-{number}", make, service=service),
            "^refused",
            Entry(door.log, f"TLS handshake failed: .*({_SAYS.get(name, '.')})"),
            _rightly(door),
            door.served,
            deep=name not in _QUICK or (service and door is HEAD_END),
        )
        for number, (name, make) in enumerate(faults.items())
    ]


def _with(
    door: Door, make: Callable[[Pki], IdentityFiles | None]
) -> Callable[[Street], Awaitable[str]]:
    async def attempt(street: Street) -> str:
        return await call(street, door, await asyncio.to_thread(make, street.pki))

    return attempt


def _look_alike(pki: Pki) -> IdentityFiles:
    return look_alike(pki).store(pki.folder.parent / "alike", "alike")


def _others(door: Door, side: str) -> Sequence[Attack[Street]]:
    return [
        Attack(
            f"certificate-{side}-none",
            Kind.CERTIFICATES,
            f"Calls {door.name} without any certificate",
            _with(door, lambda _pki: None),
            "^refused",
            Entry(door.log, "TLS handshake failed: .*showed no client certificate"),
            _rightly(door),
            door.served,
        ),
        Attack(
            f"certificate-{side}-lfdi-prefix",
            Kind.CERTIFICATES,
            f"Calls {door.name} with a good certificate whose LFDI begins as the right one's",
            _with(door, _look_alike),
            "^403 ",
            *_stranger_entry(door),
            _rightly(door),
            door.served,
        ),
    ]


def _stranger_entry(door: Door) -> tuple[Entry]:
    if door is LISTENER:
        return (Entry(Where.HUB, "a notification from .* is refused"),)
    return (Entry(Where.HEAD_END, "403: .*not registered"),)


ROWS: Final[Sequence[Attack[Street]]] = [
    *_rows(HEAD_END, ANYBODY | DEVICES, service=False),
    *_rows(HEAD_END, CALLING_SERVICES, service=True),
    *_rows(LISTENER, ANYBODY | CALLING_SERVICES, service=True),
    *_rows(LISTENER, DEVICES, service=False),
    *_others(REGISTERED, "head-end"),
    *_others(LISTENER, "hub"),
]
