"""How hub and agent know one another: each line carries a code made with a secret of the two.

The session's nonces, the side and the line's number go into the code, so that no line counts
twice, elsewhere, or as the other side's.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any, Final

NONCE: Final = 32
"""Octets."""
MOST_LINE: Final = 1 << 20
_CODE: Final = 64


class SealError(ValueError):
    """A line that the other side did not write, or not now."""


@dataclass(slots=True)
class Seal:
    """One direction of one session.

    Attributes:
        secret: That both sides have.
        session: Nonces of both sides, the hub's first.
        side: Who writes: "hub" or "agent".
    """

    secret: bytes
    session: bytes
    side: str
    _number: int = 0

    def seal(self, body: bytes) -> bytes:
        """Return a line, with its end, that the other side believes."""
        return self._next(body).encode() + b" " + body + b"\n"

    def opened(self, line: bytes) -> bytes:
        """Return what a line says.

        Raises:
            SealError: The other side did not write it, or not as the next one.
        """
        code, blank, body = line.rstrip(b"\n").partition(b" ")
        if (
            not blank
            or len(code) != _CODE
            or not hmac.compare_digest(self._next(body).encode(), code)
        ):
            raise SealError("a line that the other side did not write")
        return body

    def _next(self, body: bytes) -> str:
        self._number += 1
        key = hashlib.sha256(self.secret + self.session).digest()
        told = f"{self.side} {self._number} ".encode() + body
        return hmac.new(key, told, hashlib.sha256).hexdigest()


def hello(nonce: bytes) -> bytes:
    """Return the line by which a side begins."""
    return json.dumps({"hello": nonce.hex()}).encode() + b"\n"


def read_hello(line: bytes) -> bytes:
    """Return the other side's nonce.

    Raises:
        SealError: It does not begin as it should.
    """
    try:
        raw: Any = json.loads(line)
        nonce = bytes.fromhex(raw["hello"])
    except (ValueError, TypeError, KeyError) as error:
        raise SealError("the other side does not begin as it should") from error
    if len(nonce) != NONCE:
        raise SealError("the other side does not begin as it should")
    return nonce
