"""All needs of the home, as the programmes, the planner and the owner meet them.

Images in, proposals' policies and the planner's needs out; kept among the store's settings, as the
owner's direct wishes are.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import time
from typing import Final
from zoneinfo import ZoneInfo

from der.model import DeviceSpec, Ownership
from der.sentence import Template, said, say
from hems.cem.needs import CarMode, CarNeed, HeatStore, RunRequest
from hems.clock import Clock
from hems.device_surface import UnknownDeviceError
from hems.image import Image
from hems.needs import kept
from hems.needs.appliances import Appliances
from hems.needs.cars import Cars, habits_of
from hems.needs.habits import Habits, Usual
from hems.needs.orders import CarWish, OrderError, car_order, check_energy, run_order
from hems.needs.surface import CarView, NeedsView, RunView
from hems.store.errors import StoreError
from hems.store.settings import Settings
from hems.surface import ImpossibleWishError
from programs.economy import EconomyPolicy
from programs.ready_by import Departure
from programs.registry import Policies

_log = logging.getLogger(__name__)
_NO_CHARGER: Final = Template("There is no charger {device!r}.")
_NO_APPLIANCE: Final = Template("There is no appliance {device!r} that runs when asked to.")


class Needs:
    """What people want; implements `hems.needs.surface.NeedsSurface`.

    Args:
        settings: Where what is asked is kept.
        specs: The home's devices.
        habits: What holds where nothing else is asked.
        clock: Where the time comes from.
        zone: The home's time zone.
        touched: Told when the owner has asked for something; must not block.
    """

    def __init__(
        self,
        settings: Settings,
        specs: Iterable[DeviceSpec],
        habits: Habits,
        clock: Clock,
        zone: ZoneInfo,
        *,
        touched: Callable[[], None] | None = None,
    ) -> None:
        self._settings = settings
        own = {spec.id: spec for spec in specs if spec.ownership is Ownership.OWNER}
        self._clock = clock
        self._zone = zone
        self._touched = touched
        kinds = {name: spec.kind for name, spec in own.items()}
        self._cars = Cars(habits_of(kinds, habits.cars), zone)
        self._appliances = Appliances((h for h in habits.runs if h.device in own), zone)
        self._heats = tuple(h for h in habits.heats if h.device in own)
        self._changed = 0
        self._unsaved: dict[str, str] = {}
        self._saving = asyncio.Lock()

    @property
    def changed(self) -> int:
        """Counts up when what is wanted changes, so that a plan made before is out of date."""
        return self._changed

    @property
    def unsaved(self) -> bool:
        """Whether there is something to write down: `save` does."""
        return bool(self._unsaved)

    async def load(self) -> None:
        """Take up what was asked before a restart; what cannot be read is said and left."""
        try:
            found = await self._settings.all()
        except StoreError as error:
            _log.warning("what was asked of cars and appliances is not known: %s", error)
            return
        now = self._clock.now()
        for device, stay in kept.found(found, kept.STAY, kept.KeptStay):
            if device in self._cars.known:
                self._cars.restore(device, stay.stay())
        for device, habit in kept.found(found, kept.HABIT, kept.KeptHabit):
            if device in self._cars.known:
                self._cars.accustom(device, habit.habit(self._cars.known[device]))
        for device, car in kept.found(found, kept.CAR, kept.KeptCar):
            if device in self._cars.known and not car.order().over(now):
                self._cars.order(device, car.order())
        for device, run in kept.found(found, kept.RUN, kept.KeptRun):
            if device in self._appliances.known:
                self._appliances.order(device, run.order())

    def take_image(self, image: Image, economy: EconomyPolicy) -> None:
        """Follow what cars draw and runs do; no I/O.

        Args:
            image: The last complete image.
            economy: The plan, which says when appliances begin.
        """
        moved, over = self._cars.take_image(image)
        for device in over:
            self._unsaved[f"{kept.CAR}{device}"] = ""
        steps = economy.steps if image.at < economy.good_until else {}
        runs = self._appliances.take_image(image, steps)
        for device, run in runs.items():
            self._unsaved[f"{kept.RUN}{device}"] = kept.text(kept.KeptRun, run)
        for device, stay in self._cars.unkept().items():
            self._unsaved[f"{kept.STAY}{device}"] = kept.text(kept.KeptStay, stay)
        if moved or over or runs:
            self._changed += 1

    async def save(self) -> None:
        """Write down what is new; without that it holds until a restart, which is said."""
        async with self._saving:  # of two texts of one name the later is written last
            while self._unsaved:
                name, text = next(iter(self._unsaved.items()))
                try:
                    await self._settings.put(name, text)
                except StoreError as error:
                    _log.warning("%r will not outlive a restart: %s", name, error)
                # Only now: who is cancelled at the end of the hub leaves it to the last save.
                if self._unsaved.get(name) == text:
                    del self._unsaved[name]

    # What the planner and the programmes are told.

    def departures(self, now: float) -> tuple[Departure, ...]:
        """Return what cars that may wait still have to draw by when."""
        return self._cars.departures(now)

    def cars(self, now: float) -> tuple[CarNeed, ...]:
        """Return what each car is to have."""
        return tuple(self._cars.need(name, now) for name in self._cars.known)

    def runs(self) -> tuple[RunRequest, ...]:
        """Return the runs that were asked for and have not begun."""
        return self._appliances.requests()

    def under_way(self) -> tuple[RunRequest, ...]:
        """Return the runs that have begun, each with the time at which it did as its earliest."""
        return self._appliances.under_way()

    def heats(self) -> tuple[HeatStore, ...]:
        """Return what heaters warm."""
        return self._heats

    @property
    def appliances(self) -> tuple[str, ...]:
        """Ids of the appliances that run when asked to."""
        return tuple(self._appliances.known)

    def applied(self, policies: Policies) -> Policies:
        """Return policies with what is wanted in them.

        The plan's word about cars counts only while they are to wait for cheap hours; what it says
        of appliances is the matter of their runs.
        """
        now = self._clock.now()
        free = {n for n in self._cars.known if self._cars.mode(n) is not CarMode.CHEAPEST}
        free |= self._appliances.known.keys()
        economy = policies.economy
        if not free.isdisjoint(economy.steps):
            kept_steps = {n: s for n, s in economy.steps.items() if n not in free}
            economy = replace(economy, steps=kept_steps)
        solar = self._cars.solar()
        return replace(
            policies,
            economy=replace(economy, solar=solar) if solar else economy,
            ready_by=replace(policies.ready_by, departures=self._cars.departures(now)),
            runs=replace(policies.runs, runs=self._appliances.runs(now)),
        )

    # What the page and the command line may see and ask.

    def needs(self) -> NeedsView:
        """Return what is wanted; cheap, no I/O."""
        now = self._clock.now()
        return NeedsView(
            tuple(self._car_view(name, now) for name in self._cars.known),
            tuple(self._run_view(name) for name in self._appliances.known),
        )

    def _car_view(self, device: str, now: float) -> CarView:
        need, order = self._cars.need(device, now), self._cars.orders.get(device)
        habit, stay = self._cars.known[device], self._cars.stay(device)
        return CarView(
            device,
            need.mode.value,
            need.ready_at,
            need.energy_wh,
            need.taken_wh,
            stay.usual_wh,
            ordered=order is not None,
            until=None if order is None else order.until,
            plugged=stay.plugged,
            habit_mode=habit.mode.value,
            habit_ready=None if habit.ready_by is None else f"{habit.ready_by:%H:%M}",
            habit_days=sorted(habit.days),
            habit_wh=habit.energy_wh,
            habit_told=device in self._cars.own,
        )

    def _run_view(self, device: str) -> RunView:
        order = self._appliances.orders.get(device)
        return RunView(
            device,
            self._appliances.known[device].length_s,
            asked=order is not None,
            earliest=None if order is None else order.earliest,
            ready_by=None if order is None else order.ready_by,
            ends_at=self._appliances.ends_at(device),
        )

    async def order_car(self, device: str, wish: CarWish) -> None:
        """Take what the owner asks of a car, in place of anything before."""
        self._known(device, self._cars.known, _NO_CHARGER)
        try:
            order = car_order(wish, self._clock.now(), self._zone)
        except OrderError as error:
            raise ImpossibleWishError(str(error)) from error
        if self._cars.order(device, order):
            await self._told(f"{kept.CAR}{device}", kept.text(kept.KeptCar, order))

    async def end_car_order(self, device: str) -> None:
        """Go back to the car's habit; nothing happens if nothing was asked."""
        self._known(device, self._cars.known, _NO_CHARGER)
        if self._cars.order(device, None):
            await self._told(f"{kept.CAR}{device}", "")

    async def accustom_car(self, device: str, usual: Usual | None) -> None:
        """Charge a car by another habit as a rule; None for what is configured."""
        self._known(device, self._cars.known, _NO_CHARGER)
        if usual is None:
            self._cars.accustom(device, None)
            await self._told(f"{kept.HABIT}{device}", "")
            return
        try:
            check_energy(usual.energy_wh)
        except OrderError as error:
            raise ImpossibleWishError(said(error)) from error
        if usual.ready_by is not None and not usual.days:
            raise ImpossibleWishError(say("Say on which days the car has to be ready."))
        habit = replace(
            self._cars.known[device],
            mode=usual.mode,
            ready_by=usual.ready_by,
            days=usual.days,
            energy_wh=usual.energy_wh,
        )
        self._cars.accustom(device, habit)
        await self._told(f"{kept.HABIT}{device}", kept.text(kept.KeptHabit, habit))

    async def ask_run(
        self, device: str, ready_by: time | float | None, earliest: float | None = None
    ) -> None:
        """Ask for a run of an appliance, in place of one that has not begun."""
        self._known(device, self._appliances.known, _NO_APPLIANCE)
        if self._appliances.ends_at(device) is not None:
            raise ImpossibleWishError(
                say("A run of {device} has begun; it goes on to its end.", device=device)
            )
        by = self._appliances.known[device].ready_by if ready_by is None else ready_by
        try:
            order = run_order(by, earliest, self._clock.now(), self._zone)
        except OrderError as error:
            raise ImpossibleWishError(str(error)) from error
        self._appliances.order(device, order)
        await self._told(f"{kept.RUN}{device}", kept.text(kept.KeptRun, order))

    async def cancel_run(self, device: str) -> None:
        """Take back what was asked of an appliance; one that runs is left to itself."""
        self._known(device, self._appliances.known, _NO_APPLIANCE)
        if device in self._appliances.orders:
            self._appliances.order(device, None)
            await self._told(f"{kept.RUN}{device}", "")

    async def _told(self, name: str, text: str) -> None:
        """Say that something was asked, then write it down."""
        self._changed += 1
        self._unsaved[name] = text
        if self._touched is not None:
            self._touched()
        await self.save()

    def _known(self, device: str, among: Iterable[str], missing: Template) -> None:
        if device not in among:
            raise UnknownDeviceError(missing(device=device))
