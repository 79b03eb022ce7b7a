"""What a peer of IEEE 2030.5 is judged by, beside what OpenSSL has checked; pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography import x509

from certs.errors import PeerError
from certs.lists import ReadList
from certs.standing import NO_ANSWERS, STRICT, Answers, Policy, Standing, overdue, verdict
from certs.verify import Role, check_dates, check_peer, check_root, holder


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a TLS context.

    Attributes:
        role: The part that its peers play.
        roots: Whom it trusts.
        crls: The revocation lists of all CAs below them.
        policy: What holds while revocation cannot be learned.
        answers: What OCSP has said.
        lists: The revocation lists, read once for many handshakes.
    """

    role: Role
    roots: Sequence[x509.Certificate]
    crls: Sequence[x509.CertificateRevocationList] = ()
    policy: Policy = STRICT
    answers: Answers = NO_ANSWERS
    lists: Sequence[ReadList] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lists", tuple(ReadList.of(crl) for crl in self.crls))

    def check(self, chain: Sequence[x509.Certificate], now: float, *, sure: bool = True) -> None:
        """Check all but whether it can be learned that a chain was not revoked.

        Args:
            chain: The peer's, its own certificate first.
            now: UTC epoch seconds.
            sure: Whether it is that time, and not perhaps a later one.

        Raises:
            PeerError: A rule is broken.
        """
        check_peer(chain, self.role, self.lists)
        check_root(chain, self.roots)
        check_dates(chain, now, sure=sure)

    def check_standing(self, chain: Sequence[x509.Certificate], now: float) -> float:
        """Check that a chain was not revoked, as far as that is known; see `check`.

        Returns:
            UTC epoch seconds until which that holds, if nothing new is learned.

        Raises:
            PeerError: It was revoked, or nobody could say for longer than the policy allows.
        """
        found = verdict(chain, self.lists, self.answers, now, self.policy)
        if found.certificate is not None:
            name = holder(found.certificate)
            if found.standing is Standing.REVOKED:
                raise PeerError(f"the certificate of {name} is revoked")
            if found.standing is Standing.UNKNOWN:
                raise PeerError(
                    f"whether the certificate of {name} was revoked could not be learned for "
                    "too long"
                )
        return found.ends

    def leaves_times(self, now: float) -> bool:
        """Whether OpenSSL is to leave times to us: lists are overdue that may hold all the same.

        It knows no grace: to it a list that is overdue is as bad as none.
        """
        return self.policy != STRICT and overdue(self.lists, now)
