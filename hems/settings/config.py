"""The hub's configuration: one TOML file, read once, every mistake named by its place.

Quantities carry their unit in the file ("5 kW", "10 min"), so that a wrong unit is an error
and not a thousandfold surprise. Relative paths are relative to the file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from der.model import DeviceKind
from hems.settings import devices_file, settings_file
from hems.settings.agent_section import AgentSection
from hems.settings.device_section import DeviceSection
from hems.settings.feeds_section import FeedsSection, FirmwareSection, check_known
from hems.settings.firewall_section import FirewallSection
from hems.settings.keys_section import KeysSection
from hems.settings.logging_section import LoggingSection
from hems.settings.market_section import ConnectionSection, MarketSection, PeakSection
from hems.settings.microgrid_section import MicrogridSection
from hems.settings.programmes_section import ProgrammesSection
from hems.settings.push_section import PushSection
from hems.settings.regulation_section import RegulationSection
from hems.settings.reserve_section import ReserveSection
from hems.settings.section import Current, Duration, Port, Section, Text, TimeZone, twins
from hems.settings.slope_section import SlopeSection
from hems.settings.tariff_section import Place, TariffSection
from hems.settings.threats_section import ThreatsSection
from hems.settings.time_section import TimeSection
from hems.settings.toml_file import ConfigError, read_toml
from hems.settings.updates_section import UpdatesSection
from hems.settings.utility_section import UtilitySection
from hems.settings.visibility_section import VisibilitySection
from hems.settings.voltage_support_section import VoltageSupportSection


class HomeSection(Section):
    """The home itself."""

    name: Text = "Home"
    """What the page calls it."""
    time_zone: TimeZone = "UTC"
    """IANA name; days on the page begin at its midnight."""
    main_breaker: Current = 63.0
    """Rated current of the main breaker, per phase."""
    phases: Literal[1, 3] = 1
    """Phases of the connection."""
    battery: Literal["self-consumption", "hold"] = "self-consumption"
    """What the battery does when nobody asks anything."""
    battery_reserve: float = Field(default=0.1, ge=0, lt=1)
    """State of charge that no programme goes below but an emergency, which may empty it."""
    surplus_first: Literal["car", "battery"] = "car"
    """Who takes what the sun leaves over first; the other takes the rest."""
    cycle: Duration = 1.0
    """Period of the control cycle."""
    devices: Path = Field(default=Path(devices_file.DEFAULT), validate_default=True)
    """The file in which `hems device add` keeps devices; there need not be one."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone as an object."""
        return ZoneInfo(self.time_zone)

    @field_validator("cycle", mode="after")
    @classmethod
    def _sane_cycle(cls, period_s: float) -> float:
        if not 0.1 <= period_s <= 10.0:  # noqa: PLR2004 - the message states the range
            raise ValueError("the control cycle is between 0.1 s and 10 s: set-points lapse in 30")
        return period_s


class PlannerSection(Section):
    """The plan of the next day and a half."""

    enabled: bool = True
    """Whether the home is planned, where there is a tariff or something wanted."""
    weather: Place | None = Field(default=None, repr=False)
    """A file or an http(s) address of a weather forecast: hourly irradiance and temperature."""


