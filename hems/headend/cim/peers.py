"""Who stands behind a connection, and what it may do; pure, apart from the reading of tokens."""

import hmac
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.nouns import Right
from hems.headend.cim.settings import NATS, PeerSettings
from hems.headend.operator_api import operator_token

_LONGEST: Final = 255
_PLAIN: Final = re.compile(r"[!-~]+", re.ASCII)
_SUBJECT: Final = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_UPWARD: Final = re.compile(r"(?i)[/\\](\.|%2e){1,2}([/\\?#]|$)|[?#\\]")


@dataclass(frozen=True, slots=True)
class Peer:
    """A system of the utility's.

    Attributes:
        name: Its name.
        source: What its headers say.
        may: What it may do.
        reply_to: Beginnings of the addresses that it may be answered at.
        token: What it shows over HTTP; empty for nothing.
        lfdi: Or whose certificate it shows; empty for none.
    """

    name: str
    source: str
    may: frozenset[Right]
    reply_to: tuple[str, ...] = ()
    token: str = ""
    lfdi: str = ""

    @classmethod
    def of(cls, settings: PeerSettings) -> Self:
        """Make it of its settings; its token is made on first use.

        Raises:
            SettingsError: The token cannot be made or read.
        """
        file = settings.token_file
        return cls(
            settings.name,
            settings.source or settings.name,
            settings.may,
            settings.reply_to,
            "" if file is None else operator_token(file),
            settings.lfdi or "",
        )

    def check_address(self, address: str) -> None:
        """Refuse an address that it may not be answered at.

        Raises:
            CimError: It is none of those that its settings allow.
        """
        where = "Header/ReplyAddress"
        if len(address) > _LONGEST or _PLAIN.fullmatch(address) is None:
            raise CimError(Fault.HEADER, "it is no address", where)
        subject = address.removeprefix(NATS)
        sound = (
            _SUBJECT.fullmatch(subject) is not None
            if address.startswith(NATS)
            else _UPWARD.search(address) is None
        )
        if not sound or not any(_under(address, each) for each in self.reply_to):
            raise CimError(Fault.FORBIDDEN, f"{self.name} may not be answered at {address}", where)


def _under(address: str, beginning: str) -> bool:
    """Whether an address is another one, or lies below it."""
    mark = "." if beginning.startswith(NATS) else "/"
    return address == beginning or address.startswith(beginning.rstrip(mark) + mark)


class Peers:
    """All who may send messages.

    Args:
        peers: Each of them.
    """

    def __init__(self, peers: Iterable[Peer]) -> None:
        self._peers: Sequence[Peer] = tuple(peers)

    def __iter__(self) -> Iterator[Peer]:
        return iter(self._peers)

    def by_token(self, authorization: str) -> Peer | None:
        """Return who shows a bearer token; all are compared, in the same time."""
        shown = authorization.encode("utf-8", "replace")
        found = None
        for peer in self._peers:
            wanted = f"Bearer {peer.token}".encode()
            if hmac.compare_digest(shown, wanted) and peer.token:
                found = peer
        return found

    def by_lfdi(self, lfdi: str) -> Peer | None:
        """Return who shows a certificate of this LFDI."""
        return next((peer for peer in self._peers if peer.lfdi and peer.lfdi == lfdi), None)

    def by_name(self, name: str) -> Peer | None:
        """Return who has this name."""
        return next((peer for peer in self._peers if peer.name == name), None)
