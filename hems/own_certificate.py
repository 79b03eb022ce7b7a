"""Whether the hub's own certificate still counts: its CA is asked when the server refuses it.

That a server refuses the hub proves nothing by itself: what refuses a handshake may be anybody on
the way. The CA's signed list does: where the hub's certificate is on it, the utility's events end.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from certs.errors import CertificateError
from certs.est import lists
from certs.est.errors import EstError
from certs.identity import IdentityFiles, Trust
from certs.pem import read_certificates, read_crls
from certs.revocation import stamp
from certs.verify import revoked

ASK_AGAIN_S: Final = 60.0
"""A CA that could not be asked is asked again after this."""

_log = logging.getLogger(__name__)

_Stamps = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class Files:
    """What is looked at.

    Attributes:
        identity: The hub's certificate and key.
        trust: The roots and revocation lists.
        authority: HOST:PORT of the server that issued it (RFC 7030); None where none is known.
    """

    identity: IdentityFiles
    trust: Trust
    authority: str | None


class OwnCertificate:
    """Follows whether the certificate of one link counts.

    Args:
        files: See `Files`.
        refused: Returns whether the server refuses the hub now.
        on_change: Told when it was revoked (True), or counts again (False).
    """

    def __init__(
        self, files: Files, refused: Callable[[], bool], on_change: Callable[[bool], None]
    ) -> None:
        self._files = files
        self._refused = refused
        self._on_change = on_change
        self._revoked = False
        self._seen: _Stamps | None = None
        self._wake = asyncio.Event()

    def doubt(self) -> None:
        """Have the CA asked: the server has refused the hub."""
        self._wake.set()

    async def run(self) -> None:
        """Ask the CA whenever there is doubt, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not await self._asked() and self._refused():
                await asyncio.sleep(ASK_AGAIN_S)
                self._wake.set()

    async def look(self) -> None:
        """Judge by the lists that are held, if they are others than at the last look."""
        paths = (self._files.identity.certificate, self._files.trust.crls)
        seen = tuple(stamp(path) for path in paths)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            found = await asyncio.to_thread(self._listed)
        except CertificateError as error:
            _log.warning("whether the own certificate is revoked is not known: %s", error)
            return
        if found != self._revoked:
            self._revoked = found
            self._on_change(found)

    async def _asked(self) -> bool:
        """Get the lists of today and judge by them; returns whether they could be got."""
        files, done = self._files, True
        if files.authority is not None:
            try:
                await lists.refresh(files.authority, files.identity, files.trust)
            except (EstError, CertificateError) as error:
                _log.warning("the CA cannot be asked about the own certificate: %s", error)
                done = False
        await self.look()
        return done

    def _listed(self) -> bool:
        crls = read_crls(self._files.trust.crls)
        return any(
            revoked(each, crls) for each in read_certificates(self._files.identity.certificate)
        )
