"""The operator's door for prices."""

from datetime import datetime
from typing import Annotated, Self

from aiohttp import web
from pydantic import BaseModel, Field, model_validator

from hems.headend.errors import DispatchError
from hems.headend.operator_asks import Finite, In, Line
from hems.headend.operator_door import json_answer, read_model
from hems.headend.price_book import PriceBook, Series
from hems.headend.prices import Flow, Offer, Tariff, currency_code, owner
from hems.headend.status import EventState


class PriceIn(In):
    """One price; `start` in epoch seconds or ISO 8601 with its offset from UTC."""

    start: Finite | str
    minutes: Finite
    price: Finite | None = None
    """For each kWh, in the tariff's currency; None only in raw orders."""

    def offer(self) -> Offer:
        """Return it, still to be judged.

        Raises:
            DispatchError: Its start is no time.
        """
        return Offer(_time(self.start), self.minutes * 60.0, self.price)


class SeriesIn(In):
    """A series of prices; it takes the place of all that hold from its first start on."""

    tariff: Annotated[Line, Field(min_length=1, max_length=32)] = "Retail"
    flow: Flow = Flow.IMPORT
    currency: str | None = None
    """ISO 4217, letters or digits; EUR for a new tariff."""
    primacy: Annotated[int, Field(ge=0, le=255)] | None = None
    prices: list[PriceIn]
    raw: bool = False

    @model_validator(mode="after")
    def _name_fits(self) -> Self:
        if len(self.tariff.encode()) > _NAME_OCTETS:
            raise ValueError(f"tariff: {self.tariff!r} is longer than {_NAME_OCTETS} octets")
        return self

    def series(self) -> Series:
        """Return it, still to be judged.

        Raises:
            DispatchError: A start is no time, or the currency is not known.
        """
        return Series(
            self.tariff,
            self.flow,
            [price.offer() for price in self.prices],
            None if self.currency is None else currency_code(self.currency),
            self.primacy,
            self.raw,
        )


_NAME_OCTETS = 32


class PriceOut(BaseModel):
    """One price, and how it stands."""

    id: str
    flow: Flow
    start: int
    minutes: float
    price: float | None
    state: str


class TariffOut(BaseModel):
    """A tariff with its prices, by start."""

    tariff: str
    id: str
    primacy: int
    currency: int
    prices: list[PriceOut]


class TariffsOut(BaseModel):
    """All tariffs, by primacy."""

    tariffs: list[TariffOut]


class PriceDoor:
    """Prices.

    Args:
        book: Where they are kept.
    """

    def __init__(self, book: PriceBook) -> None:
        self._book = book

    def routes(self) -> list[web.RouteDef]:
        """Return where these stand."""
        return [
            web.get("/prices", self.get_prices),
            web.put("/prices", self.put_prices),
            web.delete("/prices/{tariff}/{flow:import|export}", self.delete_prices),
        ]

    async def get_prices(self, _request: web.Request) -> web.Response:
        """Answer all tariffs and their remembered prices."""
        return json_answer(TariffsOut(tariffs=[self._out(t) for t in self._book.tariffs]))

    async def put_prices(self, request: web.Request) -> web.Response:
        """Set a series of prices; it is durable and on its way when this answers."""
        tariff = await self._book.set((await read_model(request, SeriesIn)).series())
        return json_answer(self._out(tariff))

    async def delete_prices(self, request: web.Request) -> web.Response:
        """Cancel all prices of a tariff that are not over."""
        flow = Flow(request.match_info["flow"])
        return json_answer(self._out(await self._book.clear(request.match_info["tariff"], flow)))

    def _out(self, tariff: Tariff) -> TariffOut:
        prices = self._book.prices
        return TariffOut(
            tariff=tariff.name,
            id=tariff.mrid,
            primacy=tariff.primacy,
            currency=tariff.currency,
            prices=[
                PriceOut(
                    id=price.span.mrid,
                    flow=price.flow,
                    start=price.span.start,
                    minutes=price.span.duration_s / 60,
                    price=price.per_kwh,
                    state=state_words(prices.state(price)),
                )
                for flow in tariff.flows
                for price in prices.of(owner(tariff.mrid, flow))
            ],
        )


def state_words(state: EventState) -> str:
    """Return a state in words."""
    return state.status.name.lower().replace("_", " ")


def _time(start: float | str) -> float:
    if not isinstance(start, str):
        return start
    try:
        at = datetime.fromisoformat(start)
    except ValueError as error:
        raise DispatchError(f"start {start[:40]!r} is not ISO 8601: 2030-01-31T18:00Z") from error
    if at.tzinfo is None:
        raise DispatchError(f"start {start[:40]!r} does not say its offset from UTC")
    return at.timestamp()
