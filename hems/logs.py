"""The log of a program: one line a record, whatever peers put into what is logged.

In the journal a line has its priority and no time of its own; elsewhere it has both in words. What
it belongs to (`hems.correlation`) stands in brackets at its end.
"""

import logging
import os
import re
from collections.abc import Mapping
from types import TracebackType
from typing import Final

from hems.correlation import current
from hems.journal import is_journal, prefixed

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters of ASCII and Latin-1, line separators, and what turns the text's direction:
with them a peer could forge lines or hide what stands in one."""

_INDENT: Final = "    "
_JOURNAL: Final = "%(name)s: %(message)s"
OURS: Final = ("hems", "der", "programs", "web", "certs")
"""The packages of this program."""

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class LineFormatter(logging.Formatter):
    """Writes control characters as escapes, and indents tracebacks.

    So each line that does not begin with blanks is a record of ours.

    Args:
        form: How a line is made up; see `logging.Formatter`.
        journal: Whether the lines go to the journal, which has a form of its own.
    """

    def __init__(self, form: str, *, journal: bool = False) -> None:
        super().__init__(_JOURNAL if journal else form)
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """Return a record, traceback included."""
        text = super().format(record)
        return prefixed(text, record.levelno) if self._journal else text

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """Return the record's line."""
        mark = current()
        return escaped(super().formatMessage(record) + (f" [{mark}]" if mark else ""))

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 - the library's name
        """Return a traceback; its last line may carry a peer's words."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - the library's name
        """Return a stack."""
        return _indented(super().formatStack(stack_info))


def escaped(text: str) -> str:
    r"""Return text with each control character written as Python does, a line feed as `\n`."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def log_to_stderr(level: int, *, epoch: bool = False) -> None:
    """Send the program's log to standard error, if nobody has set up logging before.

    Args:
        level: Least level that is written.
        epoch: Stamp lines in epoch seconds to the microsecond, not in local time; to be laid
            beside the stamps of utility and devices.
    """
    stamp = "%(created).6f" if epoch else "%(asctime)s"
    form = f"{stamp} %(levelname)s %(name)s %(message)s"
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter(form, journal=is_journal(os.environ)))
    logging.basicConfig(level=level, handlers=[handler])


class Levels:
    """The least level that each part of the program writes, changed while it runs.

    Args:
        above: What the command line says of parts, by name; it prevails.
    """

    def __init__(self, above: Mapping[str, int] | None = None) -> None:
        self._above = dict(above or {})
        self._set: frozenset[str] = frozenset()

    def apply(self, level: int | None, parts: Mapping[str, int]) -> None:
        """Have each part write what it is told to, and all others what they write by themselves.

        Other people's parts never say more by this: below INFO, some log what they are given.

        Args:
            level: Of all parts of this program that are not named; None for the program's own.
            parts: By name, such as "hems.sep2"; a name stands for all that is inside it.
        """
        wanted = dict.fromkeys(() if level is None else OURS, level or 0) | {**parts, **self._above}
        for gone in self._set - wanted.keys():
            logging.getLogger(gone).setLevel(logging.NOTSET)
        for name, least in wanted.items():
            logging.getLogger(name).setLevel(least)
        self._set = frozenset(wanted)


def _indented(text: str) -> str:
    return "\n".join(_INDENT + escaped(line) for line in text.split("\n"))
