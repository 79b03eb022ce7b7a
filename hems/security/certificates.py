"""The certificates that the hub uses: which there are, and what each says of itself."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from certs.errors import CertificateError
from certs.identity import lfdi
from certs.pem import der, read_certificates, read_crls
from certs.verify import revoked
from hems.security.key_words import kept_words
from hems.security.surface import CertificateUse, CertificateView, Renewal, Standing
from hems.settings.config import Config

SOON_S: Final = 30 * 86_400.0
"""An end within this is told."""
LATE_S: Final = 5 * 86_400.0
"""The same for what the hub renews by itself, which it should have done by then."""
ENDLESS: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
"""Device certificates of IEEE 2030.5 end in the last second of this year (clause 6.11.4)."""
_OWN: Final = frozenset(
    {
        CertificateUse.UTILITY,
        CertificateUse.RECIPIENTS,
        CertificateUse.CHARGERS,
        CertificateUse.REGULATION,
        CertificateUse.DEVICE,
        CertificateUse.PAGE,
    }
)


@dataclass(frozen=True, slots=True)
class CertificateFile:
    """A PEM file of certificates.

    Attributes:
        use: What they are for.
        of: Of which utility or device; empty where there is one only.
        path: Where it is.
        renewal: Who sees to a new one.
        key: File of the private key that belongs to it; None for others' certificates.
        crls: File of the revocation lists in which it may stand; None where there are none.
    """

    use: CertificateUse
    of: str
    path: Path
    renewal: Renewal = Renewal.START
    key: Path | None = None
    crls: Path | None = None


def files(config: Config) -> tuple[CertificateFile, ...]:
    """Return the files that a configuration names."""
    return tuple(_files(config))


def _files(config: Config) -> Iterator[CertificateFile]:
    use, followed, start = CertificateUse, Renewal.FOLLOWED, Renewal.START
    for utility in config.utility:
        name = utility.name
        own = CertificateFile(use.UTILITY, name, utility.certificate, followed, utility.key)
        yield replace(own, crls=utility.crls)
        yield CertificateFile(use.UTILITY_ROOT, name, utility.trust, followed)
    signal = config.regulation.signal
    page = None if config.web.for_this_machine or not config.web.https else config.web.keys
    if page is not None:
        mine, root = page / "page.pem", page / "authority.pem"
        yield CertificateFile(use.PAGE, "", mine, Renewal.ITSELF, mine)
        yield CertificateFile(use.PAGE_ROOT, "", root, start, page / "authority.key")
    seen, ocpp = config.visibility, config.ocpp
    named: list[tuple[CertificateUse, str, Path | None, Renewal, Path | None]] = [
        (use.RECIPIENTS, "", seen.certificate, followed, seen.key),
        (use.RECIPIENTS_ROOT, "", seen.trust, followed, None),
        (use.CHARGERS, "", ocpp.certificate, start, ocpp.key),
        (use.CHARGERS_ROOT, "", ocpp.trust, start, None),
        (use.BROKER_ROOT, "", config.mqtt.trust, start, None),
    ]
    if signal is not None:
        named.append((use.REGULATION, "", signal.certificate, start, signal.key))
        named.append((use.REGULATION_ROOT, "", signal.trust, start, None))
    for each in config.device:
        named.append((use.DEVICE, each.name, each.tls_certificate, start, each.tls_key))
        named.append((use.DEVICE_ROOT, each.name, each.tls_trust, start, None))
    for what, of, path, renewal, key in named:
        if path is not None:
            yield CertificateFile(what, of, path, renewal, key)


def look(file: CertificateFile, now: float) -> list[CertificateView]:
    """Return what a file's certificates say; reads it.

    Args:
        file: Which. Of an own chain the first certificate counts, of roots each does.
        now: UTC epoch seconds.
    """
    try:
        found = read_certificates(file.path)
        crls = () if file.crls is None else read_crls(file.crls)
    except CertificateError as error:
        return [
            CertificateView(file.use, file.of, Standing.UNREADABLE, file.renewal, error=str(error))
        ]
    own = file.use in _OWN
    kept = "" if file.key is None else kept_words(file.key)
    shown = found[:1] if own else found
    views = [replace(_view(file, each, now, own=own), key=kept) for each in shown]
    if any(revoked(each, crls) for each in found):
        return [replace(view, standing=Standing.REVOKED) for view in views]
    return views


def of_server(utility: str, certificate: bytes, now: float) -> CertificateView:
    """Return what the certificate says that a utility's server shows.

    Args:
        utility: Its name.
        certificate: DER; one that a handshake has accepted.
        now: UTC epoch seconds.
    """
    file = CertificateFile(CertificateUse.UTILITY_SERVER, utility, Path(), Renewal.OTHERS)
    return _view(file, x509.load_der_x509_certificate(certificate), now, own=True)


def _view(
    file: CertificateFile, certificate: x509.Certificate, now: float, *, own: bool
) -> CertificateView:
    starts_at = certificate.not_valid_before_utc.timestamp()
    ends_at = certificate.not_valid_after_utc.timestamp()
    body = der(certificate)
    return CertificateView(
        file.use,
        file.of,
        standing(starts_at, ends_at, now, SOON_S if file.renewal is not Renewal.ITSELF else LATE_S),
        file.renewal,
        subject=common_name(certificate.subject),
        issuer=common_name(certificate.issuer),
        starts_at=starts_at,
        ends_at=None if ends_at >= ENDLESS else ends_at,
        fingerprint=_pairs(hashlib.sha256(body).hexdigest()),
        lfdi=lfdi(body) if own else "",
    )


def standing(starts_at: float, ends_at: float, now: float, soon_s: float = SOON_S) -> Standing:
    """Return how a certificate stands at `now`, all in UTC epoch seconds.

    Args:
        starts_at: From when it counts.
        ends_at: Until when.
        now: The present time.
        soon_s: An end within this is told.
    """
    if now >= ends_at:
        return Standing.OVER
    if now < starts_at:
        return Standing.EARLY
    return Standing.SOON if ends_at - now < soon_s else Standing.GOOD


def common_name(name: x509.Name) -> str:
    """Return a name as a person reads it: its common name, or all that it says."""
    common = [
        value
        for each in name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        if isinstance(value := each.value, str)
    ]
    return common[0] if common else name.rfc4514_string()


def _pairs(digits: str) -> str:
    return ":".join(digits[i : i + 2] for i in range(0, len(digits), 2)).upper()
