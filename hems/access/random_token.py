"""What proves that somebody was let in before: random text, of which only a hash is kept."""

import hashlib
import secrets
from typing import Final

_BYTES: Final = 32
_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Digits and letters that are not taken for one another."""
_GROUP: Final = 4
"""Letters of a code that stand together."""


def make() -> str:
    """Return a new one: 256 bits, in letters that fit a cookie and a header."""
    return secrets.token_urlsafe(_BYTES)


def digest(token: str) -> bytes:
    """Return what is kept of one: it needs no salt, nobody guesses 256 bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def make_code(groups: int = 2) -> str:
    """Return a code for people to type: 19 bits a group.

    Two are good for the few guesses that are allowed; four for what is kept as a hash.
    """
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(groups))


def same_code(typed: str, code: str) -> bool:
    """Return whether a code was typed, in whatever case, with or without its hyphen."""
    return secrets.compare_digest(plain(typed).encode(), plain(code).encode())


def plain(typed: str) -> str:
    """Return a code as it is compared."""
    return "".join(char for char in typed.upper() if char.isalnum())
