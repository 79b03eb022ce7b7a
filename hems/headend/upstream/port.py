"""What the aggregator needs of the head-end that has its homes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

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
        binding: Whether owners may not leave it.
        ramp_s: How long homes take to go over to it; None for their own rate.
    """

    key: str
    event: str
    kind: Kind
    value_w: int
    start: int
    duration_s: int
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
        at: When, epoch s.
        net_w: Net power at its connection point, W, import positive; None for a mere sign of life.
    """

    home: str
    at: float
    net_w: float | None = None


class Downstream(Protocol):
    """The head-end that has the homes.

    Each method may raise `hems.headend.errors.BusyError`: nothing came about, and it is tried
    again.
    """

    async def availability(self, kind: Kind) -> Sequence[Ability]:
        """Return what every home can do for an order of this kind now."""
        ...

    async def dispatch(self, order: Order, homes: frozenset[str]) -> str:
        """Give an order to homes, by LFDI; it is durable when this returns.

        One whose key was dispatched before is not made again: it returns the same mRID.

        Returns:
            The mRID of the event that it became.

        Raises:
            RequestError: It cannot be given, and never will be.
        """
        ...

    async def cancel(self, mrid: str) -> None:
        """Take an order back; one that is over, or taken back already, stays as it is."""
        ...

    async def responses(self, mrid: str) -> Sequence[Answer]:
        """Return what homes answered to an order so far, oldest first."""
        ...

    async def readings(self) -> Sequence[Reading]:
        """Return what was heard last of each home."""
        ...
