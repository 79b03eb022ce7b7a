"""TLS sessions that a client may take up again, each with the chain that was checked for it.

A resumed session shows no certificates and is not judged by OpenSSL anew: neither dates nor
revocation. So a session is kept no longer than everything that it was judged by holds, and all
are forgotten when the trust or the own identity changes.
"""

import ssl
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509

HOSTS: Final = 16
"""Of so many servers sessions are kept, unless another number is said."""

PER_HOST: Final = 4
"""As many as a client has connections to one server at a time, likewise."""


@dataclass(frozen=True, slots=True)
class Resumable:
    """A session to be taken up again.

    Attributes:
        session: OpenSSL's own; of use only to the context that it came from.
        chain: The peer's chain as it was checked, its own certificate first.
        until: UTC epoch seconds at which it is worth nothing any more.
    """

    session: ssl.SSLSession
    chain: Sequence[x509.Certificate]
    until: float


class Sessions:
    """What a context can take up again, by the name or address of the server.

    Each is given out once: TLS 1.3 wants a ticket used once, and a session with which a handshake
    fails is not tried twice.

    Args:
        hosts: Of so many servers sessions are kept; the one kept longest ago goes first.
        per_host: How many of each.
    """

    def __init__(self, hosts: int = HOSTS, per_host: int = PER_HOST) -> None:
        self._hosts, self._per_host = hosts, per_host
        self._kept: dict[str, deque[Resumable]] = {}

    def keep(self, host: str, session: Resumable) -> None:
        """Keep a session for the next connection to a host."""
        held = self._kept.pop(host, None) or deque(maxlen=self._per_host)
        held.append(session)
        self._kept[host] = held
        while len(self._kept) > self._hosts:
            del self._kept[next(iter(self._kept))]

    def take(self, host: str, now: float) -> Resumable | None:
        """Return the newest session that still holds, to be used once; None if there is none."""
        held = self._kept.get(host)
        while held:
            session = held.pop()
            if now < session.until:
                return session
        self._kept.pop(host, None)
        return None

    def forget(self) -> None:
        """Drop them all: the next connection to each server is judged in full."""
        self._kept.clear()


def good_until(
    session: ssl.SSLSession,
    chain: Sequence[x509.Certificate],
    crls: Sequence[x509.CertificateRevocationList],
) -> float:
    """Return the UTC epoch seconds until which a session may stand for a full handshake.

    Args:
        session: As the handshake left it.
        chain: The peer's chain.
        crls: The revocation lists by which it was judged.
    """
    ends = [float(session.time + session.timeout)]
    ends += [certificate.not_valid_after_utc.timestamp() for certificate in chain]
    ends += [crl.next_update_utc.timestamp() for crl in crls if crl.next_update_utc is not None]
    return min(ends)
