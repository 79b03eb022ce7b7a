"""What enterprise and gateways tell each other about threats, devices and firmware: wire models.

Both sides read them with the same bounds, so that neither can have the other keep what is endless.
JSON, signed: a bulletin as a whole by `certs.signed`, lists of firmware by their repository's
roles (`hems.headend.firmware`, `hems.emg.firmware`).
"""

import ipaddress
from collections import Counter
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

MOST_BULLETIN: Final = 1024 * 1024
"""Longest bulletin, signed, octets."""
MOST_STATISTICS: Final = 16 * 1024
"""Longest statistics of a day, octets."""
MOST_LIST: Final = 1024 * 1024
"""Longest list of one vendor's firmware, octets."""

VENDORS: Final = "vendors"
"""Folder in a firmware repository under which each vendor signs: vendors/NAME/FILE."""
APPROVED: Final = "approved"
"""Folder under which the service provider signs the very same file: approved/NAME/FILE."""
INDEX: Final = "vendors.json"
"""Whose lists there are; signed by the repository's own role."""
LIST: Final = "firmware.json"
"""Name of a vendor's list."""

DAY_S: Final = 86_400.0
LONGEST_S: Final = 90 * DAY_S
"""No bulletin counts for longer than this."""


def _plain(text: str) -> str:
    if not all(char.isprintable() for char in text):
        raise ValueError("a character in it cannot be printed")
    return " ".join(text.split())


def _network(text: str) -> str:
    network = ipaddress.ip_network(text, strict=False)
    least = _LEAST_PREFIX[network.version]
    if network.prefixlen < least:
        raise ValueError(f"{network} is wider than /{least}: it would cut off half the world")
    return str(network)


_LEAST_PREFIX: Final = {4: 8, 6: 16}

Name = Annotated[str, Field(max_length=128), AfterValidator(_plain)]
Said = Annotated[str, Field(max_length=600), AfterValidator(_plain), Field(min_length=1)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Instant = Annotated[float, Field(ge=0, le=253_402_300_799, allow_inf_nan=False)]
"""UTC epoch seconds."""
Network = Annotated[str, Field(max_length=64), AfterValidator(_network)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256, hex digits."""
Lfdi = Annotated[str, Field(pattern=r"^[0-9A-F]{40}$")]
Sfdi = Annotated[int, Field(ge=0, lt=10 * 16**9)]
Kind = Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,39}$")]
"""Of a security event (`hems.security_event.EventKind`); one that is not known is passed over."""
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]


class _Wire(BaseModel):
    """Strict where it counts; what a later version adds is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class Severity(StrEnum):
    """How bad something is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class FirmwareRange(_Wire):
    """Versions of some device's firmware."""

    manufacturer: Annotated[Name, Field(min_length=1)]
    model: Name = ""
    """Its model; empty for all of the manufacturer's."""
    versions: Annotated[tuple[Name, ...], Field(max_length=200)] = ()
    """These."""
    below: Name = ""
    """And all that are older than this one; empty for none."""
    why: Said

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.versions and not self.below:
            raise ValueError("a range needs versions, or the version below which all are meant")
        return self


class DeviceWord(_Wire):
    """What is known of devices: that they can be trusted, or cannot."""

    trusted: bool
    manufacturer: Annotated[Name, Field(min_length=1)]
    model: Name = ""
    """Their model; empty for all of the manufacturer's."""
    serial: Name = ""
    """One of them only; empty for all of the model."""
    why: Said


class Alert(_Wire):
    """A threat, and by what it can be known."""

    id: Id
    severity: Severity
    text: Said
    """What it is and what to do, for the owner; in English."""
    networks: Annotated[tuple[Network, ...], Field(max_length=500)] = ()
    """Addresses from which it comes or to which it reports."""
    lfdis: Annotated[tuple[Lfdi, ...], Field(max_length=500)] = ()
    sfdis: Annotated[tuple[Sfdi, ...], Field(max_length=500)] = ()
    fingerprints: Annotated[tuple[Digest, ...], Field(max_length=500)] = ()
    """SHA-256 of certificates."""
    until: Instant | None = None
    """When it ends by itself; with its bulletin where None."""


class Bulletin(_Wire):
    """All that an enterprise has to say now; a newer one takes the place of an older one."""

    version: Literal[1] = 1
    enterprise: Annotated[Name, Field(min_length=1)]
    number: Annotated[int, Field(ge=1, le=2**53)]
    """Grows with each one: what has a lower number than one that was taken up is not news."""
    issued: Instant
    expires: Instant
    alerts: Annotated[tuple[Alert, ...], Field(max_length=200)] = ()
    devices: Annotated[tuple[DeviceWord, ...], Field(max_length=1000)] = ()
    firmware: Annotated[tuple[FirmwareRange, ...], Field(max_length=1000)] = ()
    """What must not run."""
    severities: Annotated[dict[Kind, Severity], Field(max_length=100)] = {}
    """How bad each kind of security event is now; the owner is told at once what is critical."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.issued < self.expires <= self.issued + LONGEST_S:
            raise ValueError(
                f"it must expire after it was issued and within {LONGEST_S / DAY_S:.0f} days"
            )
        ids = [alert.id for alert in self.alerts]
        if len(set(ids)) != len(ids):
            raise ValueError("two alerts have the same id")
        return self


class State(StrEnum):
    """What a vendor says of a version of its firmware."""

    LATEST = "latest"
    ALLOWED = "allowed"
    """Not the newest, and nothing is wrong with it."""
    UNTRUSTED = "untrusted"
    """It must not run."""


class Firmware(_Wire):
    """One version of a model's firmware."""

    manufacturer: Annotated[Name, Field(min_length=1)]
    model: Annotated[Name, Field(min_length=1)]
    version: Annotated[Name, Field(min_length=1)]
    state: State
    sha256: Digest | None = None
    """Of its file, where the vendor gives it out."""
    size: Count | None = None
    """Octets of the file."""
    advisory: Name = ""
    """What is wrong with it, or good to know; in English."""

    @property
    def of(self) -> tuple[str, str]:
        """Whose it is, as `alike` writes it."""
        return alike(self.manufacturer), alike(self.model)


class Package(_Wire):
    """What a hub installs by itself: an archive of one version for one kind of machine."""

    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,127}$")]
    """Name of the archive in the vendor's folder of the repository."""
    version: Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6}){0,3}$")]
    python: Annotated[str, Field(pattern=r"^3\.[0-9]{1,3}$")]
    """Whose Python's parts it holds."""
    machine: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
    """Of which machine, as `uname -m` has it; `any` where all parts are plain Python."""
    least: Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6}){0,3}$")]
    """The oldest version that it takes the place of."""
    form: Annotated[str, Field(pattern=r"^[0-9]{4}$")]
    """The store's revision that it works with."""
    needs: Annotated[int, Field(ge=0, le=1 << 40)]
    """Octets that must be free on the disk."""


