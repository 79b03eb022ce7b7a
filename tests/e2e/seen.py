"""A recipient of what a home measures: its certificate, its grant, and its questions."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from certs.identity import IdentityFiles, lfdi
from certs.pem import der, read_certificates
from certs.pki import Pki, issue_service
from certs.tls import client_context
from hems.commands.scene import quoted
from hems.commands.stage import free_port


class Recipient:
    """Somebody whom the owner may grant something.

    Args:
        folder: The stage's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._pki = Pki(folder / "pki")
        self.port = free_port()
        self._identity: IdentityFiles | None = None

    @property
    def economy(self) -> tuple[str, ...]:
        """Lines of the hub's configuration that open its door."""
        hub, trust = self._pki.identity("hub"), self._pki.trust
        return (
            "[visibility]",
            f"port = {self.port}",
            f"certificate = {quoted(hub.certificate)}",
            f"key = {quoted(hub.key)}",
            f"trust = {quoted(trust.roots)}",
            f"crls = {quoted(trust.crls)}",
        )

    @property
    def identity(self) -> IdentityFiles:
        """Its certificate, once the stage's PKI is there."""
        if self._identity is None:
            self._identity = issue_service(self._pki, "grid-operator", hosts=["localhost"])
        return self._identity

    @property
    def lfdi(self) -> str:
        """By which the owner grants."""
        return lfdi(der(read_certificates(self.identity.certificate)[0]))

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """Give an HTTPS session with its certificate."""
        context = client_context(self.identity, self._pki.trust)
        async with aiohttp.ClientSession(
            f"https://127.0.0.1:{self.port}", connector=aiohttp.TCPConnector(ssl=context)
        ) as session:
            yield session

    async def ask(self, path: str) -> tuple[int, Mapping[str, Any]]:
        """Ask once; returns the status and the answer."""
        async with self.session() as session, session.get(f"/visibility{path}") as answer:
            return answer.status, json.loads(await answer.text())
