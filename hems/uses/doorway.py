"""The door for recipients of what is measured, kept open; loaded only where there is one."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from certs.identity import IdentityFiles, Trust
from certs.keys.use import TlsKeys
from certs.renewal import CertificateWatch
from certs.tls import server_context
from der.sentence import say
from hems.clock import Clock
from hems.link_notes import noting
from hems.security_event import Note, unheard
from hems.settings.visibility_section import VisibilitySection
from hems.visibility.door import Door
from hems.visibility.visibility import Visibility

_log = logging.getLogger(__name__)

_AGAIN_S: Final = 60.0
"""A port that is taken is tried again."""


class Doorway:
    """Keeps the door open, with certificates as they are renewed.

    Args:
        section: Where it is; it has a certificate.
        visibility: What may be seen, and by whom.
        clock: Where the time comes from.
        keys: Where its private key comes from.
        alarm: Told, by its source, in one sentence what the owner should know; None ends it.
        clock_error_s: Returns the home's time less the utility's; None while that is not known.
        note: Told of callers who fail at the handshake.

    Raises:
        CertificateError: A key or certificate of the section cannot be used.
    """

    def __init__(
        self,
        section: VisibilitySection,
        visibility: Visibility,
        clock: Clock,
        *,
        keys: TlsKeys,
        alarm: Callable[[str, str | None], None],
        clock_error_s: Callable[[], float | None],
        note: Note = unheard,
    ) -> None:
        identity, trust = _files(section, keys)
        self._section = section
        self._alarm = alarm
        self._watch = CertificateWatch(
            identity,
            trust,
            on_identity=lambda _lfdi: None,
            alarm=lambda text: alarm("visibility certificate", text),
        )
        context = self._watch.cover(
            noting(server_context(identity, trust), note, say("visibility"))
        )
        self._door = Door(visibility, context, clock, clock_error_s)

    async def run(self) -> None:
        """Serve until cancelled; a port that is taken is tried again."""
        host, port = self._section.host, self._section.port
        while True:
            try:
                await self._door.serve(host, port, self._opened)
            except OSError as error:
                why = error.strerror or str(error)
                self._alarm(
                    "visibility door",
                    say(
                        "Nobody can be shown anything, {host}:{port}: {why}",
                        host=host,
                        port=port,
                        why=why,
                    ),
                )
            await asyncio.sleep(_AGAIN_S)

    def refresh(self) -> None:
        """Read renewed certificates and revocation lists."""
        self._watch.refresh()

    def _opened(self, port: int) -> None:
        self._alarm("visibility door", None)
        _log.info("who was granted it sees the home at https://%s:%d", self._section.host, port)


def _files(section: VisibilitySection, keys: TlsKeys) -> tuple[IdentityFiles, Trust]:
    certificate, key, trust, crls = section.certificate, section.key, section.trust, section.crls
    if certificate is None or key is None or trust is None or crls is None:
        raise ValueError("the visibility section has no certificate")
    return IdentityFiles(certificate, key, keys), Trust(trust, crls)
