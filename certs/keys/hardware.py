"""Keys that are made and used in hardware and never leave it, and secrets that it locks.

Fields of a key: where the key is in the hardware, public key. Neither is secret; both are checked
with each signature, so that a file that was changed, or hardware that was exchanged, is told.
Fields of a secret: where what opens it is in the hardware, and what the hardware made of it.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from certs.keys import inplace
from certs.keys.backend import Fields, Held, TlsContent, read_public, spki
from certs.keys.counting import Counters
from certs.keys.errors import KeyStoreError, TamperedError
from certs.keys.worker import Worker

SIGN_S: Final = 3.0
"""For so long a signature is waited for: the control cycle waits with it."""
MAKE_S: Final = 60.0
"""The same for making, taking and erasing keys; nothing waits for these."""

_FIELDS: Final = 2


class Chip(Protocol):
    """Hardware that signs. It is called by one thread, one call at a time.

    Attributes:
        name: For messages.
        held: What kind of hardware it is.
        label: Of the PEM block of the files of its keys.
        secret_label: Of those of what it has sealed.
        counter_label: Of those of its counters.
    """

    name: str
    held: Held
    label: str
    secret_label: str
    counter_label: str

    def make(self) -> tuple[bytes, ec.EllipticCurvePublicKey]:
        """Make a P-256 key that cannot leave it; returns where it is, and its public key."""
        ...

    def take(self, key: ec.EllipticCurvePrivateKey) -> bytes:
        """Take in a key that exists already; returns where it is."""
        ...

    def sign(self, where: bytes, digest: bytes) -> bytes:
        """Return the ECDSA signature, DER, of a SHA-256 digest.

        Raises:
            KeyStoreGoneError: It is not there.
            KeyStoreError: It refuses.
        """
        ...

    def seal(self, secret: bytes) -> Fields:
        """Lock a secret; returns where what opens it is, and all else that this takes."""
        ...

    def unseal(self, fields: Fields) -> bytes:
        """Return a secret that it locked.

        Raises:
            KeyStoreGoneError: It is not there.
            KeyStoreError: It refuses, or locked no such secret.
        """
        ...

    def erase(self, where: bytes) -> None:
        """Erase a key, or what opens a secret, and see that it is gone."""
        ...

    def check(self, wheres: Sequence[bytes]) -> None:
        """See whether it answers, and has these keys."""
        ...

    def make_counter(self) -> bytes:
        """Make a counter that only goes up; returns where it is."""
        ...

    def count(self, where: bytes) -> int:
        """Count one more; returns how many that are."""
        ...

    def counted(self, where: bytes) -> int:
        """Return how far a counter has counted."""
        ...

    def erase_counter(self, where: bytes) -> None:
        """Erase a counter, and see that it is gone."""
        ...


class HardwareBackend:
    """Keys in hardware.

    Args:
        chip: Which.
        sign_s: For how long a signature is waited for.
    """

    def __init__(self, chip: Chip, sign_s: float = SIGN_S) -> None:
        self.label = chip.label
        self.secret_label = chip.secret_label
        self.held = chip.held
        self._chip = chip
        self._sign_s = sign_s
        self._worker = Worker(chip.name)
        self.counters: Counters | None = _ChipCounters(chip, self._worker)

    def make(self) -> Fields:
        """Make a key; returns what is kept of it.

        Raises:
            KeyStoreError: The hardware is not there, or refuses.
        """
        where, public = self._worker.do(self._chip.make, MAKE_S)
        return where, spki(public)

    def take(self, key: ec.EllipticCurvePrivateKey) -> Fields:
        """Take a key in; returns what is kept of it.

        Raises:
            KeyStoreError: The hardware is not there, or refuses.
        """
        where = self._worker.do(lambda: self._chip.take(key), MAKE_S)
        return where, spki(key.public_key())

    def public(self, fields: Fields) -> ec.EllipticCurvePublicKey:
        """Return the public key; the hardware need not be there."""
        return read_public(_whole(fields)[1])

    def sign(self, fields: Fields, digest: bytes) -> bytes:
        """Return the ECDSA signature, DER, of a SHA-256 digest.

        Raises:
            KeyStoreError: The hardware is not there, refuses, or has another key there.
        """
        where, public = _whole(fields)
        signature = self._worker.do(lambda: self._chip.sign(where, digest), self._sign_s)
        try:
            how = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
            read_public(public).verify(signature, digest, how)
        except InvalidSignature as error:
            raise TamperedError(f"{self._chip.name} has another key there") from error
        return signature

    def tls(self, fields: Fields) -> TlsContent:
        """Return a stub: OpenSSL has the hardware sign.

        Raises:
            KeyStoreError: The OpenSSL of this Python cannot be made to.
        """
        return TlsContent(inplace.stub(self.public(fields), lambda d: self.sign(fields, d)))

    def erase(self, fields: Fields) -> str:
        """Erase the key in the hardware.

        Raises:
            KeyStoreError: The hardware is not there, or refuses.
        """
        where, _ = _whole(fields)
        self._worker.do(lambda: self._chip.erase(where), MAKE_S)
        inplace.forget(self.public(fields))
        return f"{self._chip.name} has the key no more"

    def seal(self, secret: bytes) -> Fields:
        """Have the hardware lock a secret; returns what is kept of it.

        Raises:
            KeyStoreError: The hardware is not there, or refuses.
        """
        return self._worker.do(lambda: self._chip.seal(secret), MAKE_S)

    def unseal(self, fields: Fields) -> bytes:
        """Return a secret that the hardware locked.

        Raises:
            KeyStoreError: The hardware is not there, refuses, or has locked another.
        """
        return self._worker.do(lambda: self._chip.unseal(fields), self._sign_s)

    def forget(self, fields: Fields) -> str:
        """Erase in the hardware what opens a secret.

        Raises:
            KeyStoreError: The hardware is not there, or refuses.
        """
        self._worker.do(lambda: self._chip.erase(fields[0] if fields else b""), MAKE_S)
        return f"{self._chip.name} can open the secret no more"

    def check(self, kept: Sequence[Fields]) -> None:
        """See whether the hardware is there and has these keys.

        Raises:
            KeyStoreError: It is not, or has not.
        """
        wheres = [_whole(fields)[0] for fields in kept]
        self._worker.do(lambda: self._chip.check(wheres), self._sign_s)


class _ChipCounters:
    """The counters of hardware.

    Args:
        chip: Which.
        worker: Asks it.
    """

    def __init__(self, chip: Chip, worker: Worker) -> None:
        self.label = chip.counter_label
        self._chip = chip
        self._worker = worker

    def make(self) -> bytes:
        return self._worker.do(self._chip.make_counter, MAKE_S)

    def up(self, where: bytes) -> int:
        return self._worker.do(lambda: self._chip.count(where), MAKE_S)

    def value(self, where: bytes) -> int:
        return self._worker.do(lambda: self._chip.counted(where), SIGN_S)

    def erase(self, where: bytes) -> str:
        self._worker.do(lambda: self._chip.erase_counter(where), MAKE_S)
        return f"{self._chip.name} has the counter no more"


def _whole(fields: Fields) -> Fields:
    if len(fields) != _FIELDS:
        raise KeyStoreError("it does not have the fields of a key in hardware")
    return fields
