"""The utility's settings: one TOML file, or built in code; every field documented."""

import hashlib
import ipaddress
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hems.headend.cim.settings import CimSettings
from hems.headend.enterprise.settings import BulletinSettings, FirmwareSettings
from hems.headend.errors import SettingsError
from hems.headend.est.settings import EstSettings
from hems.headend.fleet.settings import FleetSettings
from hems.headend.modes import Edition, Mode, ProgramKind
from hems.headend.monitor.settings import LogSettings, MonitorSettings
from hems.headend.ocsp.settings import OcspSettings
from hems.headend.operators.settings import OperatorsSettings
from hems.headend.orders.settings import FourEyesSettings
from hems.headend.polling import PollRate, PollSettings, Rates
from hems.headend.proxy.settings import ProxySettings
from hems.headend.records import Program
from hems.headend.settle.settings import BaselineSettings, SettlementSettings
from hems.headend.telecontrol.settings import TelecontrolSettings
from hems.headend.upstream.settings import UpstreamSettings

Port = Annotated[int, Field(ge=0, le=65535)]
_LIMITS = frozenset({Mode.IMPORT, Mode.EXPORT, Mode.GENERATION, Mode.LOAD})
PostgreSqlUrl = Annotated[str, Field(pattern=r"^postgresql://[^/]+/[^/]+$")]


class ProgramSettings(BaseModel):
    """A programme that every home is assigned to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=32)
    """As operators and owners know it (its description, 32 octets)."""
    mrid: str | None = Field(default=None, pattern=r"^[0-9A-F]{32}$")
    """Its mRID; made of name and PEN where none is given."""
    primacy: int = Field(ge=0, le=255)
    """Lower wins."""
    kind: ProgramKind
    """"der" for limits at the connection point, "drlc" for load reduction."""
    mandatory: bool = False
    """drProgramMandatory: the owner may not opt out (drlc only)."""
    defaults: dict[Mode, Annotated[float, Field(ge=0, le=1e9)]] = Field(default_factory=dict)
    """Limits of the DefaultDERControl by mode, W (der only); none leaves the home unlimited."""
    baseline: BaselineSettings | None = None
    """By what deliveries are measured; by what fits each event where None."""
    pay_per_kwh: float | None = Field(default=None, ge=0, le=1e6)
    """What each kWh delivered is worth, in the settlement's currency; nothing where None."""
    pay_most: float = Field(default=1.0, ge=0, le=100)
    """What is beyond so much of what was asked is not paid."""

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        if self.mandatory and self.kind is not ProgramKind.DRLC:
            raise ValueError(f"programme {self.name!r}: only drlc programmes can be mandatory")
        if self.defaults and (
            self.kind is not ProgramKind.DER or not set(self.defaults) <= _LIMITS
        ):
            raise ValueError(f"programme {self.name!r}: defaults are limits of a der programme")
        return self


DEFAULT_PROGRAMS = (
    ProgramSettings(name="Peak Saver", primacy=10, kind=ProgramKind.DER),
    ProgramSettings(name="Grid Emergency", primacy=1, kind=ProgramKind.DRLC, mandatory=True),
    ProgramSettings(name="Energy Support", primacy=20, kind=ProgramKind.DRLC),
)


