"""The plan under /api, and its shape as JSON."""

from collections.abc import Mapping, Sequence

from hems.access.rights import Right
from hems.plan_surface import PlanSurface
from web.models import Answer, Open
from web.operation import Operation
from web.words import Words


class StepAnswer(Answer):
    """A step; fields as in `hems.plan_surface.StepView`."""

    starts_at: float
    ends_at: float
    power_w: float
    use: str
    reason: Words


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
    limit_import_w: Sequence[Open]
    devices: Mapping[str, PlannedAnswer]
    cost: float
    currency: str
    given_up: Sequence[Words]
    notes: Sequence[Words]
    took_s: float


class PlanApi:
    """What can be asked of the planner, under /api."""

    def __init__(self, surface: PlanSurface, time_zone: str) -> None:
        self._surface = surface
        self._time_zone = time_zone

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does; a plan tells what people want, and when they come and go."""
        return [Operation("GET", "/api/plan", cls.plan, Right.STEER)]

    async def plan(self) -> PlanAnswer | None:
        """Return the plan in force; nothing while there is none."""
        plan = self._surface.plan()
        if plan is None:
            return None
        answer = PlanAnswer.model_validate(plan)
        return answer.model_copy(update={"time_zone": self._time_zone})
