"""What the page and the command line may see of the home, and ask of it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

from der.sentence import say
from hems import views
from hems.alarms import Alarms
from hems.cem.arbiter import Decision
from hems.cem.cycle import Cycle
from hems.changes import Changes
from hems.grid import Grid
from hems.image import Image
from hems.participation.participation import Participation
from hems.planning.economics import Economics
from hems.store.errors import StoreError
from hems.store.store import Store
from hems.surface import Series, Snapshot, SurfaceError
from hems.wishes import Wishes


class Front:
    """The side of the home that people see; implements `hems.surface.HomeSurface`.

    Args:
        grid: What the utilities ask.
        cycle: What the devices do.
        wishes: What the owner asks.
        participation: What events cost and gave.
        economics: What pays.
        alarms: What is wrong.
        store: What was measured.
        changes: Tells when any of it is another than before.
        present: Returns the last image, and what was decided on it.
        react: Decides and writes at once.
    """

    def __init__(
        self,
        *,
        grid: Grid,
        cycle: Cycle,
        wishes: Wishes,
        participation: Participation,
        economics: Economics,
        alarms: Alarms,
        store: Store,
        changes: Changes,
        present: Callable[[], tuple[Image, Decision]],
        react: Callable[[], Awaitable[None]],
    ) -> None:
        self._grid = grid
        self._cycle = cycle
        self._wishes = wishes
        self._participation = participation
        self._economics = economics
        self._alarms = alarms
        self._store = store
        self._changes = changes
        self._present = present
        self._react = react

    def snapshot(self) -> Snapshot:
        """Return the present state; cheap, no I/O."""
        image, decision = self._present()
        consequences = self._participation.consequences
        return views.snapshot(
            image,
            decision,
            self._cycle.allocation.orders,
            events=[
                replace(
                    event,
                    consequence=consequences.get(event.id, ""),
                    note=event.note or self._participation.unmet(event.id),
                )
                for event in self._grid.events(image)
            ],
            utilities=self._grid.utilities,
            alarms=self._alarms.messages,
            refusals=self._cycle.refusals,
            functions=self._cycle.functions,
            safeguards=self._cycle.safeguards,
            wishes=self._wishes.present,
            messages=self._grid.messages,
            price=self._economics.price or self._grid.price,
        )

    def idle_s(self) -> float:
        """Return how long ago the last control cycle was, s."""
        return self._cycle.idle_s

    async def changes(self) -> AsyncIterator[Snapshot]:
        """Yield the present state, then each new one; slow readers skip, never queue."""
        while True:
            changed = self._changes.next
            yield self.snapshot()
            await changed.wait()

    async def opt_out(self, event: str) -> None:
        """Leave an event."""
        await self._grid.choose(event, leave=True)
        self._changes.note()

    async def opt_in(self, event: str) -> None:
        """Take part again in an event that was left."""
        await self._grid.choose(event, leave=False)
        self._changes.note()

    async def acknowledge(self, message: str) -> None:
        """Note that the owner has read a message."""
        await self._grid.acknowledge(message)
        self._changes.note()

    async def wish(self, device: str, power_w: float, until: float) -> None:
        """Take the owner's direct wish about a device."""
        await self._wishes.wish(device, power_w, until)
        await self._react()

    async def end_wish(self, device: str) -> None:
        """End the owner's wish about a device."""
        await self._wishes.end(device)
        await self._react()

    async def history(self, start: float, end: float, step_s: int) -> Sequence[Series]:
        """Return every device's measurements in [start, end), UTC epoch seconds."""
        try:
            found = await self._store.history.history(start, end, step_s)
        except StoreError as error:
            raise SurfaceError(say("the history cannot be read: {error}", error=error)) from error
        return [Series(each.device, each.at, each.power_w, each.soc) for each in found]
