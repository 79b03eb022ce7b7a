"""What a kWh taken or given costs, and its carbon, of all that was agreed and told; pure.

The strongest that is known holds: the utility's own price, then the market's with what is put on
it, then what was agreed for that time. A price event then replaces it or comes on top.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from zoneinfo import ZoneInfo

from hems.cem.planner.problem import Prices
from hems.cem.slots import Slots
from hems.cem.tariff.schedule import Schedule
from hems.cem.tariff.series import Series, means


class Flow(StrEnum):
    """Which way energy flows at the meter."""

    IMPORT = "import"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Rate:
    """What was agreed for energy that flows one way.

    Attributes:
        schedule: By the home's clock: what holds where no source tells.
        follows_market: Whether it follows the market's prices as far as they are known.
        surcharge_per_kwh: What comes on top of the market's price.
        tax: Share of both that comes on top of that (0.19 for 19 %).
    """

    schedule: Schedule
    follows_market: bool = False
    surcharge_per_kwh: float = 0.0
    tax: float = 0.0

    def of_market(self, per_kwh: float) -> float:
        """Return what the home pays at a price of the market."""
        return (per_kwh + self.surcharge_per_kwh) * (1.0 + self.tax)


@dataclass(frozen=True, slots=True)
class Contract:
    """What was agreed.

    Attributes:
        zone: Where the home is: days, windows and bills go by its clock.
        imported: Of energy taken.
        exported: Of energy given.
        currency: ISO 4217 letters; may be empty.
        carbon_kg_per_kwh: Of the grid's energy where no source tells; None if nobody knows.
        carbon_price_per_kg: What the owner reckons a kg at, beside what it costs.
        standing_per_day: What each local day costs, whatever is used.
        peak_per_kw: Charge per kW of the billing month's highest quarter-hour mean import.
        billing_day: Day of the month on which a billing month begins, 1 to 28.
    """

    zone: ZoneInfo
    imported: Rate
    exported: Rate
    currency: str = ""
    carbon_kg_per_kwh: float | None = None
    carbon_price_per_kg: float = 0.0
    standing_per_day: float = 0.0
    peak_per_kw: float = 0.0
    billing_day: int = 1

    def rate(self, flow: Flow) -> Rate:
        """Return what was agreed for a flow."""
        return self.imported if flow is Flow.IMPORT else self.exported


class Manner(StrEnum):
    """What a price event does to the price."""

    REPLACE = "replace"
    ADD = "add"


@dataclass(frozen=True, slots=True)
class PriceEvent:
    """A price for a time, called by somebody: critical peak pricing, a rebate.

    Attributes:
        start: UTC epoch seconds.
        end: UTC epoch seconds.
        per_kwh: The price, or what comes on top; may be negative.
        source: Who called it, for people.
        manner: Whether it replaces the price or comes on top.
        flow: Of which energy.
    """

    start: float
    end: float
    per_kwh: float
    source: str
    manner: Manner = Manner.REPLACE
    flow: Flow = Flow.IMPORT


@dataclass(frozen=True, slots=True)
class Quotes:
    """What sources have told; None for what nobody tells. Stale ones are left out beforehand.

    Attributes:
        utility_import: The utility's full price of energy taken.
        utility_export: What the utility pays.
        market_import: The market's price, before what the contract puts on it.
        market_export: The same for energy given.
        carbon: Of the grid's energy, kg per kWh.
        events: Price events; of two that replace, the one that starts later holds, then the one
            that stands later here.
    """

    utility_import: Series | None = None
    utility_export: Series | None = None
    market_import: Series | None = None
    market_export: Series | None = None
    carbon: Series | None = None
    events: tuple[PriceEvent, ...] = ()

    def utility(self, flow: Flow) -> Series | None:
        """Return the utility's prices for a flow."""
        return self.utility_import if flow is Flow.IMPORT else self.utility_export

    def market(self, flow: Flow) -> Series | None:
        """Return the market's prices for a flow."""
        return self.market_import if flow is Flow.IMPORT else self.market_export


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a kWh at an instant.

    Attributes:
        per_kwh: It.
        source: On what it rests: "utility", "market" or "agreed"; a price event's own source.
    """

    per_kwh: float
    source: str


def price_at(contract: Contract, quotes: Quotes, flow: Flow, when: float) -> Price:
    """Return what a kWh costs, or for export brings, at an instant, UTC epoch seconds."""
    price = _base(contract, quotes, flow, when)
    standing = [e for e in quotes.events if e.flow is flow and e.start <= when < e.end]
    replacing = [e for e in standing if e.manner is Manner.REPLACE]
    if replacing:
        last = max(reversed(replacing), key=lambda event: event.start)
        price = Price(last.per_kwh, last.source)
    added = [e for e in standing if e.manner is Manner.ADD]
    for event in added:
        price = Price(price.per_kwh + event.per_kwh, event.source)
    return price


def carbon_at(contract: Contract, quotes: Quotes, when: float) -> float | None:
    """Return the carbon of a kWh of the grid at an instant, kg; None if nobody knows."""
    told = None if quotes.carbon is None else quotes.carbon.at(when)
    return contract.carbon_kg_per_kwh if told is None else told


def over(contract: Contract, quotes: Quotes, slots: Slots, *, peak_so_far_w: float = 0.0) -> Prices:
    """Return the mean prices of each slot, for the planner.

    Carbon is given only where it is known for all slots: a plan cannot weigh what it half knows.

    Args:
        contract: What was agreed.
        quotes: What was told.
        slots: The steps of time.
        peak_so_far_w: Highest quarter-hour mean import of the billing month until now.
    """
    return Prices(
        import_per_kwh=_over(contract, quotes, Flow.IMPORT, slots),
        export_per_kwh=_over(contract, quotes, Flow.EXPORT, slots),
        carbon_kg_per_kwh=_carbon_over(contract, quotes, slots),
        carbon_price_per_kg=contract.carbon_price_per_kg,
        peak_per_kw=contract.peak_per_kw,
        peak_so_far_w=peak_so_far_w,
    )


def edges(
    contract: Contract, quotes: Quotes, flow: Flow, start: float, end: float
) -> Iterator[float]:
    """Yield the instants in (start, end) at which the price may change, in any order."""
    rate = contract.rate(flow)
    yield from rate.schedule.edges(start, end, contract.zone)
    for series in (quotes.utility(flow), quotes.market(flow) if rate.follows_market else None):
        if series is not None:
            yield from series.edges(start, end)
    inner = chain.from_iterable((e.start, e.end) for e in quotes.events if e.flow is flow)
    yield from (edge for edge in inner if start < edge < end)


def _base(contract: Contract, quotes: Quotes, flow: Flow, when: float) -> Price:
    utility, market, rate = quotes.utility(flow), quotes.market(flow), contract.rate(flow)
    told = None if utility is None else utility.at(when)
    if told is not None:
        return Price(told, "utility")
    told = market.at(when) if market is not None and rate.follows_market else None
    if told is not None:
        return Price(rate.of_market(told), "market")
    return Price(rate.schedule.at(when, contract.zone), "agreed")


def _over(contract: Contract, quotes: Quotes, flow: Flow, slots: Slots) -> tuple[float, ...]:
    return means(
        slots,
        edges(contract, quotes, flow, slots.start, slots.end),
        lambda when: price_at(contract, quotes, flow, when).per_kwh,
    )


def _carbon_over(contract: Contract, quotes: Quotes, slots: Slots) -> tuple[float, ...]:
    series = quotes.carbon
    inner = [] if series is None else list(series.edges(slots.start, slots.end))
    if any(carbon_at(contract, quotes, at) is None for at in (slots.start, *inner)):
        return ()
    return means(slots, inner, lambda when: carbon_at(contract, quotes, when) or 0.0)
