"""Passwords of the home's people: which are good enough, in words, and how they are kept."""

from typing import Final

from der.sentence import say
from hems.access.credential_rules import LONGEST, SHORTEST, PasswordFault, password_fault
from hems.access.errors import AccountError, TooOftenError
from hems.access.hashing import BUSY_S, Hashing

__all__ = ["LONGEST", "SHORTEST", "Hasher", "check"]


def check(password: str, name: str) -> None:
    """Refuse a password that is guessed at once.

    Args:
        password: As it was typed.
        name: Of the account.

    Raises:
        AccountError: It is too short, too long, too simple, or little more than the name.
    """
    fault = password_fault(password, name)
    if fault is not None:
        raise AccountError(_WORDS[fault])


_WORDS: Final = {
    PasswordFault.LONG: say("A password may have {most} characters at most.", most=LONGEST),
    PasswordFault.SHORT: say("A password needs {least} characters or more.", least=SHORTEST),
    PasswordFault.MONOTONOUS: say("This password repeats the same few characters."),
    PasswordFault.NAME: say("This password is little more than the account's name."),
}


class Hasher(Hashing):
    """Hashes passwords and compares them, one at a time; raises TooOftenError where many wait.

    Args:
        time_cost: Passes over the memory.
        memory_kib: Memory, in KiB.
    """

    def __init__(self, time_cost: int = 3, memory_kib: int = 32_768) -> None:
        super().__init__(_crowded, time_cost, memory_kib)


def _crowded() -> TooOftenError:
    return TooOftenError(
        say("Too many log in at the same time. Try again in a few seconds."), BUSY_S
    )
