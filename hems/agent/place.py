"""Where hub and agent meet, and by what they know one another."""

from pathlib import Path
from typing import Final

_SOCKET: Final = "agent.sock"
SECRET: Final = 32
"""Octets."""
_OTHERS: Final = 0o077


class SecretError(Exception):
    """The secret that hub and agent share cannot be used; `str()` names its file and why."""


def socket_of(store: Path) -> Path:
    """Return where the hub listens to its agent: beside its store."""
    return store.with_name(_SOCKET)


def shared_secret(path: Path) -> bytes:
    """Return the secret that hub and agent share, of a file that its owner alone may read.

    Raises:
        SecretError: It cannot be read, or is none.
    """
    try:
        if path.stat().st_mode & _OTHERS:
            raise SecretError(f"{path}: others than its owner may read it")
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except OSError as error:
        raise SecretError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SecretError(f"{path}: is no secret of at least {SECRET} octets in hex") from error
    if len(secret) < SECRET:
        raise SecretError(f"{path}: is no secret of at least {SECRET} octets in hex")
    return secret