class WebSection(Section):
    """The local page."""

    host: Text = "127.0.0.1"
    """Address to listen on: this machine's alone, one of the home's network, or "0.0.0.0" for all
    of them ("::" with those of IPv6)."""
    port: Port = 8080
    """Of plain HTTP: the page for this machine, for others only how to trust its certificate."""
    names: tuple[str, ...] = ()
    """Host names besides this machine's own under which browsers may ask for the page."""
    https: bool = True
    """Whether other machines are served by HTTPS; without it by plain HTTP, which all who share
    the network can read."""
    https_port: Port = 8443
    """Of HTTPS."""
    keys: Path = Field(default=Path("page"), validate_default=True)
    """Folder of the hub's own certificate authority; made where another machine is served."""
    announce: bool = True
    """Whether the hub answers for `hems.local` on the home's network."""

    @property
    def for_this_machine(self) -> bool:
        """Whether no other machine is served."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @model_validator(mode="after")
    def _an_address(self) -> Self:
        try:
            ip_address(self.host)
        except ValueError:
            if self.host != "localhost":
                raise ValueError(f"host: {self.host!r} is no IP address of this machine") from None
        return self


class StoreSection(Section):
    """Where the hub keeps what it must not forget."""

    path: Path = Field(default=Path("hems.db"), validate_default=True)
    """The database; keys, trail and what else belongs to the home stand beside it."""


class OcppSection(Section):
    """The charge-point management system that the home's chargers call in to."""

    host: Text = "127.0.0.1"
    """Address at which chargers call in: this machine's alone, or one of the home's network."""
    port: Port = 9000
    """Its port."""
    certificate: Path | None = None
    """Our certificate for chargers that call over TLS (security profiles 2 and 3), PEM."""
    key: Path | None = None
    """Its private key, PEM."""
    trust: Path | None = None
    """Root certificates of chargers that must show one (security profile 3), PEM."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.certificate is None) is not (self.key is None):
            raise ValueError("certificate and key belong together")
        if self.trust is not None and self.certificate is None:
            raise ValueError("trust is for TLS, which needs certificate and key")
        return self


class MqttSection(Section):
    """The home's MQTT broker."""

    host: Text = "127.0.0.1"
    """The broker's host name or address."""
    port: Port = 1883
    """Its port; 8883 is usual where `trust` is given."""
    username: str = ""
    """Name by which the broker knows the hub; none where it asks for none."""
    password: str = Field(default="", repr=False)
    """Its password."""
    trust: Path | None = None
    """Root certificates of the broker, PEM; without them the connection is plain TCP."""
    home_assistant: bool = False
    """Whether the home is published to Home Assistant by MQTT discovery."""
    prefix: str = Field(default="homeassistant", pattern=r"^[^+#\s]{1,100}$")
    """Home Assistant's discovery prefix."""


def _listed(value: object) -> object:
    """Take one utility for a list of one."""
    return (value,) if isinstance(value, Mapping | UtilitySection) else value


_DEFAULTS: Final[Any] = {}
"""A section that is not there; one made of its class would have a validator built for it alone."""


