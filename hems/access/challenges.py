"""What a passkey signs: made by us, for one use, lately. Nothing is kept of those not answered.

A challenge carries its own time and a seal that only this process can make, so that nobody makes
the hub forget somebody else's by asking for many.
"""

import hashlib
import hmac
import secrets
import struct
from typing import Final

from der.sentence import say
from hems.access.errors import WrongError
from hems.clock import Clock

LASTS_S: Final = 300.0
_NONCE: Final = 16
_HEAD: Final = struct.Struct(f">{_NONCE}sd")


class Challenges:
    """Makes challenges and takes their answers.

    Args:
        clock: Where the time comes from.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._used: dict[bytes, float] = {}

    def make(self, purpose: str) -> bytes:
        """Return a new one.

        Args:
            purpose: What its answer is to count for, and for whom: it counts for nothing else.
        """
        head = _HEAD.pack(secrets.token_bytes(_NONCE), self._clock.monotonic())
        return head + self._seal(head, purpose)

    def take(self, challenge: bytes, purpose: str) -> None:
        """Have a challenge be answered; to be called once all else about the answer is right.

        Raises:
            WrongError: It is none of ours, for something else, too old, or was answered before.
        """
        self.check(challenge, purpose)
        now = self._clock.monotonic()
        self._used = {each: at for each, at in self._used.items() if now - at < LASTS_S}
        self._used[challenge] = now

    def check(self, challenge: bytes, purpose: str) -> None:
        """Refuse what `take` would refuse; raises WrongError."""
        head, seal = challenge[: _HEAD.size], challenge[_HEAD.size :]
        good = len(head) == _HEAD.size and hmac.compare_digest(seal, self._seal(head, purpose))
        if good:
            _, at = _HEAD.unpack(head)
            good = self._clock.monotonic() - at < LASTS_S and challenge not in self._used
        if not good:
            raise WrongError(say("This took too long, or was done before. Try it once more."))

    def _seal(self, head: bytes, purpose: str) -> bytes:
        return hmac.digest(self._key, head + purpose.encode(), hashlib.sha256)