class HeadEndSettings(BaseModel):
    """Everything the utility's server needs to start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    """Address the 2030.5 server listens on."""
    port: Port = 0
    """Its port; 0 takes any free one."""
    operator_host: str = "127.0.0.1"
    """Address of the operator's door: loopback, for it speaks plain HTTP."""
    operator_port: Port = 0
    """Its port; 0 takes any free one."""
    reuse_port: bool = False
    """Whether several workers of one database listen on the same ports of this machine; the kernel
    deals connections out among them. Ports must be named then."""
    database: Path | PostgreSqlUrl
    """SQLite file, made on first start; or a PostgreSQL database, as
    postgresql://USER:PASSWORD@HOST:PORT/NAME. Of several servers (HOST:PORT,HOST:PORT) the first
    that takes writes is used: a primary and its standby."""
    certificate: Path
    """PEM file: the server's certificate and its intermediate CAs."""
    key: Path
    """PEM file: its private key."""
    roots: Path
    """PEM file: root certificates trusted for homes."""
    crls: Path
    """PEM file: revocation lists of every CA in the homes' chains."""
    token_file: Path
    """The operator's bearer token; made on first start, readable by its owner only."""
    operator_file: Path | None = None
    """Where address and token of the operator's door are written, for `--operator` of commands on
    this machine; `operator.json` beside the token where None."""
    ready_file: Path | None = None
    """Where the actual addresses are written as JSON once the server listens."""
    advertise: bool = False
    """Announce `_smartenergy._tcp` by multicast DNS (on `host` only)."""
    instance: str = Field(default="hems-headend", min_length=1, max_length=40)
    """Name of the announced instance."""
    dcap_poll_s: PollRate = 60
    """pollRate of DeviceCapability."""
    time_poll_s: PollRate = 60
    """pollRate of Time."""
    list_poll_s: PollRate = 60
    """pollRate of lists."""
    post_rate_s: PollRate = 10
    """postRate of mirror usage points."""
    polling: dict[Edition, PollSettings] = Field(default_factory=dict)
    """The same for homes of one profile."""
    edition: Edition = Edition.CSIP_AUS
    """Profile of homes whose profile is not told: what they are offered, and in which words."""
    allow_registration: bool = False
    """Whether trusted but unknown homes may register themselves."""
    notify_hosts: tuple[str, ...] = ()
    """Hosts, addresses or networks that notifications may go to beside the home's own address."""
    pen: int = Field(default=40732, ge=0, le=2**32 - 1)
    """IANA private enterprise number in the mRIDs that the server makes."""
    tz_offset_s: int = Field(default=0, ge=-50400, le=50400)
    """Local time less UTC, s, as told in Time."""
    locale: str = Field(default="en", pattern=r"^[A-Za-z0-9-]{2,42}$")
    """Language of messages (a tag of RFC 4646)."""
    requests_per_minute: int = Field(default=0, ge=0, le=1_000_000)
    """How often one device may ask; who asks more often gets 429 and is told when to ask again.
    0 for no limit."""
    busy_timeout_s: float = Field(default=2.0, gt=0, le=60)
    """How long a write waits for a locked database before it answers 503."""
    readings_days: int = Field(default=30, ge=1, le=3650)
    """How long mirrored readings are kept as they were posted, at most, days."""
    thin_after_days: float = Field(default=2.0, ge=0, le=3650)
    """After this they are thinned to quarters of an hour, days; 0 for never."""
    thinned_days: int = Field(default=400, ge=1, le=36500)
    """How long thinned readings are kept, days."""
    programs: tuple[ProgramSettings, ...] = Field(default=DEFAULT_PROGRAMS, min_length=1)
    """The programmes."""
    est: EstSettings | None = None
    """Where new homes get their certificates; nowhere where None."""
    fleet: FleetSettings = FleetSettings()
    """What the fleet's hubs must show."""
    operators: OperatorsSettings | None = None
    """Where operators reach their door by TLS; from this machine alone where None."""
    four_eyes: FourEyesSettings = FourEyesSettings()
    """Which orders a second person must confirm; none by itself."""
    cim: CimSettings | None = None
    """Which systems of the enterprise send messages (IEC 61968); none where None."""
    upstream: UpstreamSettings | None = None
    """The utility whose events are shared over homes; none where None."""
    ocsp: OcspSettings | None = None
    """Where certificates can be asked about; nowhere where None."""
    bulletins: BulletinSettings | None = None
    """Who signs bulletins about threats and devices; there are none where None."""
    log: LogSettings = LogSettings()
    """How and what it logs."""
    monitor: MonitorSettings = MonitorSettings()
    """From when on something is a signal, and what is done about it."""
    firmware: FirmwareSettings | None = None
    """Where the signed firmware lists are; there are none where None."""
    settlement: SettlementSettings = SettlementSettings()
    """How it is measured and settled what events brought."""
    telecontrol: TelecontrolSettings | None = None
    """Which control centres call by IEC 60870-5-104; none where None."""

    proxy: ProxySettings | None = None
    """A proxy that ends TLS for homes; none where None."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        names = [program.name.casefold() for program in self.programs]
        if len(set(names)) != len(names):
            raise ValueError("two programmes have the same name")
        if self.reuse_port and 0 in {self.port, self.operator_port}:
            raise ValueError("reuse_port: name port and operator_port, which all workers share")
        if self.reuse_port and self.proxy is not None and not self.proxy.port:
            raise ValueError("reuse_port: name proxy.port, which all workers share")
        if self.reuse_port and self.telecontrol is not None and not self.telecontrol.port:
            raise ValueError("reuse_port: name telecontrol.port, at which one worker listens")
        try:
            local = ipaddress.ip_address(self.operator_host).is_loopback
        except ValueError:
            local = self.operator_host == "localhost"
        if not local:
            raise ValueError(
                f"operator_host {self.operator_host!r} is not a loopback address: "
                "the operator's door speaks plain HTTP"
            )
        return self

    def rates(self, edition: Edition) -> Rates:
        """Return how often homes of a profile are to ask and to post."""
        own = self.polling.get(edition, _AS_ALL)
        return Rates(
            own.dcap_poll_s or self.dcap_poll_s,
            own.time_poll_s or self.time_poll_s,
            own.list_poll_s or self.list_poll_s,
            own.post_rate_s or self.post_rate_s,
        )

    def program_records(self) -> tuple[Program, ...]:
        """Return the programmes as records, numbered from 1."""
        return tuple(
            Program(
                index,
                item.name,
                item.mrid or _program_mrid(item.name, self.pen),
                item.primacy,
                item.kind,
                item.mandatory,
                dict(item.defaults),
            )
            for index, item in enumerate(self.programs, start=1)
        )


_AS_ALL: Final = PollSettings()
_URL: Final = "postgresql://"
_FILES: Final = (
    *("database", "certificate", "key", "roots", "crls"),
    *("token_file", "operator_file", "ready_file"),
)
"""Names of files beside all tables."""
_PATHS: Final = {
    "est": ("pki", "manufacturers"),
    "operators": ("certificate", "key"),
    "ocsp": ("pki",),
    "bulletins": ("certificate", "key"),
    "firmware": ("folder",),
    "proxy": ("authorities",),
    "upstream": ("certificate", "key", "roots", "crls"),
    "telecontrol": ("table", "certificate", "key", "roots", "crls"),
}
"""Names of files and folders in the tables."""


def _program_mrid(name: str, pen: int) -> str:
    """Make an mRID that stays the same over restarts: 96 bits of the name's hash, then the PEN."""
    return hashlib.sha256(f"programme {name}".encode()).hexdigest()[:24].upper() + f"{pen:08X}"


