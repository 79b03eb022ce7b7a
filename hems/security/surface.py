"""What the page may see of the home's privacy and security. Plain frozen records out.

What is named by a code here is put into words by the page, in its reader's language.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Reach(StrEnum):
    """How far something goes."""

    MACHINE = "machine"
    """To another program on the hub's own machine."""
    HOME = "home"
    """To a machine on the home's own network."""
    BEYOND = "beyond"
    """Out of the home, or nobody can tell from the address."""


class Guard(StrEnum):
    """How what is said between two is protected on its way."""

    BOTH = "both"
    """TLS; each side proves by a certificate who it is."""
    ONE = "one"
    """TLS; the one that is called proves it."""
    NONE = "none"
    """Nothing: whoever is on the way can read it."""


class Flow(StrEnum):
    """Why something leaves the hub."""

    READINGS = "readings"
    """Meter readings for a utility."""
    REPORTS = "reports"
    """What solar, batteries and loads can do and do, for a utility."""
    ANSWERS = "answers"
    """What became of a utility's events."""
    TROUBLES = "troubles"
    """A utility's log of devices that failed or were tampered with."""
    REVOCATION = "revocation"
    """A question whether a certificate of a utility's server was revoked (OCSP)."""
    GRANT = "grant"
    """What the owner granted to somebody."""
    HOME_ASSISTANT = "home-assistant"
    """All devices, published for home automation."""
    BROKER = "broker"
    """Orders to devices that are reached over a broker."""
    REGULATION = "regulation"
    """Following an aggregator's signal: nothing is said there but that this home listens."""
    WEATHER = "weather"
    """A question for a weather forecast."""
    PRICES = "prices"
    """A question for prices of energy."""
    CARBON = "carbon"
    """A question for the grid's carbon intensity."""
    MARKET = "market"
    """A question for wholesale prices, or for the prices from which on they count."""
    BULLETIN = "bulletin"
    """A question for the enterprise's bulletin, or for lists of firmware."""
    STATISTICS = "statistics"
    """A day in numbers for the enterprise: kinds of security events, devices and their firmware."""
    ANNOUNCED = "announced"
    """The hub's name and address, for all on the home's network."""
    WEBHOOK = "webhook"
    """What was found to threaten the home, for an address that the owner named."""
    PUSH = "push"
    """News for a browser, sealed for it, through its push service."""


class Occasion(StrEnum):
    """When something is told."""

    INTERVAL = "interval"
    CHANGE = "change"
    EVENT = "event"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class OutflowView:
    """Something that leaves the hub.

    Attributes:
        flow: Why.
        to: Whom it is told, as the owner knows them; empty where `host` says all.
        host: Name or address of the machine; empty where that is found by itself or it asks us.
        reach: How far that is.
        devices: Names of the devices that it is about; empty where it is about none, or all.
        data: Kinds of data that were granted (`hems.visibility.grants.Data`); empty elsewhere.
        occasion: When it is told.
        every_s: Seconds from one time to the next, for an interval.
        guard: How it is protected on its way.
        until: When it ends, UTC epoch seconds; None without an end.
    """

    flow: Flow
    to: str
    host: str
    reach: Reach
    occasion: Occasion
    guard: Guard
    devices: Sequence[str] = ()
    data: Sequence[str] = ()
    every_s: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """The connection to a utility.

    Attributes:
        name: Of the utility.
        server: Its URL; empty while none is found.
        state: As in `hems.surface.UtilityView`.
        detail: One sentence.
        lfdi: As whom the home is known there.
        last_contact: UTC epoch seconds of the last good answer; None if never.
        clock_error_s: The home's clock less the server's; None while that is not known.
        edition: Which edition of IEEE 2030.5 is spoken.
    """

    name: str
    server: str
    state: str
    detail: str
    lfdi: str
    last_contact: float | None
    clock_error_s: float | None
    edition: str


class CertificateUse(StrEnum):
    """What a certificate is for."""

    UTILITY = "utility"
    """By it a utility knows the home."""
    UTILITY_ROOT = "utility-root"
    """By it the home knows a utility."""
    UTILITY_SERVER = "utility-server"
    """What a utility's server shows now."""
    RECIPIENTS = "recipients"
    """By it those who were granted something know the home."""
    RECIPIENTS_ROOT = "recipients-root"
    CHARGERS = "chargers"
    CHARGERS_ROOT = "chargers-root"
    BROKER_ROOT = "broker-root"
    REGULATION = "regulation"
    REGULATION_ROOT = "regulation-root"
    DEVICE = "device"
    DEVICE_ROOT = "device-root"
    PAGE = "page"
    """By it browsers on the home's network know the hub."""
    PAGE_ROOT = "page-root"
    """The hub's own authority, which phones are asked to trust."""


