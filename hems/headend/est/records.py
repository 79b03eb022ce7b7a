"""What the EST server remembers: one-time codes, and who asked for a certificate."""

from dataclasses import dataclass
from enum import Enum

from hems.headend.modes import Edition


class State(Enum):
    """How far an enrolment is."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    ISSUED = "issued"
    REVOKED = "revoked"
    """The operator has taken it back."""


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code.

    Attributes:
        id: Public; it says nothing of the secret.
        digest: SHA-256 of the secret, hex. It needs no salt: nobody guesses 88 random bits.
        serial: hwSerialNum of the only hardware that may use it, hex; empty for any.
        pin: Registration PIN of the home.
        edition: What the home speaks.
        made_at: UTC epoch seconds.
        expires_at: Likewise.
        used_by: Mark of the key that it was used with; empty while it is not used.
    """

    id: str
    digest: str
    serial: str
    pin: int
    edition: Edition
    made_at: float
    expires_at: float
    used_by: str = ""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A key that asked for a certificate.

    Attributes:
        id: Public.
        mark: SHA-256 of the key, hex.
        kind: hwType of the hardware.
        serial: Its hwSerialNum, hex.
        state: How far it is.
        asked_at: UTC epoch seconds.
        edition: What the home speaks.
        code: Id of the one-time code that it came with; empty for none.
        replaces: LFDI of the certificate that it renews; empty for a first one.
        before: That certificate, PEM.
        pin: Registration PIN; None until the operator says it.
        certificate: What was issued, PEM.
        lfdi: Of that.
    """

    id: str
    mark: str
    kind: str
    serial: str
    state: State
    asked_at: float
    edition: Edition
    code: str = ""
    replaces: str = ""
    before: str = ""
    pin: int | None = None
    certificate: str = ""
    lfdi: str = ""
