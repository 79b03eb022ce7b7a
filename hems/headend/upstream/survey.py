"""What is shared right now, as any worker can tell: the one that shares, and the others."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hems.clock import Clock
from hems.headend.sharing.following import Followed, Part
from hems.headend.sharing.standing import Standing
from hems.headend.upstream.port import Downstream
from hems.headend.upstream.settings import UpstreamSettings
from hems.headend.upstream.shared import Head, Shared
from hems.headend.upstream.shelf import Shelf
from hems.headend.upstream.turn import Turn


class Sharing(Protocol):
    """This worker's client at the utility, while it has the turn."""

    @property
    def link(self) -> str:
        """How the link to the utility stands."""
        ...

    @property
    def shared(self) -> Mapping[str, Shared]:
        """The events that are shared and not over, by id."""
        ...


@dataclass(frozen=True, slots=True)
class HomeShare:
    """How a home does in a shared event.

    Attributes:
        home: As it is followed.
        part: How it takes part.
    """

    home: Followed
    part: Part


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A shared event as it stands.

    Attributes:
        head: What is kept of it.
        standing: How it stands.
        homes: How each home does, by LFDI.
    """

    head: Head
    standing: Standing
    homes: Mapping[str, HomeShare]


class Survey:
    """Looks at what is shared.

    Args:
        settings: See `UpstreamSettings`.
        shelf: Where shares are kept.
        port: The head-end that has the homes.
        turn: Which worker shares.
        clock: Our own time.
    """

    def __init__(
        self,
        settings: UpstreamSettings,
        shelf: Shelf,
        port: Downstream,
        turn: Turn,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._shelf = shelf
        self._port = port
        self._turn = turn
        self._clock = clock
        self._sharing: Sharing | None = None

    def follow(self, sharing: Sharing | None) -> None:
        """Look at what this worker shares itself; None when it does not any more."""
        self._sharing = sharing

    @property
    def utility(self) -> str:
        """Its name."""
        return self._settings.name

    @property
    def link(self) -> str | None:
        """How the link to the utility stands; None if another worker has it."""
        return None if self._sharing is None else self._sharing.link

    async def holder(self) -> str | None:
        """Return which worker shares now; None for none.

        Raises:
            BusyError: The database cannot serve.
        """
        return await self._turn.holder()

    async def look(self) -> Sequence[Surveyed]:
        """Return the events that are shared and not over, the earliest first.

        Raises:
            BusyError: The database cannot serve.
        """
        if self._sharing is None:
            found: Collection[Shared] = (await self._shelf.load(self._settings.name)).values()
            await self._fill(found)
        else:
            found = self._sharing.shared.values()
        seen = [self._surveyed(shared) for shared in found]
        return sorted(seen, key=lambda each: (each.head.span.start, each.head.id))

    async def _fill(self, found: Collection[Shared]) -> None:
        rules = self._settings.sharing().follow
        parts = [(shared, part) for shared in found for part in shared.parts.values() if part.mrid]
        answers = await self._port.responses([part.mrid for _, part in parts if part.mrid], 0.0)
        for shared, part in parts:
            shared.answered(part, answers.get(part.mrid or "", ()))
        readings = await self._port.readings() if found else ()
        for shared in found:
            shared.read(readings, rules)

    def _surveyed(self, shared: Shared) -> Surveyed:
        standing = shared.stand(self._clock.now(), self._settings.sharing().follow)
        homes = {n: HomeShare(home, standing.parts[n]) for n, home in shared.homes.items()}
        return Surveyed(shared.head, standing, homes)
