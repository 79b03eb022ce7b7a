"""What an account may be called, and when two names are the same. Pure."""

from typing import Final

from der.sentence import say
from hems.access.credential_rules import LONGEST_NAME, NameFault, composed, key, name_fault
from hems.access.errors import AccountError

__all__ = ["LONGEST", "cleaned", "key"]

LONGEST: Final = LONGEST_NAME


def cleaned(name: str) -> str:
    """Return a name as it is kept and shown: composed, with single blanks.

    Raises:
        AccountError: It is empty, too long, or has characters that nobody sees.
    """
    found = composed(name)
    match name_fault(found):
        case None:
            return found
        case NameFault.EMPTY:
            raise AccountError(say("An account needs a name."))
        case NameFault.LONG:
            raise AccountError(say("A name may have {most} characters at most.", most=LONGEST))
        case NameFault.UNSEEN:
            raise AccountError(say("A name may not have characters that cannot be seen."))
