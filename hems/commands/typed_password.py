"""A password of the command line: typed twice, or in the first line of a file."""

import getpass
from pathlib import Path


class PasswordError(Exception):
    """There is none; `str()` says why."""


def typed_password(file: Path | None) -> str:
    """Return the password that somebody gives.

    Args:
        file: Where it stands; None to have it typed.

    Raises:
        PasswordError: None was typed, or two different ones.
        OSError: The file cannot be read.
        UnicodeDecodeError: It is no text.
    """
    if file is not None:
        return file.read_text(encoding="utf-8").partition("\n")[0]
    try:
        password = getpass.getpass("Password: ")
        again = getpass.getpass("Once more: ")
    except EOFError as error:
        raise PasswordError("no password was given") from error
    if password != again:
        raise PasswordError("these are two different passwords")
    return password
