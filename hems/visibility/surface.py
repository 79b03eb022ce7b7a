"""What the page and the command line may see and ask of the home's visibility."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hems.surface import SurfaceError
from hems.visibility.grants import Data, Purpose


class UnknownGrantError(SurfaceError):
    """There is no grant of this id."""


class ImpossibleGrantError(SurfaceError):
    """A grant that makes no sense."""


class NotKeptError(SurfaceError):
    """The store refuses, so nothing was granted, withdrawn or read."""


@dataclass(frozen=True, slots=True)
class GrantView:
    """A grant as shown.

    Attributes:
        id: Its id.
        recipient: LFDI.
        name: What the owner calls the recipient.
        purpose: What for, as in `Purpose`.
        data: What may be seen, as in `Data`.
        granted_at: UTC epoch seconds.
        until: When it ends or was withdrawn.
        holds: Whether it holds now.
    """

    id: int
    recipient: str
    name: str
    purpose: str
    data: Sequence[str]
    granted_at: float
    until: float
    holds: bool


@dataclass(frozen=True, slots=True)
class AccessView:
    """One access; `name` is empty for a recipient that was never granted anything."""

    at: float
    recipient: str
    name: str
    purpose: str
    asked: str
    allowed: bool


class VisibilitySurface(Protocol):
    """What can be asked of it."""

    async def grants(self) -> Sequence[GrantView]:
        """Return all grants, those that hold first."""
        ...

    async def grant(
        self, recipient: str, name: str, purpose: Purpose, data: Iterable[Data], until: float
    ) -> GrantView:
        """Let a recipient see something.

        Raises:
            ImpossibleGrantError: It makes no sense; see `hems.visibility.grants.granted`.
            NotKeptError: The store refuses.
        """
        ...

    async def withdraw(self, grant: int) -> None:
        """End a grant at once; streams that live by it end, too.

        Raises:
            UnknownGrantError: There is none of this id.
            NotKeptError: The store refuses.
        """
        ...

    async def accesses(self, most: int) -> Sequence[AccessView]:
        """Return the last accesses, the newest first."""
        ...
