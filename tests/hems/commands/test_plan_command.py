"""`hems plan` against a real page."""

import asyncio
import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from hems.cli import main
from tests.web.surface import ScriptedClock, ScriptedHome
from tests.web.test_plan_api import PLAN, Planner
from web.plan_api import PlanApi
from web.server import serving
from web.settings import WebSettings

SETTINGS = WebSettings(port=0)


@pytest.mark.requirement("ROLE-UI")
async def test_what_is_planned_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    planner = [PlanApi(Planner(PLAN), "Europe/Berlin")]
    async with serving(ScriptedHome(), SETTINGS, ScriptedClock(), planner) as url:
        assert await asyncio.to_thread(main, ["plan", "--url", url]) == 0
        said = capsys.readouterr().out
        assert await asyncio.to_thread(main, ["plan", "--json", "--url", url]) == 0
        assert json.loads(capsys.readouterr().out)["cost"] == 1.25
    made = datetime.fromtimestamp(PLAN.made_at, ZoneInfo("Europe/Berlin"))
    assert said.startswith(f"planned {made:%a %H:%M}, until "), "by the home's clock"
    assert "It waits" in said
    assert "1.25 EUR" in said
    assert "given up" in said
    assert "EV 78 % of what it needs" in said
    assert "Nothing is known of the sun." in said


async def test_no_plan_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(
        ScriptedHome(), SETTINGS, ScriptedClock(), [PlanApi(Planner(), "Europe/Berlin")]
    ) as url:
        assert await asyncio.to_thread(main, ["plan", "--url", url]) == 0
    assert "nothing is planned" in capsys.readouterr().out


async def test_no_home_is_one_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert await asyncio.to_thread(main, ["plan", "--url", "http://127.0.0.1:9"]) == 1
    assert "no home answers" in capsys.readouterr().err
