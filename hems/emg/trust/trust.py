"""Keeps which devices are trusted, and has those that are not shut.

A device is looked at on each connection before anything is told to it (`der.service.Device.inspect`
and `der.description.CalledIn`); what it shows is judged by the rules of `standing`.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pydantic import ValidationError

from der.description import CalledIn
from der.errors import DeviceError
from der.model import Connection
from der.sentence import say
from der.service import Device
from hems.clock import Clock
from hems.emg.trust import kept, standing
from hems.emg.trust.identity import Identity, identity_of
from hems.emg.trust.neighbours import mac_of
from hems.emg.trust.standing import (
    Blocker,
    Cause,
    Entry,
    RevokedKey,
    TrustStanding,
    UnknownDeviceError,
)
from hems.emg.trust.words import alarm_words, on_word, told
from hems.security_event import EventKind, Note, SecurityEvent, unheard
from hems.store.errors import StoreError
from hems.store.settings import Settings

_log = logging.getLogger(__name__)
_OTHER: Final = frozenset({Cause.IDENTITY, Cause.REVOKED})
"""Doubts about who answers: nothing is said to it, not even that it is to go off."""
_BY_RULE: Final = frozenset({Cause.THREAT})
"""A rule can err: what is shut for that alone goes on by itself, and no house gets cold by it."""


@dataclass(frozen=True, slots=True)
class StandingView:
    """How a device stands.

    Attributes:
        device: Its id.
        standing: How it stands.
        why: Why it is not trusted, one clause; empty where it is.
        doubts: Why it is in quarantine, one clause for each cause.
        blocks: Who has blocked it, and why.
        identity: What it showed when it was trusted; None before it ever answered.
        shown: What it shows instead; None where that is the same.
        revoked: Its former keys, the latest last.
        connection: How whoever answered last described itself; None if nobody has since the start.
    """

    device: str
    standing: TrustStanding
    why: str
    doubts: Mapping[Cause, str]
    blocks: Mapping[Blocker, str]
    identity: Identity | None
    shown: Identity | None
    revoked: tuple[RevokedKey, ...]
    connection: Connection | None


@dataclass(frozen=True, slots=True)
class TrustEvents:
    """Whom it tells; none of them may block.

    Attributes:
        alarm: Told in one sentence what the owner should know, by its source; None once it is over.
        spawn: Runs something beside the control cycle.
        changed: That devices stand otherwise than before.
        note: What bears on security.
    """

    alarm: Callable[[str, str | None], None]
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    changed: Callable[[], None]
    note: Note = unheard


class Trust:
    """The home's devices, as far as they are trusted.

    Args:
        settings: Where the list is kept.
        devices: The home's devices, by id.
        clock: Where the time comes from.
        tell: Whom it tells.
        doors: Where devices call in by themselves.
        mac: Returns the MAC address behind an IP address, empty where nobody sees it.
    """

    def __init__(
        self,
        settings: Settings,
        devices: Mapping[str, Device],
        clock: Clock,
        tell: TrustEvents,
        *,
        doors: Iterable[CalledIn] = (),
        mac: Callable[[str], str] = mac_of,
    ) -> None:
        self._settings = settings
        self._devices = devices
        self._clock = clock
        self._tell = tell
        self._doors = tuple(doors)
        self._mac = mac
        self._entries: dict[str, Entry] = dict.fromkeys(devices, Entry(approved=True))
        self._others: dict[str, Entry] = {}
        self._connections: dict[str, Connection] = {}
        self._writing = asyncio.Lock()
        self._unread = False
        for name, device in devices.items():
            device.inspect = partial(self._inspect, name)
        for door in self._doors:
            door.inspect_by(self._inspect)

    @property
    def standings(self) -> Mapping[str, StandingView]:
        """How each device stands, by id, in the configuration's order."""
        return {name: self._view(name, entry) for name, entry in self._entries.items()}

    async def load(self) -> None:
        """Take up the list; devices that are not in it wait for approval.

        Where there never was a list, this home had its devices before it kept one: they are
        approved. Where it cannot be read, they count as approved too, for the home's safety hangs
        on them, and the owner is told.
        """
        try:
            found = await self._read()
        except (StoreError, ValidationError) as error:
            found = None
            self._unread = isinstance(error, StoreError)
            first = str(error).splitlines()[0]
            said = say(
                "The list of trusted devices cannot be read: {reason}. Each device counts as the "
                "one that answers now; look whether they are yours.",
                reason=first,
            )
            self._tell.alarm("trust", said)
            self._tell.note(SecurityEvent(EventKind.STORE_DAMAGED, said, "trust"))
        if found is not None:
            self._entries = {name: found.get(name, Entry()) for name in self._devices}
            # What was blocked or given up stays so when a device is taken out and added again.
            gone = {name: each for name, each in found.items() if name not in self._devices}
            self._others = {n: each for n, each in gone.items() if each.blocks or each.revoked}
        for name, entry in self._entries.items():
            if entry.shut:
                await self._devices[name].shut(entry.why, disconnect=False)
            self._devices[name].withheld = entry.standing is TrustStanding.NEW
            self._say(name, entry)
            if found is not None and name not in found:
                self._note(name, EventKind.DEVICE_NEW, told(EventKind.DEVICE_NEW, self._name(name)))
        await self._save()

    async def quarantine(self, device: str, cause: Cause, why: str) -> None:
        """Shut a device because something about it is not as it should be.

        Args:
            device: Its id.
            cause: What is wrong; a doubt of the same cause is replaced.
            why: One clause for the owner ("it runs firmware that must not run").

        Raises:
            UnknownDeviceError: The home has none of this id.
        """
        entry = self._entry(device)
        if entry.doubts.get(cause) != why:
            await self._take(device, standing.doubted(entry, cause, why))

    async def clear(self, device: str, cause: Cause) -> None:
        """Take a doubt back; nothing happens where there is none.

        Raises:
            UnknownDeviceError: The home has none of this id.
        """
        entry = self._entry(device)
        if cause in entry.doubts:
            await self._take(device, standing.cleared(entry, cause))

    async def lift(self, device: str, word: str = "") -> None:
        """Take all doubts back: what is still wrong shows again, and shuts the device again.

        Args:
            device: Its id.
            word: On whose word, and why; for what is written down.

        Raises:
            UnknownDeviceError: The home has none of this id.
            TrustError: It is not in quarantine.
        """
        entry = self._entry(device)
        if not entry.doubts:
            raise standing.TrustError(say("This device is not in quarantine."))
        for cause in entry.doubts:
            entry = standing.cleared(entry, cause)
        await self._take(device, entry, word)

    async def block(
        self, device: str, why: str, by: Blocker = Blocker.OWNER, *, word: str = ""
    ) -> None:
        """Shut a device because somebody wants it shut.

        Args:
            device: Its id.
            why: One clause ("it was stolen").
            by: Who wants that.
            word: On whose word, and why; for what is written down.

        Raises:
            UnknownDeviceError: The home has none of this id.
        """
        entry = self._entry(device)
        if entry.blocks.get(by) != why:
            await self._take(device, standing.blocked(entry, by, why), word)

    async def allow(self, device: str, by: Blocker = Blocker.OWNER, *, word: str = "") -> None:
        """Take a block back.

        Args:
            device: Its id.
            by: Whose.
            word: On whose word, and why; for what is written down.

        Raises:
            UnknownDeviceError: The home has none of this id.
            TrustError: That one has not blocked it.
        """
        await self._take(device, standing.allowed(self._entry(device), by), word)

    async def approve(self, device: str, word: str = "") -> None:
        """Trust a device as it shows itself now.

        Args:
            device: Its id.
            word: On whose word, and why; for what is written down.

        Raises:
            UnknownDeviceError: The home has none of this id.
            TrustError: It is approved already, or shows a key that was given up.
        """
        approved = standing.approved(self._entry(device), self._clock.now())
        await self._take(device, approved, word)

    def _entry(self, device: str) -> Entry:
        entry = self._entries.get(device)
        if entry is None:
            raise UnknownDeviceError(say("this home has no device {device!r}", device=device))
        return entry

    def _inspect(self, device: str, connection: Connection) -> str | None:
        """Look at who answers; returns why it is not to be spoken to."""
        entry = self._entries.get(device)
        if entry is None:
            return None
        if entry.shut:
            return entry.why
        self._connections[device] = connection
        shown = identity_of(connection, self._mac(connection.host))
        after = standing.seen(entry, shown, self._revoked)
        if after == entry:
            return None
        self._set(device, after)
        self._tell.spawn(self._act(device))
        return after.why if after.shut else None

    @property
    def _revoked(self) -> Mapping[str, RevokedKey]:
        every = (*self._entries.values(), *self._others.values())
        return {key.key: key for entry in every for key in entry.revoked}

    async def _take(self, device: str, entry: Entry, word: str = "") -> None:
        self._set(device, entry, word)
        await self._act(device)

    def _set(self, device: str, entry: Entry, word: str = "") -> None:
        """Note how a device stands from now on, and tell of it."""
        before, self._entries[device] = self._entries[device], entry
        self._devices[device].withheld = entry.standing is TrustStanding.NEW
        kind = _kind(before, entry)
        if kind is not None:
            self._note(device, kind, on_word(told(kind, self._name(device), entry.why), word))
            self._say(device, entry)
            self._tell.changed()

    async def _act(self, device: str) -> None:
        """Shut or allow a device as it stands now, and write the list down."""
        entry = self._entries[device]
        if entry.shut:
            await self._shut(device, entry)
        elif self._devices[device].shut_because is not None:
            self._devices[device].allow()
        await self._save()

    async def _shut(self, device: str, entry: Entry) -> None:
        again = self._devices[device].shut_because is not None
        try:
            await self._devices[device].shut(
                entry.why,
                disconnect=not again and not _OTHER & entry.doubts.keys(),
                back=not entry.blocks and entry.doubts.keys() == _BY_RULE,
            )
        except DeviceError as error:
            _log.warning("%s did not confirm that it is off: %s", device, error)
        for door in self._doors:
            door.drop(device)

    async def _read(self) -> dict[str, Entry] | None:
        """Return the list as it is kept; None where there never was one."""
        text = (await self._settings.all()).get(kept.KEY)
        return None if text is None else kept.load(text)

    async def _catch_up(self) -> None:
        """Take up the list that could not be read at the start, with what has come up since."""
        found = await self._read() or {}
        for name, entry in found.items():
            if name in self._entries:
                self._set(name, standing.joined(entry, self._entries[name]))
                if self._entries[name].shut:
                    await self._shut(name, self._entries[name])
            elif entry.blocks or entry.revoked:
                self._others[name] = entry
        self._unread = False
        self._tell.alarm("trust", None)

    async def _save(self) -> None:
        async with self._writing:
            try:
                if self._unread:  # nothing is written over what nobody has read
                    await self._catch_up()
                await self._settings.put(kept.KEY, kept.dump({**self._others, **self._entries}))
            except (StoreError, ValidationError) as error:
                said = say("The list of trusted devices cannot be kept: {error}", error=error)
                self._tell.alarm("trust kept", said)
                return
        self._tell.alarm("trust kept", None)

    def _say(self, device: str, entry: Entry) -> None:
        self._tell.alarm(f"trust {device}", alarm_words(self._name(device), entry))

    def _note(self, device: str, kind: EventKind, text: str) -> None:
        found = self._connections.get(device)
        source = "" if found is None else found.host
        self._tell.note(SecurityEvent(kind, text, device, source))

    def _name(self, device: str) -> str:
        return self._devices[device].spec.name

    def _view(self, device: str, entry: Entry) -> StandingView:
        return StandingView(
            device,
            entry.standing,
            entry.why,
            entry.doubts,
            entry.blocks,
            entry.identity,
            entry.shown,
            entry.revoked,
            self._connections.get(device),
        )


def _kind(before: Entry, after: Entry) -> EventKind | None:
    """Return what a change comes to; None where only more was learnt of the device."""
    if after.blocks != before.blocks and after.blocks:
        return EventKind.DEVICE_BLOCKED
    new = after.doubts.items() - before.doubts.items()
    if new:
        other = any(cause in _OTHER for cause, _ in new)
        return EventKind.DEVICE_CHANGED if other else EventKind.DEVICE_QUARANTINED
    taken = before.shown is not None and after.identity == before.shown
    if taken or (after.approved and not before.approved):
        return EventKind.DEVICE_ADMITTED
    if after.standing is before.standing:
        return None
    return EventKind.DEVICE_ADMITTED if before.blocks else EventKind.RELIABLE_AGAIN
