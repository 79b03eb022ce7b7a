"""Small facts that a worker gathers in a minute, from which the rules see what is not as it was.

Gathering costs a request a look into a dictionary. What homes do all the time becomes no fact; only
what stands out does, so that a minute of a quiet fleet is one row, however many homes there are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

MOST: Final = 4096
"""Facts of one worker in one minute; more are counted, not kept."""
_MOST_PATHS: Final = 64
_MOST_ADDRESSES: Final = 4
_REFUSED: Final = frozenset({400, 403, 404, 405, 406, 411, 413, 415, 422})
"""Statuses of who asks what he should not; 401, 409, 429 and 503 are no sign of that."""


class Kind(StrEnum):
    """What a fact says."""

    HANDSHAKE = "handshake"
    """A handshake failed; the subject is why."""
    REFUSED_CERTIFICATE = "refused-certificate"
    """A certificate was refused that our own rules know by its LFDI."""
    STRANGER = "stranger"
    """Who is no home of ours was refused something."""
    BARRED = "barred"
    """So was an identity that was ours once."""
    MOVED = "moved"
    """A home came from another address than before."""
    ADDRESS = "address"
    """A home that has moved lately spoke from an address."""
    ALL = "all"
    """All requests of a minute; `value` is how many homes made them."""
    REQUESTS = "requests"
    """Many requests of one home."""
    REFUSED = "refused"
    """Requests of one home that were refused; `value` is at how many paths."""
    CLOCK = "clock"
    """A home's clock is ahead; `value` is by how much, s."""
    CONTRADICTION = "contradiction"
    """A response of a home that cannot be."""
    OVER_RATING = "over-rating"
    """Power above its rating."""
    SIGN = "sign"
    """Power of a sign that its device cannot have."""
    FROZEN = "frozen"
    """Power that does not change; `value` is for how long, minutes."""
    NOT_TAKEN = "not-taken"
    """A notification that a home did not take."""
    TAKEN = "taken"
    """Notifications that homes took."""


@dataclass(frozen=True, slots=True)
class Fact:
    """So much of something in a minute, as one worker has seen it.

    Attributes:
        minute: Whole minutes since the epoch.
        kind: Of what.
        subject: Whom it is about.
        source: Address that it came from; empty where that does not matter.
        count: How often.
        value: A measure, as its kind has it; the greatest of the minute.
    """

    minute: int
    kind: Kind
    subject: str
    source: str
    count: int
    value: float = 0.0


@dataclass(slots=True)
class _Asked:
    """What one identity asked in this minute."""

    known: bool
    count: int = 0
    refused: int = 0
    addresses: tuple[str, ...] = ()
    paths: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Gathered:
    """A minute of a worker.

    Attributes:
        facts: What stands out.
        addresses: From where each home spoke.
        strangers: Of identities that are no home's: how often each was refused.
        dropped: Facts that there were too many of.
    """

    facts: list[Fact]
    addresses: Mapping[str, tuple[str, ...]]
    strangers: Mapping[str, int]
    dropped: int


_Key = tuple[Kind, str, str]


class Gathering:
    """What a worker has seen since the last minute.

    Args:
        many: From so many requests of one home on they are a fact.
    """

    def __init__(self, many: int) -> None:
        self._many = many
        self._asked: dict[str, _Asked] = {}
        self._counts: dict[_Key, tuple[int, float]] = {}
        self._dropped = 0

    def request(self, lfdi: str, address: str, status: int, path: str, *, known: bool) -> None:
        """Take note of a request.

        Args:
            lfdi: Of the caller's certificate.
            address: Where from.
            status: How it was answered.
            path: What was asked for.
            known: Whether it is a home's.
        """
        asked = self._asked.get(lfdi)
        if asked is None:
            asked = self._asked[lfdi] = _Asked(known)
        asked.count += 1
        if address not in asked.addresses and len(asked.addresses) < _MOST_ADDRESSES:
            asked.addresses = (*asked.addresses, address)
        if status in _REFUSED:
            asked.refused += 1
            if len(asked.paths) < _MOST_PATHS:
                asked.paths.add(hash(path))

    def note(
        self, kind: Kind, subject: str = "", source: str = "", *, value: float = 0.0, count: int = 1
    ) -> None:
        """Take note of something else."""
        key = (kind, subject, source)
        before = self._counts.get(key)
        if before is not None:
            self._counts[key] = before[0] + count, max(before[1], value)
        elif len(self._counts) < MOST:
            self._counts[key] = count, value
        else:
            self._dropped += 1

    def take(self, minute: int, homes_of: Callable[[str], int]) -> Gathered:
        """Return what there is, and begin anew.

        Args:
            minute: Which it is.
            homes_of: Returns for how many homes somebody speaks: for more he may ask more.
        """
        asked, self._asked = self._asked, {}
        counts, self._counts = self._counts, {}
        dropped, self._dropped = self._dropped, 0
        facts = [
            Fact(minute, kind, subject, source, count, value)
            for (kind, subject, source), (count, value) in counts.items()
        ]
        for lfdi, each in asked.items():
            if each.count >= self._many:
                count = each.count // max(homes_of(lfdi), 1)
                facts.append(Fact(minute, Kind.REQUESTS, lfdi, "", count))
            if each.refused and each.known:
                paths = float(len(each.paths))
                facts.append(Fact(minute, Kind.REFUSED, lfdi, "", each.refused, paths))
        total = sum(each.count for each in asked.values())
        homes = float(sum(each.known for each in asked.values()))
        facts = [Fact(minute, Kind.ALL, "", "", total, homes), *facts]
        return Gathered(
            facts[:MOST],
            {lfdi: each.addresses for lfdi, each in asked.items() if each.known},
            {lfdi: each.refused for lfdi, each in asked.items() if each.refused and not each.known},
            dropped + len(facts[MOST:]),
        )
