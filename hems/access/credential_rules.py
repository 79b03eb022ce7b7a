"""What is wrong with a name or a password; no words for people, each side has its own. Pure.

Of passwords length counts, not kinds of characters (NIST SP 800-63B, 5.1.1.2).
"""

import unicodedata
from enum import Enum, auto
from typing import Final

LONGEST_NAME: Final = 64
SHORTEST: Final = 10
"""Of passwords, in characters."""
LONGEST: Final = 200
LEAST_KINDS: Final = 4
"""Fewest different characters of a password."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Kinds of characters that are not seen, or turn what is seen around (Unicode categories)."""


class NameFault(Enum):
    """What is wrong with a name."""

    EMPTY = auto()
    LONG = auto()
    UNSEEN = auto()
    """It has characters that nobody sees."""


class PasswordFault(Enum):
    """What is wrong with a password."""

    LONG = auto()
    SHORT = auto()
    MONOTONOUS = auto()
    """It repeats the same few characters."""
    NAME = auto()
    """It is little more than the account's name."""


def composed(name: str) -> str:
    """Return a name as it is kept and shown: composed, with single blanks."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def key(name: str) -> str:
    """Return what a name is compared by: case, width and blanks make no difference."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def name_fault(name: str) -> NameFault | None:
    """Return what is wrong with a composed name; None for nothing."""
    if not name:
        return NameFault.EMPTY
    if len(name) > LONGEST_NAME:
        return NameFault.LONG
    if any(unicodedata.category(char) in _UNSEEN for char in name):
        return NameFault.UNSEEN
    return None


def password_fault(password: str, name: str) -> PasswordFault | None:
    """Return why a password is guessed at once; None for a good one.

    Args:
        password: As it was typed.
        name: Of the account.
    """
    if len(password) > LONGEST:
        return PasswordFault.LONG
    folded, known = key(password), key(name)
    if len(folded) < SHORTEST:
        return PasswordFault.SHORT
    if len(set(folded)) < LEAST_KINDS:
        return PasswordFault.MONOTONOUS
    if known and len(set(folded.replace(known, ""))) < LEAST_KINDS:
        return PasswordFault.NAME
    return None
