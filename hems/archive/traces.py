"""What a home could have left behind, and looking for it once the home is erased."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SHORTEST: Final = 5
"""Octets: what is shorter is found anywhere by chance, and is not looked for."""
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Trace:
    """Something that must not be found again.

    Attributes:
        what: What it is, such as "account name"; never the thing itself.
        content: As it would lie in a file.
    """

    what: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Search:
    """What came of looking.

    Attributes:
        kinds: What was looked for.
        files: How many files were looked into.
        size: Octets in them.
        found: Where something was found, each with what it is.
        unread: Files that could not be looked into, each with the reason.
    """

    kinds: tuple[str, ...] = ()
    files: int = 0
    size: int = 0
    found: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def search(folders: Iterable[Path], traces: Sequence[Trace]) -> Search:
    """Look into every file of some folders and below; what links stand for is not theirs.

    Args:
        folders: Where.
        traces: What for; those that are too short are left out.
    """
    kinds: dict[bytes, str] = {}
    for trace in traces:
        if len(trace.content) >= SHORTEST:
            kinds.setdefault(trace.content, trace.what)
    wanted = re.compile(b"|".join(re.escape(each) for each in sorted(kinds, key=len, reverse=True)))
    longest = max(map(len, kinds), default=0)
    count = size = 0
    found, unread = [], []
    for path in _files(folders):
        count += 1
        try:
            size += path.stat().st_size
            hits = _hits(path, wanted, longest) if kinds else set()
        except OSError as error:
            unread.append(f"{path}: {error.strerror}")
            continue
        found += [f"{path}: still has the {what}" for what in sorted({kinds[h] for h in hits})]
    return Search(tuple(sorted(set(kinds.values()))), count, size, tuple(found), tuple(unread))


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    seen: set[Path] = set()
    for folder in folders:
        for root, _, names in os.walk(folder):
            for name in sorted(names):
                path = Path(root) / name
                if path not in seen and path.is_file() and not path.is_symlink():
                    seen.add(path)
                    yield path


def _hits(path: Path, wanted: re.Pattern[bytes], longest: int) -> set[bytes]:
    found: set[bytes] = set()
    kept = b""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            window = kept + piece
            found.update(match[0] for match in wanted.finditer(window))
            kept = window[-(longest - 1) :] if longest > 1 else b""
    return found
