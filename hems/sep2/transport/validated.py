"""What a server's resources were when last read, so that what has not changed is not read anew.

Where the server offers validators (ETag, Last-Modified) the request is conditional and the answer
may be an empty 304; where it offers none, a body of the same octets is not parsed again. Either
way the reader gets the very record it got before: `is` tells that nothing changed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hems.sep2.resources.wire import Record
from hems.sep2.transport.status import http_epoch

MOST: Final = 256
"""Records kept at most; a home reads some dozens."""

MOST_OCTETS: Final = 2 << 20
"""Length of all their bodies at most."""

MOST_ITEMS: Final = 20_000
"""Items in all lists kept at most, the last one aside."""

_FRESH_S: Final = 1.0
"""Last-Modified counts whole seconds: what changed within the second of the answer may change once
more in it, and would look the same (RFC 9110, 8.8.2.2)."""


@dataclass(frozen=True, slots=True)
class Known:
    """A resource as it was read last.

    Attributes:
        record: As parsed.
        length: Of its body, in octets.
        digest: Of its body.
        conditions: Headers under which the server need not send it again; may be empty.
    """

    record: Record
    length: int
    digest: bytes
    conditions: Mapping[str, str]


class Validated:
    """The resources last read from one server, at most so many; the least used go first."""

    def __init__(self, most: int = MOST, most_octets: int = MOST_OCTETS) -> None:
        self._most = most
        self._most_octets = most_octets
        self._octets = 0
        self._known: dict[tuple[str, type[Record]], Known] = {}
        self._lists: dict[tuple[str, type[Record]], tuple[tuple[Record, ...], Record]] = {}

    def find(self, url: str, expected: type[Record]) -> Known | None:
        """Return what was read there last, if it was of this class."""
        known = self._known.pop((url, expected), None)
        if known is not None:
            self._known[url, expected] = known  # now the last to go
        return known

    def keep(
        self,
        url: str,
        expected: type[Record],
        record: Record,
        body: bytes,
        headers: Mapping[str, str],
    ) -> None:
        """Keep what was read.

        Args:
            url: Where.
            expected: As what it was read.
            record: As parsed, whole.
            body: What it was parsed from.
            headers: Of the answer.
        """
        self.drop(url, expected)
        if len(body) > self._most_octets:
            return
        known = Known(record, len(body), digest(body), conditions(headers))
        self._known[url, expected] = known
        self._octets += known.length
        while len(self._known) > self._most or self._octets > self._most_octets:
            self.drop(*next(iter(self._known)))

    def drop(self, url: str, expected: type[Record]) -> None:
        """Forget what was read there."""
        known = self._known.pop((url, expected), None)
        if known is not None:
            self._octets -= known.length

    @property
    def _items(self) -> int:
        return sum(getattr(merged, "results", 0) for _, merged in self._lists.values())

    def last_list(self, href: str, kind: type[Record]) -> Record | None:
        """Return a list as it was read last; None if that is not known any more."""
        kept = self._lists.get((href, kind))
        return None if kept is None else kept[1]

    def same_list(self, href: str, pages: Sequence[Record], merged: Record) -> Record:
        """Return a list as one record: the one returned before, if each page is the same record.

        Args:
            href: Where the list is.
            pages: As read.
            merged: All of them as one.
        """
        key = href, type(merged)
        before = self._lists.pop(key, None)
        same = (
            before is not None
            and len(before[0]) == len(pages)
            and all(a is b for a, b in zip(before[0], pages, strict=True))
        )
        kept = before if same and before is not None else (tuple(pages), merged)
        self._lists[key] = kept
        while len(self._lists) > self._most or (self._items > MOST_ITEMS and len(self._lists) > 1):
            del self._lists[next(iter(self._lists))]
        return kept[1]


def digest(body: bytes) -> bytes:
    """Return what tells one body from another."""
    return hashlib.blake2b(body, digest_size=16).digest()


def conditions(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the headers of a conditional request, from those of the last answer."""
    etag = headers.get("ETag")
    if etag:
        return {"If-None-Match": etag}
    modified = headers.get("Last-Modified", "")
    changed, sent = http_epoch(modified), http_epoch(headers.get("Date", ""))
    if changed is not None and sent is not None and sent - changed > _FRESH_S:
        return {"If-Modified-Since": modified}
    return {}
