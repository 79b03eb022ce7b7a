"""The book of prices: what a kWh costs at any time, by all sources together."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from der.sentence import say
from hems.cem.planner.problem import Prices
from hems.cem.slots import Slots
from hems.cem.tariff import rates
from hems.cem.tariff.rates import Contract, Flow, Price, Quotes
from hems.cem.tariff.series import Series, said
from hems.clock import Clock
from hems.on_demand import on_demand
from hems.store.settings import Settings
from hems.surface import PriceView
from hems.tariff.settings import BookSettings
from hems.tariff.utility import Told, UtilityPrices, prices

if TYPE_CHECKING:
    from hems.tariff import source as sources
else:  # most tariffs are what was agreed, or the utility's: no document is read for them
    sources = on_demand("hems.tariff.source")

LOOK_EVERY_S: Final = 20.0
"""How often it is looked whether the utility tells something else."""
_RENEW_S: Final = 1800.0
"""The utility's prices are looked ahead from now: this often the end of that moves on."""
_VIEW_S: Final = 2 * 86_400.0


class PriceBook:
    """All prices; the one place where planner, accounts and page ask.

    Args:
        contract: What was agreed.
        settings: Where else prices are read.
        kept: Where what sources told is kept over a restart.
        clock: Where the time comes from.
        utility: Returns what the utilities tell now.
        changed: Called when a price of some time may have become another.
        alarm: Told by whom ("prices") and in one sentence what is wrong; None for nothing.
    """

    def __init__(
        self,
        contract: Contract,
        settings: BookSettings,
        kept: Settings,
        clock: Clock,
        *,
        utility: Callable[[], Iterable[Told]] = tuple,
        changed: Callable[[], None],
        alarm: Callable[[str, str | None], None],
    ) -> None:
        self.contract = contract
        self._settings = settings
        self._clock = clock
        self._utility = utility
        self._changed = changed
        self._told: tuple[Told, ...] = ()
        self._of_utility = UtilityPrices()
        self._looked_at = -_RENEW_S
        self._version = 0

        def source(name: str, place: str | Path | None) -> "sources.Source | None":
            if place is None:
                return None
            return sources.Source(
                name,
                place,
                settings.refresh_s,
                kept=kept,
                clock=clock,
                changed=self._note_change,
                alarm=lambda text: alarm(name, text),
            )

        self._market = source("prices", settings.prices)
        self._carbon = source("carbon", settings.carbon)

    @property
    def version(self) -> int:
        """Counts up whenever a price of some time may have become another."""
        return self._version

    async def run(self) -> None:
        """Read all sources until cancelled."""
        read = [source for source in (self._market, self._carbon) if source is not None]
        for source in read:
            await source.resume()
        async with asyncio.TaskGroup() as tasks:
            for source in read:
                tasks.create_task(source.run())
            if self._settings.utility:
                tasks.create_task(self._follow_utility())

    def prices(self, slots: Slots, peak_so_far_w: float = 0.0) -> Prices:
        """Return the mean prices of each slot, for plans and accounts.

        Where the market's prices are known now but end before the slots do, those of the last day
        are taken to come again: what was agreed for want of them may be far off the market, and
        a plan would hoard for it, or sell out.

        Args:
            slots: The steps of time.
            peak_so_far_w: Highest quarter-hour mean import of the billing month until now.
        """
        return rates.over(
            self.contract, self._expected(slots.end), slots, peak_so_far_w=peak_so_far_w
        )

    def view(self) -> PriceView:
        """Return what a kWh from the grid costs now, and when that changes."""
        now, quotes = self._clock.now(), self._quotes()
        price = rates.price_at(self.contract, quotes, Flow.IMPORT, now)
        for edge in sorted(rates.edges(self.contract, quotes, Flow.IMPORT, now, now + _VIEW_S)):
            following = rates.price_at(self.contract, quotes, Flow.IMPORT, edge)
            if following.per_kwh != price.per_kwh:
                return self._view(price, edge, following.per_kwh)
        return self._view(price, float("inf"), None)

    @property
    def notes(self) -> Sequence[str]:
        """What the owner should know of on what prices rest, one clause each."""
        quotes, now = self._quotes(), self._clock.now()
        made: list[str] = []
        if self._settings.utility:
            made.append(_until(say("the utility's prices"), quotes.utility_import, now))
        if self._market is not None and self.contract.imported.follows_market:
            made.append(_until(say("the market's prices"), quotes.market_import, now))
        return made

    def _view(self, price: Price, until: float, following: float | None) -> PriceView:
        return PriceView(price.source, self.contract.currency, price.per_kwh, until, following)

    def _quotes(self) -> Quotes:
        """Return what sources tell, without what is too old to be believed."""
        market = self._market if self._believed(self._market) else None
        carbon = self._carbon if self._believed(self._carbon) else market
        return Quotes(
            utility_import=self._of_utility.imported,
            utility_export=self._of_utility.exported,
            market_import=None if market is None else market.document.price,
            market_export=None if market is None else _paid(market),
            carbon=None if carbon is None else carbon.document.carbon,
            events=() if market is None else market.document.events,
        )

    def _expected(self, until: float) -> Quotes:
        """Return what sources tell, and what the market is expected to cost beyond that."""
        quotes, now = self._quotes(), self._clock.now()

        def ahead(series: Series | None) -> Series | None:
            if series is None or series.end >= until or series.at(now) is None:
                return series
            return series.repeated(until)

        return replace(
            quotes,
            market_import=ahead(quotes.market_import),
            market_export=ahead(quotes.market_export),
            carbon=ahead(quotes.carbon),
        )

    def _believed(self, source: "sources.Source | None") -> bool:
        if source is None:
            return False
        return self._clock.now() - source.told_at <= self._settings.stale_s

    def _note_change(self) -> None:
        self._version += 1
        self._changed()

    async def _follow_utility(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Look at what the utilities tell now; cheap where that is what they told before."""
        told, now = tuple(self._utility()), self._clock.monotonic()
        news = told != self._told
        if news or now - self._looked_at >= _RENEW_S:
            self._told, self._looked_at = told, now
            self._of_utility = prices(told, self._clock.now(), self._of_utility)
        if news:
            self._note_change()


def _paid(market: "sources.Source") -> Series | None:
    """Return the market's price of energy given: that of energy taken where it tells one only."""
    document = market.document
    return document.price if document.export is None else document.export


def _until(what: str, series: Series | None, now: float) -> str:
    if series is None or series.end <= now:
        return say("{prices} are not known: what was agreed holds", prices=what)
    return say("{prices} are known until {end}", prices=what, end=said(series.end))
