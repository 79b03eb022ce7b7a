"""Whether standard error is the journal, and how lines are written there (sd-daemon(3)).

The journal stamps each line itself and takes its priority from `<N>` at its beginning.
"""

import logging
import os
from collections.abc import Mapping
from typing import Final

_STREAM: Final = "JOURNAL_STREAM"
_STDERR: Final = 2
_PRIORITIES: Final = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
)
"""Least level of each of syslog's priorities; what is below all of them is its 7, debug."""
_DEBUG: Final = 7


def is_journal(environment: Mapping[str, str], descriptor: int = _STDERR) -> bool:
    """Return whether what is written to a file goes straight to the journal.

    The variable alone says little: whoever sends our output elsewhere leaves it as it was.

    Args:
        environment: Where `JOURNAL_STREAM` may be: device and inode of the journal's end.
        descriptor: The open file.
    """
    device, _, inode = environment.get(_STREAM, "").partition(":")
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return (device, inode) == (str(found.st_dev), str(found.st_ino))


def priority(level: int) -> int:
    """Return syslog's priority of a level."""
    return next((number for least, number in _PRIORITIES if level >= least), _DEBUG)


def prefixed(text: str, level: int) -> str:
    """Return text with its priority before each of its lines, for each is an entry of its own."""
    mark = f"<{priority(level)}>"
    return "\n".join(mark + line for line in text.split("\n"))
