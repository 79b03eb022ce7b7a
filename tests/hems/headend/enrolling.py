"""A running utility that enrols homes, and its operator, for tests of both sides."""

import base64
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from certs.est.code import EnrolmentCode, read_code
from certs.est.transport import trusting
from certs.est.wire import PKCS10_TYPE
from certs.identity import IdentityFiles
from certs.keys.opening import StoreSettings
from certs.pem import read_certificates
from certs.pki import Pki, init_pki
from hems.headend.est.settings import EstSettings
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from tests.hems.headend.conftest import Operator


@dataclass
class Utility:
    """A running utility that enrols."""

    head_end: HeadEnd
    operator: Operator
    pki: Pki

    async def code(self, **wish: object) -> EnrolmentCode:
        status, made = await self.operator.ask("POST", "/enrolment-codes", wish)
        assert status in {200, 201}, made
        return read_code(made["text"])

    async def waiting(self) -> Mapping[str, Any]:
        _, found = await self.operator.ask("GET", "/enrolments")
        (only,) = [each for each in found["enrolments"] if each["state"] == "waiting"]
        return dict(only)

    @property
    def est(self) -> str:
        return self.head_end.addresses.est

    def plain(self) -> ssl.SSLContext:
        return trusting(read_certificates(self.pki.trust.roots), ())

    async def post(
        self,
        body: bytes,
        *,
        password: str = "",
        operation: str = "simpleenroll",
        identity: IdentityFiles | None = None,
        kind: str = PKCS10_TYPE,
    ) -> tuple[int, str, Mapping[str, str]]:
        """Ask without any of the client's good manners."""
        roots = read_certificates(self.pki.trust.roots)
        headers = {"Content-Type": kind}
        if password:
            basic = base64.b64encode(f"hub:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {basic}"
        url = f"https://{self.est}/.well-known/est/{operation}"
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                url, data=body, headers=headers, ssl=trusting(roots, (), identity)
            ) as answer,
        ):
            return answer.status, await answer.text(), answer.headers.copy()


@asynccontextmanager
async def running(settings: HeadEndSettings, pki: Pki, est: EstSettings) -> AsyncIterator[Utility]:
    async with HeadEnd(settings.model_copy(update={"est": est})) as head_end:
        operator = Operator(head_end)
        try:
            yield Utility(head_end, operator, pki)
        finally:
            await operator.aclose()


@asynccontextmanager
async def utility_in(
    folder: Path, store: StoreSettings | None = None, **est: Any
) -> AsyncIterator[Utility]:
    """Run a utility with a PKI of its own in a folder; `est` are fields of `EstSettings`."""
    pki = init_pki(folder / "pki", store=store)
    own = pki.identity("utility")
    settings = HeadEndSettings(
        database=folder / "headend.db",
        certificate=own.certificate,
        key=own.key,
        roots=pki.trust.roots,
        crls=pki.trust.crls,
        token_file=folder / "token",
    )
    async with running(settings, pki, EstSettings(pki=pki.folder, **est)) as found:
        yield found
