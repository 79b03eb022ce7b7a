"""Folders of the installed software, looked at again and again.

A look at a folder costs one `stat` a file. What a file cannot be changed without (its size, inode,
times of content and of status) makes the folder's mark; where that has changed, and once an hour
in any case, each file is read and its digest compared.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FULL_S: Final = 3_600.0
"""No digest is older than this by much."""
COMPILED: Final = "__pycache__"
_PIECE: Final = 1 << 20
_CUSTOM: Final = frozenset({"sitecustomize", "usercustomize"})

Listed = Mapping[str, tuple[int, bytes]]
"""Size (negative: not known) and SHA-256, by the name of a file."""


class What(StrEnum):
    """What is wrong with a file."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, order=True)
class Wrong:
    """A file that is not as the manifest has it.

    Attributes:
        path: Absolute.
        what: What is wrong with it.
    """

    path: str
    what: What


@dataclass(frozen=True, slots=True)
class Scope:
    """What belongs to a tree.

    Attributes:
        tops: Folders that are walked.
        listed: What must be in each folder, walked or not.
        ignored: Folders that are not walked.
        compiled: Whether compiled files are listed too.
        closed: Whether a file that is not listed is wrong; else only one that Python runs by
            itself whenever it is started (`.pth`, `sitecustomize`), hub and agent with it.
    """

    tops: Sequence[str]
    listed: Mapping[str, Listed]
    ignored: frozenset[str] = frozenset()
    compiled: bool = False
    closed: bool = True


@dataclass(frozen=True, slots=True)
class _Seen:
    """How a folder was when its files were read.

    Attributes:
        mark: Of it; None has its files read again.
        at: When, monotonic seconds.
        wrong: What was wrong.
    """

    mark: int | None
    at: float
    wrong: tuple[Wrong, ...]


class Tree:
    """Some folders, and what was found in them.

    Args:
        scope: What belongs to it.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._seen: dict[str, _Seen] = {}
        self.passes = 0
        """How often all of it has been looked at."""

    @property
    def wrong(self) -> list[Wrong]:
        """What is wrong, as far as it was looked at, by path."""
        return sorted(each for seen in self._seen.values() for each in seen.wrong)

    def sweep(self, now: float) -> Iterator[bool]:
        """Look at all folders once; yields after each whether its files were read.

        Args:
            now: When it begins, monotonic seconds.
        """
        walked: set[str] = set()
        folders = list(reversed(self._scope.tops))
        while folders:
            folder = folders.pop()
            walked.add(folder)
            entries, inner = _entries(folder)
            folders += [each for each in inner if self._belongs(each)]
            yield self._look(folder, entries, now, self._strange(folder))
        for folder in self._scope.listed.keys() - walked:  # programs, or a folder that is gone
            entries, _ = _entries(folder)
            walked.add(folder)
            yield self._look(folder, entries, now, _none)
        for folder in self._seen.keys() - walked:
            del self._seen[folder]
        self.passes += 1

    def forget(self) -> None:
        """Have every file read again."""
        self._seen = {f: _Seen(None, s.at, s.wrong) for f, s in self._seen.items()}

    def _belongs(self, folder: str) -> bool:
        compiled = self._scope.compiled or os.path.basename(folder) != COMPILED  # noqa: PTH119
        return compiled and folder not in self._scope.ignored

    def _strange(self, folder: str) -> Callable[[str], bool]:
        """Return which files of a folder are wrong where they are not listed."""
        if self._scope.closed or os.path.basename(folder) in _CUSTOM:  # noqa: PTH119
            return _any
        return _at_start if folder in self._scope.tops else _none

    def _look(
        self,
        folder: str,
        entries: Mapping[str, os.stat_result | None],
        now: float,
        strange: Callable[[str], bool],
    ) -> bool:
        listed = self._scope.listed.get(folder, {})
        mark = _mark({n: found for n, found in entries.items() if n in listed or strange(n)})
        seen = self._seen.get(folder)
        if seen is not None and seen.mark == mark and now - seen.at < FULL_S:
            return False
        wrong = tuple(_compared(folder, listed, entries, strange))
        self._seen[folder] = _Seen(mark, now, wrong)
        return True


def _entries(folder: str) -> tuple[dict[str, os.stat_result | None], list[str]]:
    """Return the files of a folder (None: a link to nothing), and the folders in it."""
    found: dict[str, os.stat_result | None] = {}
    inner = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    inner.append(entry.path)
                    continue
                try:
                    found[entry.name] = entry.stat()
                except OSError:
                    found[entry.name] = None
    except OSError:
        return {}, []  # what is listed there is missing
    return found, sorted(inner, reverse=True)


def _mark(entries: Mapping[str, os.stat_result | None]) -> int:
    """Return what differs once a file came, went, or may have another content.

    Names are hashed with this process's own secret, so none can be made to fit; a mark is of use
    within it only.
    """
    return hash(
        frozenset(
            (name, of and (of.st_ino, of.st_size, of.st_mtime_ns, of.st_ctime_ns))
            for name, of in entries.items()
        )
    )


def _any(name: str) -> bool:
    del name
    return True


def _none(name: str) -> bool:
    del name
    return False


def _at_start(name: str) -> bool:
    return name.endswith(".pth") or name.partition(".")[0] in _CUSTOM


def _compared(
    folder: str,
    listed: Listed,
    entries: Mapping[str, os.stat_result | None],
    strange: Callable[[str], bool],
) -> Iterator[Wrong]:
    for name, (size, sha256) in listed.items():
        path = f"{folder}/{name}"
        if name not in entries:
            yield Wrong(path, What.MISSING)
            continue
        found = entries[name]
        regular = found is not None and stat.S_ISREG(found.st_mode)
        if found is None or not regular or (size >= 0 and found.st_size != size):
            yield Wrong(path, What.CHANGED)
            continue
        try:
            if _digest(path) != sha256:
                yield Wrong(path, What.CHANGED)
        except OSError:
            yield Wrong(path, What.UNREADABLE)
    for name in entries.keys() - listed.keys():
        if strange(name):
            yield Wrong(f"{folder}/{name}", What.ADDED)


def _digest(path: str) -> bytes:
    found = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - thousands of them
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.digest()
