"""Certificates for chargers and their central system, from a root made for one test."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from der.addresses import TlsFiles
from tests.der.drivers.device_pki import usage


class Papers:
    """A root, and what it has signed, as PEM files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Test root")
        root = (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage(signs=True), critical=True)
        )
        self.root = folder / "root.pem"
        signed = root.sign(self._key, hashes.SHA256())
        self.root.write_bytes(signed.public_bytes(Encoding.PEM))

    def issue(self, common_name: str, alternative: str = "") -> TlsFiles:
        """Return a certificate that may serve on loopback and call."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.IPAddress(IPv4Address("127.0.0.1"))]
        if alternative:
            names.append(x509.DNSName(alternative))
        certificate = (
            self._builder(_name(common_name), key.public_key())
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        stem = f"{common_name}-{alternative}"
        chain, private = self._folder / f"{stem}.pem", self._folder / f"{stem}.key"
        chain.write_bytes(certificate.public_bytes(Encoding.PEM))
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return TlsFiles(self.root, chain, private)

    def caller(self, files: TlsFiles | None = None) -> ssl.SSLContext:
        """Return what a charger calls with that trusts the root, and shows a certificate."""
        context = ssl.create_default_context(cafile=self.root)
        if files is not None and files.certificate is not None:
            context.load_cert_chain(files.certificate, files.key)
        return context

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