class Config(Section):
    """All settings of one hub."""

    model_config = ConfigDict(validate_default=True)

    home: HomeSection = _DEFAULTS
    utility: Annotated[tuple[UtilitySection, ...], BeforeValidator(_listed)] = ()
    """One table, or a list of them; what the first asks prevails at equal primacy."""
    web: WebSection = _DEFAULTS
    push: PushSection = _DEFAULTS
    threats: ThreatsSection = _DEFAULTS
    agent: AgentSection = _DEFAULTS
    store: StoreSection = _DEFAULTS
    time: TimeSection = _DEFAULTS
    keys: KeysSection = _DEFAULTS
    firewall: FirewallSection = _DEFAULTS
    ocpp: OcppSection = _DEFAULTS
    mqtt: MqttSection = _DEFAULTS
    tariff: TariffSection = _DEFAULTS
    planner: PlannerSection = _DEFAULTS
    microgrid: MicrogridSection = _DEFAULTS
    programmes: ProgrammesSection = _DEFAULTS
    regulation: RegulationSection = _DEFAULTS
    reserve: ReserveSection = _DEFAULTS
    slope: SlopeSection = _DEFAULTS
    voltage_support: VoltageSupportSection = _DEFAULTS
    market: MarketSection = _DEFAULTS
    peak: PeakSection = _DEFAULTS
    connection: ConnectionSection = _DEFAULTS
    visibility: VisibilitySection = _DEFAULTS
    feeds: FeedsSection = _DEFAULTS
    firmware: FirmwareSection = _DEFAULTS
    updates: UpdatesSection = _DEFAULTS
    logging: LoggingSection = _DEFAULTS
    device: tuple[DeviceSection, ...] = ()

    @model_validator(mode="after")
    def _unique(self) -> Self:
        for device_id in twins(device.id for device in self.device):
            raise ValueError(f"two devices are called {device_id!r}")
        for station in twins(d.station for d in self.device if d.station is not None):
            raise ValueError(f"two chargers have the station identity {station!r}")
        meters = [d.id for d in self.device if d.kind is DeviceKind.METER]
        if len(meters) > 1:
            raise ValueError(f"one meter is at the connection point, not {len(meters)}: {meters}")
        return self

    @model_validator(mode="after")
    def _island_has_its_devices(self) -> Self:
        kinds = {device.id: device.kind for device in self.device}
        island = self.microgrid
        for key, name, kind in (
            ("tie", island.tie, DeviceKind.TIE),
            ("forming", island.forming, DeviceKind.BATTERY),
        ):
            if name is not None and kinds.get(name) is not kind:
                raise ValueError(f"microgrid.{key}: there is no {kind} {name!r}")
        for name in set(island.order) - set(kinds):
            raise ValueError(f"microgrid.order: there is no device {name!r}")
        return self

    @model_validator(mode="after")
    def _regulated_is_there(self) -> Self:
        regulation = self.regulation
        kinds = {device.id: device.kind for device in self.device}
        if regulation.consent and kinds.get(regulation.device) is not DeviceKind.BATTERY:
            raise ValueError(f"regulation: {regulation.device!r} is no battery of this home")
        if regulation.consent and regulation.measured_by not in {"", *kinds}:
            raise ValueError(f"regulation: there is no device {regulation.measured_by!r}")
        return self

    @model_validator(mode="after")
    def _exempt_are_there(self) -> Self:
        for name in set(self.firewall.outside) - {device.id for device in self.device}:
            raise ValueError(f"firewall.outside: there is no device {name!r}")
        for name in set(self.market.exempt) - {device.id for device in self.device}:
            raise ValueError(f"market.exempt: there is no device {name!r}")
        return self

    @model_validator(mode="after")
    def _known_to_the_enterprise(self) -> Self:
        check_known(self.feeds, self.firmware, [utility.name for utility in self.utility])
        return self

    @model_validator(mode="after")
    def _utilities_apart(self) -> Self:
        for name in twins(utility.name for utility in self.utility):
            raise ValueError(f"two utilities are called {name!r}; give each a name of its own")
        places = ((u.notify_host, u.notify_port) for u in self.utility if u.notify_port)
        for host, port in twins(places):
            raise ValueError(f"two utilities notify us at {host}:{port}; give each a notify_port")
        named = self.reserve.utility
        if self.reserve.enabled and not self.utility:
            raise ValueError("reserve is enabled, but there is no utility to offer it to")
        if named is not None and named not in {utility.name for utility in self.utility}:
            raise ValueError(f"reserve is offered to no utility {named!r}")
        known = {device.id for device in self.device}
        for utility in self.utility:
            for member in utility.member:
                for device in set(member.devices) - known:
                    raise ValueError(f"member {member.name!r} stands for no device {device!r}")
        return self


