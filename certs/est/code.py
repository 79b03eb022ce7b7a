"""The enrolment code: all that a new hub has to be told, to be typed, pasted or photographed.

    HEMS1:utility.example:8443:3K4M9T-...

It names the server, the CA by its fingerprint (so that nothing is trusted at first sight), the
one-time secret and the registration PIN. Digits and letters of the last part are Crockford's: no
I, L, O or U. A check sum over all of it finds slips of the pen before anything is sent.
"""

import hashlib
import ipaddress
import re
import secrets
from binascii import crc_hqx
from dataclasses import dataclass, field
from typing import Final

from certs.est.errors import EstError, Fault
from certs.identity import pin_valid

FINGERPRINT_OCTETS: Final = 16
SECRET_OCTETS: Final = 11
"""88 bits: nobody guesses it, so its plain hash may be kept."""
LONGEST: Final = 400
"""Characters; whatever is longer is no code."""

_PREFIX: Final = "HEMS1:"
_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIKE: Final = str.maketrans("OIL", "011")
_GROUP: Final = 6
_BITS: Final = 5
_PIN_OCTETS: Final = 3
_CHECK_OCTETS: Final = 2
_HAS_SECRET: Final = 1
_HAS_PIN: Final = 2
_CHECK_START: Final = 0xFFFF
_LABEL: Final = "[a-z0-9][a-z0-9-]{0,62}"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
_LAST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class EnrolmentCode:
    """What a hub is told.

    Attributes:
        host: Name or address of the server; lower case, IPv6 without brackets.
        port: Its port.
        fingerprint: The first 16 octets of the SHA-256 of its root certificate in DER.
        secret: One-time secret, 11 octets; empty where a manufacturer's certificate stands in.
        pin: Registration PIN; empty where the hub's own holds.
    """

    host: str
    port: int
    fingerprint: bytes
    secret: bytes = field(default=b"", repr=False)
    pin: str = field(default="", repr=False)

    @property
    def authority(self) -> str:
        """Host and port as they stand in an address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def password(self) -> str:
        """The secret as it is shown to the server; empty for none."""
        return _digits(self.secret)

    def text(self) -> str:
        """Return the code."""
        flags = _HAS_SECRET * bool(self.secret) | _HAS_PIN * bool(self.pin)
        pin = int(self.pin).to_bytes(_PIN_OCTETS, "big") if self.pin else b""
        body = bytes((flags,)) + self.fingerprint + self.secret + pin
        digits = _digits(body + _check(self.authority, body))
        groups = (digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP))
        return f"{_PREFIX}{self.authority}:{'-'.join(groups)}"


def new_secret() -> bytes:
    """Return a one-time secret."""
    return secrets.token_bytes(SECRET_OCTETS)


def fingerprint(certificate_der: bytes) -> bytes:
    """Return how a code names a certificate."""
    return hashlib.sha256(certificate_der).digest()[:FINGERPRINT_OCTETS]


def read_code(text: str) -> EnrolmentCode:
    """Read a code as people type it: any case, spaces and lines as they like.

    Raises:
        EstError: It is none, or has a slip of the pen in it.
    """
    plain = "".join(text[: LONGEST + 1].split())
    if len(plain) > LONGEST or plain[: len(_PREFIX)].upper() != _PREFIX:
        raise _wrong(f"an enrolment code begins with {_PREFIX}")
    authority, colon, digits = plain[len(_PREFIX) :].rpartition(":")
    if not colon:
        raise _wrong("the enrolment code names no server")
    host, port = _server(authority.lower())
    raw = _octets(digits)
    body, check = raw[:-_CHECK_OCTETS], raw[-_CHECK_OCTETS:]
    found = EnrolmentCode(host, port, b"")
    if not body or check != _check(found.authority, body):
        raise _wrong("the enrolment code has a slip in it: its check does not fit")
    return _taken_apart(host, port, body)


def _taken_apart(host: str, port: int, body: bytes) -> EnrolmentCode:
    flags, rest = body[0], body[1:]
    mark, rest = rest[:FINGERPRINT_OCTETS], rest[FINGERPRINT_OCTETS:]
    size = SECRET_OCTETS if flags & _HAS_SECRET else 0
    secret, rest = rest[:size], rest[size:]
    size = _PIN_OCTETS if flags & _HAS_PIN else 0
    pin = f"{int.from_bytes(rest[:size], 'big'):06d}" if size else ""
    whole = len(mark) == FINGERPRINT_OCTETS and len(rest) == size
    if flags & ~(_HAS_SECRET | _HAS_PIN) or not whole or (pin and not pin_valid(pin)):
        raise _wrong("the enrolment code is of a kind that is not known here")
    return EnrolmentCode(host, port, mark, secret, pin)


def server_of(authority: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`, an IPv6 address in brackets.

    Raises:
        EstError: It is none.
    """
    return _server(authority.lower())


def read_secret(text: str) -> bytes:
    """Return the secret that a hub shows as its password.

    Raises:
        EstError: It is of no kind that is given out.
    """
    secret = _octets(text[:LONGEST])
    if len(secret) != SECRET_OCTETS:
        raise _wrong("this is no one-time secret")
    return secret


def _server(authority: str) -> tuple[str, int]:
    host, _, number = authority.rpartition(":")
    if not (number.isascii() and number.isdigit() and 0 < int(number[:6]) <= _LAST_PORT):
        raise _wrong(f"{authority!r} is not a server: HOST:PORT")
    if host.startswith("[") and host.endswith("]"):
        try:
            return str(ipaddress.IPv6Address(host[1:-1])), int(number)
        except ValueError as error:
            raise _wrong(f"{host!r} is not an address") from error
    if _HOST.fullmatch(host) is None:
        raise _wrong(f"{host!r} is not the name of a server")
    return host, int(number)


def _digits(octets: bytes) -> str:
    """Return octets in Crockford's digits, the last one filled up with zero bits."""
    count = -(-8 * len(octets) // _BITS)
    number = int.from_bytes(octets, "big") << (_BITS * count - 8 * len(octets))
    return "".join(_DIGITS[number >> _BITS * at & 31] for at in reversed(range(count)))


def _octets(digits: str) -> bytes:
    number = 0
    plain = digits.replace("-", "").upper().translate(_ALIKE)
    for digit in plain:
        value = _DIGITS.find(digit)
        if value < 0:
            raise _wrong(f"{digit!r} does not stand in an enrolment code")
        number = number << _BITS | value
    size, spare = divmod(_BITS * len(plain), 8)
    if number & ((1 << spare) - 1) or spare >= _BITS:
        raise _wrong("the enrolment code has a slip in it: its check does not fit")
    return (number >> spare).to_bytes(size, "big")


def _check(authority: str, body: bytes) -> bytes:
    return crc_hqx(authority.encode() + b"\0" + body, _CHECK_START).to_bytes(_CHECK_OCTETS, "big")


def _wrong(why: str) -> EstError:
    return EstError(Fault.CODE, why)
