"""Looks at what devices run, and has those shut that run what must not run.

What a device said last is remembered: one that is shut is not asked any more, and must not come
back by a restart of the hub. Nothing is said twice of the same answer of a device, so that somebody
of the home can take it out of quarantine and have its new firmware read.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from pydantic import TypeAdapter, ValidationError

from der.model import Connection
from der.sentence import Verbatim, say
from hems.bulletin import Bulletin, Firmware, alike
from hems.emg.firmware.judge import Standing, Verdict, distrusted, judged
from hems.emg.trust.identity import Identity
from hems.emg.trust.standing import Blocker, Cause, TrustError
from hems.security_event import EventKind, Note, SecurityEvent, unheard
from hems.store.errors import StoreError
from hems.store.settings import Settings

LOOK_EVERY_S: Final = 20.0
_NAME: Final = "firmware seen"
_KEPT: Final = TypeAdapter(dict[str, Connection])

_log = logging.getLogger(__name__)


class Shown(Protocol):
    """How a device stands, as far as it is looked at here (`hems.emg.trust.trust.StandingView`)."""

    @property
    def connection(self) -> Connection | None:
        """How whoever answered last described itself; None if nobody has since the start."""
        ...

    @property
    def identity(self) -> Identity | None:
        """What it showed when it was trusted; None before it ever answered."""
        ...

    @property
    def blocks(self) -> Mapping[Blocker, str]:
        """Who has blocked it, and why."""
        ...


class Guardian(Protocol):
    """Who shuts devices (`hems.emg.trust.trust.Trust`)."""

    @property
    def standings(self) -> Mapping[str, Shown]:
        """How each device stands, by id."""
        ...

    async def quarantine(self, device: str, cause: Cause, why: str) -> None:
        """Shut a device because something about it is not as it should be."""
        ...

    async def clear(self, device: str, cause: Cause) -> None:
        """Take a doubt back; nothing happens where there is none."""
        ...

    async def block(self, device: str, why: str, by: Blocker = ...) -> None:
        """Shut a device because somebody wants it shut."""
        ...

    async def allow(self, device: str, by: Blocker = ...) -> None:
        """Take a block back."""
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of devices.

    Attributes:
        listed: Returns all entries of the firmware lists that count.
        bulletin: Returns the enterprise's bulletin; None for none.
        identities: Returns all fingerprints of keys that count no more.
    """

    listed: Callable[[], list[Firmware]]
    bulletin: Callable[[], Bulletin | None]
    identities: Callable[[], frozenset[str]] = frozenset


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was last thought of a device, and on which of its answers."""

    connection: Connection
    verdict: Verdict
    reason: str


class FirmwareWatch:
    """Watches the firmware of all devices.

    Args:
        settings: Where it is remembered what devices said.
        guardian: Returns who shuts devices.
        said: What is said of them.
        quarantine_unknown: Whether firmware that is on no list is shut too.
        name: Returns what the owner calls a device, by its id.
        note: Told what bears on security.
    """

    def __init__(
        self,
        settings: Settings,
        guardian: Callable[[], Guardian],
        said: Said,
        *,
        quarantine_unknown: bool = False,
        name: Callable[[str], str] = str,
        note: Note = unheard,
    ) -> None:
        self._settings = settings
        self._guardian = guardian
        self._said = said
        self._quarantine_unknown = quarantine_unknown
        self._name = name
        self._note = note
        self._seen: dict[str, Connection] = {}
        self._judged: dict[str, _Judged] = {}
        self._blocked: dict[str, str] = {}
        self._of: Guardian | None = None

    @property
    def verdicts(self) -> Mapping[str, Verdict]:
        """What is thought of each device's firmware, by the device's id."""
        return {device: each.verdict for device, each in self._judged.items()}

    @property
    def shown(self) -> Mapping[str, Connection]:
        """How each device described itself last, by its id."""
        return dict(self._seen)

    async def load(self) -> None:
        """Take up what devices said before a restart."""
        try:
            text = (await self._settings.all()).get(_NAME)
            if text is not None:
                self._seen = _KEPT.validate_json(text)
        except (StoreError, ValidationError) as error:
            _log.warning("the firmware of before is not known: %.200s", error)

    async def look(self) -> None:
        """Look at each device once."""
        guardian = self._guardian()
        if guardian is not self._of:  # another home has taken the place of the former
            self._of = guardian
            self._judged.clear()
            self._blocked.clear()
        listed, bulletin = self._said.listed(), self._said.bulletin()
        identities = self._said.identities()
        before = dict(self._seen)
        for device, standing in guardian.standings.items():
            if standing.connection is not None:
                self._remember(device, standing.connection)
            connection = self._seen.get(device)
            if connection is None:
                continue
            verdict = judged(connection, listed, () if bulletin is None else bulletin.firmware)
            try:
                await self._judge(guardian, device, connection, verdict)
                why = "" if bulletin is None else distrusted(connection, bulletin)
                if not why and standing.identity and standing.identity.key in identities:
                    why = say("its key is named in a warning")
                await self._block(guardian, device, why, standing)
            except TrustError as error:  # it has just left the home, or somebody was quicker
                _log.info("%s: %s", device, error)
        if self._seen != before:
            await self._keep()

    def _remember(self, device: str, connection: Connection) -> None:
        known, self._seen[device] = self._seen.get(device), connection
        if known is None or not known.firmware or not connection.firmware:
            return
        same = _who(known) == _who(connection)
        if same and alike(known.firmware) != alike(connection.firmware):
            text = say(
                "{name} runs firmware {firmware} now; before, it ran {before}.",
                name=self._name(device),
                firmware=Verbatim(connection.firmware),
                before=Verbatim(known.firmware),
            )
            self._note(SecurityEvent(EventKind.FIRMWARE_CHANGED, text, device))

    async def _judge(
        self, guardian: Guardian, device: str, connection: Connection, verdict: Verdict
    ) -> None:
        reason = self._reason(connection, verdict)
        last = self._judged.get(device)
        if last is not None and last.connection is connection and last.reason == reason:
            self._judged[device] = _Judged(connection, verdict, reason)
            return
        if not reason:
            await guardian.clear(device, Cause.FIRMWARE)
        else:
            if last is None or last.reason != reason:
                text = say(
                    "{name} runs firmware {firmware}, which must not run: {why}.",
                    name=self._name(device),
                    firmware=Verbatim(connection.firmware),
                    why=verdict.why or reason,
                )
                self._note(SecurityEvent(EventKind.FIRMWARE_UNTRUSTED, text, device))
            await guardian.quarantine(device, Cause.FIRMWARE, reason)
        self._judged[device] = _Judged(connection, verdict, reason)

    def _reason(self, connection: Connection, verdict: Verdict) -> str:
        """Return why a device is to be shut for its firmware, one clause; empty for not at all."""
        if verdict.standing is Standing.UNTRUSTED:
            return say(
                "its firmware {firmware} must not run: {why}",
                firmware=Verbatim(connection.firmware),
                why=verdict.why,
            )
        if self._quarantine_unknown and verdict.standing is Standing.UNKNOWN:
            return say("its firmware is on no list")
        return ""

    async def _block(self, guardian: Guardian, device: str, why: str, standing: Shown) -> None:
        if self._blocked.get(device) == why:
            return
        if why:
            await guardian.block(device, why, Blocker.ENTERPRISE)
        elif Blocker.ENTERPRISE in standing.blocks:
            await guardian.allow(device, Blocker.ENTERPRISE)
        self._blocked[device] = why

    async def _keep(self) -> None:
        try:
            await self._settings.put(_NAME, _KEPT.dump_json(self._seen).decode())
        except StoreError as error:
            _log.warning("what devices run cannot be kept: %s", error)


def _who(connection: Connection) -> tuple[str, str, str]:
    return alike(connection.manufacturer), alike(connection.model), alike(connection.serial)
