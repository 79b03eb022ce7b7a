"""A scenario as written: one TOML file, every mistake named by its place.

The home's devices and sizes, sun and weather, what the hub and the utility are configured as, what
happens when, and what is expected of it. `docs/scenarios.md` shows how to write one.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, field_validator, model_validator

from hems.scenarios.amounts import Amount
from hems.scenarios.expected import Expected
from hems.scenarios.moments import Moment, Span, When
from hems.settings.section import Section, Text
from hems.settings.toml_file import read_toml

Charge = Annotated[float, Field(ge=0, le=1)]
Hour = Annotated[float, Field(ge=0, lt=24)]


class ScriptError(Exception):
    """A scenario that cannot be played; `str()` names file, place and reason, one a line."""


class BatteryPart(Section):
    """The home's battery."""

    capacity: Amount = 6400.0
    power: Amount = 5000.0
    charge: Charge = 0.6


class CarPart(Section):
    """The car, its charger, and when it is at home (the same hour: always)."""

    capacity: Amount = 60_000.0
    charge: Charge = 0.4
    current: Annotated[float, Field(ge=6, le=80)] = 32.0
    phases: Literal[1, 3] = 1
    leaves: Hour = 7.5
    arrives: Hour = 17.5
    trip: Amount = 9000.0


class PvPart(Section):
    """The panels and their inverter."""

    peak: Amount = 4000.0
    power: Amount = 4000.0


class HousePart(Section):
    """The simulated home: what it has and how it begins. A part that is left out is not there."""

    meter: bool = True
    pv: PvPart | None = None
    battery: BatteryPart | None = None
    car: CarPart | None = None
    water_heater: Annotated[float, Field(ge=10, le=90)] | None = None
    """Temperature of the tank at the start, degC."""
    heat_pump: Annotated[float, Field(ge=5, le=35)] | None = None
    """Temperature of the room at the start, degC."""
    load: Amount | None = None
    """What nobody controls; left out, a measured week, second by second."""
    season: Literal["summer", "winter", "measured"] = "measured"
    sky: Literal["clear", "cloudy", "broken"] = "clear"
    """Over a summer's or a winter's day."""
    sub_meters: tuple[Literal["base", "pv", "battery", "ev", "water_heater", "heat_pump"], ...] = ()
    """Circuits with a meter of their own: what is behind each."""
    tie: bool = False
    """Whether it can part from the street, and its battery form the home's voltage."""
    phases: Literal["A", "ABC"] = "A"
    wiring: Mapping[str, Literal["A", "B", "C", "ABC"]] = Field(default_factory=dict)
    """Phases of single devices, where the home has three."""


class EventPart(Section):
    """An event that the utility dispatches."""

    name: Text
    """For the checks and the report."""
    asks: Mapping[str, Any]
    """As the operator's door takes it: `limit_import_w = 1500`, for example."""
    at: When
    """Its start."""
    lasts: Span
    told: When | None = None
    """When it is dispatched; a minute before its start if left out."""
    program: str | None = None
    randomize_start: int = 0
    randomize_duration: int = 0
    cancelled: When | None = None
    cancelled_at_random: bool = False


class OperatorPart(Section):
    """Anything else that the utility's operator asks at the head-end's door."""

    at: When
    method: Literal["POST", "PUT", "DELETE"] = "POST"
    path: Annotated[str, Field(pattern=r"^/")]
    """"{reservation}" in it stands for the latest one that a home has asked for."""
    body: Mapping[str, Any] = Field(default_factory=dict)


class OwnerPart(Section):
    """What the people of the home do at their page."""

    at: When
    does: Literal["leave", "join", "wish", "end wish"]
    event: str | None = None
    device: str | None = None
    power: Amount | None = None
    lasts: Span = 3600.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.does in {"leave", "join"} and self.event is None:
            raise ValueError(f"to {self.does} needs an event")
        if self.does in {"wish", "end wish"} and self.device is None:
            raise ValueError(f"{self.does!r} needs a device")
        if self.does == "wish" and self.power is None:
            raise ValueError("a wish needs a power")
        return self


_ON_A_DEVICE: Final = frozenset({"off", "silent", "garbled", "stuck"})
_WITH_VALUE: Final = frozenset({"load", "sun", "voltage", "frequency"})


