"""SQLCipher, the only way in which this software opens the store's file.

Every page of the file is AES-256-CBC under a key of the store's own with a fresh vector, and
carries an HMAC-SHA512 of itself and its number: what was changed, or put in another's place, is
not read. The key is random and used as it is, so that opening costs no key derivation.

    page 1      salt (16, in the clear), content, vector (16), HMAC (64)
    page n      content, vector (16), HMAC (64)
"""

import errno
import hashlib
import hmac
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from sqlcipher3 import dbapi2  # type: ignore[import-untyped,unused-ignore]

if TYPE_CHECKING:
    from sqlite3 import Connection

DRIVER: Final[Any] = dbapi2
"""What SQLAlchemy is given in the place of the standard library's `sqlite3`."""
Error: Final[type[Exception]] = dbapi2.Error
"""What it raises; `sqlite_errorcode` says what went wrong."""
PAGE: Final = 4096
"""Octets of a page."""

_SECRET: Final = 32
_SALT: Final = 16
_MAC: Final = 64
_PLAIN: Final = b"SQLite format 3\0"
_MAC_SALT: Final = 0x3A
"""Each octet of the file's salt is combined with this for the HMAC's key (SQLCipher's format)."""
_MAC_ROUNDS: Final = 2
_LOCKS: Final = 0x4000_0000 // PAGE + 1
"""The page on which SQLite has its locks; nothing is ever written there."""


@dataclass(frozen=True, slots=True)
class StoreKey:
    """The key of one store's file.

    Attributes:
        secret: AES-256's.
        salt: With which that very file begins: by it a file is told that is another key's.
    """

    secret: bytes = field(repr=False)
    salt: bytes = field(repr=False)

    @classmethod
    def make(cls) -> "StoreKey":
        """Return a new one."""
        return cls(os.urandom(_SECRET), os.urandom(_SALT))

    @classmethod
    def unpacked(cls, packed: bytes) -> "StoreKey":
        """Return the one that `packed` gave.

        Raises:
            ValueError: It is none.
        """
        if len(packed) != _SECRET + _SALT:
            raise ValueError("it is not the key of a store")
        return cls(packed[:_SECRET], packed[_SECRET:])

    @property
    def packed(self) -> bytes:
        """The key as it is sealed."""
        return self.secret + self.salt

    @property
    def literal(self) -> str:
        """The key as SQLCipher takes it without deriving another from it."""
        return f"x'{self.packed.hex()}'"


@dataclass(frozen=True, slots=True)
class StoreFile:
    """A store's file, and what opens it.

    Attributes:
        path: Where it is.
        key: Its key; None for one that is not encrypted.
    """

    path: Path
    key: StoreKey | None


class Shape(Enum):
    """What a file is by its first octets."""

    EMPTY = auto()
    """Nothing, or not there."""
    PLAIN = auto()
    """An SQLite file as it was before stores were encrypted."""
    SEALED = auto()
    """It may be encrypted: it has whole pages and no header."""
    OTHER = auto()
    """Nothing of a store."""


def shape(path: Path) -> Shape:
    """Return what a file is by its first octets and its length.

    Raises:
        OSError: It cannot be read.
    """
    begins = beginning(path)
    if not begins:
        return Shape.EMPTY
    if begins == _PLAIN:
        return Shape.PLAIN
    return Shape.SEALED if path.stat().st_size % PAGE == 0 else Shape.OTHER


def beginning(path: Path) -> bytes:
    """Return a file's first octets, the salt of one that is encrypted; empty where there are none.

    Raises:
        OSError: It cannot be read.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe, say, would be waited for
            raise OSError(errno.EINVAL, "not a file")
        with path.open("rb") as file:
            return file.read(_SALT)
    except FileNotFoundError:
        return b""


def unlock(connection: "Connection", key: StoreKey | None) -> None:
    """Give a connection that was just opened the key.

    Raises:
        Error: It is another's, or the file's first pages are damaged.
    """
    cursor = connection.cursor()
    # It would tell on stderr what is told by an error anyhow.
    cursor.execute("PRAGMA cipher_log_level=NONE")
    if key is not None:
        cursor.execute(f'PRAGMA key="{key.literal}"')
    # Kibibytes that each connection takes in time and keeps; this build's default is eight times
    # that. What a hub reads and writes all the time is the ends of its tables.
    cursor.execute("PRAGMA cache_size=-1000")
    cursor.close()


def connect(file: StoreFile, *, read_only: bool = False) -> "Connection":
    """Open a store's file beside SQLAlchemy; no transaction is begun but by BEGIN.

    Args:
        file: Which.
        read_only: Whether nothing is to be written, nor the file made.

    Raises:
        Error: It cannot be opened, or with another key only.
    """
    mode = "ro" if read_only else "rwc"
    name = f"{file.path.absolute().as_uri()}?mode={mode}"
    opened = cast("Connection", DRIVER.connect(name, uri=True, isolation_level=None))
    try:
        unlock(opened, file.key)
    except BaseException:
        opened.close()
        raise
    return opened


@contextmanager
def opened(file: StoreFile, *, read_only: bool = False) -> Iterator["Connection"]:
    """Give a block in which a store's file is open; raises as `connect`."""
    with closing(connect(file, read_only=read_only)) as connection:
        yield connection


class Pages:
    """Tells of the pages of a file as they lie on the disk whether the key's owner wrote them.

    Args:
        key: The file's key.
    """

    def __init__(self, key: StoreKey) -> None:
        salt = bytes(octet ^ _MAC_SALT for octet in key.salt)
        self._mac = hashlib.pbkdf2_hmac("sha512", key.secret, salt, _MAC_ROUNDS, _SECRET)
        self._salt = key.salt

    def genuine(self, number: int, page: bytes) -> bool:
        """Return whether a page is as it was written.

        Args:
            number: Its place in the file, from 1 on.
            page: Its octets.
        """
        if number == _LOCKS:
            return True
        if len(page) != PAGE or (number == 1 and page[:_SALT] != self._salt):
            return False
        body = page[_SALT if number == 1 else 0 : -_MAC] + number.to_bytes(4, "little")
        return hmac.compare_digest(hmac.digest(self._mac, body, "sha512"), page[-_MAC:])
