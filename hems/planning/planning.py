"""The home's planning: watches for occasions, asks the planner, hands on what pays.

image, prices, needs, events -> Question -> planner process -> Plan -> steps -> programmes
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from zoneinfo import ZoneInfo

from der.model import DeviceSpec
from der.sentence import say
from der.steps import StepWatch
from hems.cem.memory import Memory
from hems.cem.planner.plan import Plan
from hems.cem.planner.problem import BySlot, Prices
from hems.cem.planner.question import Question, Stay, Stretch, WeatherTold
from hems.cem.planner.steps import steps
from hems.cem.slots import Slots
from hems.clock import Clock
from hems.image import Image, ImageRing
from hems.planning.chronicle import STEP_S, Chronicle
from hems.planning.desk import Desk, DeskError
from hems.planning.gather import Known, Wanted, beside_w, gather, plugs
from hems.planning.limits import Agreed, limits
from hems.planning.occasion import Occasion, Pace, foretold_w
from hems.planning.stays import Stays
from hems.store.errors import StoreError
from hems.store.store import Store
from programs.economy import EconomyPolicy
from programs.signal import Signal

SPAN_S: Final = 36 * 3600.0
"""How far ahead is planned: past the next night's end, whenever it is asked."""
GOOD_S: Final = 2 * 3600.0
"""A plan older than this is no longer followed: what it rests on has changed."""
_FIRST_PAUSE_S: Final = 5.0
_LAST_PAUSE_S: Final = 300.0
_SET_S: Final = 60.0
"""UTC that was set by less than this changes no plan."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the planning asks for what it rests on; all cheap, none blocks.

    Attributes:
        ahead: What is asked of the home from now on.
        memory: What the allocator remembers.
        prices: What energy costs over some slots.
        wanted: What people want now.
        weather: What was told of the weather last; None without a source.
        basis: What changes when a price, a need or the weather does; compared as a whole.
        promised: What batteries are to hold back by slot, by device id, Wh beside their reserve.
    """

    ahead: Callable[[float], Sequence[Signal]]
    memory: Callable[[], Memory]
    prices: Callable[[Slots], Prices]
    wanted: Callable[[Image], Wanted]
    weather: Callable[[], WeatherTold | None]
    basis: Callable[[], object]
    promised: Callable[[Slots], Mapping[str, BySlot]] = lambda _slots: {}


@dataclass(frozen=True, slots=True)
class Site:
    """The home, as far as a plan needs it.

    Attributes:
        zone: Its time zone.
        breaker_w: What the main breaker carries, all phases together.
        agreed: What the connection agreement allows.
        known: What each device is.
        specs: By device id.
    """

    zone: ZoneInfo
    breaker_w: float
    agreed: Agreed
    known: Known
    specs: Mapping[str, DeviceSpec]


