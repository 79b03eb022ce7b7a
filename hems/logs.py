"""The log of a program: one line a record, whatever peers put into what is logged."""

import logging
import re
from types import TracebackType
from typing import Final

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters of ASCII and Latin-1, line separators, and what turns the text's direction:
with them a peer could forge lines or hide what stands in one."""

_INDENT: Final = "    "

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class LineFormatter(logging.Formatter):
    """Writes control characters as escapes, and indents tracebacks.

    So each line that does not begin with blanks is a record of ours.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """Return the record's line."""
        return escaped(super().formatMessage(record))

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
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter(f"{stamp} %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])


def _indented(text: str) -> str:
    return "\n".join(_INDENT + escaped(line) for line in text.split("\n"))
