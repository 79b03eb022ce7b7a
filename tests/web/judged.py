"""Devices as they stand on a scripted page, judged by the real rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from der.model import Ownership
from hems.access.rights import Who
from hems.emg.trust.identity import Identity
from hems.emg.trust.standing import (
    Blocker,
    Cause,
    Entry,
    UnknownDeviceError,
    allowed,
    approved,
    blocked,
    cleared,
    doubted,
)
from hems.security.judging import shown_view
from hems.security.trust_surface import Barrier, RevokedView, StandView

KNOWN = Identity(manufacturer="Sonne", model="Box 5", serial="A-1001", mac="02:00:00:00:00:40")
OTHER = Identity(manufacturer="Sonne", model="Box 5", serial="B-2002", mac="02:00:00:00:00:41")
TRUSTED = Entry(approved=True, identity=KNOWN)
NEW = Entry(identity=KNOWN)
EXCHANGED = doubted(
    Entry(True, KNOWN, OTHER), Cause.IDENTITY, "its serial number is B-2002, not A-1001"
)


@dataclass
class JudgedDevices:
    """A `TrustSurface` over entries that a test sets.

    Attributes:
        entries: By device id.
        names: What the owner calls each.
        said: Who did what to which device, and why.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    said: list[tuple[str, str, str, str]] = field(default_factory=list)

    def devices(self) -> Sequence[StandView]:
        return [
            StandView(
                name,
                self.names.get(name, name.title()),
                "battery",
                Ownership.OWNER,
                entry.standing,
                entry.why,
                entry.doubts,
                entry.blocks,
                shown_view(entry.identity),
                shown_view(entry.shown),
                [RevokedView(each.key, each.at, each.why) for each in entry.revoked],
                "2.1",
                Barrier.HANDLES,
            )
            for name, entry in self.entries.items()
        ]

    async def approve(self, device: str, why: str, who: Who) -> None:
        self._note(who, "approve", device, why)
        self.entries[device] = approved(self._entry(device), 1.0)

    async def block(self, device: str, why: str, who: Who) -> None:
        self._note(who, "block", device, why)
        self.entries[device] = blocked(self._entry(device), Blocker.OWNER, why)

    async def allow(self, device: str, why: str, who: Who) -> None:
        self._note(who, "allow", device, why)
        self.entries[device] = allowed(self._entry(device), Blocker.OWNER)

    async def lift(self, device: str, why: str, who: Who, *, accept: bool) -> None:
        self._note(who, "accept" if accept else "lift", device, why)
        entry = self._entry(device)
        self.entries[device] = approved(entry, 1.0) if accept else cleared(entry, Cause.IDENTITY)

    def _note(self, who: Who, deed: str, device: str, why: str) -> None:
        self.said.append((who.name, deed, device, why))

    def _entry(self, device: str) -> Entry:
        if device not in self.entries:
            raise UnknownDeviceError(f"this home has no device {device!r}")
        return self.entries[device]
