"""The demand side put together: energy by windows, the wholesale market. It decides nothing.

hems.settings --> here --> hems.market, with prices by way of hems.tariff
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from hems.cem.tariff.billing import month_start
from hems.cem.tariff.series import Series
from hems.clock import Clock
from hems.image import Image
from hems.market.energies import Amount, Energies, PeakTarget
from hems.market.smoothness import Smoothness
from hems.on_demand import on_demand
from hems.settings.config import Config
from hems.store.errors import StoreError
from hems.store.store import Store
from hems.tariff.utility import Told, UtilityPrices, prices
from programs import economic
from programs.about import Standing
from programs.customer_baseline import Baseline
from programs.economic import Hysteresis
from programs.performance import Performance
from programs.registry import Policies
from programs.signal import Signal

if TYPE_CHECKING:
    from hems.market import market, threshold_book, thresholds
    from hems.tariff import source as sources
else:  # few homes have a part in the wholesale market
    sources = on_demand("hems.tariff.source")
    market, threshold_book, thresholds = (
        on_demand(f"hems.market.{name}") for name in ("market", "threshold_book", "thresholds")
    )

_EVERY_S: Final = {"15 min": 900.0, "30 min": 1800.0, "1 h": 3600.0, "1 d": 86_400.0}
_MINUTE_S: Final = 60
_LOOK_S: Final = 5.0
"""How often what the utility tells is worked out anew."""
_AT_ONCE: Final = 800
"""Intervals that the history is asked for at a time."""


async def _unknown(_programme: str, _start: float, _end: float) -> Baseline | None:
    return None


@dataclass(frozen=True, slots=True)
class DemandEvents:
    """Whom the demand side asks and tells; none but `baseline` may block.

    Attributes:
        alarm: Told, by its source, in one sentence what the owner should know; None ends it.
        record: Takes what was delivered of what was asked.
        react: Has the control cycle act on what pays now.
        highest_w: Returns the billing month's highest quarter-hour mean import so far, W.
        joined: Tells of a programme whether the home takes part in it.
        told: Returns what the utilities tell of prices.
        signals: Returns what the utilities ask now; None while that is not known.
        islanded: Whether nothing flows at the connection point.
        baseline: Finds what the home would have taken, by programme, from one time to another.
    """

    alarm: Callable[[str, str | None], None]
    record: Callable[[Performance], None]
    react: Callable[[], None]
    highest_w: Callable[[], float]
    joined: Callable[[str], bool]
    told: Callable[[], Iterable[Told]] = tuple
    signals: Callable[[], Sequence[Signal] | None] = tuple
    islanded: Callable[[], bool] = lambda: False
    baseline: Callable[[str, float, float], Awaitable[Baseline | None]] = _unknown


class _Prices:
    """Wholesale prices of a source."""

    def __init__(self, source: "sources.Source") -> None:
        self._source = source

    @property
    def price(self) -> Series | None:
        """Per kWh, by time."""
        return self._source.document.price

    @property
    def told_at(self) -> float:
        """When they were last read well."""
        return self._source.told_at


class _OfUtility:
    """Wholesale prices that a utility tells as a tariff of their own.

    Args:
        name: That tariff's.
        told: Returns what the utilities tell.
        clock: Where the time comes from.
    """

    def __init__(self, name: str, told: Callable[[], Iterable[Told]], clock: Clock) -> None:
        self._name = name
        self._told = told
        self._clock = clock
        self._prices = UtilityPrices()
        self._looked_at = -math.inf
        self._told_at = 0.0

    @property
    def price(self) -> Series | None:
        """Per kWh, by time."""
        if self._clock.monotonic() - self._looked_at >= _LOOK_S:
            self._looked_at = self._clock.monotonic()
            now = self._clock.now()
            mine = [
                replace(each, tariffs=tuple(t for t in each.tariffs if t.name == self._name))
                for each in self._told()
            ]
            self._prices = prices(mine, now, self._prices)
            if any(each.tariffs for each in mine):
                self._told_at = now
        return self._prices.imported

    @property
    def told_at(self) -> float:
        """When the utility last told them."""
        return self._told_at


class Demand:
    """The demand side; a `hems.uses.use.Use`.

    Args:
        config: The hub's settings.
        store: What is remembered.
        clock: Where the time comes from.
        meter: Id of the meter at the connection point; None for a home without one.
        tell: See `DemandEvents`.
    """

    def __init__(
        self, config: Config, store: Store, clock: Clock, meter: str | None, tell: DemandEvents
    ) -> None:
        self._store = store
        self._meter = meter
        zone, billing_day = config.home.zone, config.tariff.billing_day

        def month() -> tuple[float, float]:
            now = clock.now()
            return tell.highest_w(), now - month_start(now, zone, billing_day)

        self.energies = Energies(
            [Amount(_EVERY_S[e.every], e.import_, e.export) for e in config.connection.energy],
            PeakTarget(config.peak.limit, config.peak.hold_highest),
            zone=zone,
            clock=clock,
            kept=store.settings,
            month=month,
            alarm=lambda text: tell.alarm("energy windows", text),
        )
        self.smoothness = Smoothness(
            config.slope.bound, tell.signals, clock, lambda text: tell.alarm("slope", text)
        )
        self.market: market.Market | None = None
        self._source: sources.Source | None = None
        self._book: threshold_book.ThresholdBook | None = None
        section, place = config.market, config.market.net_benefits
        if place is None:
            return
        wholesale: market.Wholesale = _OfUtility(section.tariff, tell.told, clock)
        if section.prices is not None:
            self._source = sources.Source(
                "wholesale prices",
                section.prices,
                section.refresh,
                kept=store.settings,
                clock=clock,
                changed=lambda: None,  # the market looks each second
                alarm=lambda text: tell.alarm("wholesale prices", text),
            )
            wholesale = _Prices(self._source)
        self._book = threshold_book.ThresholdBook(
            lambda: _thresholds(place),
            sources.shown(place),
            section.refresh,
            kept=store.settings,
            clock=clock,
            alarm=lambda text: tell.alarm("net-benefits prices", text),
        )
        book = self._book
        self.market = market.Market(
            wholesale,
            lambda: book.known,
            market.Terms(
                zone,
                section.currency,
                section.obliged,
                frozenset(section.exempt),
                section.stale_after,
                Hysteresis(section.band, section.least, section.pause, section.most),
                None if section.time_zone is None else ZoneInfo(section.time_zone),
            ),
            clock=clock,
            kept=store.settings,
            tell=market.MarketEvents(
                lambda start, end: tell.baseline(economic.ID, start, end),
                self._minutes,
                tell.record,
                lambda text: tell.alarm("market", text),
                tell.react,
                tell.joined,
                tell.islanded,
            ),
        )

    async def load(self) -> None:
        """Take up what was kept before a restart."""
        await self.energies.load()
        if self._source is not None:
            await self._source.resume()
        if self._book is not None:
            await self._book.load()
        if self.market is not None:
            await self.market.load()

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.energies.run())
            for part in (self._source, self._book, self.market):
                if part is not None:
                    group.create_task(part.run())

    def take_image(self, image: Image) -> None:
        """Take in what the devices said."""
        self.energies.take_image(image)
        self.smoothness.take_image(image)
        if self.market is not None:
            self.market.take_image(image)

    def applied(self, policies: Policies) -> Policies:
        """Return the policies with what this part has to say put in."""
        policies = self.energies.applied(policies)
        return policies if self.market is None else self.market.applied(policies)

    @property
    def standings(self) -> Sequence[Standing]:
        """How its programmes stand now."""
        own = () if self.market is None else self.market.standings
        return (*self.smoothness.standings, *self.energies.standings, *own)

    async def _minutes(self, start: float, end: float) -> Sequence[tuple[float, float]]:
        """Return the meter's means by the minute: start of each and W."""
        found: list[tuple[float, float]] = []
        start = floor(start / _MINUTE_S) * _MINUTE_S
        while start < end:
            until = min(end, start + _AT_ONCE * _MINUTE_S)
            try:
                series = await self._store.history.history(start, until, _MINUTE_S)
            except ValueError as error:
                raise StoreError(str(error)) from error
            for each in series:
                if each.device == self._meter:
                    pairs = zip(each.at, each.power_w, strict=True)
                    found += [(at, w) for at, w in pairs if w is not None]
            start = until
        return found


async def _thresholds(place: str | Path) -> str:
    try:
        return await sources.fetch(place)
    except sources.SourceError as error:
        raise thresholds.ThresholdError(str(error)) from error
