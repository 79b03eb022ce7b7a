"""Rows of which each is bound to all before it by a hash. Pure.

What a row says is hashed to its digest; digest, number and time are hashed with the link of the
row before to its own link. A row that is changed, taken out, put in or moved breaks the chain. Of
an old row only what it says goes; its digest stays, so that the chain holds. Whoever noted a
link down can tell later whether the rows up to it are still the same.
"""

import hashlib
import struct
from dataclasses import dataclass
from typing import Final

KEPT_S: Final = 2 * 365 * 86_400.0
"""How long rows say what they say; only then may that be taken out of them."""
START: Final = bytes(32)
"""The link before the first row."""


@dataclass(frozen=True, slots=True)
class ChainRow:
    """A row.

    Attributes:
        seq: Its number, from 1 on without gaps.
        at: UTC epoch seconds.
        body: What it says, as JSON; None for an old one of which that was taken out.
        digest: SHA-256 of what it says.
        link: Of the chain up to it.
    """

    seq: int
    at: float
    body: str | None
    digest: bytes
    link: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether rows are as they were written.

    Attributes:
        rows: How many were looked at, up to the first that is not.
        broken_at: Number of the first row that is not as it was written; None for none.
        link: Of the last good row: to be noted down, and asked for another day.
        known: Whether the link that was asked for is among the rows; None if none was.
    """

    rows: int
    broken_at: int | None
    link: bytes
    known: bool | None


def append(last: ChainRow | None, at: float, body: str) -> ChainRow:
    """Return the row that follows the last one.

    Args:
        last: None for the first row.
        at: UTC epoch seconds.
        body: What it says.
    """
    seq, before = (1, START) if last is None else (last.seq + 1, last.link)
    digest = hashlib.sha256(body.encode()).digest()
    return ChainRow(seq, at, body, digest, _link(before, seq, at, digest))


class Verifier:
    """Looks, row by row in order, whether they are as they were written.

    Args:
        now: UTC epoch seconds; a younger row than `KEPT_S` must say what it says.
        noted: A link noted down earlier; None for none.
    """

    def __init__(self, now: float, noted: bytes | None = None) -> None:
        self._now = now
        self._noted = noted
        self._seen = 0
        self._link = START
        self._broken = False
        self._known = noted == START

    def take(self, row: ChainRow) -> bool:
        """Look at the next row; returns whether it is as it was written."""
        if self._broken or not self._sound(row):
            self._broken = True
            return False
        self._seen, self._link = row.seq, row.link
        self._known = self._known or row.link == self._noted
        return True

    def verdict(self) -> Verdict:
        """Return what was found so far."""
        return Verdict(
            rows=self._seen,
            broken_at=self._seen + 1 if self._broken else None,
            link=self._link,
            known=None if self._noted is None else self._known,
        )

    def _sound(self, row: ChainRow) -> bool:
        if row.body is None and row.at > self._now - KEPT_S:
            return False
        digest = row.digest if row.body is None else hashlib.sha256(row.body.encode()).digest()
        link = _link(self._link, self._seen + 1, row.at, digest)
        return (row.seq, row.digest, row.link) == (self._seen + 1, digest, link)


def _link(before: bytes, seq: int, at: float, digest: bytes) -> bytes:
    return hashlib.sha256(before + struct.pack(">Qd", seq, at) + digest).digest()
