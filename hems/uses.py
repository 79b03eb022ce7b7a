"""The use cases at work: the parts that remember and act beside the control cycle.

What a programme asks is decided purely (`programs`); what it needs to know over time (a commitment,
a price, an island's state) is kept by one part each. Here they are put together.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from certs.identity import IdentityFiles, Trust
from certs.renewal import CertificateWatch
from certs.tls import server_context
from hems.clock import Clock
from hems.image import Image
from hems.settings.config import Config
from hems.settings.visibility_section import VisibilitySection
from hems.store.store import Store
from hems.visibility.door import Door
from hems.visibility.visibility import Visibility
from programs.about import Standing
from programs.registry import Policies

_log = logging.getLogger(__name__)

_AGAIN_S: Final = 60.0
"""A port that is taken is tried again."""


class Use(Protocol):
    """One use case's part of the running home."""

    async def load(self) -> None:
        """Take up what was kept before a restart; says by alarm what could not be."""
        ...

    async def run(self) -> None:
        """Serve until cancelled."""
        ...

    def take_image(self, image: Image) -> None:
        """Take in what the devices said; each cycle, must not block."""
        ...

    def applied(self, policies: Policies) -> Policies:
        """Return the policies with what this part has to say put in."""
        ...

    @property
    def standings(self) -> Sequence[Standing]:
        """How its programmes stand now."""
        ...


@dataclass(frozen=True, slots=True)
class UsesEvents:
    """What the parts ask of the home, and tell it; none may block.

    Attributes:
        alarm: Told, by its source, in one sentence what the owner should know; None ends it.
        clock_error_s: Returns the home's time less the utility's; None while that is not known.
    """

    alarm: Callable[[str, str | None], None]
    clock_error_s: Callable[[], float | None]


class Uses:
    """All of them, as one part.

    Args:
        config: The hub's settings.
        store: What is remembered.
        clock: Where the time comes from.
        tell: See `UsesEvents`.

    Raises:
        CertificateError: A key or certificate of the visibility section cannot be used.
    """

    def __init__(self, config: Config, store: Store, clock: Clock, tell: UsesEvents) -> None:
        self._tell = tell
        self.visibility = Visibility(
            store.visibility, clock, lambda text: tell.alarm("visibility", text)
        )
        self._watch: CertificateWatch | None = None
        self._door: Door | None = None
        self._section = config.visibility
        identity = _identity(config.visibility)
        if identity is not None:
            self._watch = CertificateWatch(
                *identity,
                on_identity=lambda _lfdi: None,
                alarm=lambda text: tell.alarm("visibility certificate", text),
            )
            context = self._watch.cover(server_context(*identity))
            self._door = Door(self.visibility, context, clock, tell.clock_error_s)
        self._parts: tuple[Use, ...] = (self.visibility,)

    async def load(self) -> None:
        """Take up what was kept before a restart."""
        for part in self._parts:
            await part.load()

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as group:
            for part in self._parts:
                group.create_task(part.run())
            if self._door is not None:
                group.create_task(self._open(self._door))

    async def _open(self, door: Door) -> None:
        """Keep the door for recipients open; a port that is taken is tried again."""
        host, port = self._section.host, self._section.port
        while True:
            try:
                await door.serve(host, port, self._opened)
            except OSError as error:
                why = error.strerror or str(error)
                self._tell.alarm(
                    "visibility door", f"Nobody can be shown anything, {host}:{port}: {why}"
                )
            await asyncio.sleep(_AGAIN_S)

    def _opened(self, port: int) -> None:
        self._tell.alarm("visibility door", None)
        _log.info("who was granted it sees the home at https://%s:%d", self._section.host, port)

    def take_image(self, image: Image) -> None:
        """Take in what the devices said."""
        for part in self._parts:
            part.take_image(image)

    def applied(self, policies: Policies) -> Policies:
        """Return the policies with what all parts have to say put in."""
        for part in self._parts:
            policies = part.applied(policies)
        return policies

    @property
    def standings(self) -> Sequence[Standing]:
        """How the programmes stand now."""
        return [standing for part in self._parts for standing in part.standings]

    def refresh_certificates(self) -> None:
        """Read renewed certificates and revocation lists."""
        if self._watch is not None:
            self._watch.refresh()


def _identity(section: VisibilitySection) -> tuple[IdentityFiles, Trust] | None:
    """Return the files of the door's certificate; None where there is no door."""
    certificate, key, trust, crls = section.certificate, section.key, section.trust, section.crls
    if certificate is None or key is None or trust is None or crls is None:
        return None
    return IdentityFiles(certificate, key), Trust(trust, crls)
