"""The head-end's log: one record a line, as text or as JSON, with the id of the request behind it.

Nothing that may only be known to its owner gets into it: identities of homes are shortened, and
tokens and passwords written over, whoever logs them.
"""

import json
import logging
import os
import re
from datetime import UTC, datetime
from typing import Final

from hems.correlation import current
from hems.headend.listening import PEER
from hems.headend.monitor.settings import LogFormat, LogSettings
from hems.journal import is_journal, prefixed
from hems.logs import LineFormatter

_LFDI: Final = re.compile(r"(?<![0-9A-Za-z])([0-9A-Fa-f]{8})[0-9A-Fa-f]{32}(?![0-9A-Za-z])")
_SECRETS: Final = (
    re.compile(r"(\b(?:bearer|basic)\s+)[^\s,;'\"]+", re.IGNORECASE),
    re.compile(r"(://[^\s/@:]*:)[^\s/@]+(?=@)"),
    re.compile(r"([?&][\w\-]*(?:token|password|secret|pin|code)=)[^&\s'\"]+", re.IGNORECASE),
)
_OURS: Final = ("hems", "certs")


def guarded(text: str) -> str:
    """Return text with each LFDI cut to its first eight digits, and without credentials."""
    text = _LFDI.sub(r"\1..", text)
    for secret in _SECRETS:
        text = secret.sub(r"\1***", text)
    return text


class TextFormatter(LineFormatter):
    """A line for people; the request's id stands at its end."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record, traceback included."""
        return guarded(super().format(record))


class JsonFormatter(logging.Formatter):
    """A line for programs: `at`, `level`, `part`, `message`, and where known `id` and `peer`.

    Args:
        journal: Whether the lines go to the journal, which reads a priority before each.
    """

    def __init__(self, *, journal: bool = False) -> None:
        super().__init__()
        self._worker = os.getpid()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line of JSON."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, str | int] = {
            "at": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "part": record.name,
            "message": guarded(record.getMessage()),
            "worker": self._worker,
        }
        if mark := current():
            line["id"] = mark
        if peer := PEER.get():
            line["peer"] = peer
        if record.exc_info:
            line["trace"] = guarded(self.formatException(record.exc_info))
        text = json.dumps(line)
        return prefixed(text, record.levelno) if self._journal else text


def log_by(settings: LogSettings) -> None:
    """Send the log to standard error, as the settings say, if nobody has set up logging before.

    Other people's parts never say more than what should be known (INFO): below that, database
    drivers log what they store.
    """
    root = logging.getLogger()
    if root.handlers:
        return
    handler, journal = logging.StreamHandler(), is_journal(os.environ)
    if settings.format is LogFormat.JSON:
        handler.setFormatter(JsonFormatter(journal=journal))
    else:
        form = "%(asctime)s %(levelname)s %(name)s %(message)s"
        handler.setFormatter(TextFormatter(form, journal=journal))
    root.addHandler(handler)
    set_level(settings)


def set_level(settings: LogSettings) -> None:
    """Have the log say as much as the settings want, from now on."""
    level = logging.getLevelNamesMapping()[settings.level.value.upper()]
    logging.getLogger().setLevel(max(level, logging.INFO))
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
