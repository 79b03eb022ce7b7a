"""The responder over HTTP: POST, and GET with the question in the path (RFC 6960, appendix A)."""

import asyncio
import base64
import binascii
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from urllib.parse import unquote

from aiohttp import web
from cryptography import x509
from cryptography.x509.ocsp import OCSPResponseStatus

from certs.errors import CertificateError
from certs.ocsp.issued import Issued
from certs.ocsp.transport import REQUEST_TYPE, RESPONSE_TYPE
from certs.pki import Pki
from hems.clock import Clock
from hems.headend.bodies import BodyError, octets_of
from hems.headend.ocsp.delegates import LASTING, Answerer, Named, answerers
from hems.headend.ocsp.responder import MOST_OCTETS, DeclinedError, answer, declined
from hems.headend.ocsp.settings import OcspSettings

PATH: Final = "/ocsp"
KEEPALIVE_S: Final = 15.0
_BODY_WITHIN_S: Final = 10.0
_HOUR_S: Final = 3600.0
_UNSUPPORTED: Final = 415

_log = logging.getLogger(__name__)


class Responder:
    """Answers whoever asks about a certificate of the PKI. Use `Responder.load`.

    Args:
        pki: The PKI.
        issued: What it has issued.
        clock: Where the time comes from.
        lasting: How long an answer holds.
    """

    def __init__(self, pki: Pki, issued: Issued, clock: Clock, lasting: timedelta) -> None:
        self._pki, self._issued, self._clock, self._lasting = pki, issued, clock, lasting
        self._answerers: dict[Named, Answerer] = {}
        self._signers: object = None
        self._made_at = 0.0

    @classmethod
    async def load(
        cls, pki: Pki, settings: OcspSettings, clock: Clock, also: Sequence[x509.Certificate] = ()
    ) -> "Responder":
        """Make who answers for each CA, and read what was issued.

        Args:
            pki: The PKI.
            settings: The responder's.
            clock: Where the time comes from.
            also: What was issued that the PKI has no record of.

        Raises:
            CertificateError: A file of the PKI is missing or damaged, or its keys cannot be used.
        """
        issued = await asyncio.to_thread(Issued, pki.folder, also)
        responder = cls(pki, issued, clock, timedelta(seconds=settings.hours * _HOUR_S))
        await responder._renew()
        return responder

    async def keep(self) -> None:
        """Certify new delegates in good time, and where there are other CAs now."""
        age_s = self._clock.now() - self._made_at
        try:
            signers = await asyncio.to_thread(lambda: tuple(self._pki.ca.signers))
            if not 0 <= age_s < LASTING.total_seconds() / 2 or signers != self._signers:
                await self._renew()
        except CertificateError as error:
            _log.error("who answers by OCSP cannot be renewed: %s", error)

    def app(self) -> web.Application:
        """Return the web application."""
        app = web.Application()
        app.add_routes(
            [
                web.post(PATH, self.post),
                web.post(f"{PATH}/", self.post),
                web.get(f"{PATH}/{{question:.+}}", self.get),
            ]
        )
        return app

    async def post(self, request: web.Request) -> web.Response:
        """Answer a question in the body."""
        if request.content_type != REQUEST_TYPE:
            return web.Response(status=_UNSUPPORTED, text=f"the body is not {REQUEST_TYPE}\n")
        try:
            octets = await octets_of(request, 2 * MOST_OCTETS, _BODY_WITHIN_S)
        except BodyError as error:
            return web.Response(status=error.status, text=f"{error}\n")
        return self._answered(octets)

    async def get(self, request: web.Request) -> web.Response:
        """Answer a question in the path: base64 of its DER, escaped or not."""
        text = unquote(request.rel_url.raw_path.removeprefix(f"{PATH}/"))
        try:
            return self._answered(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError):
            return _answer(declined(OCSPResponseStatus.MALFORMED_REQUEST))

    def _answered(self, octets: bytes) -> web.Response:
        try:
            now, knows = self._clock.now(), self._issued.knows
            return _answer(answer(octets, self._answerers, knows, now, self._lasting))
        except DeclinedError as error:
            return _answer(declined(error.status))
        except CertificateError as error:
            _log.error("OCSP cannot answer: %s", error)
            return _answer(declined(OCSPResponseStatus.TRY_LATER))

    async def _renew(self) -> None:
        now = self._clock.now()
        self._answerers = await asyncio.to_thread(answerers, self._pki, now)
        self._signers = tuple(self._pki.ca.signers)
        self._made_at = now


def _answer(octets: bytes) -> web.Response:
    headers = {"Content-Type": RESPONSE_TYPE, "Cache-Control": "no-store"}
    return web.Response(body=octets, headers=headers)