def load_settings(path: Path) -> HeadEndSettings:
    """Read the settings from a TOML file; relative paths are taken from its folder.

    Raises:
        SettingsError: The file is missing, is not TOML or has a wrong field; the message names
            file and field.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: is not TOML: {error}") from error
    for name in _FILES:
        if isinstance(values.get(name), str) and not values[name].startswith(_URL):
            values[name] = path.parent / values[name]
    for table, names in _PATHS.items():
        section = values.get(table)
        for name in names:
            if isinstance(section, dict) and isinstance(section.get(name), str):
                section[name] = path.parent / section[name]
    _place_cim(values.get("cim"), path.parent)
    try:
        return HeadEndSettings.model_validate(values)
    except ValidationError as error:
        raise SettingsError("\n".join(_mistakes(path, error))) from error


def _mistakes(path: Path, error: ValidationError) -> Iterator[str]:
    """Yield each mistake by its place; of what could be read in two ways, the first way's."""
    seen: set[str] = set()
    found = error.errors()
    inner = {each["loc"][:-1] for each in found}
    for each in found:
        if each["type"] == "too_short" and each["loc"] in inner:
            continue  # only because what it should have makes no sense
        where = ".".join(str(part) for part in each["loc"]) or "the file"
        place = _EITHER if where.startswith(_EITHER) else where
        if place not in seen:
            seen.add(place)
            yield f"{path}: {where}: {each['msg']}"


_EITHER: Final = "database"
"""A file or an address."""


def _place_cim(section: object, folder: Path) -> None:
    """Take the paths in the tables of the enterprise side from the file's folder."""
    if not isinstance(section, dict):
        return
    peers = section.get("peers")
    tables = [*(peers if isinstance(peers, list) else ()), section.get("nats")]
    for table in tables:
        for name in ("token_file", "password_file", "ca"):
            if isinstance(table, dict) and isinstance(table.get(name), str):
                table[name] = folder / table[name]
