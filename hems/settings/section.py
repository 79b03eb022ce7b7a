"""What all sections of the configuration share: quantities with their unit, and strictness."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import time
from pathlib import Path
from typing import Annotated, Final, TypeVar
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from hems import units

Power = Annotated[float, BeforeValidator(units.power_w)]
Consumption = Annotated[float, BeforeValidator(units.power_w), Field(ge=0)]
Current = Annotated[float, BeforeValidator(units.current_a), Field(gt=0)]
Duration = Annotated[float, BeforeValidator(units.duration_s), Field(ge=0)]
Text = Annotated[str, Field(min_length=1)]
Port = Annotated[int, Field(ge=0, le=65535)]


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not an IANA time zone")
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]

_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def hours_of_day(text: object) -> tuple[time, time]:
    """Return from when until when each day something is meant; two times alike are all day.

    Raises:
        ValueError: It says no such thing.
    """
    match = _HOURS.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a time of each day; write it like '17:00-21:00'")
    begins = time(int(match[1]), int(match[2]))
    return begins, time(int(match[3]), int(match[4]))


T = TypeVar("T")


def twins(names: Iterable[T]) -> list[T]:
    """Return the names that occur more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


class Section(BaseModel):
    """Base of all sections: strict keys, frozen, paths relative to the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @field_validator("*", mode="after")
    @classmethod
    def _relative_to_the_file(cls, value: object, info: ValidationInfo) -> object:
        folder = (info.context or {}).get("folder")
        if isinstance(value, Path) and "\0" in str(value):
            raise ValueError("no file has a NUL in its name")
        return folder / value if isinstance(value, Path) and folder else value
