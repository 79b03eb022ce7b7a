"""A PKI gets a new root while homes go on trusting it (RFC 4210, clause 4.4).

Three steps, with time between them:

1. `begin`: a new root is made, and what ties it to the former one. Homes that ask the EST server
   believe both. Nothing that is in use changes.
2. `switch`: what is issued, and what services show, hangs under the new root.
3. `end`, once the former root's time is over: its key is erased.

The CAs below the roots keep their keys, each with a certificate under either root: so what they
have issued counts before, in between and after, and no home's LFDI changes.
"""

import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509

from certs import cas, issue
from certs.ca_files import BELOW_ROOT, NEW_WITH_OLD, OLD_WITH_NEW, ROOT, CaFiles
from certs.errors import PkiError
from certs.issue import Validity
from certs.ocsp.issued import note_issued
from certs.pem import read_certificates, write_certificates, write_crls
from certs.pki import Pki, link_for, roots

LEAST: Final = timedelta(days=1)
"""Both roots count for so long at least: homes ask once a day."""

_NUMBER: Final = re.compile(r" \d+$")


@dataclass(frozen=True, slots=True)
class RollOver:
    """How a roll-over stands.

    Attributes:
        new: The root that comes, or that is in use by now.
        former: The root whose time is running out; None while no other follows it.
        ends: Until when that counts, UTC; None likewise.
        switched: Whether what is issued hangs under the new root.
    """

    new: x509.Certificate
    former: x509.Certificate | None
    ends: datetime | None
    switched: bool


def standing(pki: Pki) -> RollOver:
    """Return how the roll-over of a PKI stands.

    Raises:
        CertificateError: A file of the PKI is missing or damaged.
    """
    ca = pki.ca
    newest = max(ca.live)
    new = read_certificates(ca.certificate(ROOT, newest))[0]
    if len(ca.live) == 1:
        return RollOver(new, None, None, switched=True)
    former = read_certificates(ca.certificate(ROOT, min(ca.live)))[0]
    ends = read_certificates(ca.certificate(OLD_WITH_NEW, newest))[0].not_valid_after_utc
    return RollOver(new, former, ends, switched=ca.in_use == newest)


def begin(pki: Pki, lasting: timedelta, *, now: datetime | None = None) -> RollOver:
    """Make a new root; where one has been made already, end what a power cut has interrupted.

    Args:
        pki: The PKI.
        lasting: For how long the former root counts from now on.
        now: UTC; the present time where None.

    Raises:
        PkiError: `lasting` is shorter than a day.
        CertificateError: A file cannot be read or written, or the key store cannot be used.
    """
    now = now or datetime.now(UTC)
    if lasting < LEAST:
        raise PkiError("the former root must count for a day at least: homes ask once a day")
    with cas.locked(pki.folder):
        ca = pki.ca
        if len(ca.live) == 1:
            _make(ca, now, lasting)
        _publish(pki)
    return standing(pki)


def switch(pki: Pki) -> Sequence[Path]:
    """Have the new root be the one that is used; done again it does no harm.

    Returns:
        The certificates that were issued here and hang under it from now on. Of a service's the
        whole file goes to where it is shown.

    Raises:
        PkiError: No roll-over has begun.
        CertificateError: A file cannot be read or written.
    """
    with cas.locked(pki.folder):
        ca = pki.ca
        if len(ca.live) == 1:
            raise PkiError(f"{pki.folder}: no other root follows; begin with that")
        newest = max(ca.live)
        ca.use(newest)
        shown = sorted((pki.folder / "issued").glob("*.pem"))
        return [path for path in shown if _hang_under(ca, newest, path)]


def end(pki: Pki, *, now: datetime | None = None) -> None:
    """Give up the former root: its key is erased.

    Args:
        pki: The PKI.
        now: UTC; the present time where None.

    Raises:
        PkiError: Its time is not over, or the new one is not in use yet.
        CertificateError: A file cannot be read or written, or the key store cannot be used.
    """
    now = now or datetime.now(UTC)
    with cas.locked(pki.folder):
        found, ca = standing(pki), pki.ca
        if found.ends is not None:
            if not found.switched:
                raise PkiError(f"{pki.folder}: the new root is not in use yet; switch first")
            if now < found.ends:
                raise PkiError(
                    f"{pki.folder}: homes believe the former root until {found.ends:%Y-%m-%d}; "
                    "it cannot be given up before"
                )
            ca.keys.erase(ca.key(ROOT, min(ca.live)))
        _publish(pki)


def _make(ca: CaFiles, now: datetime, lasting: timedelta) -> None:
    """Make the next generation beside the others and move it into place."""
    former = cas.authority(ca, ROOT, min(ca.live))
    number = ca.in_use + 1
    begins = former.certificate.not_valid_before_utc + timedelta(seconds=1)
    holds = Validity.since(now)
    holds = Validity(max(holds.not_before, begins), holds.not_after)
    ties = Validity(holds.not_before, min(now + lasting, former.certificate.not_valid_after_utc))
    draft = Path(tempfile.mkdtemp(dir=ca.folder, prefix=".root."))
    try:
        keys, key = ca.keys, draft / f"{ROOT}.key"
        keys.make(key)
        try:
            name = _NUMBER.sub("", _common_name(former.certificate))
            root = issue.issue_authority(
                f"{name} {number}", holds, path_length=2, key=keys.signer(key)
            )
            made = {
                ROOT: root.certificate,
                NEW_WITH_OLD: issue.recertify(former, root.certificate, ties),
                OLD_WITH_NEW: issue.recertify(root, former.certificate, ties),
            }
            for below in BELOW_ROOT:
                present = read_certificates(ca.certificate(below, ca.in_use))[0]
                lasts = Validity(holds.not_before, present.not_valid_after_utc)
                made[below] = issue.recertify(root, present, lasts)
            for file, certificate in made.items():
                write_certificates(draft / f"{file}.pem", [certificate])
            note_issued(ca.folder, list(made.values()))
            crl = issue.issue_crl(root, (), now, cas.CRL_LASTS)
            write_crls(draft / f"{ROOT}.crl", [crl])
            draft.replace(ca.of(number))
        except BaseException:
            keys.erase(key)  # nothing would say any more that a token holds it
            raise
    except OSError as error:
        raise PkiError(f"{ca.folder}: the new root cannot be kept: {error.strerror}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _publish(pki: Pki) -> None:
    """Say whom to believe; lists first, for who believes a root needs its list."""
    cas.join_crls(pki.ca, pki.trust.crls)
    write_certificates(pki.trust.roots, roots(pki))


def _hang_under(ca: CaFiles, generation: int, path: Path) -> bool:
    """Write a chain anew with the CA's certificate of a generation; returns whether it was so."""
    chain = read_certificates(path)
    for name in BELOW_ROOT:
        below = read_certificates(ca.certificate(name, generation))[0]
        at = next((n for n, each in enumerate(chain) if _same(each, below)), None)
        if at is None or chain[at] == below:
            continue
        write_certificates(path, [*chain[:at], below, *link_for(ca, chain[0])])
        return True
    return False


def _same(one: x509.Certificate, other: x509.Certificate) -> bool:
    return one.subject == other.subject and one.public_key() == other.public_key()


def _common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)
