"""Whether a TPM's quote proves what registers hold (TPM 2.0 Library, part 2, TPMS_ATTEST)."""

import hashlib
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from certs.agent.boot import REGISTERS, Boot
from certs.errors import CertificateError

_MAGIC: Final = 0xFF544347
_QUOTE: Final = 0x8018
_SHA256: Final = 0x000B
_CLOCK: Final = 17
_FIRMWARE: Final = 8
_BITS: Final = 8


class QuoteError(CertificateError):
    """A quote that proves nothing; `str()` says why."""


class _Reader:
    """Reads a TPM's structures: numbers are big-endian, texts have their length before them."""

    def __init__(self, octets: bytes) -> None:
        self._left = octets

    def take(self, count: int) -> bytes:
        taken, self._left = self._left[:count], self._left[count:]
        if len(taken) != count:
            raise QuoteError("the TPM's quote is cut short")
        return taken

    def number(self, octets: int) -> int:
        return int.from_bytes(self.take(octets), "big")

    def text(self) -> bytes:
        return self.take(self.number(2))

    def end(self) -> None:
        if self._left:
            raise QuoteError("the TPM's quote is longer than it says")


def check_quote(boot: Boot, nonce: bytes) -> None:
    """Check that a TPM has signed the registers that are told, and now.

    Args:
        boot: What was told.
        nonce: That it was asked with.

    Raises:
        QuoteError: It is damaged, of another time, or of other registers.
    """
    try:
        quote, signature = bytes.fromhex(boot.quote), bytes.fromhex(boot.signature)
        key = load_der_public_key(bytes.fromhex(boot.key))
        digests = [bytes.fromhex(boot.registers[str(number)]) for number in REGISTERS]
    except (ValueError, KeyError, UnsupportedAlgorithm) as error:
        raise QuoteError("the TPM's quote is damaged") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise QuoteError("the TPM's quote is not signed by a key on a curve")
    try:
        key.verify(signature, quote, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise QuoteError("the TPM's quote is not signed by its key") from error
    said = _Reader(quote)
    if said.number(4) != _MAGIC or said.number(2) != _QUOTE:
        raise QuoteError("what the TPM has signed is no quote")
    said.text()  # whose key it is: known by the key itself
    if said.text() != nonce:
        raise QuoteError("the TPM's quote is of another time")
    said.take(_CLOCK + _FIRMWARE)
    _check_selection(said)
    if said.text() != hashlib.sha256(b"".join(digests)).digest():
        raise QuoteError("the TPM has signed other registers than were told")
    said.end()


def _check_selection(said: _Reader) -> None:
    """Check that the quote is of our registers, all of them, in one bank."""
    if said.number(4) != 1 or said.number(2) != _SHA256:
        raise QuoteError("the TPM's quote is of another bank of registers")
    mask = said.take(said.number(1))
    chosen = tuple(
        index * _BITS + bit
        for index, octet in enumerate(mask)
        for bit in range(_BITS)
        if octet & (1 << bit)
    )
    if chosen != REGISTERS:
        raise QuoteError("the TPM's quote is of other registers")
