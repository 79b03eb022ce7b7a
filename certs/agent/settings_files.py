"""The files of the configuration: that one has changed, and which of its keys; never a value."""

import hashlib
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_MOST: Final = 4 << 20
_MOST_KEYS: Final = 20
_KINDS: Final = frozenset({".toml", ".pem", ".crt", ".key", ".der", ".crl"})

Mark = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Change:
    """A file that is not as it was.

    Attributes:
        path: Absolute.
        what: "changed", "added" or "removed".
        keys: Of a TOML file the keys that came, went or say something else, the first of them.
        sha256: Of its content now, or of its last one where it is gone; hex digits.
    """

    path: str
    what: str
    keys: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class _Kept:
    mark: Mark
    sha256: str
    keys: Mapping[str, bytes]


@dataclass(slots=True)
class SettingsFiles:
    """What is remembered of them: marks and digests.

    Attributes:
        files: That are looked at, there or not.
        folders: In which all certificates, keys and tables are, at any depth.
    """

    files: Sequence[str]
    folders: Sequence[str] = ()
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _begun: bool = False
    _salt: bytes = field(default_factory=lambda: os.urandom(16))

    def look(self) -> list[Change]:
        """Return what has changed since the last look; the first finds nothing."""
        present = set(self._present())
        gone = sorted(self._kept.keys() - present)
        found = [Change(path, "removed", (), self._kept.pop(path).sha256) for path in gone]
        for path in sorted(present):
            changed = self._look_at(path)
            if changed is not None and self._begun:
                found.append(changed)
        self._begun = True
        return found

    def _present(self) -> Iterator[str]:
        yield from (path for path in self.files if os.path.isfile(path))  # noqa: PTH113
        for top in self.folders:
            for folder, _, names in os.walk(top):
                yield from (f"{folder}/{n}" for n in names if Path(n).suffix in _KINDS)

    def _look_at(self, path: str) -> Change | None:
        try:
            of = os.stat(path)  # noqa: PTH116
            mark = (of.st_ino, of.st_size, of.st_mtime_ns, of.st_ctime_ns)
            before = self._kept.get(path)
            if before is not None and before.mark == mark:
                return None
            with open(path, "rb") as file:  # noqa: PTH123
                content = file.read(_MOST)
        except OSError:
            return None  # gone since it was listed; the next look says so
        sha256 = hashlib.sha256(content).hexdigest()
        keys = self._keys(content) if path.endswith(".toml") else {}
        self._kept[path] = _Kept(mark, sha256, keys)
        if before is None:
            return Change(path, "added", (), sha256)
        if before.sha256 == sha256:
            return None
        return Change(path, "changed", _differing(before.keys, keys), sha256)

    def _keys(self, content: bytes) -> dict[str, bytes]:
        """Return a digest of each value, by its key; salted, for a value may be a short secret."""
        try:
            table = tomllib.loads(content.decode())
        except ValueError:
            return {}
        return {
            key: hashlib.blake2b(repr(value).encode(), key=self._salt, digest_size=8).digest()
            for key, value in flat(table)
        }


def flat(table: object, before: str = "") -> Iterator[tuple[str, object]]:
    """Yield the values of a TOML table with their dotted keys; tables in lists by their number."""
    if isinstance(table, Mapping):
        for key, value in table.items():
            yield from flat(value, f"{before}.{key}" if before else str(key))
    elif isinstance(table, list) and any(isinstance(each, Mapping) for each in table):
        for number, each in enumerate(table):
            yield from flat(each, f"{before}[{number}]")
    else:
        yield before, table


def _differing(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[str, ...]:
    keys = sorted(before.keys() | after.keys())
    return tuple(key for key in keys if before.get(key) != after.get(key))[:_MOST_KEYS]
