"""The hub's presence on the home's network: name, addresses and certificate, kept right."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from certs.errors import CertificateError
from certs.page import fingerprint
from der.sentence import say
from hems.clock import Clock
from hems.lan.addresses import own_addresses
from hems.lan.identity import PageIdentity, open_identity
from hems.lan.names import DOMAIN, LABEL, in_pairs, served_names, spoken
from hems.on_demand import load, on_demand

if TYPE_CHECKING:
    from hems.lan import announcer
else:  # multicast DNS, for a page that others than this machine are shown
    announcer = on_demand("hems.lan.announcer")

_log = logging.getLogger(__name__)

LOOK_S: Final = 15.0
"""How often it is looked whether addresses, names or the day of renewal have changed."""


@dataclass(frozen=True, slots=True)
class LanSettings:
    """How the hub is present on the home's network.

    Attributes:
        host: Address it listens on.
        names: Names of the configuration under which browsers may ask for the page.
        folder: Where its CA and its certificate are kept.
        title: What the home is called.
        announce: Whether it answers for a name of its own on the network.
        look_s: How often it looks for changes, s.
    """

    host: str
    names: tuple[str, ...]
    folder: Path
    title: str = "Home"
    announce: bool = True
    look_s: float = LOOK_S


@dataclass(frozen=True, slots=True)
class LanView:
    """How the hub is reached on the home's network.

    Attributes:
        page: The page's address (https) that people are told.
        trust: Address at which a phone is shown how to trust it (plain http).
        name: The hub's name on the network; empty while it has none.
        names: All names and addresses under which it is served.
        fingerprint: Of its CA, SHA-256, in pairs of hexadecimal digits.
        spoken: The same in syllables to read out and compare, shortened.
        expires_at: When the page's certificate ends, UTC epoch seconds; None while there is none.
        notes: What is not as one would expect, one sentence each.
    """

    page: str
    trust: str
    name: str
    names: tuple[str, ...]
    fingerprint: str
    spoken: str
    expires_at: float | None
    notes: tuple[str, ...]


class Presence:
    """Serves one page on the home's network: made by `open_presence`, kept up by `kept_up`.

    Attributes:
        identity: What the page shows to browsers.
    """

    def __init__(self, settings: LanSettings, clock: Clock, identity: PageIdentity) -> None:
        self.identity = identity
        self._settings = settings
        self._clock = clock
        self._announcer = announcer.Announcer(settings.title)
        self._names: tuple[str, ...] = ()
        self._https_port = self._http_port = 0

    @property
    def names(self) -> tuple[str, ...]:
        """All names and addresses under which browsers may ask for the page."""
        return self._names

    @property
    def https_port(self) -> int:
        """Where the page is served; 0 before it is."""
        return self._https_port

    def view(self) -> LanView:
        """Return how the hub is reached."""
        authority, shown = self.identity.authority, self.identity.shown
        digest = fingerprint(authority)
        good = [name for name in self._names if name not in self.identity.left_out]
        best = good[0] if good else self._settings.host
        host = f"[{best}]" if ":" in best else best
        taken = self._announcer.taken
        return LanView(
            page=f"https://{host}:{self._https_port}",
            trust=f"http://{host}:{self._http_port}/trust",
            name=f"{taken}.{DOMAIN}" if taken else "",
            names=self._names,
            fingerprint=in_pairs(digest),
            spoken=spoken(digest),
            expires_at=None if shown is None else shown.not_valid_after_utc.timestamp(),
            notes=tuple(self._notes(taken)),
        )

    async def look(self) -> None:
        """Take note of what has changed, and have name and certificate follow it.

        Raises:
            CertificateError: The certificate cannot be renewed; the one before stays.
        """
        addresses = await asyncio.to_thread(own_addresses, self._settings.host)
        if self._settings.announce and self._https_port:
            await self._announcer.follow(addresses, self._https_port)
        machine = socket.gethostname()
        self._names = served_names(self._announcer.taken, machine, self._settings.names, addresses)
        if await self.identity.follow(self._names, self._clock.now()):
            _log.info("the page has a new certificate for %s", ", ".join(self._names))

    @asynccontextmanager
    async def kept_up(
        self, https_port: int, http_port: int, alarm: Callable[[str | None], None]
    ) -> AsyncIterator[None]:
        """Keep name and certificate right while the context lasts.

        Args:
            https_port: Where the page is served.
            http_port: Where phones are shown how to trust it.
            alarm: Told in one sentence what is wrong; None when it is well again.
        """
        self._https_port, self._http_port = https_port, http_port
        looking = asyncio.create_task(self._keep_looking(alarm))
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            await self._announcer.close()

    async def _keep_looking(self, alarm: Callable[[str | None], None]) -> None:
        while True:
            try:
                await self.look()
                alarm(None)
            except CertificateError as error:
                alarm(say("The page's certificate cannot be renewed: {why}.", why=str(error)))
            except OSError as error:
                _log.warning("this machine's network cannot be looked at: %s", error)
            await asyncio.sleep(self._settings.look_s)

    def _notes(self, taken: str) -> list[str]:
        notes: list[str] = []
        if taken and taken != LABEL:
            notes.append(
                say(
                    "Another machine here is called {usual} already, so this hub is {name}.",
                    usual=f"{LABEL}.{DOMAIN}",
                    name=f"{taken}.{DOMAIN}",
                )
            )
        if self._settings.announce and self._https_port and not taken:
            notes.append(say("The hub has no name on this network now; use its address."))
        outside = [name for name in self._settings.names if name in self.identity.left_out]
        if outside:
            notes.append(
                say(
                    "The certificate cannot speak for {names}: the hub's authority was made before"
                    " they were set.",
                    names=", ".join(outside),
                )
            )
        return notes


async def open_presence(settings: LanSettings, clock: Clock, mark: str) -> Presence:
    """Return the hub's presence with a certificate to begin with; its CA is made if there is none.

    Args:
        settings: How it is to be.
        clock: The hub's.
        mark: What tells this hub's CA from another's.

    Raises:
        CertificateError: What is kept is damaged, or nothing can be kept.
    """
    identity = await asyncio.to_thread(
        open_identity, settings.folder, socket.gethostname(), settings.names, mark
    )
    await load(announcer)
    presence = Presence(settings, clock, identity)
    await presence.look()
    return presence
