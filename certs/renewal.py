"""Certificates renewed while a process runs: identity, trusted roots and revocation lists.

New files are used for new connections from the next look on; `certs.tls` says what becomes of the
open ones. A file that cannot be used leaves what was in force before.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakSet

from certs.errors import CertificateError
from certs.identity import IdentityFiles, Trust, lfdi
from certs.pem import der, read_certificates, read_identity
from certs.revocation import RevocationWatch, stamp
from certs.tls import SepContext

_log = logging.getLogger(__name__)

_Stamp = tuple[tuple[int, int, int] | None, ...]


@dataclass(slots=True)
class _Files:
    """Files that are renewed together.

    Attributes:
        what: They hold, for messages.
        paths: Where they are.
        used: Their state when they were read last.
        bad: Their state in which they could not be used.
        told: Whether that has been said.
    """

    what: str
    paths: tuple[Path, ...]
    used: _Stamp
    bad: _Stamp | None = None
    told: bool = False


class CertificateWatch:
    """Follows the files of an identity and its trust, for all TLS contexts made of them.

    Make it before the contexts: what changes in between is then read once too often, not missed.
    Call `refresh` every `certs.revocation.REFRESH_S`.

    Args:
        identity: The own certificate and key.
        trust: The roots and revocation lists.
        on_identity: Told the LFDI of a new own certificate, after the contexts have it. An LFDI
            is made of the certificate, so that every other certificate brings another one.
        alarm: Told in one sentence of files that cannot be used, once for each change of them.

    Raises:
        CertificateError: The identity's files cannot be used as they stand now.
    """

    def __init__(
        self,
        identity: IdentityFiles,
        trust: Trust,
        *,
        on_identity: Callable[[str], None] = lambda _lfdi: None,
        alarm: Callable[[str], None] = _log.error,
    ) -> None:
        self._identity = identity
        self._trust = trust
        self._on_identity = on_identity
        self._alarm = alarm
        self._revocation = RevocationWatch(trust.crls)
        self._lfdi = _own(identity)
        pair = (identity.certificate, identity.key)
        self._pair = _Files("certificate and key", pair, _stamps(pair))
        roots = (trust.roots,)
        self._roots = _Files("trusted roots", roots, _stamps(roots))
        self._contexts: WeakSet[SepContext] = WeakSet()

    def cover(self, context: SepContext) -> SepContext:
        """Keep a context's files new for as long as it is in use; returns it."""
        self._contexts.add(context)
        return self._revocation.cover(context)

    def refresh(self) -> None:
        """Read again what changed."""
        self._look(self._pair, self._renew_identity)
        self._look(self._roots, self._renew_roots)
        self._revocation.refresh()

    def _look(self, files: _Files, renew: Callable[[], None]) -> None:
        now = _stamps(files.paths)
        if now == files.used:
            files.bad = None
            return
        try:
            renew()
        except CertificateError as error:
            # Two files are not replaced in one moment: what is found bad once may be half of a
            # change, and is said only if it is still so at the next look.
            if files.bad != now:
                files.bad, files.told = now, False
            elif not files.told:
                files.told = True
                self._alarm(f"the {files.what} in use stay as they were: {error}")
        else:
            files.used, files.bad = now, None
            _log.info("%s: %s read again", files.paths[0], files.what)

    def _renew_identity(self) -> None:
        own = _own(self._identity)
        for context in self._contexts:
            context.reload_identity()
        before, self._lfdi = self._lfdi, own
        if own != before:
            self._on_identity(own)

    def _renew_roots(self) -> None:
        read_certificates(self._trust.roots)
        for context in self._contexts:
            context.reload_roots()


def _own(identity: IdentityFiles) -> str:
    return lfdi(der(read_identity(identity)[0]))


def _stamps(paths: tuple[Path, ...]) -> _Stamp:
    return tuple(stamp(path) for path in paths)