class HappensPart(Section):
    """A fault, or a turn of weather or grid."""

    at: When
    kind: Literal[
        "off",
        "silent",
        "garbled",
        "stuck",
        "utility down",
        "hub restart",
        "clock set",
        "load",
        "sun",
        "voltage",
        "frequency",
        "outage",
        "file",
    ]
    lasts: Span | None = None
    """Without it, to the end."""
    device: str | None = None
    value: Amount | None = None
    """Of a load, sun, voltage or frequency; it holds as long as this lasts."""
    by: Span | None = None
    """By how much the hub's clock is set on."""
    back: bool = False
    """Whether it is set back by that."""
    name: str | None = None
    """Of a file of the scenario that is written anew."""
    text: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        needs = {
            "device": self.kind in _ON_A_DEVICE,
            "value": self.kind in _WITH_VALUE,
            "by": self.kind == "clock set",
            "name": self.kind == "file",
            "text": self.kind == "file",
        }
        for key, needed in needs.items():
            if needed is (getattr(self, key) is None):
                verb = "needs" if needed else "has no"
                raise ValueError(f"{self.kind!r} {verb} {key}")
        return self


class Script(Section):
    """A scenario."""

    title: Text
    shows: Text
    """What it shows, one or two sentences."""
    requirements: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Ids of the requirements that it shows."""
    deep: bool = False
    """Whether it is too long for the quick tests."""
    starts: datetime
    """By the clock on the wall."""
    ends: When
    time_zone: str = "Europe/Berlin"
    seed: int = 1
    step: Span = 1.0
    """Of the simulated home."""
    house: HousePart = HousePart()
    hub: Mapping[str, Any] = Field(default_factory=dict)
    """Put over the hub's configuration; devices by their id, under `device`."""
    utility: Mapping[str, Any] | None = None
    """Put over the utility's settings; without it the home has none."""
    files: Mapping[str, str] = Field(default_factory=dict)
    """Written beside the hub's configuration: a price list, for example."""
    planner_every: Span = 900.0
    """How often the home is planned anew at the latest, where it plans."""
    event: tuple[EventPart, ...] = ()
    operator: tuple[OperatorPart, ...] = ()
    owner: tuple[OwnerPart, ...] = ()
    happens: tuple[HappensPart, ...] = ()
    expect: Annotated[tuple[Expected, ...], Field(min_length=1)]

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"{name!r} is not an IANA time zone")
        return name

    @field_validator("starts")
    @classmethod
    def _on_the_wall(cls, starts: datetime) -> datetime:
        if starts.tzinfo is not None:
            raise ValueError("is by the clock on the wall: it has no offset from UTC")
        return starts

    @field_validator("files")
    @classmethod
    def _plain_names(cls, files: Mapping[str, str]) -> Mapping[str, str]:
        for name in files:
            if Path(name).name != name:
                raise ValueError(f"{name!r} is not the plain name of a file")
        return files

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.begin >= self.end:
            raise ValueError("it ends before it starts")
        names = [event.name for event in self.event]
        for name in {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two events are called {name!r}")
        if (self.event or self.operator) and self.utility is None:
            raise ValueError("events and operators need a utility")
        for place, part in (("owner", self.owner), ("expect", self.expect)):
            for index, each in enumerate(part):
                event = getattr(each, "event", None)
                if event is not None and event not in names:
                    raise ValueError(f"{place}[{index}] names no event {event!r}")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The home's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def begin(self) -> float:
        """When it starts, UTC epoch seconds."""
        return self.starts.replace(tzinfo=self.zone).timestamp()

    @property
    def end(self) -> float:
        """When it ends."""
        return self.at(self.ends)

    def at(self, moment: Moment) -> float:
        """Return a moment as UTC epoch seconds."""
        return moment.at(self.starts.date(), self.zone)


def load_script(path: Path) -> Script:
    """Read a scenario.

    Raises:
        ScriptError: It makes no sense; each mistake is named by its place.
        hems.settings.toml_file.ConfigError: The file cannot be read, or is not TOML.
    """
    return parse_script(read_toml(path), str(path))


def parse_script(values: Mapping[str, object], where: str) -> Script:
    """Check a scenario that was read.

    Args:
        values: As in the file.
        where: What messages call the file.

    Raises:
        ScriptError: It makes no sense.
    """
    try:
        return Script.model_validate(values)
    except ValidationError as error:
        raise ScriptError("\n".join(_sentences(error, where))) from error


def _sentences(error: ValidationError, where: str) -> list[str]:
    said = []
    for problem in error.errors(include_url=False):
        parts = list(problem["loc"])
        if parts[:1] == ["expect"]:
            del parts[2:3]  # which kind of check it was taken for; nobody wrote that
        place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts).lstrip(".")
        reason = problem["msg"].removeprefix("Value error, ").replace("Input should", "must")
        if problem["type"] == "extra_forbidden":
            reason = "unknown key"
        elif problem["type"] == "missing":
            reason = "is missing"
        said.append(f"{where}: {place}: {reason}" if place else f"{where}: {reason}")
    return said
