"""The end of the log, sealed beside it: rows that are cut off its end are noticed too."""

import json
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MARK: Final = b"end of the security log\0"
_LONGEST: Final = 4096
_MODE: Final = 0o600


class HeadError(Exception):
    """The seal is damaged, or was made by another key."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the log at some time.

    Attributes:
        seq: Number of its last row.
        link: Of the chain up to it.
    """

    seq: int
    link: bytes

    @property
    def signed(self) -> bytes:
        """What is signed of it."""
        return _MARK + struct.pack(">Q", self.seq) + self.link


@dataclass(frozen=True, slots=True)
class Seal:
    """Signs, and knows its own signatures; both block, and raise CertificateError if they cannot.

    Attributes:
        sign: Returns the signature of some data.
        own: Returns whether a signature of some data is its own: data, signature.
    """

    sign: Callable[[bytes], bytes]
    own: Callable[[bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class HeadFile:
    """Where it is kept; its methods block.

    Attributes:
        path: The file.
        seal: By which it is signed.
    """

    path: Path
    seal: Seal

    def write(self, head: Head) -> None:
        """Keep the end of the log, in place of what was kept.

        Raises:
            OSError: It cannot be written.
            CertificateError: It cannot be signed.
        """
        signature = self.seal.sign(head.signed)
        kept = {"seq": head.seq, "link": head.link.hex(), "signature": signature.hex()}
        draft = self.path.with_name(f".{self.path.name}.new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE), "w") as file:
            json.dump(kept, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)

    def read(self) -> Head | None:
        """Return what was kept last; None for nothing.

        Raises:
            HeadError: It is damaged, or not signed by this key.
            OSError: It cannot be read.
            CertificateError: The key cannot be used.
        """
        try:
            with self.path.open(encoding="utf-8", errors="replace") as file:
                found: object = json.loads(file.read(_LONGEST))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise HeadError(f"{self.path}: is damaged") from error
        match found:
            case {"seq": int(seq), "link": str(link), "signature": str(signature)} if seq >= 0:
                head, signed = _head(self.path, seq, link), _octets(self.path, signature)
            case _:
                raise HeadError(f"{self.path}: is damaged")
        if not self.seal.own(head.signed, signed):
            raise HeadError(f"{self.path}: is signed by another key")
        return head


def _head(path: Path, seq: int, link: str) -> Head:
    if seq >= 1 << 63:
        raise HeadError(f"{path}: is damaged")
    return Head(seq, _octets(path, link))


def _octets(path: Path, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise HeadError(f"{path}: is damaged") from error


def head_path(store: Path) -> Path:
    """Return where the seal of a store's log lies."""
    return store.with_name(f"{store.stem}-log.json")


def key_path(store: Path) -> Path:
    """Return where the key of that seal lies."""
    return store.with_name(f"{store.stem}-log.key")
