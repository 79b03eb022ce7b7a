"""The settings that the page may change: what each is, and how it is written; pure.

Values go by SI base units; shares are 0 to 1. What a setting may be is the configuration's to say,
which checks each change as a whole; what stands here is for whoever fills it in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from hems.settings.config import Config
from hems.settings.settings_file import Value

Given = str | float | bool | list[str] | None
"""What somebody fills in; None for the default."""


class Kind(StrEnum):
    """What a setting is."""

    TEXT = "text"
    ZONE = "zone"
    CHOICE = "choice"
    FLAG = "flag"
    CURRENT = "current"
    POWER = "power"
    SLOPE = "slope"
    DURATION = "duration"
    SHARE = "share"
    COUNT = "count"
    TEXTS = "texts"


_UNITS: Final = {
    Kind.CURRENT: "A",
    Kind.POWER: "W",
    Kind.SLOPE: "W/min",
    Kind.DURATION: "s",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        key: Section and key in the configuration.
        group: Beside which others it is shown.
        kind: What it is.
        choices: What it may be, where that is a list.
        least: Least value that makes sense, in its kind's unit.
        most: Greatest value.
    """

    key: str
    group: str
    kind: Kind
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None

    @property
    def section(self) -> str:
        """Its section."""
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        """Its key within the section."""
        return self.key.partition(".")[2]


SETTINGS: Final[Sequence[Setting]] = (
    Setting("home.name", "home", Kind.TEXT),
    Setting("home.time_zone", "home", Kind.ZONE),
    Setting("home.main_breaker", "home", Kind.CURRENT, least=6, most=400),
    Setting("home.phases", "home", Kind.COUNT, ("1", "3")),
    Setting("home.battery", "battery", Kind.CHOICE, ("self-consumption", "hold")),
    Setting("home.battery_reserve", "battery", Kind.SHARE, least=0, most=0.95),
    Setting("home.surplus_first", "battery", Kind.CHOICE, ("car", "battery")),
    Setting("planner.enabled", "planner", Kind.FLAG),
    Setting("planner.weather", "planner", Kind.TEXT),
    Setting("peak.limit", "limits", Kind.POWER, least=0, most=100_000),
    Setting("peak.hold_highest", "limits", Kind.FLAG),
    Setting("connection.import_limit", "limits", Kind.POWER, least=0, most=100_000),
    Setting("connection.export_limit", "limits", Kind.POWER, least=0, most=100_000),
    Setting("slope.bound", "limits", Kind.SLOPE, least=100, most=1e6),
    Setting("slope.after_events", "limits", Kind.SLOPE, least=100, most=1e6),
    Setting("reserve.enabled", "reserve", Kind.FLAG),
    Setting("reserve.programs", "reserve", Kind.TEXTS),
    Setting("reserve.share", "reserve", Kind.SHARE, least=0.05, most=1),
    Setting("reserve.call", "reserve", Kind.DURATION, least=60, most=65535),
)
BY_KEY: Final = {setting.key: setting for setting in SETTINGS}


def present(setting: Setting, config: Config) -> Given:
    """Return what a setting is now."""
    value = getattr(getattr(config, setting.section), setting.name)
    if isinstance(value, tuple):
        return [str(each) for each in value]
    if isinstance(value, Path):
        return str(value)
    return str(value) if setting.choices else value


def written(setting: Setting, given: Given) -> Value | None:
    """Return a value as the settings file has it; None for the default.

    Args:
        setting: What it is of.
        given: What was filled in.

    Raises:
        ValueError: It is of another kind; `str()` says what it has to be.
    """
    if given is None or given == "":
        return None
    if setting.kind is Kind.FLAG:
        if not isinstance(given, bool):
            raise ValueError("yes or no")
        return given
    if setting.kind is Kind.TEXTS:
        if not isinstance(given, list):
            raise ValueError("a list of names")
        return [each.strip() for each in given if each.strip()]
    if setting.kind in {Kind.TEXT, Kind.ZONE, Kind.CHOICE}:
        if not isinstance(given, str):
            raise ValueError("a text")
        return given.strip() or None
    return _number(setting, given)


def _number(setting: Setting, given: Given) -> Value:
    if setting.kind is Kind.COUNT:
        if str(given) not in setting.choices:
            raise ValueError(" or ".join(setting.choices))
        return int(str(given))
    low, high = setting.least or 0.0, setting.most if setting.most is not None else 1e9
    number = float("nan") if isinstance(given, bool | str | list | None) else given
    if not low <= number <= high:  # NaN is not, either
        raise ValueError(f"a number from {low:g} to {high:g}")
    if setting.kind is Kind.SHARE:
        return float(number)
    return f"{number:.10g} {_UNITS[setting.kind]}"
