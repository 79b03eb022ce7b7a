"""A home's certificate for a key of a store, as a utility issues one."""

import secrets

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from certs.identity import IdentityFiles
from certs.pem import write_certificates
from certs.pki import Pki, sign_request
from tests.certs.keys.conftest import Kept


def enrolled(pki: Pki, kept: Kept) -> IdentityFiles:
    """Return the identity of the key at `kept.path`, which is made if there is none."""
    if not kept.path.exists():
        kept.store.make(kept.path)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    request = builder.sign(kept.store.signer(kept.path), hashes.SHA256())
    certificate = kept.folder / "hub.pem"
    write_certificates(certificate, sign_request(pki, request, secrets.token_hex(8)))
    return IdentityFiles(certificate, kept.path, kept.store)
