"""Revocation while a process runs: renewed lists reach its TLS contexts, old and new.

What happens to the connections that are open then is the business of `certs.tls`.
"""

import logging
from pathlib import Path
from typing import Final
from weakref import WeakSet

from certs.errors import CertificateError
from certs.pem import read_crls
from certs.tls import SepContext

REFRESH_S: Final = 30.0
"""How often `RevocationWatch.refresh` should be called: new lists hold within a minute."""

_log = logging.getLogger(__name__)


class RevocationWatch:
    """Follows a file of revocation lists for all TLS contexts that use it.

    Make it before the contexts: what changes in between is then read once too often, not missed.

    Args:
        crls: The file.
    """

    def __init__(self, crls: Path) -> None:
        self._file = crls
        self._stamp = stamp(crls)
        # Weak, for a client makes a context for each server that it turns to.
        self._contexts: WeakSet[SepContext] = WeakSet()

    def cover(self, context: SepContext) -> SepContext:
        """Keep a context's lists new for as long as it is in use; returns it."""
        self._contexts.add(context)
        return context

    def refresh(self) -> None:
        """Read the lists again if the file changed; a bad file leaves the old ones in force.

        It is said in the log once for each change of the file, good or bad.
        """
        seen = stamp(self._file)
        if seen == self._stamp:
            return
        self._stamp = seen
        try:
            read_crls(self._file)
            for context in self._contexts:
                context.reload_crls()
        except CertificateError as error:
            _log.error("the revocation lists stay as they were: %s", error)
        else:
            _log.info("%s: revocation lists read again", self._file)


def stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what differs when a file is written or replaced; None if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    # Not st_mtime: a file that could not be read is put right by chmod too.
    return found.st_ctime_ns, found.st_ino, found.st_size
