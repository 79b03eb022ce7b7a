"""What an event of the market delivered and earned, against the customer baseline; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import floor
from typing import Final

from pydantic import BaseModel, ConfigDict

from der.sentence import Quantity, Sentence, say
from hems.market.thresholds import Threshold
from programs import economic
from programs.customer_baseline import QUARTER_S, Baseline
from programs.performance import Performance

_S_PER_H: Final = 3600.0
_MINUTE_S: Final = 60.0
_MOST_PRICES: Final = 2000


class Log(BaseModel):
    """One event while it runs, and until it is settled.

    Attributes:
        starts_at: UTC epoch seconds.
        ends_at: UTC epoch seconds; its start while it runs.
        threshold: The net-benefits price that it began above.
        read_at: When that was last read, UTC epoch seconds.
        source: Where.
        prices: Wholesale price per kWh from a time on, UTC epoch seconds; in order.
        opted_out: Whether the owner ended it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    starts_at: float
    ends_at: float
    threshold: Threshold
    read_at: float = 0.0
    source: str = ""
    prices: tuple[tuple[float, float], ...] = ()
    opted_out: bool = False

    def priced(self, now: float, per_kwh: float) -> "Log":
        """Return the log with the price of now, where it is another than before."""
        if (self.prices and self.prices[-1][1] == per_kwh) or len(self.prices) >= _MOST_PRICES:
            return self
        return self.model_copy(update={"prices": (*self.prices, (now, per_kwh))})

    def shifted(self, by_s: float) -> "Log":
        """Return the log with its times moved along, after UTC was set."""
        prices = tuple((at + by_s, per_kwh) for at, per_kwh in self.prices)
        starts_at, ends_at = self.starts_at + by_s, self.ends_at + by_s
        moved = {"starts_at": starts_at, "ends_at": ends_at, "prices": prices}
        return self.model_copy(update=moved)

    def over(self, now: float, *, opted_out: bool) -> "Log":
        """Return the log with its end, UTC epoch seconds."""
        ends_at = max(now, self.starts_at + 1.0)
        return self.model_copy(update={"ends_at": ends_at, "opted_out": opted_out})

    def price_at(self, at: float) -> float:
        """Return the wholesale price at a time of the event; the first known before it."""
        before = [per_kwh for since, per_kwh in self.prices if since <= at]
        if before:
            return before[-1]
        return self.prices[0][1] if self.prices else 0.0


@dataclass(frozen=True, slots=True)
class Earned:
    """What an event delivered.

    Attributes:
        log: The event.
        baseline: What the home would have taken; None where its past is too short.
        delivered_wh: What it took less; None without a baseline.
        paid: For that, at the wholesale price of each quarter-hour; None without a baseline.
        measured_share: Share of the event's time for which the meter was read.
    """

    log: Log
    baseline: Baseline | None
    delivered_wh: float | None
    paid: float | None
    measured_share: float

    def performance(self, currency: str) -> Performance:
        """Return it as the record that is settled on.

        Args:
            currency: Of the prices.
        """
        log, operator = self.log, self.log.threshold.operator
        asked_by = say("the wholesale market")
        if operator:
            asked_by = say("the wholesale market of {operator}", operator=operator)
        return Performance(
            programme=economic.ID,
            event=f"economic-{log.starts_at:.0f}",
            asked_by=asked_by,
            starts_at=log.starts_at,
            ends_at=log.ends_at,
            asked=0.0,
            unit="Wh",
            baseline_w=self._mean_w,
            baseline_by="" if self.baseline is None else self.baseline.words,
            delivered_wh=self.delivered_wh,
            measured_share=self.measured_share,
            opted_out=log.opted_out,
            note=self._note(currency),
        )

    @property
    def _mean_w(self) -> float | None:
        if self.baseline is None:
            return None
        return self.baseline.mean_w(self.log.starts_at, self.log.ends_at)

    def _note(self, currency: str) -> Sentence:
        log, month = self.log, self.log.threshold
        prices = [per_kwh for _, per_kwh in log.prices]
        of = say("{operator} for {month}", operator=month.operator, month=month.month)
        origin = say(
            "{price} of {of}, published {published}, read {read} from {source}",
            price=_per_kwh(month.per_kwh, currency),
            of=of if month.operator else month.month,
            published=month.published.isoformat(),
            read=datetime.fromtimestamp(log.read_at, UTC).strftime("%Y-%m-%d"),
            source=log.source or say("its source"),
        )
        dear = (
            say(
                "Wholesale price up to {price} above the net-benefits price {origin}",
                price=_per_kwh(max(prices), currency),
                origin=origin,
            )
            if prices
            else say(
                "Wholesale price, not known, above the net-benefits price {origin}", origin=origin
            )
        )
        if self.paid is None:
            return say(
                "{dear}; the home's past is too short for a baseline, so nothing can be claimed.",
                dear=dear,
            )
        paid = Quantity(f"{self.paid:.2f}", currency)
        return say("{dear}; the energy delivered earns {paid}.", dear=dear, paid=paid)


def _per_kwh(price: float, currency: str) -> Quantity:
    return Quantity(f"{price:.4g}", f"{currency}/kWh")


def settle(log: Log, baseline: Baseline | None, minutes: Sequence[tuple[float, float]]) -> Earned:
    """Return what an event delivered.

    Args:
        log: The event, over.
        baseline: What the home would have taken; None where its past is too short.
        minutes: Net power by the minute within it: start, UTC epoch seconds, and mean in W.
    """
    usual_w = {} if baseline is None else baseline.powers
    delivered_wh = paid = measured_s = 0.0
    for at, net_w in minutes:
        start, end = max(at, log.starts_at), min(at + _MINUTE_S, log.ends_at)
        if start >= end:
            continue
        measured_s += end - start
        quarter = floor(start / QUARTER_S) * QUARTER_S
        less_wh = (usual_w.get(quarter, net_w) - net_w) * (end - start) / _S_PER_H
        delivered_wh += less_wh
        paid += less_wh / 1000.0 * log.price_at(start)
    share = min(measured_s / max(log.ends_at - log.starts_at, 1.0), 1.0)
    if baseline is None:
        return Earned(log, None, None, None, share)
    return Earned(log, baseline, delivered_wh, max(paid, 0.0), share)
