"""The home that runs now, for whoever looks at it while one follows the other.

When its devices change, a home is stopped in order and another takes its place within this
process. The page knows this one surface and never notices but for the devices.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import time

from hems.access.rights import Who
from hems.device_surface import CallerView, DeviceDetail, MoveOutcome
from hems.home import Home
from hems.microgrid.surface import IslandView
from hems.money.surface import MoneyView, Step
from hems.needs.habits import Usual
from hems.needs.orders import CarWish
from hems.needs.surface import NeedsView
from hems.plan_surface import PlanView
from hems.reserves.surface import ReservesView
from hems.setup.joining import Progress, quiet
from hems.surface import ImpossibleWishError, Series, Snapshot


class Succession:
    """Hands every wish on to the present home.

    A `HomeSurface`, `DeviceSurface`, `PlanSurface`, `NeedsSurface`, `MoneySurface` and
    `ReservesSurface`.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._shown: Snapshot | None = None
        self._followed = asyncio.Event()

    @property
    def home(self) -> Home:
        """The present home."""
        return self._home

    def follow(self, home: Home) -> None:
        """Put a home in the place of the present one."""
        self._shown = self._home.front.snapshot()
        self._home = home
        followed, self._followed = self._followed, asyncio.Event()
        followed.set()

    def snapshot(self) -> Snapshot:
        """Return the present state; that of the last home until its follower has read a device."""
        if self._shown is not None and not self._home.began:
            return self._shown
        self._shown = None
        return self._home.front.snapshot()

    def idle_s(self) -> float:
        """Return how long ago the present home's last control cycle was, s."""
        return self._home.front.idle_s()

    async def changes(self) -> AsyncIterator[Snapshot]:
        """Yield the present state, then each new one, of one home after the other."""
        while True:
            changed, followed = self._home.changed, self._followed
            yield self.snapshot()
            either = [asyncio.create_task(event.wait()) for event in (changed, followed)]
            try:
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in either:
                    task.cancel()

    async def opt_out(self, event: str) -> None:
        """Leave an event."""
        await self._home.front.opt_out(event)

    async def opt_in(self, event: str) -> None:
        """Take part again in an event that was left."""
        await self._home.front.opt_in(event)

    async def acknowledge(self, message: str) -> None:
        """Note that the owner has read a message."""
        await self._home.front.acknowledge(message)

    async def wish(self, device: str, power_w: float, until: float) -> None:
        """Take the owner's direct wish about a device."""
        await self._home.front.wish(device, power_w, until)

    async def end_wish(self, device: str) -> None:
        """End the owner's wish about a device."""
        await self._home.front.end_wish(device)

    async def history(self, start: float, end: float, step_s: int) -> Sequence[Series]:
        """Return every device's measurements in [start, end), UTC epoch seconds."""
        return await self._home.front.history(start, end, step_s)

    async def device(self, device: str) -> DeviceDetail:
        """Return all that is known of a device."""
        return await self._home.bench.device(device)

    async def test(self, device: str, move_s: float, progress: Progress = quiet) -> MoveOutcome:
        """Do the test move with a device."""
        return await self._home.bench.test(device, move_s, progress)

    async def commissioned(self, device: str, who: Who) -> None:
        """Approve a device that somebody has tried out and keeps, if they may judge it."""
        await self._home.trusting.judging.commissioned(device, who)

    async def alarms(self) -> Sequence[str]:
        """Return what the home complains of."""
        return self.snapshot().alarms

    def callers(self) -> Sequence[CallerView] | None:
        """Return the chargers that have called in of late; None if nobody listens."""
        return self._home.bench.callers()

    def plan(self) -> PlanView | None:
        """Return the plan in force; None where nothing is planned, or not yet."""
        return self._home.economics.plan()

    def reserves(self) -> ReservesView | None:
        """Return how the reserve stands; None where the home offers none."""
        found = self._home.uses.reserves
        return None if found is None else found.view()

    def island(self) -> IslandView | None:
        """Return how the home stands to its grid; None where it has no tie."""
        found = self._home.uses.microgrid
        return None if found is None else found.view()

    async def ask_island(self, *, leave: bool) -> None:
        """Ask the home to part from its grid, or to go back to it."""
        found = self._home.uses.microgrid
        if found is None:
            raise ImpossibleWishError("The home has no tie, so it goes with its grid.")
        await found.ask(leave=leave)

    def needs(self) -> NeedsView:
        """Return what is wanted of cars and appliances."""
        return self._home.economics.wanted()

    async def order_car(self, device: str, wish: CarWish) -> None:
        """Take what the owner asks of a car."""
        await self._home.economics.needs.order_car(device, wish)

    async def end_car_order(self, device: str) -> None:
        """Go back to the car's habit."""
        await self._home.economics.needs.end_car_order(device)

    async def accustom_car(self, device: str, usual: Usual | None) -> None:
        """Charge a car by another habit as a rule."""
        await self._home.economics.needs.accustom_car(device, usual)

    async def ask_run(
        self, device: str, ready_by: time | float | None, earliest: float | None = None
    ) -> None:
        """Ask for a run of an appliance."""
        await self._home.economics.needs.ask_run(device, ready_by, earliest)

    async def cancel_run(self, device: str) -> None:
        """Take back what was asked of an appliance."""
        await self._home.economics.needs.cancel_run(device)

    async def money(self, start: float, end: float, step: Step) -> Sequence[MoneyView]:
        """Return the accounts of each period that overlaps [start, end)."""
        return await self._home.economics.statement.money(start, end, step)

    async def money_days(self, days: int) -> Sequence[MoneyView]:
        """Return the accounts of the last days."""
        return await self._home.economics.statement.money_days(days)
