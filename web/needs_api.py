"""The API's handlers for what is wanted of cars and appliances, and their shapes as JSON."""

from collections.abc import Sequence
from datetime import time
from http import HTTPStatus
from typing import Annotated, Self

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, model_validator

from hems.cem.needs import CarMode
from hems.clock import Clock
from hems.needs.orders import CarWish
from hems.needs.surface import NeedsSurface
from web.answers import model_answer
from web.models import Answer

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


class _Order(BaseModel):
    """When something has to be ready.

    Attributes:
        ready: By the home's clock, "07:00"; or else
        ready_at: UTC epoch seconds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    ready: _Clock | None = None
    ready_at: _Instant | None = None

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if self.ready is not None and self.ready_at is not None:
            raise ValueError("say either ready or ready_at")
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
            raise ValueError("say either until or seconds")
        return self


class RunOrderBody(_Order):
    """What the owner asks of an appliance.

    Attributes:
        earliest: When it may begin, UTC epoch seconds.
    """

    earliest: _Instant | None = None


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

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return where it answers."""
        return [
            web.get("/api/needs", self.needs),
            web.post("/api/cars/{id}/order", self.order_car),
            web.delete("/api/cars/{id}/order", self.end_car_order),
            web.post("/api/appliances/{id}/run", self.ask_run),
            web.delete("/api/appliances/{id}/run", self.cancel_run),
        ]

    async def needs(self, _request: web.Request) -> web.StreamResponse:
        """Answer GET /api/needs: what is wanted now."""
        answer = NeedsAnswer.model_validate(self._surface.needs())
        return model_answer(answer.model_copy(update={"time_zone": self._time_zone}))

    async def order_car(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /api/cars/{id}/order: the owner's word, `CarOrderBody` as JSON."""
        body = CarOrderBody.model_validate_json(await request.read())
        until = body.until if body.seconds is None else self._clock.now() + body.seconds
        wish = CarWish(body.mode, body.ready_by, body.energy_wh, until)
        await self._surface.order_car(request.match_info["id"], wish)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def end_car_order(self, request: web.Request) -> web.StreamResponse:
        """Answer DELETE /api/cars/{id}/order: back to the car's habit."""
        await self._surface.end_car_order(request.match_info["id"])
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def ask_run(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /api/appliances/{id}/run: one run, `RunOrderBody` as JSON or nothing."""
        body = RunOrderBody.model_validate_json(await request.read() or b"{}")
        await self._surface.ask_run(request.match_info["id"], body.ready_by, body.earliest)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def cancel_run(self, request: web.Request) -> web.StreamResponse:
        """Answer DELETE /api/appliances/{id}/run: it is taken back."""
        await self._surface.cancel_run(request.match_info["id"])
        return web.Response(status=HTTPStatus.NO_CONTENT)
