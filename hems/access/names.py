"""What an account may be called, and when two names are the same. Pure."""

import unicodedata
from typing import Final

from der.sentence import say
from hems.access.errors import AccountError

LONGEST: Final = 64
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Kinds of characters that are not seen, or turn what is seen around (Unicode categories)."""


def cleaned(name: str) -> str:
    """Return a name as it is kept and shown: composed, with single blanks.

    Raises:
        AccountError: It is empty, too long, or has characters that nobody sees.
    """
    composed = " ".join(unicodedata.normalize("NFC", name).split())
    if not composed:
        raise AccountError(say("An account needs a name."))
    if len(composed) > LONGEST:
        raise AccountError(say("A name may have {most} characters at most.", most=LONGEST))
    if any(unicodedata.category(char) in _UNSEEN for char in composed):
        raise AccountError(say("A name may not have characters that cannot be seen."))
    return composed


def key(name: str) -> str:
    """Return what a name is compared by: case, width and blanks make no difference."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())
