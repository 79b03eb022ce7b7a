"""Revocation while the server runs: new lists are read, open connections are checked again.

A home polls over one connection for days, so a check at its handshake alone would let a revoked
certificate in for as long as the home keeps polling.
"""

import asyncio
import logging
import ssl
from collections.abc import Sequence
from pathlib import Path
from weakref import WeakKeyDictionary

from certs.errors import CertificateError, PeerError
from certs.tls import SepContext
from certs.verify import Role, check_peer, peer_chain
from hems.headend.errors import ForbiddenError

_log = logging.getLogger(__name__)


class RevocationWatch:
    """Follows the file of revocation lists.

    Args:
        crls: The file.
        contexts: TLS contexts that use it; they have read it already.
    """

    def __init__(self, crls: Path, contexts: Sequence[SepContext]) -> None:
        self._file = crls
        self._contexts = contexts
        self._stamp = _stamp(crls)
        self._epoch = 0
        self._checked: WeakKeyDictionary[asyncio.BaseTransport, int] = WeakKeyDictionary()

    def refresh(self) -> None:
        """Read the lists again if the file changed; a bad file leaves the old ones in force."""
        stamp = _stamp(self._file)
        if stamp == self._stamp:
            return
        try:
            for context in self._contexts:
                context.reload_crls()
        except CertificateError as error:
            _log.error("the revocation lists stay as they were: %s", error)
            return
        self._stamp = stamp
        self._epoch += 1
        _log.info("%s: revocation lists read again", self._file)

    def check(self, transport: asyncio.BaseTransport, connection: ssl.SSLObject) -> None:
        """Refuse a connection whose certificate was revoked after its handshake.

        Raises:
            ForbiddenError: It was.
        """
        if self._checked.get(transport, 0) == self._epoch:
            return
        try:
            check_peer(peer_chain(connection), Role.CLIENT, self._contexts[0].crls)
        except PeerError as error:
            raise ForbiddenError(str(error)) from error
        self._checked[transport] = self._epoch


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
