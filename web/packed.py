"""Messages compressed once for all their readers (gzip, RFC 1952, of deflate, RFC 1951).

A stream's compressor usually remembers what it has sent, so that each reader needs one of its own.
Here each message is deflated by itself up to a full flush: it refers to nothing before it and ends
on a whole byte, so the same bytes go to every reader, one after the other, as one gzip file.
"""

import struct
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # deflate, no flags, no time
_LAST_BLOCK: Final = b"\x03\x00"  # empty, and the end
_LENGTH_MASK: Final = 0xFFFF_FFFF


@dataclass(frozen=True)
class Message:
    """A message for any number of readers.

    Attributes:
        plain: As it is.
    """

    plain: bytes

    @cached_property
    def packed(self) -> bytes:
        """The same deflated, ending on a whole byte."""
        deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        return deflate.compress(self.plain) + deflate.flush(zlib.Z_FULL_FLUSH)


@dataclass(slots=True)
class Packing:
    """One reader's gzip file, message by message."""

    _begun: bool = field(default=False, init=False)
    _checksum: int = field(default=0, init=False)
    _length: int = field(default=0, init=False)

    def add(self, message: Message) -> bytes:
        """Return what to send for a message."""
        self._checksum = zlib.crc32(message.plain, self._checksum)
        self._length += len(message.plain)
        return self._header() + message.packed

    def end(self) -> bytes:
        """Return what ends the file."""
        checks = struct.pack("<II", self._checksum, self._length & _LENGTH_MASK)
        return self._header() + _LAST_BLOCK + checks

    def _header(self) -> bytes:
        begun, self._begun = self._begun, True
        return b"" if begun else _HEADER
