"""`hems headend answer`: answers a home's request for a certificate, as the demo's utility.

It signs with the test PKI, registers the home at the head-end under its new LFDI and its PIN, and
writes what the home's page takes: certificates, revocation lists and the server's address.
"""

import argparse
import secrets
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import BaseModel, ValidationError

from certs.errors import CertificateError
from certs.identity import lfdi, pin_valid
from certs.pem import der, read_certificates, write_file
from certs.pki import open_pki, sign_request
from hems.commands.operator import OperatorError, Told, ask
from hems.commands.output import fail

_EDITION = "csip-aus"


class _Registered(Told):
    pass


class _HeadEnd(BaseModel):
    dcap: str


def run(options: argparse.Namespace) -> int:
    """Run `hems headend answer`; returns the exit code."""
    demo: Path = options.demo
    try:
        if not pin_valid(options.pin):
            return fail(f"{options.pin!r} is not a PIN: five digits and the check digit that fits")
        server = _server(demo / "headend" / "ready.json")
        pki = open_pki(demo / "pki")
        chain = sign_request(pki, _request(options.request), secrets.token_hex(8))
        own = lfdi(der(chain[0]))
        order = {"lfdi": own, "pin": options.pin, "edition": _EDITION}
        ask(demo / "headend" / "operator.json", "POST", "/homes", _Registered, order)
        parts = [*chain, *read_certificates(pki.trust.roots)]
        text = f"Server: {server}\nEdition: {_EDITION}\n".encode()
        pem = b"".join(each.public_bytes(Encoding.PEM) for each in parts)
        write_file(options.out.absolute(), text + pem + pki.trust.crls.read_bytes(), mode=0o644)
    except (CertificateError, OperatorError, OSError) as error:
        return fail(str(error))
    print(f"registered: LFDI {own}")
    print(f"{options.out}: give this file to the home's page")
    return 0


def _request(path: Path) -> x509.CertificateSigningRequest:
    try:
        return x509.load_pem_x509_csr(path.read_bytes())
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CertificateError(
            f"{path}: is no request for a certificate (PKCS #10, PEM)"
        ) from error


def _server(path: Path) -> str:
    try:
        return _HeadEnd.model_validate_json(path.read_bytes()).dcap
    except (OSError, ValidationError) as error:
        raise OperatorError(f"{path}: no head-end of a demo runs there") from error