class Planning:
    """Keeps a plan.

    Args:
        site: The home.
        sources: What it asks.
        store: Where the past is.
        ring: Where the images are.
        clock: Where the time comes from.
        tell: Told when there is a new plan; must not block.
        alarm: Told in one sentence what is wrong with planning, None when it is well again.
        desk: The planner's process.
        pace: How often it is planned.
    """

    def __init__(
        self,
        site: Site,
        sources: Sources,
        store: Store,
        ring: ImageRing,
        clock: Clock,
        *,
        tell: Callable[[], None],
        alarm: Callable[[str | None], None],
        desk: Desk | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._site = site
        self._sources = sources
        self._store = store
        self._ring = ring
        self._clock = clock
        self._tell = tell
        self._alarm = alarm
        self._desk = desk or Desk()
        self._pace = pace or Pace()
        self._chronicle = Chronicle(store.history, site.known.roles)
        self._stays = Stays(store.settings)
        self._occasion = Occasion()
        self._told_to: float | None = None
        self._number = 0
        self._plan: Plan | None = None
        self._question: Question | None = None
        self._policy = EconomyPolicy()
        self._last: Image | None = None
        self._watch = StepWatch(clock.now, clock.monotonic)
        self._news = asyncio.Event()

    @property
    def policy(self) -> EconomyPolicy:
        """What the programmes are told; steps whose time is over have no effect there."""
        return self._policy

    @property
    def stays(self) -> tuple[Stay, ...]:
        """When cars came and left in the last weeks."""
        return self._stays.all

    @property
    def plan(self) -> tuple[Question, Plan] | None:
        """The plan in force and what it answers; None while there is none, or it is too old."""
        question, plan = self._question, self._plan
        if question is None or plan is None or self._policy.good_until <= self._clock.now():
            return None
        return question, plan

    @property
    def pid(self) -> int | None:
        """Process id of the planner; None while none runs."""
        return self._desk.pid

    def take_image(self, image: Image) -> None:
        """Follow what is measured, and look whether a plan is due; no I/O."""
        self._news.set()
        self._follow_clock()
        self._chronicle.take_image(image)
        self._stays.take_image(image)
        before, self._last = self._last, image
        if before is None or not 0 < image.at - before.at < self._pace.strange_s:
            return
        expected_w = foretold_w(self._plan, image.at)
        found_w = beside_w(image, self._plan.devices if self._plan is not None else ())
        error_w = None if expected_w is None or found_w is None else found_w - expected_w
        self._occasion = self._occasion.seen(error_w, image.at - before.at, self._pace)

    async def run(self) -> None:
        """Plan for ever; what fails is said, and tried again."""
        await self._stays.load()
        pause_s = _FIRST_PAUSE_S
        try:
            while True:
                image = self._ring.present
                if image is None or not self._due(image):
                    await self._news.wait()
                    self._news.clear()
                    continue
                try:
                    await self._ask(image)
                except DeskError as error:
                    self._alarm(say("The home runs without a new plan: {error}", error=error))
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, _LAST_PAUSE_S)
                    self._occasion = Occasion()  # it is due, however lately it was asked in vain
                else:
                    pause_s = _FIRST_PAUSE_S
        finally:
            await self._desk.close()

    def _follow_clock(self) -> None:
        """Plan anew when UTC was set: prices, wishes and the sun are elsewhere in the plan now."""
        step_s = self._watch.step_s()
        if abs(step_s) > _SET_S:
            self._occasion = Occasion()
            # Set back, the old plan would else be followed for longer than it is good.
            good_until = self._policy.good_until + min(step_s, 0.0)
            self._policy = replace(self._policy, good_until=good_until)

    def _due(self, image: Image) -> bool:
        expected_w = foretold_w(self._plan, image.at) or 0.0
        return self._occasion.due(
            self._clock.monotonic(), self._basis(image), expected_w, self._pace
        )

    def _basis(self, image: Image) -> object:
        """Return what a plan rests on, but for what drifts."""
        asked = tuple(
            (s.event, s.kind, s.value, s.starts_at, s.ends_at)
            for s in self._sources.ahead(image.at)
        )
        return plugs(image, self._site.known.roles), asked, self._sources.basis()

    async def _ask(self, image: Image) -> None:
        """Ask for a plan and take it.

        Raises:
            DeskError: There is none.
        """
        now = image.at
        self._occasion = self._occasion.asked(self._clock.monotonic(), self._basis(image))
        slots = Slots.around(now, float(STEP_S), SPAN_S)
        prices = self._sources.prices(slots)
        past, told_to, trouble = await self._past(now)
        site = self._site
        bounds = limits(slots, self._sources.ahead(now), site.breaker_w, site.agreed)
        wanted = self._sources.wanted(image)
        promised = self._sources.promised(slots)
        present = gather(image, self._sources.memory(), wanted, self._site.known, promised)
        self._number += 1
        question = Question(
            self._number,
            now,
            self._site.zone.key,
            slots,
            prices,
            bounds,
            past,
            self._stays.all,
            present.batteries,
            present.cars,
            present.runs,
            present.heats,
            present.curtailable,
            present.load_w,
            present.sun_w,
            self._sources.weather(),
            wanted.under_way,
        )
        plan = await self._desk.ask(question)
        self._told_to = told_to
        self._question = question
        self._plan = replace(plan, notes=(*plan.notes, *present.unplanned))
        self._alarm(trouble)
        self._policy = EconomyPolicy(
            steps(
                plan,
                prices,
                self._site.specs,
                self._site.zone,
                cars=wanted.cars,
                runs=wanted.runs,
            ),
            good_until=now + GOOD_S,
        )
        self._tell()

    async def _past(self, now: float) -> tuple[tuple[Stretch, ...], float | None, str | None]:
        """Return what is to be told of the past, up to when, and what is wrong with the store.

        A store that cannot be used costs the forecast, never the plan.
        """
        if self._desk.pid is None:  # none yet, or it has ended: the next one knows nothing
            await self._desk.close()
            self._told_to = None
        try:
            past, told_to = await self._chronicle.since(self._told_to, now)
        except StoreError as error:
            return (
                (),
                self._told_to,
                say("The home is planned without its latest past: {error}", error=error),
            )
        try:
            await self._stays.save()
        except StoreError as error:
            return (
                past,
                told_to,
                say("When cars come and leave cannot be written down: {error}", error=error),
            )
        return past, told_to, None