class Renewal(StrEnum):
    """Who sees to a new certificate."""

    ITSELF = "itself"
    """The hub makes it in time."""
    FOLLOWED = "followed"
    """Somebody puts a new file in its place; the hub takes it up while it runs."""
    START = "start"
    """The same, and the hub takes it up when it is started."""
    OTHERS = "others"
    """Whoever shows it."""


class Standing(StrEnum):
    """How a certificate stands."""

    GOOD = "good"
    SOON = "soon"
    """It ends soon."""
    OVER = "over"
    EARLY = "early"
    """It does not count yet: that, or the hub's clock is wrong."""
    REVOKED = "revoked"
    """Whoever issued it has taken it back."""
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class CertificateView:
    """A certificate that the hub uses.

    Attributes:
        use: What it is for.
        of: Of which utility or device, as the owner knows them; empty where there is one only.
        standing: How it stands now.
        subject: Whom it names; empty where it names nobody.
        issuer: Who made it.
        starts_at: From when it counts, UTC epoch seconds; None where it cannot be read.
        ends_at: Until when; None where it has no end, or cannot be read.
        fingerprint: SHA-256 of it, hex digits in pairs.
        lfdi: What is made of it (IEEE 2030.5); empty for a root.
        renewal: Who sees to a new one.
        error: Why it cannot be read; empty where it can.
        key: How its private key is held, in a sentence; empty where that is not ours.
    """

    use: CertificateUse
    of: str
    standing: Standing
    renewal: Renewal
    subject: str = ""
    issuer: str = ""
    starts_at: float | None = None
    ends_at: float | None = None
    fingerprint: str = ""
    lfdi: str = ""
    error: str = ""
    key: str = ""


class Proof(StrEnum):
    """How a device shows that it is the one it says."""

    CERTIFICATE = "certificate"
    PASSWORD = "password"  # noqa: S105 - a kind of proof
    BROKER = "broker"
    """Not at all: whoever may speak at the broker is believed."""
    ADDRESS = "address"
    """Not at all: whoever answers at its address is believed."""
    UTILITY = "utility"
    """Its readings come from the utility."""


@dataclass(frozen=True, slots=True)
class TrustedDeviceView:
    """A device that the home believes and moves.

    Attributes:
        id: Its id.
        name: What the owner calls it.
        kind: What it is (`der.model.DeviceKind`).
        driver: How it is spoken to (`der.registry.Driver`).
        address: Where, as configured.
        reach: How far that is.
        guard: How what is said is protected.
        proof: How it shows who it is.
        ownership: Whose it is (`der.model.Ownership`).
    """

    id: str
    name: str
    kind: str
    driver: str
    address: str
    reach: Reach
    guard: Guard
    proof: Proof
    ownership: str


@dataclass(frozen=True, slots=True)
class StrangerView:
    """Somebody that called in and that the home knows nothing of; nothing is done with it.

    Attributes:
        identity: As it called itself.
        address: Its IP address.
    """

    identity: str
    address: str


@dataclass(frozen=True, slots=True)
class SecurityView:
    """All of it.

    Attributes:
        connections: To utilities, in the configuration's order.
        certificates: Those that end first come first.
        devices: In the configuration's order.
        strangers: Who has called in of late.
        outflows: What leaves the hub, by how far it goes, the farthest first.
        time: How well the hub knows the time, in a sentence; empty where nobody says.
        store: How what the hub remembers is locked, and where its key is, in a sentence or two.
    """

    connections: Sequence[ConnectionView] = ()
    certificates: Sequence[CertificateView] = ()
    devices: Sequence[TrustedDeviceView] = ()
    strangers: Sequence[StrangerView] = ()
    outflows: Sequence[OutflowView] = ()
    store: str = ""
    time: str = ""


@dataclass(frozen=True, slots=True)
class AlarmView:
    """One time during which something was wrong; fields as `hems.alarm_history.Episode`."""

    source: str
    text: str
    began_at: float
    ended_at: float | None


class SecuritySurface(Protocol):
    """What can be asked of it."""

    async def security(self) -> SecurityView:
        """Return how the home is guarded, and what leaves it.

        Raises:
            SurfaceError: What was granted cannot be read.
        """
        ...

    def alarms(self) -> Sequence[AlarmView]:
        """Return the alarms that are kept: those that last first, then the latest first."""
        ...
