"""What this part needs of the head-end, and nothing more; `joining.py` has it of what is there."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from hems.headend.dispatch import Order
from hems.headend.records import ReadingRecord, ResponseRecord
from hems.sep2.resources.information import LogEvent


class Transactions(Protocol):
    """The head-end's database."""

    def changing(self) -> AbstractAsyncContextManager[object]:
        """Begin one transaction of orders, alone in the whole fleet of workers.

        What the block has written by `writing`, and ordered by the other ports, is durable when it
        ends, all of it or, where it raises, nothing. Raises `BusyError`.
        """
        ...

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Give a connection for queries; raises `BusyError`."""
        ...

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Give a connection for one transaction, durable at its end; raises `BusyError`."""
        ...


@dataclass(frozen=True, slots=True)
class Group:
    """A group of homes.

    Attributes:
        mrid: Its id.
        name: As people know it; unlike that of any other.
        description: What it is.
        homes: LFDIs of its homes, in order.
    """

    mrid: str
    name: str
    description: str
    homes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """An order to some homes.

    Attributes:
        homes: LFDIs.
        order: What is asked. Powers in W and var are those of all these homes together, to be
            shared out among them; all else is asked of each.
        mandatory: Whether the programme must be one that owners cannot leave; None for any.
    """

    homes: tuple[str, ...]
    order: Order
    mandatory: bool | None = None


class Dispatching(Protocol):
    """Who gives orders to homes."""

    async def dispatch(self, ask: Ask) -> str:
        """Give an order, in the transaction that is open; returns the event's mRID.

        Raises:
            RequestError: It makes no sense, or no programme reaches just these homes.
            BusyError: It cannot be done now.
        """
        ...

    async def cancel(self, event: str) -> None:
        """Cancel an event, in the transaction that is open.

        Raises:
            UnknownItemError: It is not there.
            ConflictError: It is over, or is cancelled already.
            BusyError: It cannot be done now.
        """
        ...


class Groups(Protocol):
    """Who keeps the groups; changed in the transaction that is open."""

    async def all(self) -> Sequence[Group]:
        """Return all groups, by name."""
        ...

    async def find(self, *, mrid: str | None = None, name: str | None = None) -> Group | None:
        """Return the group of this mRID, or of this name; None where there is none."""
        ...

    async def save(self, *groups: Group) -> None:
        """Keep groups, all or none; one of the same mRID is replaced.

        Raises:
            ConflictError: Another one has this name.
            BusyError: It cannot be done now.
        """
        ...

    async def delete(self, *mrids: str) -> None:
        """Forget groups, all or none.

        Raises:
            BusyError: It cannot be done now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Logged:
    """What a home wrote into its log.

    Attributes:
        number: Of the entry; greater for what came later.
        lfdi: Whose it is.
        event: The entry.
    """

    number: int
    lfdi: str
    event: LogEvent


class Fleet(Protocol):
    """What homes are and tell. A time is epoch s; `homes` None stands for all."""

    def knows(self, lfdi: str) -> bool:
        """Return whether a home is registered."""
        ...

    async def readings(
        self, homes: Collection[str] | None, since: float, until: float, limit: int
    ) -> Sequence[ReadingRecord]:
        """Return readings that begin in a time, the earliest first."""
        ...

    async def latest(self, homes: Collection[str]) -> Sequence[ReadingRecord]:
        """Return the last reading of each meter of these homes."""
        ...

    async def responses(self, event: str) -> Sequence[ResponseRecord]:
        """Return what homes answered to an event."""
        ...

    async def logs(
        self, homes: Collection[str] | None, since: float, until: float, limit: int
    ) -> Sequence[Logged]:
        """Return what homes wrote into their logs in a time, the earliest first."""
        ...


class Arrivals(Protocol):
    """What has come since, by the numbers that the database gives."""

    async def last(self, kind: str) -> int:
        """Return the number of the last one of a kind (reading, response, log); 0 for none."""
        ...

    async def readings(
        self, after: int, to: int, limit: int
    ) -> Sequence[tuple[int, ReadingRecord]]:
        """Return readings of these numbers, in order, with them."""
        ...

    async def responses(self, after: int, to: int, limit: int) -> Sequence[ResponseRecord]:
        """Return responses of these numbers, in order."""
        ...

    async def logs(self, after: int, to: int, limit: int) -> Sequence[Logged]:
        """Return entries of homes' logs of these numbers, in order."""
        ...
