"""What is asked and answered about finding, adding and changing devices, as JSON."""

from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import AfterValidator, ConfigDict, Field

from der.drivers.mapped.files import names
from der.model import DeviceKind, Phase
from der.registry import DRIVERS, Driver
from der.sentence import say
from hems.device_surface import LONGEST_S, MOVE_S, SHORTEST_S
from hems.settings.device_section import needs
from hems.settings.device_table import watts
from hems.settings.devices_file import Value
from hems.setup.device_edit import LONGEST_NAME, NEVER, Edit
from hems.setup.found_surface import Joining
from hems.setup.scan import Search
from web.device_models import DeviceDetailAnswer, MoveOutcomeAnswer
from web.models import Answer, Input
from web.words import Words

_MOST_PLACES: Final = 32


def _ours(name: str) -> str:
    """Return the name of a description; a file of the hub's is named on the hub alone."""
    if name not in names():
        raise ValueError(say("No description of this name comes with the product"))
    return name


_Place = Annotated[str, Field(min_length=1, max_length=255)]
_Text = Annotated[str, Field(min_length=1, max_length=200)]
_Map = Annotated[str, AfterValidator(_ours)]
_Celsius = Annotated[float, Field(ge=-30, le=95, strict=True)]
_Power = Annotated[float, Field(strict=True)]
_Essentiality = Annotated[int, Field(ge=0, le=NEVER, strict=True)]
_Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]


class FoundAnswer(Answer):
    """What a search found; fields as in `hems.setup.kept_scan.Row`."""

    number: int
    kind: str
    driver: str
    where: str
    maker: str
    model: str
    serial: str
    name: str
    how: Sequence[str]
    note: Words
    configured: str


class SearchAnswer(Answer):
    """The last search; fields as in `hems.setup.found_surface.SearchView`."""

    state: str
    share: float
    seen: int
    busy: Sequence[str]
    found: Sequence[FoundAnswer]
    troubles: Sequence[Words]
    began_at: float | None


class SearchBody(Input):
    """How to search.

    Attributes:
        at: Places ("HOST" or "HOST:PORT") to ask instead of the local networks.
        listen_s: How long announcements are listened for, in s.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    at: Annotated[tuple[_Place, ...], Field(max_length=_MOST_PLACES)] = ()
    listen_s: Annotated[float, Field(ge=1, le=60)] = 8.0

    def search(self) -> Search:
        """Return it as the surface takes it."""
        return Search(self.at, self.listen_s)


class NeededAnswer(Answer):
    """A key that a device of a driver must have.

    Attributes:
        key: As in the configuration.
        words: What it is.
    """

    key: str
    words: Words


class DriverAnswer(Answer):
    """What speaks to devices.

    Attributes:
        driver: Its name.
        kinds: Which kinds of device it can speak to.
        needs: What must be said of a device.
    """

    driver: str
    kinds: Sequence[str]
    needs: Sequence[NeededAnswer]


class ChoicesAnswer(Answer):
    """What there is to choose from for a device that was not found by itself.

    Attributes:
        drivers: All that can be spoken.
        maps: Descriptions of Modbus devices that come with the product.
    """

    drivers: Sequence[DriverAnswer]
    maps: Sequence[str]


class JoinBody(Input):
    """A device that is to be added.

    Attributes:
        name: What its owner calls it.
        found: Number of the search's result that it is.
        kind: What it is, as are driver to topic, where the search does not tell it.
        min_w: Least power in W, passive sign.
        max_w: Greatest power in W.
        least_on_w: Least power at which it runs at all.
        fallback_w: Power at which a charger may go on when the hub is silent.
        connected_to: Phases of the home that it is on.
        comfort_low_c: Not colder than this.
        comfort_high_c: Not hotter than this.
        essentiality: 0 is shed first, 8 last, 9 never but for the main breaker.
        tests: Whether it does a test move.
        move_s: How long each step of that lasts, in s.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    name: _Name
    found: Annotated[int, Field(ge=1)] | None = None
    kind: DeviceKind | None = None
    driver: Driver | None = None
    host: _Text | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    unit: Annotated[int, Field(ge=0, le=255)] | None = None
    map: _Map | None = None
    station: _Text | None = None
    profile: _Text | None = None
    topic: _Text | None = None
    min_w: _Power | None = None
    max_w: _Power | None = None
    least_on_w: _Power | None = None
    fallback_w: _Power | None = None
    connected_to: tuple[Phase, ...] | None = None
    comfort_low_c: _Celsius | None = None
    comfort_high_c: _Celsius | None = None
    essentiality: _Essentiality | None = None
    tests: bool = True
    move_s: Annotated[float, Field(ge=SHORTEST_S, le=LONGEST_S)] = MOVE_S

    def joining(self) -> Joining:
        """Return it as the surface takes it."""
        given: dict[str, Value] = {}
        for key in ("kind", "driver", "host", "map", "station", "profile", "topic"):
            text = getattr(self, key)
            if text is not None:
                given[key] = str(text)
        for key in ("port", "unit", "essentiality"):
            if (number := getattr(self, key)) is not None:
                given[key] = number
        for key in ("min", "max", "least_on", "fallback"):
            if (power_w := getattr(self, f"{key}_w")) is not None:
                given[key] = watts(power_w)
        for key in ("comfort_low", "comfort_high"):
            if (celsius := getattr(self, f"{key}_c")) is not None:
                given[key] = celsius
        if self.connected_to is not None:
            given["connected_to"] = [str(phase) for phase in self.connected_to]
        name = " ".join(self.name.split())
        return Joining(name, self.found, given, tests=self.tests, move_s=self.move_s)


class JoinAnswer(Answer):
    """The last device that was to join; fields as in `hems.setup.found_surface.JoinView`."""

    state: str
    device: str
    name: str
    share: float
    doing: Words
    detail: DeviceDetailAnswer | None
    outcome: MoveOutcomeAnswer | None
    error: Words | None
    lacking: str


class DeviceChoicesAnswer(Answer):
    """What of a device may be changed; fields as in `hems.setup.device_edit.Choices`."""

    gives: bool
    takes: bool
    comfort: bool
    essentiality: bool


class DeviceSettingsAnswer(Answer):
    """What stands of a device; fields as in `hems.setup.found_surface.SettingsView`."""

    device: str
    file: str
    editable: bool
    name: str
    essentiality: int
    min_w: float
    max_w: float
    comfort_low_c: float | None
    comfort_high_c: float | None
    most_w: float
    choices: DeviceChoicesAnswer


class EditBody(Input):
    """What is to be changed of a device; fields as in `hems.setup.device_edit.Edit`."""

    model_config = ConfigDict(allow_inf_nan=False)

    name: _Name | None = None
    essentiality: _Essentiality | None = None
    min_w: _Power | None = None
    max_w: _Power | None = None
    comfort_low_c: _Celsius | None = None
    comfort_high_c: _Celsius | None = None

    def edit(self) -> Edit:
        """Return it as the surface takes it."""
        return Edit(**self.model_dump())


def all_choices() -> ChoicesAnswer:
    """Return what there is to choose from."""
    drivers = [
        DriverAnswer(
            driver=driver,
            kinds=sorted(about.kinds),
            needs=[NeededAnswer(key=key, words=words) for key, words in needs(driver)],
        )
        for driver, about in DRIVERS.items()
    ]
    return ChoicesAnswer(drivers=drivers, maps=names())
