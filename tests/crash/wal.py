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
        synced: Up to which offset it was on the disk for certain: a checkpoint, which waits for
            that, has copied pages up to there into the store's file.
    """

    commits: tuple[int, ...]
    pages: frozenset[int]
    size: int
    synced: int

    def whole(self, offset: int) -> int:
        """Return where the last transaction ends that lies before an offset whole; 0 for none."""
        return max((end for end in self.commits if end <= offset), default=0)


def read_wal(store: Path, page: int) -> Wal:
    """Read a store's log; one that is not there holds nothing.

    Args:
        store: The store's file.
        page: Octets of a page.
    """
    path = store.with_name(store.name + "-wal")
    content = path.read_bytes() if path.exists() else b""
    file = store.read_bytes()
    commits: list[int] = []
    pages: set[int] = set()
    waiting: set[int] = set()
    offset, copied = HEADER, 0
    while offset + FRAME + page <= len(content):
        header = content[offset : offset + FRAME]
        if header[_FRAME_SALTS] != content[_SALTS]:
            break  # of an earlier round
        number, size = struct.unpack(">II", header[:8])
        end = offset + FRAME + page
        # No page is encrypted twice in the same way, so the same octets are a copy.
        if content[offset + FRAME : end] == file[(number - 1) * page : number * page]:
            copied = end
        offset = end
        waiting.add(number)
        if size:
            commits.append(offset)
            pages |= waiting
            waiting.clear()
    synced = next((end for end in commits if end >= copied), 0) if copied else 0
    return Wal(tuple(commits), frozenset(pages), len(content), synced)