def load(
    path: Path,
    added: Sequence[devices_file.Table] | None = None,
    set_: Mapping[str, object] | None = None,
) -> Config:
    """Read the configuration file, and the files beside it that the program keeps.

    Args:
        path: The configuration file; where the page has set the home up there need not be one.
        added: What to take for the devices file's content; None for what is in it.
        set_: What to take for the settings file's content; None for what is in it.

    Raises:
        ConfigError: The file is missing, unreadable, not TOML, or has a mistake; all mistakes
            are named, one a line.
    """
    by_hand = by_person(path)
    on_page = settings_file.read(settings_file.place(path)) if set_ is None else set_
    raw = settings_file.merged(by_hand, on_page)
    beside = devices_file.place(raw, path)
    own = raw.get("device", [])
    more = devices_file.tables(beside) if added is None else added
    files = _Files(path, beside, len(own) if isinstance(own, list) else 0, by_hand, on_page)
    context = {"folder": path.parent.absolute()}
    merged = {**raw, "device": [*own, *more]} if isinstance(own, list) else raw
    try:
        return Config.model_validate(merged, context=context)
    except ValidationError as error:
        single = isinstance(raw.get("utility"), Mapping)
        alone = _said_of(raw, context) if more else None
        sentences = _sentences(files, error, single=single, alone=alone)
        raise ConfigError("\n".join(sentences)) from error


def by_person(path: Path) -> dict[str, object]:
    """Return what a person has written into the configuration file, unchecked.

    Raises:
        ConfigError: It is unreadable or not TOML; or it is missing, and no settings file beside
            it says that the home was set up without.
    """
    if not _exists(path) and _exists(settings_file.place(path)):
        return {}
    return read_toml(path)


def there(path: Path) -> bool:
    """Return whether a home is configured: by a person, or on its page alone."""
    return _exists(path) or _exists(settings_file.place(path))


def _exists(path: Path) -> bool:
    """Return whether a file is there; also where this user may not see it, which reading tells."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


@dataclass(frozen=True, slots=True)
class _Files:
    """Which file a mistake is in.

    Attributes:
        path: The configuration.
        beside: The devices file.
        own: How many devices the configuration has itself.
        by_hand: What a person wrote.
        on_page: What the page has set.
    """

    path: Path
    beside: Path
    own: int
    by_hand: Mapping[str, object]
    on_page: Mapping[str, object]

    def whose(self, loc: Sequence[str | int]) -> Path:
        """Return which of the two files that hold settings a place is in."""
        key = ".".join(str(part) for part in loc[:2])
        mine = bool(loc) and str(loc[0]) in self.on_page
        own = mine and not settings_file.fixed(self.by_hand, key)
        return settings_file.place(self.path) if own else self.path


def _said_of(raw: Mapping[str, object], context: Mapping[str, Path]) -> frozenset[str]:
    """Return the mistakes that a configuration has without its devices file."""
    try:
        Config.model_validate(raw, context=dict(context))
    except ValidationError as error:
        return frozenset(problem["msg"] for problem in error.errors())
    return frozenset()


_WORDS: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "model_type": "must be a table",
    "tuple_type": "must be a list of tables",
    "string_type": "must be text in quotation marks",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "has a character that is not allowed here, is empty or too long",
    "bool_type": "must be true or false",
}


def _sentences(
    files: _Files, error: ValidationError, *, single: bool, alone: frozenset[str] | None
) -> list[str]:
    """Return each mistake in a sentence.

    Args:
        files: Where the devices are from.
        error: All mistakes.
        single: Whether the utility is no list.
        alone: What is wrong without the devices file already; None where there is none.
    """
    sentences = []
    for problem in error.errors():
        loc, path = problem["loc"], files.whose(problem["loc"])
        if single and loc[:2] == ("utility", 0):
            loc = ("utility", *loc[2:])
        if loc[:1] == ("device",) and len(loc) > 1 and isinstance(loc[1], int):
            if loc[1] >= files.own:
                loc, path = ("device", loc[1] - files.own, *loc[2:]), files.beside
        elif not loc and alone is not None and problem["msg"] not in alone:
            path = files.beside
        place = "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc
        ).lstrip(".")
        reason = problem["msg"].removeprefix("Value error, ").replace("Input should", "must")
        if problem["type"] == "extra_forbidden":
            reason = "unknown key"
        elif problem["type"] in _WORDS:
            reason = _WORDS[problem["type"]]
        sentences.append(f"{path}: {place}: {reason}" if place else f"{path}: {reason}")
    return sentences
