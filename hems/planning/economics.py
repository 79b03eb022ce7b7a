"""The economy of the home put together: prices, needs, plan and accounts. It decides nothing.

prices, needs --> Planning --> what pays --> programmes
images ------^--> Bookkeeper --> accounts
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from zoneinfo import ZoneInfo

from der.model import Control, DeviceSpec
from hems import wiring
from hems.cem.memory import Memory
from hems.cem.planner.problem import BySlot, Prices
from hems.cem.slots import Slots
from hems.clock import Clock
from hems.image import Image, ImageRing
from hems.money.bookkeeper import Bookkeeper
from hems.money.plant import Facts
from hems.money.statement import Statement
from hems.needs.needs import Needs
from hems.needs.surface import NeedsView
from hems.plan_surface import PlanView
from hems.planning.chronicle import STEP_S
from hems.planning.desk import Desk
from hems.planning.gather import Known, Wanted, roles
from hems.planning.leaving import next_leaving
from hems.planning.limits import Agreed
from hems.planning.occasion import Pace
from hems.planning.planning import Planning, Site, Sources
from hems.planning.shown import shown
from hems.planning.weather_source import WeatherSource
from hems.settings.config import Config
from hems.settings.habits import habits
from hems.settings.market_section import ConnectionSection
from hems.store.store import Store
from hems.surface import PriceView
from hems.tariff.book import PriceBook
from hems.tariff.utility import Told
from programs.registry import Policies
from programs.signal import Signal


@dataclass(frozen=True, slots=True)
class EconomicsEvents:
    """Whom the economy asks and tells; none of them may block.

    Attributes:
        ahead: Returns what the utilities ask from a time on.
        told: Returns what they tell of prices.
        memory: Returns what the allocator remembers.
        alarm: Told by whom and in one sentence what is wrong for the time being; None for nothing.
        react: Has the control cycle act on what pays now.
        promised: Returns what batteries are to hold back by slot, Wh beside their reserve.
        promises: Returns what changes when another promise is made; compared as a whole.
        spared: Returns what is paid for each kWh that is not taken, by slot; empty for nothing.
    """

    ahead: Callable[[float], Sequence[Signal]]
    told: Callable[[], Iterable[Told]]
    memory: Callable[[], Memory]
    alarm: Callable[[str, str | None], None]
    react: Callable[[], None]
    promised: Callable[[Slots], Mapping[str, BySlot]] = lambda _slots: {}
    promises: Callable[[], object] = tuple
    spared: Callable[[Slots], BySlot] = lambda _slots: ()


_SAVE_S: Final = 1.0


class Economics:
    """What of the home is about money.

    Args:
        config: Its settings.
        specs: Its devices.
        store: What it remembers.
        ring: Where the images are.
        clock: Where the time comes from.
        tell: Whom it asks and tells.
        desk: The planner; None for a process of its own.
        pace: How often it is planned; None for as often as a home that is lived in.
    """

    def __init__(
        self,
        config: Config,
        specs: Sequence[DeviceSpec],
        store: Store,
        ring: ImageRing,
        clock: Clock,
        *,
        tell: EconomicsEvents,
        desk: Desk | None = None,
        pace: Pace | None = None,
    ) -> None:
        zone = config.home.zone
        wanted = habits(config.device)
        self._clock = clock
        self._zone = zone
        self._names = {spec.id: spec.name for spec in specs}
        self._tell = tell
        self.needs = Needs(store.settings, specs, wanted, clock, zone, touched=tell.react)
        self._book = PriceBook(
            config.tariff.contract(zone),
            config.tariff.sources,
            store.settings,
            clock,
            utility=tell.told,
            changed=lambda: None,  # the planning looks at the version by itself
            alarm=tell.alarm,
        )
        facts = wiring.storage_facts(config)
        self._bookkeeper = Bookkeeper(
            store.accounts,
            self._book.contract,
            self._book.prices,
            Facts(config.home.battery_reserve, facts),
            lambda text: tell.alarm("accounts", text),
            asked=lambda: [r.device for r in self.needs.runs() if r.earliest <= clock.now()],
        )
        self.statement = Statement(store.accounts, zone, clock)
        weather = config.planner.weather
        self._weather = (
            None
            if weather is None
            else WeatherSource(str(weather), clock, alarm=lambda text: tell.alarm("weather", text))
        )
        known = Known(
            roles(specs, self.needs.heats(), self.needs.appliances),
            facts,
            config.home.battery_reserve,
        )
        self._planning = Planning(
            self._site(config, specs, known, zone),
            Sources(
                tell.ahead,
                tell.memory,
                self._prices,
                self._wanted,
                lambda: None if self._weather is None else self._weather.told,
                self._basis,
                tell.promised,
            ),
            store,
            ring,
            clock,
            tell=tell.react,
            alarm=lambda text: tell.alarm("planner", text),
            desk=desk,
            pace=pace,
        )
        self._priced = bool(config.tariff.model_fields_set)
        wants = bool(wanted.cars or wanted.runs or wanted.heats)
        controlled = any(spec.control is not Control.NONE for spec in specs)
        self._plans = config.planner.enabled and controlled and (self._priced or wants)

    @staticmethod
    def _site(config: Config, specs: Sequence[DeviceSpec], known: Known, zone: ZoneInfo) -> Site:
        policies = wiring.policies(config)
        return Site(
            zone,
            policies.safety.limit_w,
            agreed_of(config.connection),
            known,
            {spec.id: spec for spec in specs},
        )

    async def load(self) -> None:
        """Take up what was wanted before a restart."""
        await self.needs.load()

    def take_image(self, image: Image) -> None:
        """Follow what is measured; no I/O."""
        self.needs.take_image(image, self._planning.policy)
        self._bookkeeper.take_image(image)
        if self._plans:
            self._planning.take_image(image)

    def applied(self, policies: Policies) -> Policies:
        """Return policies with what pays and what is wanted in them."""
        return self.needs.applied(replace(policies, economy=self._planning.policy))

    def wanted(self) -> NeedsView:
        """Return what is wanted of cars and appliances, and when cars usually leave."""
        view, now = self.needs.needs(), self._clock.now()
        stays = self._planning.stays
        return replace(
            view,
            cars=tuple(
                replace(car, leaves_at=next_leaving(stays, car.device, self._zone, now))
                for car in view.cars
            ),
        )

    @property
    def planner(self) -> int | None:
        """Process id of the planner; None while none runs."""
        return self._planning.pid

    async def run(self) -> None:
        """Serve until cancelled, and then write down what people want."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._book.run())
                tasks.create_task(self._bookkeeper.run())
                tasks.create_task(self._keep_needs())
                if self._weather is not None:
                    tasks.create_task(self._weather.run())
                if self._plans:
                    tasks.create_task(self._planning.run())
        finally:
            await self.needs.save()

    @property
    def price(self) -> PriceView | None:
        """What energy from the grid costs now; None where no tariff is known."""
        return self._book.view() if self._priced else None

    @property
    def highest_w(self) -> float:
        """The billing month's highest quarter-hour mean import so far, W."""
        return self._bookkeeper.peak_so_far_w(self._clock.now())

    def plan(self) -> PlanView | None:
        """Return the plan in force; None where nothing is planned, or not yet."""
        found = self._planning.plan
        if found is None:
            return None
        question, plan = found
        contract = self._book.contract
        told = replace(plan, notes=(*plan.notes, *self._book.notes))
        return shown(
            question,
            told,
            self._planning.policy,
            contract.currency,
            contract.zone,
            names=self._names,
        )

    async def _keep_needs(self) -> None:
        """Write down what is wanted as it changes."""
        while True:
            await asyncio.sleep(_SAVE_S)
            if self.needs.unsaved:
                await self.needs.save()

    def _prices(self, slots: Slots) -> Prices:
        known = self._book.prices(slots, self._bookkeeper.peak_so_far_w(self._clock.now()))
        return replace(known, saved_per_kwh=self._tell.spared(slots))

    def _wanted(self, image: Image) -> Wanted:
        needs = self.needs
        return Wanted(needs.cars(image.at), needs.runs(), needs.heats(), needs.under_way())

    def _basis(self) -> object:
        told = None if self._weather is None else self._weather.told
        told_at = None if told is None else told.told_at
        return self._book.version, self.needs.changed, told_at, self._tell.promises()


def agreed_of(connection: ConnectionSection) -> Agreed:
    """Return what the connection agreement allows in a slot of the plan.

    Energy that may flow in a quarter-hour is a bound on the mean of each slot. That of a longer
    time is not: a plan under its mean would not take at night what the day may have.
    """
    quarters = [each for each in connection.energy if each.every == "15 min"]
    imports = [connection.import_limit, *(_mean_w(each.import_) for each in quarters)]
    exports = [connection.export_limit, *(_mean_w(each.export) for each in quarters)]
    return Agreed(
        min((w for w in imports if w is not None), default=None),
        min((w for w in exports if w is not None), default=None),
    )


def _mean_w(energy_wh: float | None) -> float | None:
    return None if energy_wh is None else energy_wh * 3600.0 / STEP_S
