"""The hub's own CA for its page on the home's network, and the certificates that it issues.

The CA can vouch for nothing but its own names and private addresses: whoever steals its key can
pose as this hub in this home, and as nothing else.
"""

import ipaddress
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs import issue
from certs.issue import Authority, Validity

LASTING: Final = timedelta(days=30)
"""How long a certificate of the page holds."""
RENEWED: Final = timedelta(days=10)
"""It is renewed when less is left."""
_AUTHORITY_HOLDS: Final = Validity(
    # A hub may make its CA before it knows the time: neither end hangs on its clock.
    datetime(2020, 1, 1, tzinfo=UTC),
    datetime(2049, 12, 31, tzinfo=UTC),
)
_PRIVATE: Final = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
)
_CALLED: Final = "Home energy hub"


@dataclass(frozen=True, slots=True)
class PageCertificate:
    """What the page shows to browsers.

    Attributes:
        certificate: Its certificate.
        key: Its private key.
    """

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def issue_authority(mark: str, names: Iterable[str]) -> Authority:
    """Return a new CA that can vouch for these names and for private addresses only.

    Args:
        mark: What tells it from that of another hub, in its common name.
        names: DNS names, each with all below it, and IP addresses outside the private ranges.
    """
    permitted: list[x509.GeneralName] = []
    for name in names:
        address = address_of(name)
        if address is None:
            permitted.append(x509.DNSName(name))
        elif not any(address in network for network in _networks(_PRIVATE)):
            permitted.append(x509.IPAddress(ipaddress.ip_network(address)))
    permitted += [x509.IPAddress(network) for network in _networks(_PRIVATE)]
    return issue.issue_authority(
        f"{_CALLED} {mark}", _AUTHORITY_HOLDS, path_length=0, permitted=permitted
    )


def issue_page(authority: Authority, names: Sequence[str], now: datetime) -> PageCertificate:
    """Return a new certificate of the page.

    Args:
        authority: Who signs it.
        names: DNS names and IP addresses; each must be `covered`.
        now: UTC.
    """
    key = issue.new_key()
    certificate = issue.issue_service(
        authority,
        key.public_key(),
        _CALLED,
        names,
        Validity.since(now, LASTING),
        purposes=(ExtendedKeyUsageOID.SERVER_AUTH,),
    )
    return PageCertificate(certificate, key)


def covered(authority: x509.Certificate, names: Iterable[str]) -> list[str]:
    """Return those names that a CA can vouch for, in order."""
    try:
        found = authority.extensions.get_extension_for_class(x509.NameConstraints)
    except x509.ExtensionNotFound:
        return list(names)
    permitted = found.value.permitted_subtrees or []
    domains = [each.value for each in permitted if isinstance(each, x509.DNSName)]
    networks = [each.value for each in permitted if isinstance(each, x509.IPAddress)]
    return [name for name in names if _allowed(name, domains, networks)]


def due(certificate: x509.Certificate, names: Collection[str], now: datetime) -> bool:
    """Return whether a certificate of the page has to be replaced.

    Args:
        certificate: The one in use.
        names: What it has to vouch for.
        now: UTC; the clock may have been set since it was issued.
    """
    left = certificate.not_valid_after_utc - now
    return (
        certificate.not_valid_before_utc > now
        or not RENEWED < left <= LASTING
        or set(names_of(certificate)) != set(names)
    )


def names_of(certificate: x509.Certificate) -> list[str]:
    """Return the DNS names and IP addresses that a certificate vouches for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = found.get_values_for_type(x509.IPAddress)
    return [*found.get_values_for_type(x509.DNSName), *(str(each) for each in addresses)]


def fingerprint(certificate: x509.Certificate) -> bytes:
    """Return a certificate's SHA-256 fingerprint, 32 octets."""
    return certificate.fingerprint(hashes.SHA256())


def address_of(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return a name as the IP address that it is, None for a DNS name."""
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _allowed(name: str, domains: Iterable[str], networks: Iterable[object]) -> bool:
    address = address_of(name)
    if address is None:
        return any(name == domain or name.endswith(f".{domain}") for domain in domains)
    return any(
        address in network
        for network in networks
        if isinstance(network, ipaddress.IPv4Network | ipaddress.IPv6Network)
    )


def _networks(
    texts: Iterable[str],
) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(text) for text in texts]
