"""The plan over HTTP: all of it, and nothing where there is none."""

import math
from dataclasses import dataclass

import aiohttp
import pytest

from hems.access.rights import Role
from hems.plan_surface import PlannedView, PlanView, StepView
from tests.web.agreed import OneRole
from tests.web.surface import ScriptedClock, ScriptedHome
from web.plan_api import PlanApi
from web.server import serving
from web.settings import WebSettings

PLAN = PlanView(
    made_at=10.0,
    start=0.0,
    step_s=900.0,
    import_per_kwh=(0.3, -0.1),
    export_per_kwh=(0.05, 0.05),
    load_w=(500.0, 600.0),
    sun_w=(0.0, -100.0),
    net_w=(500.0, 500.0),
    limit_import_w=(math.inf, 1_500.0),
    devices={
        "battery": PlannedView(
            (0.0, 1_000.0), (0.5, 0.6), (StepView(0.0, 900.0, 0.0, "keep", "It waits"),)
        )
    },
    cost=1.25,
    currency="EUR",
    given_up=("EV 78 % of what it needs at 07:00: import limit until 06:00.",),
    notes=("Nothing is known of the sun.",),
    took_s=0.2,
)


@dataclass
class Planner:
    view: PlanView | None = None

    def plan(self) -> PlanView | None:
        return self.view


@pytest.mark.requirement("ROLE-UI")
async def test_the_plan_is_told_whole_and_unbounded_limits_are_null(settings: WebSettings) -> None:
    async with (
        serving(
            ScriptedHome(), settings, ScriptedClock(), [PlanApi(Planner(PLAN), "Europe/Berlin")]
        ) as url,
        aiohttp.ClientSession(url) as client,
        client.get("/api/plan") as answer,
    ):
        assert answer.status == 200
        told = await answer.json()
    assert told["limit_import_w"] == [None, 1_500.0]
    assert told["devices"]["battery"]["steps"][0]["reason"] == "It waits"
    assert told["devices"]["battery"]["level"] == [0.5, 0.6]
    assert told["given_up"] == list(PLAN.given_up)
    assert (told["cost"], told["time_zone"]) == (1.25, "Europe/Berlin")


@pytest.mark.requirement("PRV-RBAC")
async def test_who_may_not_steer_is_not_told_when_people_leave(settings: WebSettings) -> None:
    planner = PlanApi(Planner(PLAN), "Europe/Berlin")
    async with (
        serving(
            ScriptedHome(), settings, ScriptedClock(), [planner], OneRole(Role.INSTALLER)
        ) as url,
        aiohttp.ClientSession(url) as client,
        client.get("/api/plan") as answer,
    ):
        assert answer.status == 403


async def test_without_a_plan_there_is_no_content(settings: WebSettings) -> None:
    async with (
        serving(
            ScriptedHome(), settings, ScriptedClock(), [PlanApi(Planner(), "Europe/Berlin")]
        ) as url,
        aiohttp.ClientSession(url) as client,
        client.get("/api/plan") as answer,
    ):
        assert answer.status == 204
        assert await answer.read() == b""
