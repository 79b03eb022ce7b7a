"""The home without its grid: how soon it goes on as an island, how well, and how it comes back."""

import asyncio
import time
from pathlib import Path
from statistics import fmean
from typing import Final

import aiohttp
from pydantic import BaseModel, ConfigDict

from tests.benchmarks.programs_home import Bench, at_home, scene
from tests.benchmarks.programs_judge import Row, first_write_ms, seconds
from tests.waiting import until

HOUSE: Final = (
    *("--described", "tie,former", "--fixed-load", "1200", "--pv-w", "0", "--battery-soc", "0.7"),
    *("--ev-soc", "0.3", "--ev-max-a", "16", "--ev-arrive-hour", "7.5"),
    *("--tank-temp", "47", "--room-temp", "21"),
)
LINES: Final = (
    *("[microgrid]", 'permit = "outage"', 'tie = "tie"', 'forming = "battery"'),
    *('spacing = "2 s"', 'delay = "10 s"', 'ramp = "10 s"', 'expected = "1 h"'),
)
OUT_S: Final = 90.0
RATED_W: Final = 5000.0


class _Flow(BaseModel):
    model_config = ConfigDict(extra="ignore")

    power_w: float


class _House(BaseModel):
    model_config = ConfigDict(extra="ignore")

    bus: str
    frequency_hz: float
    battery: _Flow
    base: _Flow


class _Island(BaseModel):
    model_config = ConfigDict(extra="ignore")

    blackouts: int
    backfeeds: int
    closings: list[float]


class _Truth(BaseModel):
    model_config = ConfigDict(extra="ignore")

    house: _House
    island: _Island


async def island(folder: Path) -> Row:
    """BUC-14: the street goes dark with a car and hot water running; then it comes back."""
    played = scene(HOUSE, battery="hold", economy=LINES)
    async with at_home(folder, played) as home, aiohttp.ClientSession() as http:
        await home.quiet(40.0)
        began = time.time()
        await _street(home, http, out=True)
        await until(
            lambda: _truth(home, http), lambda t: t.house.bus == "formed", 60.0, "an island"
        )
        formed = time.time()
        shares = [await _second(home, http) for _ in range(round(OUT_S))]
        back = time.time()
        await _street(home, http, out=False)
        await until(
            lambda: _truth(home, http), lambda t: t.house.bus == "grid", 120.0, "back in step"
        )
        closed = time.time()
        course = await home.between(began, back, after_s=closed - back + 60.0)
        last = await _truth(home, http)
        dark = [s for s in course.during if s.frequency_hz < 40.0]
        after = [w for at, w in seconds(course.after) if at > closed]
        before = [w for _, w in seconds(course.before)]
        return Row(
            first_write_ms=first_write_ms(course),
            settle_s=formed - began,
            inside_share=fmean(inside for inside, _ in shares),
            delivered_share=fmean(served for _, served in shares),
            rebound_ratio=max(after) / max(before),
            comfort_minutes=course.cold_s / 60.0,
            trigger="the street's voltage, measured",
            more={
                "dark_s": round(len(dark) / 10, 1),
                "back_in_step_s": round(closed - back, 1),
                "closing_angle_deg": round(max(map(abs, last.island.closings)), 1),
                "blackouts": last.island.blackouts,
                "backfeeds": last.island.backfeeds,
            },
        )


async def _second(home: Bench, http: aiohttp.ClientSession) -> tuple[bool, float]:
    """Return whether frequency and power are inside now, and what the house's own load has."""
    await asyncio.sleep(1.0)
    truth = (await _truth(home, http)).house
    inside = truth.bus == "formed" and abs(truth.battery.power_w) <= RATED_W
    return inside and abs(truth.frequency_hz - 50.0) <= 1.0, truth.base.power_w / 1200.0


async def _truth(home: Bench, http: aiohttp.ClientSession) -> _Truth:
    async with http.get(f"{home.rig.stage.control}/state") as response:
        return _Truth.model_validate_json(await response.read())


async def _street(home: Bench, http: aiohttp.ClientSession, *, out: bool) -> None:
    async with http.post(f"{home.rig.stage.control}/grid", json={"out": out}) as response:
        assert response.ok, await response.text()
