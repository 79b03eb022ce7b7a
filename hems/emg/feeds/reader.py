"""Whether a bulletin that came counts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from pydantic import ValidationError

from certs.signed import Purpose, SignatureError, verify_document
from der.sentence import say
from hems.bulletin import Alert, Bulletin

AHEAD_S = 3600.0
"""A bulletin may come from so far in the future: the hub's clock, or the enterprise's, is a little
off."""


class BulletinError(Exception):
    """A bulletin does not count; `str()` is one sentence.

    Attributes:
        replayed: Whether it is one of before.
    """

    def __init__(self, message: str, *, replayed: bool = False) -> None:
        super().__init__(message)
        self.replayed = replayed


@dataclass(frozen=True, slots=True)
class Believed:
    """Whose word counts.

    Attributes:
        roots: Under which a signer must stand.
        crls: Revocation lists.
    """

    roots: Sequence[x509.Certificate]
    crls: Sequence[x509.CertificateRevocationList] = ()


def read(document: bytes, believed: Believed, now: float, last: int) -> Bulletin:
    """Read a bulletin.

    Args:
        document: As it came.
        believed: Whose word counts.
        now: UTC epoch seconds.
        last: Number of the newest that was ever taken up; 0 for none. That one may come again.

    Raises:
        BulletinError: It is not signed by somebody who may, is damaged, over, or one of before.
    """
    try:
        signed = verify_document(document, Purpose.BULLETIN, believed.roots, now, believed.crls)
    except SignatureError as error:
        raise BulletinError(
            say("The service provider's bulletin is refused: {error}.", error=error)
        ) from error
    try:
        found = Bulletin.model_validate_json(signed.body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BulletinError(
            say(
                "The service provider's bulletin is refused: {where} is not as it should be.",
                where=".".join(str(part) for part in first["loc"]) or "it",
            )
        ) from error
    if found.number < last:
        raise BulletinError(
            say(
                "The service provider's bulletin is refused: number {number} came after number "
                "{last}.",
                number=found.number,
                last=last,
            ),
            replayed=True,
        )
    if found.expires <= now:
        raise BulletinError(
            say(
                "The service provider's bulletin is refused: number {number} is over.",
                number=found.number,
            ),
            replayed=found.number == last,
        )
    if found.issued > now + AHEAD_S:
        raise BulletinError(
            say(
                "The service provider's bulletin is refused: number {number} is of a time to come; "
                "look at the hub's clock.",
                number=found.number,
            )
        )
    return found


def alerts(bulletin: Bulletin | None, now: float) -> Sequence[Alert]:
    """Return the alerts that hold now; of a bulletin that is over, none."""
    if bulletin is None or bulletin.expires <= now:
        return ()
    return [each for each in bulletin.alerts if each.until is None or now < each.until]
