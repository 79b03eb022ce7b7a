"""When something happens in a scenario: the clock on the wall of its home, on its first days."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator

from hems.units import duration_s

_MOMENT: Final = re.compile(
    r"(?:\+(\d{1,2})d\s+)?([01]\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(\s+again)?"
)
_DAY_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of the day.

    Attributes:
        day: Days after the scenario's first.
        second: Of the day, by the clock on the wall; up to 24:00.
        again: The second time that the clock shows it, on the night when it is set back.
    """

    day: int
    second: int
    again: bool = False

    def __str__(self) -> str:
        minutes, second = divmod(self.second, 60)
        text = f"{minutes // 60:02d}:{minutes % 60:02d}" + (f":{second:02d}" if second else "")
        return (f"+{self.day}d " if self.day else "") + text + (" again" if self.again else "")

    def at(self, first: date, zone: ZoneInfo) -> float:
        """Return it as UTC epoch seconds.

        Args:
            first: The scenario's first day.
            zone: Of its home.
        """
        days, second = divmod(self.second, 86400)
        wall = datetime.combine(first + timedelta(days=self.day + days), time(), zone)
        return (wall + timedelta(seconds=second)).replace(fold=int(self.again)).timestamp()


def _moment(text: object) -> Moment:
    match = _MOMENT.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(
            f"{text!r} is no time; write it like '18:00', '18:00:30' or '+1d 07:00' on the next day"
        )
    day, hour, minute, second, again = match.groups()
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second or 0)
    if seconds > _DAY_HOURS * 3600:
        raise ValueError(f"{text!r} is after 24:00")
    return Moment(int(day or 0), seconds, again is not None)


When = Annotated[Moment, BeforeValidator(_moment)]
"""A moment as written."""


Span = Annotated[float, BeforeValidator(duration_s)]
"""A duration in s, as written."""
