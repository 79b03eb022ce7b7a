"""The API's handler for the plan, and its shape as JSON."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from aiohttp import web

from hems.plan_surface import PlanSurface
from web.answers import model_answer
from web.models import Answer


class StepAnswer(Answer):
    """A step; fields as in `hems.plan_surface.StepView`."""

    starts_at: float
    ends_at: float
    power_w: float
    use: str
    reason: str


class PlannedAnswer(Answer):
    """A device over the plan; fields as in `hems.plan_surface.PlannedView`."""

    power_w: Sequence[float]
    level: Sequence[float]
    steps: Sequence[StepAnswer]


class PlanAnswer(Answer):
    """The plan; fields as in `hems.plan_surface.PlanView`, infinite limits as null.

    Attributes:
        time_zone: IANA name of the home's time zone, by which the reasons tell times.
    """

    time_zone: str = ""
    made_at: float
    start: float
    step_s: float
    import_per_kwh: Sequence[float]
    export_per_kwh: Sequence[float]
    load_w: Sequence[float]
    sun_w: Sequence[float]
    net_w: Sequence[float]
    limit_import_w: Sequence[float]
    devices: Mapping[str, PlannedAnswer]
    cost: float
    currency: str
    given_up: Sequence[str]
    notes: Sequence[str]
    took_s: float


class PlanApi:
    """What can be asked of the planner, under /api."""

    def __init__(self, surface: PlanSurface, time_zone: str) -> None:
        self._surface = surface
        self._time_zone = time_zone

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return where it answers."""
        return [web.get("/api/plan", self.plan)]

    async def plan(self, _request: web.Request) -> web.StreamResponse:
        """Answer GET /api/plan: the plan in force; 204 while there is none."""
        plan = self._surface.plan()
        if plan is None:
            return web.Response(status=HTTPStatus.NO_CONTENT)
        answer = PlanAnswer.model_validate(plan)
        return model_answer(answer.model_copy(update={"time_zone": self._time_zone}))
