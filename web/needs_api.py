"""What is wanted of cars and appliances under /api, and its shapes as JSON."""

from collections.abc import Sequence
from datetime import time
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from der.sentence import say
from hems.access.rights import Right
from hems.cem.local_time import EVERY_DAY
from hems.cem.needs import CarMode
from hems.clock import Clock
from hems.needs.habits import Usual
from hems.needs.orders import CarWish
from hems.needs.surface import NeedsSurface
from web.models import Answer, Input
from web.operation import Operation

_LAST_INSTANT = 32_503_680_000.0  # the year 3000
_Instant = Annotated[float, Field(ge=0, le=_LAST_INSTANT, strict=True)]
_Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class CarAnswer(Answer):
    """A car; fields as in `hems.needs.surface.CarView`."""

    device: str
    mode: str
    ready_at: float | None
    energy_wh: float | None
    taken_wh: float | None
    usual_wh: float | None
    ordered: bool
    until: float | None
    plugged: bool | None
    habit_mode: str
    habit_ready: str | None
    habit_days: Sequence[int]
    habit_wh: float | None
    habit_told: bool
    leaves_at: float | None


class RunAnswer(Answer):
    """An appliance; fields as in `hems.needs.surface.RunView`."""

    device: str
    length_s: float
    asked: bool
    earliest: float | None
    ready_by: float | None
    ends_at: float | None


class NeedsAnswer(Answer):
    """All needs; fields as in `hems.needs.surface.NeedsView`.

    Attributes:
        time_zone: IANA name of the home's time zone, by whose clock "07:00" is meant.
    """

    time_zone: str = ""
    cars: Sequence[CarAnswer]
    runs: Sequence[RunAnswer]


class _Order(Input):
    """When something has to be ready.

    Attributes:
        ready: By the home's clock, "07:00"; or else
        ready_at: UTC epoch seconds.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    ready: _Clock | None = None
    ready_at: _Instant | None = None

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if self.ready is not None and self.ready_at is not None:
            raise ValueError(say("say either ready or ready_at"))
        return self

    @property
    def ready_by(self) -> time | float | None:
        """The one of both that was said."""
        return self.ready_at if self.ready is None else time.fromisoformat(self.ready)


class CarOrderBody(_Order):
    """What the owner asks of a car.

    Attributes:
        mode: "now", "cheapest" or "solar".
        energy_wh: What it needs, as drawn since it was plugged in.
        until: When this ends, UTC epoch seconds; or else
        seconds: How long it lasts from now; neither for until the car is ready or unplugged.
    """

    mode: CarMode | None = None
    energy_wh: Annotated[float, Field(strict=True)] | None = None
    until: _Instant | None = None
    seconds: Annotated[float, Field(gt=0, strict=True)] | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.until is not None and self.seconds is not None:
            raise ValueError(say("say either until or seconds"))
        return self


class HabitBody(Input):
    """What a car needs as a rule.

    Attributes:
        mode: "now", "cheapest" or "solar".
        ready: When it has to be ready, by the home's clock ("07:00"); null for no time.
        days: Days of the week on which it has to be, 0 for Monday.
        energy_wh: What it needs, Wh; null for as much as it usually takes.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    mode: CarMode
    ready: _Clock | None = None
    days: frozenset[Annotated[int, Field(ge=0, le=6, strict=True)]] = EVERY_DAY
    energy_wh: Annotated[float, Field(strict=True)] | None = None

    @property
    def usual(self) -> Usual:
        """It as the surface takes it."""
        ready = None if self.ready is None else time.fromisoformat(self.ready)
        return Usual(self.mode, ready, self.days, self.energy_wh)


class RunOrderBody(_Order):
    """What the owner asks of an appliance.

    Attributes:
        earliest: When it may begin, UTC epoch seconds.
    """

    earliest: _Instant | None = None


NO_ORDER = RunOrderBody()


class NeedsApi:
    """What can be asked of the needs, under /api.

    Args:
        surface: The needs of the running home.
        clock: Where "from now" is counted from.
        time_zone: IANA name of the home's.
    """

    def __init__(self, surface: NeedsSurface, clock: Clock, time_zone: str) -> None:
        self._surface = surface
        self._clock = clock
        self._time_zone = time_zone

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        order, run = "/api/cars/{car}/order", "/api/appliances/{appliance}/run"
        habit = "/api/cars/{car}/habit"
        return [
            Operation("GET", "/api/needs", cls.needs, Right.STEER),
            Operation("POST", order, cls.order_car, Right.STEER),
            Operation("DELETE", order, cls.end_car_order, Right.STEER),
            Operation("PUT", habit, cls.accustom_car, Right.STEER),
            Operation("DELETE", habit, cls.forget_habit, Right.STEER),
            Operation("POST", run, cls.ask_run, Right.STEER),
            Operation("DELETE", run, cls.cancel_run, Right.STEER),
        ]

    async def needs(self) -> NeedsAnswer:
        """Return what is wanted of cars and appliances now."""
        answer = NeedsAnswer.model_validate(self._surface.needs())
        return answer.model_copy(update={"time_zone": self._time_zone})

    async def order_car(self, car: str, body: CarOrderBody) -> None:
        """Say when and how a car is to be charged."""
        until = body.until if body.seconds is None else self._clock.now() + body.seconds
        wish = CarWish(body.mode, body.ready_by, body.energy_wh, until)
        await self._surface.order_car(car, wish)

    async def end_car_order(self, car: str) -> None:
        """Go back to the car's habit."""
        await self._surface.end_car_order(car)

    async def accustom_car(self, car: str, body: HabitBody) -> None:
        """Say when and how a car is to be charged as a rule."""
        await self._surface.accustom_car(car, body.usual)

    async def forget_habit(self, car: str) -> None:
        """Charge a car again by the habit that the configuration has."""
        await self._surface.accustom_car(car, None)

    async def ask_run(self, appliance: str, body: RunOrderBody = NO_ORDER) -> None:
        """Ask for one run of an appliance; without a body, as soon as it suits."""
        await self._surface.ask_run(appliance, body.ready_by, body.earliest)

    async def cancel_run(self, appliance: str) -> None:
        """Take back a run that was asked for."""
        await self._surface.cancel_run(appliance)
