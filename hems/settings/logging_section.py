"""How much the log says: of all parts, and of each."""

import logging
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from hems.logs import OURS
from hems.settings.section import Section

PART: Final = rf"^({'|'.join(OURS)})(\.[a-z0-9_]+)*$"
"""A part is a package or module of this program: other people's log what they are given."""
Part = Annotated[str, Field(pattern=PART)]


class LogLevel(StrEnum):
    """The least that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def number(self) -> int:
        """The same as the library's number."""
        return logging.getLevelNamesMapping()[self.value.upper()]


class LoggingSection(Section):
    """The log."""

    level: LogLevel = LogLevel.INFO
    """Of all parts of this program; `hems run --verbose` prevails."""
    parts: dict[Part, LogLevel] = Field(default_factory=dict)
    """Of single parts, by name: "hems.sep2" stands for all that is inside it. `hems run --log`
    prevails."""

    def levels(self) -> dict[str, int]:
        """Return the level of each part that is named."""
        return {part: level.number for part, level in self.parts.items()}
