"""The accounts under /api, and their shapes as JSON."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Self

from pydantic import Field, model_validator

from der.sentence import say
from hems.access.rights import Right
from hems.money.surface import MoneySurface, MoneyView, Step, TooManyPeriodsError
from web.models import Answer, Input
from web.operation import Operation, Refusals

_MOST_DAYS = 366
_WEEK = 7
_LAST_INSTANT = 32_503_680_000.0  # the year 3000: beyond it date arithmetic gives up

_Instant = Annotated[float, Field(ge=0, le=_LAST_INSTANT, allow_inf_nan=False)]


class AccountAnswer(Answer):
    """The accounts of a period; fields as in `hems.money.surface.MoneyView`."""

    start: float
    end: float
    currency: str
    import_wh: float
    export_wh: float
    sun_wh: float
    used_wh: float
    cost: float
    revenue: float
    charges: float
    total: float
    saved_no_control: float | None
    saved_greedy: float | None
    carbon_kg: float | None
    self_consumption: float | None
    autarky: float | None
    measured: float


class MoneyAnswer(Answer):
    """The accounts of all periods asked for that have any, and the zone of their days."""

    time_zone: str
    periods: Sequence[AccountAnswer]


class MoneyQuery(Input):
    """What is asked: an interval of time and a step, or a number of days until now.

    Attributes:
        start: UTC epoch seconds.
        end: UTC epoch seconds, after `start`.
        step: What to add up by.
        days: The last days, today being one; a week where nothing is asked.
    """

    start: _Instant | None = None
    end: _Instant | None = None
    step: Step = Step.DAY
    days: Annotated[int, Field(ge=1, le=_MOST_DAYS)] | None = None

    @model_validator(mode="after")
    def _one_way_of_asking(self) -> Self:
        if (self.start is None) != (self.end is None):
            raise ValueError(say("start and end go together"))
        if self.days is not None and (self.start is not None or "step" in self.model_fields_set):
            raise ValueError(say("ask for days, or for start, end and step, not both"))
        if self.days is None and self.start is None and "step" in self.model_fields_set:
            raise ValueError(say("a step needs start and end"))
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError(say("end must be after start"))
        return self


class MoneyApi:
    """What can be asked of the accounts, under /api."""

    def __init__(self, surface: MoneySurface, time_zone: str) -> None:
        self._surface = surface
        self._time_zone = time_zone

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        refusals: Refusals = {TooManyPeriodsError: HTTPStatus.BAD_REQUEST}
        return [
            Operation("GET", "/api/money", cls.money, Right.HISTORY, refusals=refusals),
        ]

    async def money(self, query: MoneyQuery) -> MoneyAnswer:
        """Return the accounts: of an interval by steps, of the last days, or of a week."""
        periods = [AccountAnswer.model_validate(each) for each in await self._asked(query)]
        return MoneyAnswer(time_zone=self._time_zone, periods=periods)

    async def _asked(self, query: MoneyQuery) -> Sequence[MoneyView]:
        if query.start is not None and query.end is not None:
            return await self._surface.money(query.start, query.end, query.step)
        return await self._surface.money_days(query.days or _WEEK)
