"""The planner's process from question to plan: forecast, programme, worth of what is stored."""

import time
from dataclasses import dataclass, field, replace
from typing import Final
from zoneinfo import ZoneInfo

from hems.cem.forecast.forecaster import Forecaster
from hems.cem.forecast.history import History
from hems.cem.forecast.past import Outlook
from hems.cem.planner.milp.solve import solve
from hems.cem.planner.plan import Plan
from hems.cem.planner.pose import pose
from hems.cem.planner.question import Question, Role
from hems.cem.planner.sound import sound
from hems.cem.planner.valued import valued

EFFORT: Final = {"time_limit_s": 5.0, "gap": 1e-4, "money": 0.001}
"""A tenth of a cent over a day and a half is no reason to search on."""
HEATED: Final = {"time_limit_s": 2.0, "gap": 1e-3, "money": 0.005}
"""Heaters that go on and off make a plan that nobody could prove to be the best: half a cent of
doubt is not worth seconds of a small machine every few minutes."""


@dataclass(slots=True)
class Planner:
    """Answers questions, and remembers the home's past and its own last plan."""

    _history: History | None = None
    _forecaster: Forecaster = field(default_factory=Forecaster)
    _last: Plan | None = None

    def answer(self, question: Question) -> Plan:
        """Return the plan; there always is one."""
        began = time.perf_counter()
        outlook = self._outlook(question)
        problem, doubts = sound(pose(question, outlook, self._last))
        zone = ZoneInfo(question.zone)
        effort = HEATED if problem.heats else EFFORT
        plan = solve(problem, question.at, warm=self._last, zone=zone, **effort)
        plan = valued(plan, problem, outlook.paths)
        self._last = replace(
            plan,
            notes=(*outlook.notes, *doubts, *plan.notes),
            took_s=time.perf_counter() - began,
        )
        return self._last

    def _outlook(self, question: Question) -> Outlook:
        """Take what is new of the past, and return what is expected."""
        new = self._history is None or self._history.step_s != question.slots.step_s
        if self._history is None or new:
            self._history = History(question.slots.step_s)
        for stretch in question.past:
            self._history.take(stretch)
        for heat in question.heats:
            self._history.take_temperature(heat.store.device, Role.HEAT, question.at, heat.temp_c)
        past = self._history.past(question.at, ZoneInfo(question.zone), question.stays)
        past = replace(past, present_load_w=question.load_w, present_sun_w=question.sun_w)
        if question.weather is not None:
            self._forecaster.hear(question.weather, question.at)
        if new:
            self._forecaster.rehearse(past, question.slots.step_s)
        return self._forecaster.forecast(
            past,
            question.slots,
            plugged={car.id: car.plugged for car in question.cars},
            stores=[heat.store for heat in question.heats],
        )
