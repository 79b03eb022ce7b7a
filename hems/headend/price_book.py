"""The utility's tariffs and prices, durable first, then seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hems.clock import Clock
from hems.headend.dispatch import make_mrid
from hems.headend.errors import ConflictError, UnknownItemError
from hems.headend.prices import Flow, Offer, Price, Tariff, change, check_offers, owner
from hems.headend.shelf import Shelf
from hems.headend.spans import Calendar, Span

MAX_TARIFFS = 20


@dataclass(frozen=True, slots=True)
class Series:
    """A series of prices that an operator sets.

    Attributes:
        tariff: Name of the tariff; a new one is made.
        flow: What the prices are of.
        offers: The prices.
        currency: Code of ISO 4217; None for what the tariff has, or EUR.
        primacy: Of the tariff; None for what it has, or 10.
        raw: Whether prices that make no sense, yet can be told, may pass.
    """

    tariff: str
    flow: Flow
    offers: Sequence[Offer]
    currency: int | None = None
    primacy: int | None = None
    raw: bool = False


class PriceBook:
    """Tariffs and their prices. `Store.load` reads them.

    Args:
        shelf: Where tariffs are kept.
        prices: Their prices.
        clock: The utility's time.
        pen: Private enterprise number for the mRIDs made here.

    Attributes:
        on_tariffs: Called when the list of tariffs has changed.
        on_prices: Called with a tariff and what the prices are of that have changed.
    """

    def __init__(
        self, shelf: Shelf[Tariff], prices: Calendar[Price], clock: Clock, pen: int
    ) -> None:
        self._shelf = shelf
        self.prices = prices
        self._clock = clock
        self._pen = pen
        self.on_tariffs: Callable[[], None] = _nobody
        self.on_prices: Callable[[Tariff, Flow], None] = _nobody_prices
        shelf.follow(lambda _changes: self.on_tariffs())
        prices.on_change = self._tell

    @property
    def tariffs(self) -> Sequence[Tariff]:
        """All tariffs, by primacy, then mRID descending."""
        found = sorted(self._shelf.items, key=lambda tariff: tariff.mrid, reverse=True)
        return sorted(found, key=lambda tariff: tariff.primacy)

    def tariff(self, number: int) -> Tariff | None:
        """Return a tariff; None if there is none of this number."""
        return next((t for t in self._shelf.items if t.number == number), None)

    def named(self, name: str) -> Tariff:
        """Return a tariff by name.

        Raises:
            UnknownItemError: There is none.
        """
        found = self._find(name)
        if found is None:
            known = ", ".join(tariff.name for tariff in self.tariffs) or "none yet"
            raise UnknownItemError(f"no tariff {name[:40]!r}; there are: {known}")
        return found

    async def set(self, series: Series) -> Tariff:
        """Set a series of prices; it takes the place of all from its first start on.

        Raises:
            DispatchError: A price makes no sense.
            ConflictError: There are too many tariffs, or the currency is another.
            BusyError: The database cannot take it; nothing changed.
        """
        async with self._shelf.database.changing():
            now = self._clock.now()
            offers = check_offers(series.offers, now, raw=series.raw)
            before = self._find(series.tariff)
            tariff = self._made(series, before, now)
            if tariff != before:
                await self._shelf.put((tariff.mrid, "", tariff))
            await self._apply(tariff, series.flow, offers, now)
        return tariff

    async def clear(self, name: str, flow: Flow) -> Tariff:
        """Cancel all prices of a tariff that are not over.

        Raises:
            UnknownItemError: There is no such tariff.
            BusyError: The database cannot do it; nothing changed.
        """
        async with self._shelf.database.changing():
            tariff, now = self.named(name), self._clock.now()
            left = self.prices.open(owner(tariff.mrid, flow))
            await self.prices.keep(*(replace(p, span=p.span.cancelled(now)) for p in left))
        return tariff

    async def _apply(self, tariff: Tariff, flow: Flow, offers: Sequence[Offer], now: float) -> None:
        changed = change(self.prices.open(owner(tariff.mrid, flow)), offers)
        ended = (replace(p, span=p.span.cancelled(now)) for p in changed.cancelled)
        added = (
            Price(
                Span(make_mrid(now, self._pen), int(offer.start), int(offer.duration_s), now),
                tariff.mrid,
                flow,
                offer.per_kwh,
            )
            for offer in changed.added
        )
        await self.prices.keep(*ended, *added)

    def _made(self, series: Series, before: Tariff | None, now: float) -> Tariff:
        if before is None:
            if len(self._shelf.all) >= MAX_TARIFFS:
                raise ConflictError(f"there are {MAX_TARIFFS} tariffs already")
            before = Tariff(
                max((t.number for t in self._shelf.items), default=0) + 1,
                make_mrid(now, self._pen),
                series.tariff,
                _PRIMACY,
                series.currency or _EUR,
                (),
            )
        if series.currency is not None and series.currency != before.currency:
            raise ConflictError(
                f"tariff {before.name!r} is in currency {before.currency}, not {series.currency}"
            )
        flows = before.flows if series.flow in before.flows else (*before.flows, series.flow)
        primacy = before.primacy if series.primacy is None else series.primacy
        return replace(before, primacy=primacy, flows=flows)

    def _tell(self, prices: Sequence[Price]) -> None:
        for mrid, flow in dict.fromkeys((price.tariff, price.flow) for price in prices):
            tariff = self._shelf.find(mrid)
            if tariff is not None:
                self.on_prices(tariff, flow)

    def _find(self, name: str) -> Tariff | None:
        wanted = name.casefold()
        found = (t for t in self._shelf.items if wanted in {t.name.casefold(), t.mrid.casefold()})
        return next(found, None)


_PRIMACY = 10
_EUR = 978


def _nobody() -> None:
    """Stand in until someone listens."""


def _nobody_prices(_tariff: Tariff, _flow: Flow) -> None:
    """Stand in until someone listens."""
