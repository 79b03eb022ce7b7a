"""What the page may see of devices' standing, and ask. Plain frozen records out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from der.model import Ownership
from hems.access.rights import Who
from hems.emg.trust.standing import Blocker, Cause, TrustError, TrustStanding


class Barrier(StrEnum):
    """What keeps a device that is shut from reaching others."""

    FIREWALL = "firewall"
    """Its traffic through the hub is dropped, too."""
    HANDLES = "handles"
    """The hub says nothing to it and lets it not in; what does not pass the hub is not stopped."""


class NotYoursError(TrustError):
    """Who asks may not judge a device of that ownership."""


@dataclass(frozen=True, slots=True)
class ShownView:
    """What a device shows of itself; empty where it shows nothing.

    Attributes:
        fingerprint: By which it can be compared, hex digits in pairs.
        by_key: Whether that is of a key that it has proved to hold; else of what it tells.
        manufacturer: Who made it, as it tells.
        model: What it says that it is.
        serial: Its serial number, as it tells.
        mac: Its MAC address, as the hub sees it.
    """

    fingerprint: str
    by_key: bool
    manufacturer: str
    model: str
    serial: str
    mac: str


@dataclass(frozen=True, slots=True)
class RevokedView:
    """A key that counts no more: its fingerprint, since when (UTC epoch seconds), and why."""

    fingerprint: str
    at: float
    why: str


@dataclass(frozen=True, slots=True)
class StandView:
    """How a device stands.

    Attributes:
        id: Its id.
        name: What the owner calls it.
        kind: What it is (`der.model.DeviceKind`).
        ownership: Whose it is.
        standing: How it stands.
        why: Why it is not trusted, one clause; empty where it is.
        doubts: Why it is in quarantine, by cause.
        blocks: Why it is blocked, by who has done that.
        trusted: What it showed when it was trusted; None before it ever answered.
        shown: What it shows instead; None where that is the same.
        revoked: Its former keys, the latest last.
        firmware: What it says that it runs; empty where it does not say.
        barrier: What holds once it is shut.
    """

    id: str
    name: str
    kind: str
    ownership: Ownership
    standing: TrustStanding
    why: str
    doubts: Mapping[Cause, str]
    blocks: Mapping[Blocker, str]
    trusted: ShownView | None
    shown: ShownView | None
    revoked: Sequence[RevokedView]
    firmware: str
    barrier: Barrier


class TrustSurface(Protocol):
    """What can be asked; each method but `devices` raises TrustError where it cannot be done."""

    def devices(self) -> Sequence[StandView]:
        """Return how each device stands, in the configuration's order."""
        ...

    async def approve(self, device: str, why: str, who: Who) -> None:
        """Trust a new device as it shows itself now."""
        ...

    async def block(self, device: str, why: str, who: Who) -> None:
        """Shut a device."""
        ...

    async def allow(self, device: str, why: str, who: Who) -> None:
        """Take a block back."""
        ...

    async def lift(self, device: str, why: str, who: Who, *, accept: bool) -> None:
        """Take a device out of quarantine.

        Args:
            device: Its id.
            why: Why that is right.
            who: Who says so.
            accept: Whether it is trusted as it shows itself now; else as it was before.
        """
        ...
