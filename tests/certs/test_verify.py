"""The rules on a peer's chain, as a table: each row breaks one rule of a good chain."""

import ssl
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certs.errors import CertificateError, PeerError
from certs.explain import explain
from certs.hwname import HardwareName
from certs.issue import (
    DEVICE_GENERIC,
    FOREVER,
    Authority,
    Validity,
    issue_authority,
    issue_device,
    issue_service,
    new_key,
)
from certs.verify import Role, check_peer

pytestmark = [pytest.mark.requirement("L1-AUTH"), pytest.mark.requirement("PRO-2030.5")]

VALID = Validity(datetime(2026, 1, 1, tzinfo=UTC), FOREVER)
ROOT = issue_authority("root", VALID, path_length=1)
MICA = issue_authority("mica", VALID, issuer=ROOT, path_length=0)
NAME = HardwareName("1.3.6.1.4.1.32473.1", b"1")
SAN = x509.SubjectAlternativeName([NAME.other_name()])
POLICIES = x509.CertificatePolicies([x509.PolicyInformation(DEVICE_GENERIC, None)])


def usage(**bits: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: bits.get(name, False) for name in names})


SIGNING = usage(digital_signature=True)


def made(
    *extensions: tuple[x509.ExtensionType, bool], subject: str = "", issuer: Authority = MICA
) -> x509.Certificate:
    names = [x509.NameAttribute(NameOID.COMMON_NAME, subject)] if subject else []
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(names))
        .issuer_name(issuer.certificate.subject)
        .public_key(new_key().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID.not_before)
        .not_valid_after(FOREVER)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer.key, hashes.SHA256())


def test_a_good_device_passes_in_both_roles() -> None:
    leaf = issue_device(MICA, new_key().public_key(), NAME, VALID)
    for role in Role:
        check_peer([leaf, MICA.certificate, ROOT.certificate], role)
        check_peer([made((SAN, True), (POLICIES, True), (SIGNING, True))], role)


def test_a_damaged_certificate_is_refused_in_words() -> None:
    """Found by fuzzing: the library reads a key only when it is asked for."""
    good = issue_device(MICA, new_key().public_key(), NAME, VALID)
    point = good.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    octets = bytearray(good.public_bytes(Encoding.DER))
    octets[octets.index(point) + len(point) - 1] ^= 1  # no point of the curve any more
    damaged = x509.load_der_x509_certificate(bytes(octets))
    with pytest.raises(PeerError, match="chain is damaged"):
        check_peer([damaged, MICA.certificate, ROOT.certificate], Role.CLIENT)


def test_a_good_service_passes_in_both_roles() -> None:
    leaf = issue_service(MICA, new_key().public_key(), "utility", ["127.0.0.1"], VALID)
    for role in Role:
        check_peer([leaf, MICA.certificate, ROOT.certificate], role)


TWO_NAMES = x509.SubjectAlternativeName([NAME.other_name(), NAME.other_name()])
HOST_NAME = x509.SubjectAlternativeName([x509.DNSName("device.example")])
BAD_DER = x509.SubjectAlternativeName([x509.OtherName(NAME.other_name().type_id, b"\x30\x00")])
SERVER_ONLY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
TEST_ONLY = x509.CertificatePolicies(
    [x509.PolicyInformation(x509.ObjectIdentifier("1.3.6.1.4.1.40732.2.1"), None)]
)


@pytest.mark.parametrize(
    ("leaf", "says"),
    [
        (made((POLICIES, True), (SIGNING, True)), "neither a subject nor a subjectAltName"),
        (made((SAN, False), (POLICIES, True), (SIGNING, True)), "is not critical"),
        (made((TWO_NAMES, True), (POLICIES, True), (SIGNING, True)), "one hardwareModuleName"),
        (made((HOST_NAME, True), (POLICIES, True), (SIGNING, True)), "one hardwareModuleName"),
        (made((BAD_DER, True), (POLICIES, True), (SIGNING, True)), "malformed hardwareModuleName"),
        (made((SAN, True), (SIGNING, True)), "has no certificatePolicies"),
        (made((SAN, True), (POLICIES, False), (SIGNING, True)), "Policies that are not critical"),
        (made((SAN, True), (TEST_ONLY, True), (SIGNING, True)), "states no device type"),
        (made((SAN, True), (POLICIES, True)), "has no keyUsage"),
        (
            made((SAN, True), (POLICIES, True), (usage(key_agreement=True), True)),
            "without digitalSignature",
        ),
        (made((SIGNING, True), subject="svc"), "CN=svc has a subject but no extendedKeyUsage"),
        (
            made((SIGNING, True), (SERVER_ONLY, False), subject="svc"),
            "not made for the part of a c",
        ),
        (MICA.certificate, "CN=mica is a CA's"),
    ],
)
def test_one_broken_rule_refuses_the_client(leaf: x509.Certificate, says: str) -> None:
    with pytest.raises(PeerError, match=says) as refusal:
        check_peer([leaf, MICA.certificate, ROOT.certificate], Role.CLIENT)
    assert explain(refusal.value) == str(refusal.value)


def test_a_service_made_for_serving_serves() -> None:
    leaf = made((SIGNING, True), (SERVER_ONLY, False), subject="svc")
    check_peer([leaf, MICA.certificate, ROOT.certificate], Role.SERVER)


def test_a_ca_may_issue_only_the_types_that_its_own_policies_name() -> None:
    leaf = made((SAN, True), (POLICIES, True), (SIGNING, True))
    none = made((SIGNING, True), subject="sub", issuer=ROOT)
    wrong = made((TEST_ONLY, True), subject="sub", issuer=ROOT)
    same = made((POLICIES, True), subject="sub", issuer=ROOT)
    check_peer([leaf, same, ROOT.certificate], Role.CLIENT)
    with pytest.raises(PeerError, match="CN=sub has no certificatePolicies"):
        check_peer([leaf, none, ROOT.certificate], Role.CLIENT)
    with pytest.raises(PeerError, match="CN=sub is of a CA that may not issue"):
        check_peer([leaf, wrong, ROOT.certificate], Role.CLIENT)


def test_no_certificate_may_map_policies() -> None:
    leaf = made((SAN, True), (POLICIES, True), (SIGNING, True))
    mapping = x509.UnrecognizedExtension(
        x509.ObjectIdentifier("2.5.29.33"), bytes.fromhex("300c300a06032a030406032a0305")
    )
    authority = made((POLICIES, True), (mapping, False), subject="sub", issuer=ROOT)
    with pytest.raises(PeerError, match="CN=sub maps policies"):
        check_peer([leaf, authority, ROOT.certificate], Role.CLIENT)


def test_a_peer_error_is_ours_and_of_the_standard_library() -> None:
    error = PeerError("the certificate is odd")
    assert isinstance(error, CertificateError)
    assert isinstance(error, ssl.SSLCertVerificationError)
    assert str(error) == "the certificate is odd"


def test_an_error_without_tls_in_it_keeps_its_own_words() -> None:
    assert explain(ConnectionRefusedError("nobody there")) == (
        "the connection failed: nobody there"
    )
    wrapped = RuntimeError("outer")
    wrapped.__cause__ = PeerError("inner")
    assert explain(wrapped) == "inner"
