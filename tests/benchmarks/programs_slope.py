"""Slopes and prices: what follows a bound on change, and what follows the wholesale market."""

import itertools
import time
from pathlib import Path
from statistics import fmean
from typing import Final

import aiohttp

from programs.slope import slope_w_min
from tests.benchmarks.programs_home import EVENING, Bench, at_home, scene
from tests.benchmarks.programs_judge import Course, Row, bounded, first_write_ms, seconds

BOUND_W_MIN: Final = 1000.0
CLOUDY: Final = (
    *("--start-hour", "12", "--pv-w", "3500", "--battery-soc", "0.6", "--battery-kwh", "10"),
    *("--ev-arrive-hour", "18", "--ev-leave-hour", "7.5", "--tank-temp", "58", "--room-temp", "22"),
)
"""Noon, with the house's own steps; clouds come and go by the bench's order."""
CLOUDS: Final = ((1200.0, 45.0), (3500.0, 45.0), (800.0, 60.0), (3500.0, 60.0))
BEFORE_S: Final = 75.0


async def slope(folder: Path) -> Row:
    """BUC-2: the sun falls and rises by kilowatts; the meter goes by 1 kW a minute."""
    lines = ('slope = "1 kW/min"',)
    async with (
        at_home(folder, scene(CLOUDY, battery="hold", economy=lines)) as home,
        aiohttp.ClientSession() as http,
    ):
        await home.quiet(BEFORE_S)
        lasts_s = round(sum(s for _, s in CLOUDS)) + 10
        event = await home.rig.dispatch(ramp_s=0, connect=True, seconds=lasts_s)
        begin = max(event.accepted_at, float(event.start))
        await home.quiet(5.0)
        first_cloud = time.time()
        for power_w, spell_s in CLOUDS:
            await _sun(home, http, power_w)
            await home.quiet(spell_s)
        course = await home.between(begin, float(event.start + event.duration_s), after_s=5.0)
        told = Course(first_cloud, course.ends_at, course.trace, course.writes, course.cold_s)
        slopes = _slopes(course)
        inside = [abs(s) <= BOUND_W_MIN for s in slopes]
        return Row(
            first_write_ms=first_write_ms(told, ("battery",)),
            settle_s=0.0,
            inside_share=sum(inside) / len(inside),
            comfort_minutes=course.cold_s / 60.0,
            trigger="a cloud, seen by the meter in the cycle of 1 s",
            more={
                "bound_w_min": BOUND_W_MIN,
                "steepest_w_min": round(max(map(abs, slopes))),
                "sun_steps_w": round(max(abs(a - b) for a, b in _pairs())),
            },
        )


def _pairs() -> list[tuple[float, float]]:
    powers = [3500.0, *(w for w, _ in CLOUDS)]
    return list(itertools.pairwise(powers))


def _slopes(course: Course) -> list[float]:
    """Return the slope over each minute that ends in the event, W a minute."""
    points = seconds(course.trace)
    ends = [at for at, _ in points if course.triggered_at + 60.0 <= at < course.ends_at]
    found = (slope_w_min([p for p in points if p[0] <= at], at) for at in ends)
    return [each for each in found if each is not None]


async def _sun(home: Bench, http: aiohttp.ClientSession, power_w: float) -> None:
    async with http.post(f"{home.rig.stage.control}/load", json={"pv_w": power_w}) as response:
        assert response.ok, await response.text()


CHEAP: Final = 0.03
DEAR: Final = 0.25
THRESHOLD_PER_MWH: Final = 60.0
DEAR_S: Final = 120


async def economic(folder: Path) -> Row:
    """BUC-6: the wholesale price, told by the utility, exceeds the month's net-benefits price."""
    published = _threshold(folder)
    lines = (
        *("[market]", 'tariff = "Wholesale"', f'net_benefits = "{published}"'),
        *('currency = "EUR"', "obliged = true", 'least = "60 s"', 'pause = "60 s"'),
        *("[programmes]", 'join = ["economic"]'),
    )
    async with at_home(folder, scene(EVENING, battery="hold", economy=lines)) as home:
        now = round(time.time())
        begin = now + 75
        await home.rig.operator_put(
            "/prices",
            {
                "tariff": "Wholesale",
                "currency": "EUR",
                "prices": [
                    {"start": now - 60, "minutes": (begin - now + 60) / 60, "price": CHEAP},
                    {"start": begin, "minutes": DEAR_S / 60, "price": DEAR},
                    {"start": begin + DEAR_S, "minutes": 60, "price": CHEAP},
                ],
            },
        )
        course = await home.between(float(begin), float(begin + DEAR_S))
        before_w = fmean(s.meter_w for s in course.before)
        return bounded(
            course, limit_w=0.1 * before_w, trigger="a price of TimeTariffIntervals, at its time"
        )


def _threshold(folder: Path) -> Path:
    """Publish this month's net-benefits price in a file."""
    folder.mkdir(parents=True, exist_ok=True)
    month = time.strftime("%Y-%m", time.gmtime())
    published = folder / "net-benefits.csv"
    published.write_text(
        "month,price_per_mwh,published,operator\n"
        f"{month},{THRESHOLD_PER_MWH},{month}-01,Example ISO\n",
        encoding="utf-8",
    )
    return published
