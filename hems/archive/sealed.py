"""A stream locked with a passphrase: what was changed, cut or put in another order is noticed.

    header  magic, version, Argon2id's costs, salt, nonce prefix, check of the key, CRC-32
    chunks  AES-256-GCM of 64 KiB each; the nonce counts them and marks the last, the header is
            authenticated with each

Both directions hold one chunk in memory, whatever the stream's length.
"""

import io
import secrets
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from der.sentence import say
from hems.archive.errors import ArchiveError, DamagedError, NewerError, WrongPassphraseError

MAGIC: Final = b"HEMSBACK"
VERSION: Final = 1
CHUNK: Final = 65536
_TAG: Final = 16
_KEY: Final = 32
_CHECK: Final = 16
_HEADER: Final = struct.Struct(">8sBIIB16s7s16s")
_CRC: Final = struct.Struct(">I")
_NONCE: Final = struct.Struct(">7sIB")
_MOST_CHUNKS: Final = 2**32
_MOST_KIB: Final = 2**19
SHORTEST_PASSPHRASE: Final = 10


@dataclass(frozen=True, slots=True)
class Cost:
    """What trying one passphrase costs.

    Attributes:
        memory_kib: Memory that it takes.
        passes: How often that is gone through.
        lanes: In how many threads.
    """

    memory_kib: int = 65536
    passes: int = 3
    lanes: int = 1

    @property
    def bearable(self) -> bool:
        """Whether a hub may be asked for it: a forged header must not take all its memory."""
        # Each lane takes 8 KiB at least (RFC 9106, section 3.1).
        enough = self.lanes >= 1 and self.memory_kib >= 8 * self.lanes
        return enough and self.memory_kib <= _MOST_KIB and self.passes in range(1, 33)


_COST: Final = Cost()


class Sealer(io.RawIOBase):
    """Locks what is written to it; closing it writes the end.

    Args:
        out: Where to; it stays open.
        passphrase: At least ten characters.
        cost: Of trying a passphrase.

    Raises:
        ArchiveError: The passphrase is too short.
    """

    def __init__(self, out: BinaryIO, passphrase: str, cost: Cost = _COST) -> None:
        super().__init__()
        if len(passphrase) < SHORTEST_PASSPHRASE:
            raise ArchiveError(
                say("The passphrase needs at least {least} characters.", least=SHORTEST_PASSPHRASE)
            )
        salt, self._prefix = secrets.token_bytes(16), secrets.token_bytes(7)
        key, check = _derive(passphrase, salt, cost)
        header = _HEADER.pack(
            MAGIC, VERSION, cost.memory_kib, cost.passes, cost.lanes, salt, self._prefix, check
        )
        self._header = header
        self._cipher = AESGCM(key)
        self._out = out
        self._waiting = bytearray()
        self._count = 0
        out.write(header + _CRC.pack(zlib.crc32(header)))

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        """Lock some octets."""
        self._waiting += data
        while len(self._waiting) > CHUNK:  # one is kept back: it may be the last
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]
        return len(data)

    def close(self) -> None:
        """Write the end; without it the stream is not taken for whole."""
        if not self.closed:
            self._seal(bytes(self._waiting), last=True)
            self._waiting.clear()
        super().close()

    def abandon(self) -> None:
        """Close it without an end."""
        super().close()

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        if self._count >= _MOST_CHUNKS:
            raise ArchiveError(say("The backup would be larger than can be locked."))
        nonce = _NONCE.pack(self._prefix, self._count, last)
        self._out.write(self._cipher.encrypt(nonce, chunk, self._header))
        self._count += 1


class Opener(io.RawIOBase):
    """Reads what a `Sealer` has locked.

    Args:
        source: Where from; it stays open.
        passphrase: What it was locked with.

    Raises:
        DamagedError: It does not begin as a backup.
        NewerError: A newer version of this software has made it.
        WrongPassphraseError: It was locked with another passphrase.
    """

    def __init__(self, source: BinaryIO, passphrase: str) -> None:
        super().__init__()
        self._header = _exactly(source, _HEADER.size)
        crc = _exactly(source, _CRC.size)
        magic, version, cost, salt, self._prefix, check = _unpacked(self._header)
        if magic != MAGIC:
            raise DamagedError(say("This file is no backup of a home."))
        if version > VERSION:
            raise NewerError(
                say("A newer version of this software made this backup; update this hub first.")
            )
        if crc != _CRC.pack(zlib.crc32(self._header)) or not cost.bearable:
            raise DamagedError(say("The backup is damaged at its beginning."))
        key, mine = _derive(passphrase, salt, cost)
        if not secrets.compare_digest(mine, check):
            raise WrongPassphraseError(say("This is not the passphrase of this backup."))
        self._cipher = AESGCM(key)
        self._source = source
        self._next = source.read(CHUNK + _TAG)
        self._open = b""
        self._count = 0
        self._over = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Read some octets; 0 once the end was there.

        Raises:
            DamagedError: They are not what was locked, or end too early.
        """
        while not self._open and not self._over:
            self._open = self._unseal()
        part = self._open[: len(buffer)]
        buffer[: len(part)] = part
        self._open = self._open[len(part) :]
        return len(part)

    def _unseal(self) -> bytes:
        sealed, self._next = self._next, self._source.read(CHUNK + _TAG)
        self._over = not self._next
        nonce = _NONCE.pack(self._prefix, self._count, self._over)
        self._count += 1
        try:
            return self._cipher.decrypt(nonce, sealed, self._header)
        except (InvalidTag, ValueError) as error:  # ValueError: shorter than a tag
            raise DamagedError(
                say("The backup is damaged or not whole; nothing of it was used.")
            ) from error


def _unpacked(header: bytes) -> tuple[bytes, int, Cost, bytes, bytes, bytes]:
    magic, version, memory, passes, lanes, salt, prefix, check = _HEADER.unpack(header)
    return magic, version, Cost(memory, passes, lanes), salt, prefix, check


def _derive(passphrase: str, salt: bytes, cost: Cost) -> tuple[bytes, bytes]:
    """Return the key that a passphrase makes, and what shows that it is the right one."""
    made = Argon2id(
        salt=salt,
        length=_KEY + _CHECK,
        iterations=cost.passes,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    ).derive(passphrase.encode())
    return made[:_KEY], made[_KEY:]


def _exactly(source: BinaryIO, count: int) -> bytes:
    found = source.read(count)
    if len(found) != count:
        raise DamagedError(say("This file is no backup of a home."))
    return found
