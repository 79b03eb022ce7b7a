"""What proves that somebody was let in before: random text, of which only a hash is kept."""

import hashlib
import secrets
from typing import Final

_BYTES: Final = 32
_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Digits and letters that are not taken for one another."""
_CODE: Final = 8


def make() -> str:
    """Return a new one: 256 bits, in letters that fit a cookie and a header."""
    return secrets.token_urlsafe(_BYTES)


def digest(token: str) -> bytes:
    """Return what is kept of one: it needs no salt, nobody guesses 256 bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def make_code() -> str:
    """Return a code for people to type: 39 bits, good for the few guesses that are allowed."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_CODE))
    return f"{letters[: _CODE // 2]}-{letters[_CODE // 2 :]}"


def same_code(typed: str, code: str) -> bool:
    """Return whether a code was typed, in whatever case, with or without its hyphen."""
    plain = "".join(char for char in typed.upper() if char.isalnum())
    return secrets.compare_digest(plain.encode(), code.replace("-", "").encode())
