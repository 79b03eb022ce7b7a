"""Whether a certificate still counts, and what holds while nobody can say: pure rules.

Two sources tell of revocation, its CA's list and OCSP (RFC 6960), and either is enough. Neither
says anything for ever: a list until its nextUpdate, an answer likewise. After that a `Policy`
decides how long what was known last holds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from certs.lists import RevocationList
from certs.verify import revoked


class Standing(Enum):
    """How a certificate stands, from good to bad."""

    KNOWN = "known"
    """A list or an answer that is not overdue says that it counts."""
    OVERDUE = "overdue"
    """All that is known is overdue, and holds for now."""
    UNKNOWN = "unknown"
    """It has been overdue for longer than the policy allows: nobody is talked to by it."""
    REVOKED = "revoked"
    """Its CA has taken it back."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds while revocation cannot be learned.

    Attributes:
        hard: Whether an overdue certificate stops to count at all.
        grace_s: For how long it counts all the same, if it is hard.
    """

    hard: bool = True
    grace_s: float = 0.0

    @property
    def patience_s(self) -> float:
        """For how long what is overdue counts."""
        return self.grace_s if self.hard else math.inf


STRICT: Final = Policy()
"""What is overdue counts no more, at once: OpenSSL's own rule."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What OCSP has said of certificates; they go by `mark`.

    Attributes:
        good_until: UTC epoch seconds until which one is known to count.
        revoked: Those that were taken back.
    """

    good_until: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    revoked: frozenset[str] = frozenset()

    def revokes(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate was taken back."""
        return bool(self.revoked) and mark(certificate) in self.revoked

    def counts_until(self, certificate: x509.Certificate) -> float:
        """Return until when a certificate is known to count; -inf if nothing was said of it."""
        if not self.good_until:
            return -math.inf
        return self.good_until.get(mark(certificate), -math.inf)


NO_ANSWERS: Final = Answers()


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a chain stands.

    Attributes:
        standing: As its worst certificate stands.
        certificate: That one; None for a chain of a root alone.
        known_until: UTC epoch seconds until which something current is known of all of them.
        ends: UTC epoch seconds from which on it does not count, if nothing new is learned.
    """

    standing: Standing
    certificate: x509.Certificate | None
    known_until: float
    ends: float


def mark(certificate: x509.Certificate) -> str:
    """Return by what answers know a certificate: the SHA-256 of its DER, hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def standing(known_until: float, now: float, policy: Policy) -> Standing:
    """Return how a certificate that is not revoked stands; all times UTC epoch seconds."""
    if now <= known_until:
        return Standing.KNOWN
    return Standing.OVERDUE if now <= known_until + policy.patience_s else Standing.UNKNOWN


def verdict(
    chain: Sequence[x509.Certificate],
    crls: Sequence[RevocationList],
    answers: Answers,
    now: float,
    policy: Policy,
) -> Verdict:
    """Return how a chain stands. Its root is trusted as it is, and not asked about.

    Args:
        chain: A certificate and its CAs, as they were verified.
        crls: Revocation lists whose signatures are good.
        answers: What OCSP has said.
        now: UTC epoch seconds.
        policy: What holds meanwhile.
    """
    judged = [each for each in chain if each.subject != each.issuer]
    for each in judged:
        if answers.revokes(each) or revoked(each, crls):
            return Verdict(Standing.REVOKED, each, -math.inf, -math.inf)
    if not judged:
        return Verdict(Standing.KNOWN, None, math.inf, math.inf)
    until, worst = min((_known_until(each, crls, answers), i) for i, each in enumerate(judged))
    return Verdict(standing(until, now, policy), judged[worst], until, until + policy.patience_s)


def overdue(crls: Sequence[RevocationList], now: float) -> bool:
    """Return whether one of some lists is."""
    return any(_until(each) < now for each in crls)


def _known_until(
    certificate: x509.Certificate,
    crls: Sequence[RevocationList],
    answers: Answers,
) -> float:
    ends = [_until(crl) for crl in crls if crl.issuer == certificate.issuer]
    return max(*ends, answers.counts_until(certificate), -math.inf)


def _until(crl: RevocationList) -> float:
    """Return until when a list is current: for ever where it does not say, as OpenSSL takes it."""
    return math.inf if crl.next_update_utc is None else crl.next_update_utc.timestamp()
