"""The write-ahead log of a store's file, as SQLite's file format has it: where commits end.

Pages are encrypted, the frames' headers are not: number of the page, size of the file where the
frame ends a transaction (else 0), and the log's salts, by which frames of an earlier round are told
apart.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HEADER: Final = 32
FRAME: Final = 24
_SALTS: Final = slice(16, 24)
_FRAME_SALTS: Final = slice(8, 16)


@dataclass(frozen=True, slots=True)
class Wal:
    """What stands in a log.

    Attributes:
        commits: Offsets at which a transaction's last frame ends, in order.
        pages: Numbers of the pages that its transactions hold.
        size: Octets of the file.
    """

    commits: tuple[int, ...]
    pages: frozenset[int]
    size: int

    def whole(self, offset: int) -> int:
        """Return where the last transaction ends that lies before an offset whole; 0 for none."""
        return max((end for end in self.commits if end <= offset), default=0)


def read_wal(path: Path, page: int) -> Wal:
    """Read a log; one that is not there holds nothing.

    Args:
        path: The log.
        page: Octets of a page.
    """
    content = path.read_bytes() if path.exists() else b""
    commits: list[int] = []
    pages: set[int] = set()
    waiting: set[int] = set()
    offset = HEADER
    while offset + FRAME + page <= len(content):
        header = content[offset : offset + FRAME]
        if header[_FRAME_SALTS] != content[_SALTS]:
            break  # of an earlier round
        offset += FRAME + page
        number, size = struct.unpack(">II", header[:8])
        waiting.add(number)
        if size:
            commits.append(offset)
            pages |= waiting
            waiting.clear()
    return Wal(tuple(commits), frozenset(pages), len(content))
