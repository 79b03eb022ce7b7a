"""What the aggregator needs of the head-end that has its homes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hems.headend.errors import RequestError
from hems.headend.sharing.model import Ability, Kind


@dataclass(frozen=True, slots=True)
class Order:
    """One order for one set of homes.

    Attributes:
        key: Of this order; one of the same key is the same order.
        event: mRID of the utility's event that it is a part of.
        kind: What is asked.
        value_w: By how much each home moves, or its limit, W.
        start: Epoch s.
        duration_s: How long.
        homes: For whom, by LFDI.
        binding: Whether owners may not leave it.
        ramp_s: How long homes take to go over to it; None for their own rate.
    """

    key: str
    event: str
    kind: Kind
    value_w: int
    start: int
    duration_s: int
    homes: frozenset[str]
    binding: bool = False
    ramp_s: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A home's response to an order.

    Attributes:
        home: Its LFDI.
        code: Response.status.
        at: When it came, epoch s.
    """

    home: str
    code: int
    at: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What was heard of a home last.

    Attributes:
        home: Its LFDI.
        at: When it was heard of at all, epoch s.
        net_w: Net power at its connection point, W, import positive; None where it was never read.
        read_at: When that was, epoch s; None for `at`.
    """

    home: str
    at: float
    net_w: float | None = None
    read_at: float | None = None

    @property
    def measured_at(self) -> float:
        """When its power was read, epoch s."""
        return self.at if self.read_at is None else self.read_at


class Downstream(Protocol):
    """The head-end that has the homes.

    Each method may raise `hems.headend.errors.BusyError`: what it was to do is tried again.
    """

    async def availability(self, kind: Kind) -> Sequence[Ability]:
        """Return what every home can do for an order of this kind now."""
        ...

    async def dispatch(self, orders: Sequence[Order]) -> Mapping[str, str | RequestError]:
        """Give orders to homes; they are durable when this returns.

        One whose key was dispatched before is not made again, and has the same mRID.

        Returns:
            By key the mRID of the event that each became, or why it can never be given.
        """
        ...

    async def cancel(self, mrids: Collection[str]) -> None:
        """Take orders back; those that are over, or taken back already, stay as they are."""
        ...

    async def responses(self, mrids: Collection[str], since: float) -> Mapping[str, list[Answer]]:
        """Return what homes answered to orders, by mRID, oldest first.

        Args:
            mrids: To which.
            since: What came at this epoch time or later.
        """
        ...

    async def readings(self) -> Sequence[Reading]:
        """Return what was heard last of each home."""
        ...