class Release(_Wire):
    """One version of the hub's own software."""

    version: Annotated[Name, Field(min_length=1)]
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,127}$")]
    """Name of its package in the vendor's folder of the repository."""
    state: State
    advisory: Name = ""
    packages: Annotated[tuple[Package, ...], Field(max_length=16)] = ()
    """The same as archives that a hub installs by itself."""

    @model_validator(mode="after")
    def _of_one_version(self) -> Self:
        for each in self.packages:
            if each.version != self.version:
                raise ValueError(f"{each.file} is version {each.version}, not {self.version}")
        return self


class FirmwareList(_Wire):
    """What one vendor offers."""

    version: Literal[1] = 1
    vendor: Id
    firmware: Annotated[tuple[Firmware, ...], Field(max_length=2000)] = ()
    releases: Annotated[tuple[Release, ...], Field(max_length=200)] = ()

    @model_validator(mode="after")
    def _once(self) -> Self:
        named = Counter((*each.of, alike(each.version)) for each in self.firmware)
        latest = Counter(each.of for each in self.firmware if each.state is State.LATEST)
        packages = Counter(alike(each.version) for each in self.releases)
        for key, count in (*named.items(), *latest.items(), *packages.items()):
            if count > 1:
                raise ValueError(f"{key} stands in it twice")
        return self


class Vendors(_Wire):
    """Whose lists there are in a repository."""

    version: Literal[1] = 1
    vendors: Annotated[tuple[Id, ...], Field(max_length=64)] = ()


class Models(_Wire):
    """How many devices of one kind and firmware a home has."""

    manufacturer: Name = ""
    model: Name = ""
    firmware: Name = ""
    count: Annotated[int, Field(ge=1, le=10_000)]


class Statistics(_Wire):
    """A day in numbers: nothing in it says who lives there, what they use, or where."""

    version: Literal[1] = 1
    day: date
    """UTC."""
    software: Name
    """Version of the hub's software."""
    events: Annotated[dict[Kind, Count], Field(max_length=100)] = {}
    """How many security events there were, by kind."""
    devices: Annotated[tuple[Models, ...], Field(max_length=200)] = ()

    @field_validator("events")
    @classmethod
    def _counted(cls, events: dict[str, int]) -> dict[str, int]:
        return {kind: count for kind, count in sorted(events.items()) if count}


def alike(text: str) -> str:
    """Return a maker's, model's or version's name as two that mean the same are written alike."""
    return " ".join(text.split()).casefold()


def matches(named: DeviceWord | FirmwareRange, manufacturer: str, model: str) -> bool:
    """Return whether a device of this maker and model is meant."""
    return alike(named.manufacturer) == alike(manufacturer) and (
        not named.model or alike(named.model) == alike(model)
    )


def counted(devices: Iterable[tuple[str, str, str]]) -> tuple[Models, ...]:
    """Count devices by maker, model and firmware; what each says of itself is cut to fit."""
    found = Counter((_fitting(a), _fitting(b), _fitting(c)) for a, b, c in devices)
    return tuple(
        Models(manufacturer=maker, model=model, firmware=firmware, count=count)
        for (maker, model, firmware), count in sorted(found.items())
    )


def _fitting(text: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:_LONGEST_NAME]


_LONGEST_NAME: Final = 128
