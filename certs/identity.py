"""Who a certificate says it is: LFDI, SFDI and registration PIN (IEEE 2030.5, clause 6.3)."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from certs.keys.use import TlsKeys

LFDI_DIGITS: Final = 40
"""Hex digits of an LFDI: 160 bits."""

_SFDI_DIGITS: Final = 9
"""Hex digits of the LFDI that the SFDI is made of: 36 bits."""

_PIN_LIMIT: Final = 100_000
_LFDI = re.compile(r"[0-9A-F]{40}")
_PIN = re.compile(r"[0-9]{6}")


@dataclass(frozen=True, slots=True)
class IdentityFiles:
    """Where an identity lies on disk.

    Attributes:
        certificate: PEM file of the certificate, followed by its intermediate CAs.
        key: File of its private key, readable by its owner only: plain PEM, or what a key store
            keeps of it.
        keys: The key store; None where the key is plain PEM.
    """

    certificate: Path
    key: Path
    keys: TlsKeys | None = None


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to believe.

    Attributes:
        roots: PEM file of the trusted root certificates.
        crls: PEM file of the revocation lists of every CA that may stand in a chain.
    """

    roots: Path
    crls: Path


def lfdi(certificate_der: bytes) -> str:
    """Return the long-form device identifier of a certificate.

    Args:
        certificate_der: The certificate in DER.

    Returns:
        The left-most 160 bits of its SHA-256, 40 upper-case hex digits.
    """
    return hashlib.sha256(certificate_der).hexdigest()[:LFDI_DIGITS].upper()


def lfdi_valid(text: str) -> bool:
    """Return whether `text` is written as an LFDI: 40 upper-case hex digits."""
    return _LFDI.fullmatch(text) is not None


def sfdi(lfdi_hex: str) -> int:
    """Return the short-form device identifier that belongs to an LFDI.

    Args:
        lfdi_hex: 40 hex digits.

    Returns:
        The LFDI's left-most 36 bits as a decimal, with its check digit behind.

    Raises:
        ValueError: Not 40 hex digits.
    """
    if not lfdi_valid(lfdi_hex.upper()):
        raise ValueError(f"{lfdi_hex!r} is not an LFDI: 40 hex digits are needed")
    short = int(lfdi_hex[:_SFDI_DIGITS], 16)
    return short * 10 + check_digit(short)


def check_digit(number: int) -> int:
    """Return the digit that, put behind `number`, makes the digit sum a multiple of 10.

    Raises:
        ValueError: `number` is negative.
    """
    if number < 0:
        raise ValueError(f"{number} is negative: it has no check digit")
    return -sum(map(int, str(number))) % 10


def sfdi_valid(number: int) -> bool:
    """Return whether `number` is an SFDI: at most 36 bits and their check digit."""
    return 0 <= number < 10 * 16**_SFDI_DIGITS and check_digit(number // 10) == number % 10


def pin_valid(pin: str | int) -> bool:
    """Return whether a registration PIN is whole: 6 digits, the last one the check digit.

    Args:
        pin: As typed, six digits; or as the Registration resource carries it, a number without
            its leading zeros.
    """
    text = f"{pin:06d}" if isinstance(pin, int) else pin
    return _PIN.fullmatch(text) is not None and check_digit(int(text[:-1])) == int(text[-1])


def make_pin(digits: int | None = None) -> str:
    """Return a registration PIN of six digits, its last one the check digit.

    Args:
        digits: The first five digits as a number; drawn at random where None.

    Raises:
        ValueError: `digits` has more than five digits or is negative.
    """
    number = secrets.randbelow(_PIN_LIMIT) if digits is None else digits
    if not 0 <= number < _PIN_LIMIT:
        raise ValueError(f"{number} does not fit the five free digits of a PIN")
    return f"{number:05d}{check_digit(number)}"
