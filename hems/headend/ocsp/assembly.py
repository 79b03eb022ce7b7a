"""The OCSP responder put together; it listens by itself nowhere."""

import asyncio
from collections.abc import Iterable, Sequence

from cryptography import x509

from certs.ocsp.issued import name_responder, responder
from certs.pki import open_pki
from hems.clock import Clock
from hems.headend.est.records import Enrolment
from hems.headend.ocsp.settings import OcspSettings
from hems.headend.ocsp.views import Responder


async def assemble_ocsp(
    settings: OcspSettings, enrolments: Iterable[Enrolment], clock: Clock
) -> Responder:
    """Join the parts, and have certificates name the responder from now on.

    Args:
        settings: Its own.
        enrolments: The homes that have got certificates.
        clock: The utility's time.

    Raises:
        CertificateError: A file of the PKI cannot be used.
    """
    pki, url = open_pki(settings.pki), settings.reached_at
    if url is not None and await asyncio.to_thread(responder, pki.ca.folder) != url:
        await asyncio.to_thread(name_responder, pki.ca.folder, url)
    return await Responder.load(pki, settings, clock, _certificates(enrolments))


def _certificates(enrolments: Iterable[Enrolment]) -> Sequence[x509.Certificate]:
    return [
        x509.load_pem_x509_certificate(each.certificate.encode())
        for each in enrolments
        if each.certificate
    ]
