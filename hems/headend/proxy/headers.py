"""Certificates in headers, strictly: one certificate has one way to be passed on. Pure."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

from cryptography import x509

from certs.pem import UNREADABLE
from hems.headend.errors import RequestError

MOST: Final = 6
"""Certificates in one request."""

_ESCAPED: Final = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+;=:@/?]|%[0-9A-Fa-f]{2})+")
_PEM: Final = re.compile(
    rb"\s*(?:-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+"
)
_BYTES: Final = re.compile(r":([A-Za-z0-9+/]*={0,2}):")


def escaped_pem(value: str) -> Sequence[x509.Certificate]:
    """Read PEM that is escaped as in a URL: the home's certificate, and CAs behind it, if any.

    Raises:
        RequestError: It is something else.
    """
    if _ESCAPED.fullmatch(value) is None:
        raise RequestError("the proxy's header is no escaped PEM")
    pem = unquote_to_bytes(value)
    if _PEM.fullmatch(pem) is None:
        raise RequestError("the proxy's header holds no certificate in PEM")
    try:
        found = x509.load_pem_x509_certificates(pem)
    except UNREADABLE as error:
        raise RequestError("the proxy's header holds a damaged certificate") from error
    return _few(found)


def client_cert(value: str, chain: str | None) -> Sequence[x509.Certificate]:
    """Read the headers of RFC 9440: the home's certificate, and the CAs behind it.

    Args:
        value: Client-Cert.
        chain: Client-Cert-Chain; None where there is none.

    Raises:
        RequestError: They are something else.
    """
    items = [value, *(() if chain is None else chain.split(","))]
    return _few([_certificate(item.strip(" \t")) for item in items])


def _certificate(item: str) -> x509.Certificate:
    found = _BYTES.fullmatch(item)
    if found is None:
        raise RequestError("the proxy's header is no certificate as RFC 9440 has it")
    try:
        return x509.load_der_x509_certificate(base64.b64decode(found[1], validate=True))
    except (*UNREADABLE, binascii.Error) as error:
        raise RequestError("the proxy's header holds a damaged certificate") from error


def _few(found: Sequence[x509.Certificate]) -> Sequence[x509.Certificate]:
    if len(found) > MOST:
        raise RequestError(f"the proxy's header holds more than {MOST} certificates")
    return found
