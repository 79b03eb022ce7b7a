"""Documents signed for one purpose, and every way in which one may not count."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from certs import issue, pki
from certs.errors import CertificateError
from certs.issue import Authority, Validity
from certs.keys.store import KeyStore
from certs.pem import der, read_certificates, read_signing_key
from certs.signed import MOST_OCTETS, Purpose, SignatureError, sign_document, verify_document

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = AT.timestamp()
DAY = timedelta(days=1)
BODY = b'{"number": 1}'
LASTING = Validity.since(AT, timedelta(days=365))
ROOT = issue.issue_authority("root", LASTING, path_length=2)
CA = issue.issue_authority("operational", LASTING, issuer=ROOT, path_length=0)
ROOTS = [ROOT.certificate]
KEY = issue.new_key()
USAGE = Purpose.BULLETIN.usage
SIGNER = issue.issue_signer(CA, KEY.public_key(), "enterprise", [USAGE], LASTING)
CHAIN = [SIGNER, CA.certificate]
GOOD = sign_document(BODY, Purpose.BULLETIN, KEY, CHAIN)


def _part(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def _jws(
    chain: Sequence[x509.Certificate],
    key: ec.EllipticCurvePrivateKey = KEY,
    **header: object,
) -> bytes:
    """Sign with whatever certificates and header, as nobody honest would."""
    written = {
        "alg": "ES256",
        "typ": Purpose.BULLETIN.kind,
        "x5c": [base64.b64encode(der(each)).decode() for each in chain],
        **header,
    }
    signed = _part(json.dumps(written).encode()) + b"." + _part(BODY)
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    return signed + b"." + _part(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def _body(document: bytes, now: float = NOW) -> bytes:
    return verify_document(document, Purpose.BULLETIN, ROOTS, now).body


def test_a_document_says_what_was_signed_and_by_whom() -> None:
    found = verify_document(GOOD, Purpose.BULLETIN, ROOTS, NOW)
    assert found.body == BODY
    assert found.by == "enterprise"
    assert _body(_jws(CHAIN)) == BODY  # the tests' own writer writes what counts


def test_a_key_of_the_store_signs(tmp_path: Path) -> None:
    made = pki.issue_signer(pki.init_pki(tmp_path / "pki"), "signer", [Purpose.MANIFEST])
    roots = read_certificates(tmp_path / "pki" / "trust.pem")
    chain = read_certificates(made.certificate)
    document = sign_document(BODY, Purpose.MANIFEST, KeyStore().signer(made.key), chain)
    now = datetime.now(UTC).timestamp()
    assert verify_document(document, Purpose.MANIFEST, roots, now).by == "signer"
    assert read_signing_key(made.key).public_key() == chain[0].public_key()
    with pytest.raises(SignatureError, match="is no hems-bulletin"):
        verify_document(document, Purpose.BULLETIN, roots, now)


def test_nobody_signs_what_he_may_not() -> None:
    with pytest.raises(SignatureError, match="may not sign a hems-manifest"):
        sign_document(BODY, Purpose.MANIFEST, KEY, CHAIN)
    with pytest.raises(SignatureError, match="does not belong"):
        sign_document(BODY, Purpose.BULLETIN, issue.new_key(), CHAIN)


OTHER = issue.issue_authority("other root", LASTING, path_length=2)
OTHER_CA = issue.issue_authority("other", LASTING, issuer=OTHER, path_length=0)
LOOKALIKE = issue.issue_authority("root", LASTING, path_length=2)
SHORT = Validity.since(AT - 30 * DAY, DAY)
LATER = Validity.since(AT + 30 * DAY, DAY)
TLS = issue.issue_service(CA, KEY.public_key(), "utility", ["utility.example"], LASTING)
DEVICE_LIKE = Authority(SIGNER, KEY)
BELOW = issue.issue_signer(DEVICE_LIKE, KEY.public_key(), "below", [USAGE], LASTING)
LONG_CA = issue.issue_authority("too deep", LASTING, issuer=CA, path_length=0)
DEEP = issue.issue_signer(LONG_CA, KEY.public_key(), "deep", [USAGE], LASTING)
CONSTRAINED = issue.issue_authority(
    "constrained", LASTING, issuer=ROOT, path_length=0, permitted=[x509.DNSName("example")]
)


def _leaf(
    issuer: Authority = CA,
    validity: Validity = LASTING,
    *usages: x509.ObjectIdentifier,
    key: ec.EllipticCurvePrivateKey = KEY,
) -> list[x509.Certificate]:
    made = issue.issue_signer(issuer, key.public_key(), "x", usages or [USAGE], validity)
    return [made, issuer.certificate]


@pytest.mark.requirement("L2-FEED")
@pytest.mark.parametrize(
    ("document", "why"),
    [
        (_jws(_leaf(OTHER_CA)), "is of no root that is trusted"),
        (_jws(_leaf(LOOKALIKE)), "is of no root that is trusted"),
        (_jws([SIGNER]), "is of no root that is trusted"),
        (_jws([*CHAIN, ROOT.certificate, ROOT.certificate, ROOT.certificate]), "does not carry"),
        (_jws([SIGNER, OTHER_CA.certificate, CA.certificate]), "is not issued by"),
        (_jws(_leaf(CA, SHORT)), "has expired"),
        (_jws(_leaf(CA, LATER)), "does not count yet"),
        (_jws([TLS, CA.certificate]), "may not sign a hems-bulletin"),
        (_jws(_leaf(CA, LASTING, Purpose.MANIFEST.usage)), "may not sign a hems-bulletin"),
        (_jws(_leaf(CA, LASTING, ExtendedKeyUsageOID.CODE_SIGNING)), "may not sign"),
        (_jws([BELOW, SIGNER, CA.certificate]), "may not issue others"),
        (_jws([DEEP, LONG_CA.certificate, CA.certificate]), "too many authorities"),
        (_jws(_leaf(CONSTRAINED)), "critical extension that nobody here understands: 2.5.29.30"),
        (_jws([CA.certificate]), "may not sign"),
        (_jws(CHAIN, issue.new_key()), "or somebody else did"),
        (_jws(CHAIN, typ="hems-manifest"), "is no hems-bulletin"),
        (_jws(CHAIN, alg="none"), "is not signed by ES256"),
        (_jws(CHAIN, alg="HS256"), "is not signed by ES256"),
        (_jws(CHAIN, crit=["b64"], b64=False), "nobody here understands"),
        (_jws(CHAIN, x5c=[]), "does not carry"),
        (_jws(CHAIN, x5c=["AAAA"]), "is damaged"),
        (_jws(CHAIN, x5c=[7]), "is damaged"),
        (_jws(CHAIN, x5c="AAAA"), "does not carry"),
        (_jws(CHAIN, more="x" * 40_000), "header is too long"),
        (b"", "is not signed"),
        (b"a.b", "is not signed"),
        (GOOD.rpartition(b".")[0] + b".", "signature is damaged"),
        (GOOD + b"=", "signature is damaged"),
        (b"e30." + GOOD.partition(b".")[2], "is not signed by ES256"),
        (b"W10." + GOOD.partition(b".")[2], "is not signed by ES256"),
        (b"!!!!." + GOOD.partition(b".")[2], "header is damaged"),
        (b"A" * (MOST_OCTETS + 1), "longer than"),
    ],
)
def test_what_does_not_count(document: bytes, why: str) -> None:
    with pytest.raises(SignatureError, match=why):
        _body(document)


def test_it_counts_as_long_as_its_signer_does() -> None:
    assert _body(GOOD, NOW + 364 * 86400) == BODY
    with pytest.raises(SignatureError, match="has expired"):
        _body(GOOD, NOW + 366 * 86400)


def test_a_revoked_signer_counts_no_more() -> None:
    crl = issue.issue_crl(CA, [issue.revocation(SIGNER.serial_number, AT)], AT, DAY)
    with pytest.raises(SignatureError, match="is revoked"):
        verify_document(GOOD, Purpose.BULLETIN, ROOTS, NOW, [crl])
    other = issue.issue_crl(OTHER_CA, [issue.revocation(SIGNER.serial_number, AT)], AT, DAY)
    assert verify_document(GOOD, Purpose.BULLETIN, ROOTS, NOW, [other]).body == BODY


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_no_octet_of_it_can_be_another(at: int, change: int) -> None:
    changed = bytearray(GOOD)
    changed[at] ^= change
    if bytes(changed).strip() != GOOD:
        with pytest.raises(CertificateError):
            _body(bytes(changed))


@given(st.binary(max_size=400))
def test_noise_is_refused_with_one_error(noise: bytes) -> None:
    with pytest.raises(CertificateError):
        _body(noise)


@given(st.binary(max_size=200))
def test_any_body_comes_back_as_it_was(body: bytes) -> None:
    assert _body(sign_document(body, Purpose.BULLETIN, KEY, CHAIN)) == body
