"""Cuts a stream of bytes into P1 telegrams, whatever else is in the stream. Pure.

A telegram begins with "/" at the start of a line and ends with the line that begins with "!",
which carries the checksum (DSMR 4 and later) or nothing (DSMR 2 and 3).
"""

import re
from collections.abc import Generator, Iterator
from typing import Final

LONGEST: Final = 16 * 1024
"""Bytes of a telegram at most; the longest known, with a year's peaks and a long message, has a
quarter of it."""

_BEGIN: Final = b"/"
_BEGIN_AGAIN: Final = re.compile(rb"\n/")
_END: Final = re.compile(rb"(?<=\n)!([0-9A-Fa-f]{0,4})\r?\n")
_LONGEST_END: Final = len(b"!0123\r\n")
_CIPHERED: Final = 0xDB
"""Tag of a DLMS general-global-cipher frame, in which some countries' meters wrap telegrams."""

CUT: Final = "a telegram is cut off"
TOO_LONG: Final = "a telegram never ends"
NO_TELEGRAM: Final = "what comes is no telegram"
CIPHERED: Final = "its telegrams are encrypted, which is not supported"


class Framer:
    """Holds what has come of the next telegram; never more than `LONGEST` bytes and one feed."""

    def __init__(self) -> None:
        self._held = b""
        self._searched = 0

    def feed(self, data: bytes) -> Iterator[bytes | str]:
        """Take in bytes; yields whole telegrams as bytes, and faults in words.

        Args:
            data: As they came.

        Yields:
            A telegram from its "/" to the end of its "!" line, or what was thrown away and why.
        """
        self._held += data
        while True:
            begin = self._held.find(_BEGIN)
            if begin < 0:
                lost, self._held = self._held, b""
                if lost.strip():
                    yield _named(lost)
                return
            if begin:
                lost, self._held, self._searched = self._held[:begin], self._held[begin:], 0
                if lost.strip():
                    yield _named(lost)
            found = yield from self._next()
            if not found:
                return

    def _next(self) -> Generator[bytes | str, None, bool]:
        """Yield what stands at the beginning; returns whether there may be more behind it."""
        held = self._held
        end = _END.search(held, self._searched)
        again = _BEGIN_AGAIN.search(held, self._searched, len(held) if end is None else end.start())
        if again is not None:
            yield CUT
            self._drop(again.end() - 1)
            return True
        if end is not None:
            yield held[: end.end()]
            self._drop(end.end())
            return True
        if len(held) > LONGEST:
            yield TOO_LONG
            self._drop(len(held))
            return True
        self._searched = max(0, len(held) - _LONGEST_END)  # what was searched is not searched again
        return False

    def _drop(self, count: int) -> None:
        self._held, self._searched = self._held[count:], 0


def _named(lost: bytes) -> str:
    return CIPHERED if lost.lstrip()[0] == _CIPHERED else NO_TELEGRAM
