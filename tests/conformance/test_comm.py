"""Discovery and security: whom the client talks to, and how."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from certs import issue
from certs.identity import IdentityFiles
from certs.issue import Authority, Validity
from certs.pem import (
    read_certificates,
    read_crls,
    read_signing_key,
    write_certificates,
    write_crls,
    write_key,
)
from certs.pki import Pki, init_pki
from certs.tls import server_context
from tests.conformance.scenario import scenario
from tests.interop.grid.server import serving
from tests.interop.grid.tree import CAPABILITY
from tests.interop.lone import Lone

pytestmark = pytest.mark.requirement("PRO-2030.5", "L1-AUTH")

HOSTS = ("127.0.0.1", "localhost")
LASTS = timedelta(days=30)


@scenario("COMM-002", "COMM", "From the configured URL on, only links are followed")
async def test_only_links_are_followed(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    grid.moved = {}
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid):
        await grid.polled(programme.events_href)
    assert grid.log[0].path == CAPABILITY
    assert not [e for e in grid.log if e.status == 404 and not e.path.endswith("/fallback")]


@scenario("COMM-003", "COMM", "Mutual TLS 1.2 with the suites of the standard")
async def test_mutual_tls(lone: Lone, pki: Pki) -> None:
    grid = lone.grid()
    grid.add_programme()
    context = server_context(pki.identity("utility"), pki.trust)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0")
    async with serving(grid, context), lone.client(grid):
        await lone.until(lambda: lone.state == "connected")
    assert {e.sender for e in grid.log} == {lone.lfdi}


def _authority(pki: Pki, name: str) -> Authority:
    ca = pki.folder / "ca"
    return Authority(read_certificates(ca / f"{name}.pem")[0], read_signing_key(ca / f"{name}.key"))


def _kept(
    folder: Path, key: ec.EllipticCurvePrivateKey, chain: list[x509.Certificate]
) -> IdentityFiles:
    files = IdentityFiles(folder / "server.pem", folder / "server.key")
    write_key(files.key, key)
    write_certificates(files.certificate, chain)
    return files


def _service(pki: Pki, folder: Path, authority: Authority, *above: Authority) -> IdentityFiles:
    key = issue.new_key()
    validity = Validity.since(datetime.now(UTC), LASTS)
    leaf = issue.issue_service(authority, key.public_key(), "utility", HOSTS, validity)
    root = _authority(pki, "root").certificate
    chain = [leaf, authority.certificate, *(a.certificate for a in above)]
    return _kept(folder, key, [c for c in chain if c != root])


def of_two(pki: Pki, folder: Path) -> IdentityFiles:
    """Root, server."""
    return _service(pki, folder, _authority(pki, "root"))


def of_three(pki: Pki, folder: Path) -> IdentityFiles:
    """Root, operational CA, server."""
    return _service(pki, folder, _authority(pki, "operational"))


def of_four(pki: Pki, folder: Path) -> IdentityFiles:
    """Root, MCA, MICA, server."""
    return _service(pki, folder, _authority(pki, "mica"), _authority(pki, "mca"))


Make = Callable[[Pki, Path], IdentityFiles]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(of_two, marks=scenario("COMM-004A", "COMM", "A chain of two is accepted")),
        pytest.param(of_three, marks=scenario("COMM-004B", "COMM", "A chain of three is accepted")),
        pytest.param(of_four, marks=scenario("COMM-004C", "COMM", "A chain of four is accepted")),
    ],
)
async def test_chains_of_any_depth(lone: Lone, pki: Pki, tmp_path: Path, make: Make) -> None:
    grid = lone.grid()
    grid.add_programme()
    grid.certificate = make(pki, tmp_path)
    context = server_context(grid.certificate, pki.trust)
    async with serving(grid, context), lone.client(grid):
        await lone.until(lambda: lone.state == "connected")


def _flawed(
    pki: Pki, folder: Path, extension: x509.ExtensionType, *, critical: bool
) -> IdentityFiles:
    """Issue a server under an intermediate CA that has an extension it must not have."""
    root = _authority(pki, "root")
    key, now = issue.new_key(), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "flawed CA")])
    usage = x509.KeyUsage(
        **dict.fromkeys(
            (
                *("digital_signature", "content_commitment", "key_encipherment"),
                *("data_encipherment", "key_agreement", "encipher_only", "decipher_only"),
            ),
            False,
        ),
        key_cert_sign=True,
        crl_sign=True,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(root.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key()),
            critical=False,
        )
        .add_extension(
            x509.CertificatePolicies(
                [x509.PolicyInformation(x509.ObjectIdentifier("2.5.29.32.0"), None)]
            ),
            critical=True,
        )
        .add_extension(extension, critical=critical)
        .sign(root.key, hashes.SHA256())
    )
    authority = Authority(certificate, key)
    crl = issue.issue_crl(authority, [], now, LASTS)
    write_crls(folder / "crls.pem", [*read_crls(pki.trust.crls), crl])
    return _service(pki, folder, authority)


def with_key_usage(pki: Pki, folder: Path) -> IdentityFiles:
    """A critical extended key usage in the CA's certificate."""
    usage = x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.4.1.32473.9")])
    return _flawed(pki, folder, usage, critical=True)


def with_name_constraints(pki: Pki, folder: Path) -> IdentityFiles:
    """Name constraints that the server's name breaks, not critical."""
    names = x509.NameConstraints([x509.DNSName("elsewhere.example")], None)
    return _flawed(pki, folder, names, critical=False)


def with_policy_mappings(pki: Pki, folder: Path) -> IdentityFiles:
    """Policy mappings, which no CA of this PKI may have."""
    octets = bytes.fromhex("300c300a06032a030406032a0305")
    mapping = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.33"), octets)
    return _flawed(pki, folder, mapping, critical=False)


def of_another_root(_: Pki, folder: Path) -> IdentityFiles:
    """A chain that ends in another root."""
    return init_pki(folder / "strange").identity("utility")


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(
            with_key_usage,
            marks=scenario("COMM-004D", "COMM", "A CA with a foreign key usage is refused"),
        ),
        pytest.param(
            with_name_constraints,
            marks=scenario("COMM-004E", "COMM", "A name outside its CA's constraints is refused"),
        ),
        pytest.param(
            with_policy_mappings,
            marks=scenario("COMM-004F", "COMM", "A CA with policy mappings is refused"),
        ),
        pytest.param(
            of_another_root,
            marks=scenario("COMM-004G", "COMM", "A chain to another root is refused"),
        ),
    ],
)
async def test_bad_chains_are_refused(lone: Lone, pki: Pki, tmp_path: Path, make: Make) -> None:
    grid = lone.grid()
    grid.add_programme()
    files = grid.certificate = make(pki, tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    if (tmp_path / "crls.pem").exists():
        lone.trust(crls=tmp_path / "crls.pem")
    async with serving(grid, context), lone.client(grid) as client:
        await lone.until(lambda: lone.state == "refused")
        assert client.state.detail
    assert not grid.log  # not a byte of a request
