"""A push service of our own over TLS (RFC 8030), with browsers that read what is sealed for them.

It checks what a real one checks: the signature over who sends (RFC 8292), and the headers.
"""

import base64
import json
import os
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import http_ece  # type: ignore[import-untyped]
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02  # type: ignore[import-untyped]

from certs.pki import init_pki

Message = dict[str, Any]


@dataclass
class Browser:
    """A browser that subscribed.

    Attributes:
        endpoint: Where its messages go.
    """

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def point(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def keys(self) -> dict[str, str]:
        """As `PushSubscription.toJSON` gives them."""
        return {"p256dh": text(self.point), "auth": text(self.auth)}

    def read(self, sealed: bytes) -> Message:
        opened = http_ece.decrypt(
            sealed, private_key=self.key, auth_secret=self.auth, version="aes128gcm"
        )
        message: Message = json.loads(opened)
        return message


@dataclass
class Delivery:
    """What reached the service."""

    path: str
    headers: dict[str, str]
    sealed: bytes


@dataclass
class PushService:
    """The service.

    Attributes:
        origin: Its address.
        roots: Who its certificate comes from, PEM.
        deliveries: What was taken and what was not.
        answers: Statuses of the next answers, and their headers; then 201 for ever.
    """

    origin: str = ""
    roots: Path = Path()
    key: str = ""
    deliveries: list[Delivery] = field(default_factory=list)
    answers: Iterator[tuple[int, dict[str, str]]] = field(default_factory=lambda: iter(()))

    def browser(self, name: str = "a") -> Browser:
        return Browser(f"{self.origin}/push/{name}")

    @property
    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.roots))

    async def take(self, request: web.Request) -> web.Response:
        headers = dict(request.headers)
        self.deliveries.append(Delivery(request.path, headers, await request.read()))
        if not self._signed(headers["Authorization"]):
            return web.Response(status=403)
        status, more = next(self.answers, (201, {}))
        return web.Response(status=status, headers=more)

    def _signed(self, authorization: str) -> bool:
        parts = dict(each.split("=", 1) for each in authorization.split(" ", 1)[1].split(","))
        claims = json.loads(octets(parts["t"].split(".")[1]))
        own = claims["aud"] == self.origin and claims["sub"].startswith("mailto:")
        return own and parts["k"] == self.key and bool(Vapid02.verify(authorization))


@asynccontextmanager
async def push_service(folder: Path) -> AsyncIterator[PushService]:
    """Run a push service at this machine's loopback address."""
    service = PushService()
    pki = init_pki(folder / "pki", hosts=["localhost", "127.0.0.1"])
    identity = pki.identity("utility")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.certificate, identity.key)
    app = web.Application()
    app.add_routes([web.post("/push/{name}", service.take)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        service.origin = f"https://localhost:{runner.addresses[0][1]}"
        service.roots = pki.trust.roots
        yield service
    finally:
        await runner.cleanup()


def text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def octets(content: str) -> bytes:
    return base64.urlsafe_b64decode(content + "=" * (-len(content) % 4))
