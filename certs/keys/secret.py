"""The secret of an encrypted key store, and the key that Argon2id (RFC 9106) makes of it."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argon2.low_level import Type, hash_secret_raw

from certs.keys.errors import SecretError

CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
"""Where systemd puts a service's credentials, in memory and for it alone."""

MACHINE: Final = Path("/etc/machine-id")

LEAST: Final = 12
"""Octets; a secret is no PIN."""
_MOST: Final = 4096


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """Where the secret comes from.

    Attributes:
        file: A file that its owner alone may read; None for a credential.
        credential: Name of a credential of systemd; None for a file.
        machine: Whether this machine's id goes into it: on another machine it is another secret.
    """

    file: Path | None = None
    credential: str | None = None
    machine: bool = False

    @property
    def path(self) -> Path:
        """Where it is read.

        Raises:
            SecretError: It is a credential, and systemd has given this process none.
        """
        if self.credential is None:
            return Path() if self.file is None else self.file
        folder = os.environ.get(CREDENTIALS)
        if not folder:
            raise SecretError(
                f"the credential {self.credential!r} of the key store is not there: "
                f"{CREDENTIALS} is not set; the hub is to be started by systemd"
            )
        return Path(folder) / self.credential

    def read(self, least: int = LEAST) -> bytes:
        """Return the secret.

        Args:
            least: Octets that it has at least.

        Raises:
            SecretError: It is missing, too short, or others than its owner may read it.
        """
        path = self.path
        secret = _checked(path, of_systemd=self.credential is not None).strip(b"\r\n")
        if len(secret) < least:
            raise SecretError(f"{path}: the key store's secret has less than {least} octets")
        return secret + b"\0" + _machine() if self.machine else secret


@dataclass(frozen=True, slots=True)
class Cost:
    """What a guess at the secret costs, and each opening of the store.

    Attributes:
        passes: Argon2id's t.
        memory_kib: Its m.
        lanes: Its p.
    """

    passes: int = 3
    memory_kib: int = 65_536
    lanes: int = 1

    def __post_init__(self) -> None:
        """Refuse what would take the hub's memory or time: a changed file must not.

        Raises:
            ValueError: A figure is out of bounds.
        """
        fits = (
            1 <= self.passes <= 16  # noqa: PLR2004 - the bounds stand here
            and 1 <= self.lanes <= 8  # noqa: PLR2004
            and 8 * self.lanes <= self.memory_kib <= 262_144  # noqa: PLR2004
        )
        if not fits:
            raise ValueError("the cost of its key derivation is out of bounds")

    def encode(self) -> bytes:
        """Return it as it stands in a file."""
        return b"".join(n.to_bytes(4, "big") for n in (self.passes, self.memory_kib, self.lanes))

    @classmethod
    def decode(cls, field: bytes) -> "Cost":
        """Read it from a file.

        Raises:
            ValueError: It is none, or out of bounds.
        """
        if len(field) != 12:  # noqa: PLR2004 - three numbers of four octets
            raise ValueError("the cost of its key derivation is damaged")
        return cls(*(int.from_bytes(field[i : i + 4], "big") for i in (0, 4, 8)))


def derive(secret: bytes, salt: bytes, cost: Cost, size: int) -> bytes:
    """Return `size` octets made of a secret; takes as long as `cost` says."""
    return hash_secret_raw(secret, salt, cost.passes, cost.memory_kib, cost.lanes, size, Type.ID)


def _checked(path: Path, *, of_systemd: bool) -> bytes:
    """Read a file that nobody else may read or have written.

    Systemd guards a credential by its folder and an ACL, which looks as if a group might read it.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise SecretError(
            f"{path}: the key store's secret cannot be read: {error.strerror}"
        ) from error
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise SecretError(f"{path}: the key store's secret is no plain file")
        if about.st_uid not in {0, os.geteuid()}:
            raise SecretError(f"{path}: the key store's secret is another user's file")
        if about.st_mode & (stat.S_IRWXG | stat.S_IRWXO) and not of_systemd:
            raise SecretError(
                f"{path}: others than its owner may read the key store's secret; chmod 600 it"
            )
        return os.read(handle, _MOST)
    finally:
        os.close(handle)


def _machine() -> bytes:
    try:
        found = MACHINE.read_bytes().strip()
    except OSError as error:
        raise SecretError(f"{MACHINE}: cannot be read: {error.strerror}") from error
    if not found:
        raise SecretError(f"{MACHINE}: is empty: this machine has no id")
    return found
