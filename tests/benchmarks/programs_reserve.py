"""Reserve on the whole line: offered, granted, held, called, and given in full to the end."""

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from pydantic import TypeAdapter

from tests.benchmarks.programs_day import day_peak_w
from tests.benchmarks.programs_home import EVENING, Bench, at_home, scene
from tests.benchmarks.programs_judge import Row, bounded, delivered_wh, seconds
from tests.benchmarks.programs_zone import midnight_in
from tests.waiting import until

PROGRAMS: Final = (
    *("[[programs]]", 'name = "Peak Saver"', "primacy = 10", 'kind = "der"'),
    *("[[programs]]", 'name = "Reserve"', "primacy = 5", 'kind = "drlc"'),
)
BEFORE_S: Final = 40.0
TO_MIDNIGHT_S: Final = 240.0
_JSON: Final = TypeAdapter(dict[str, Any])


async def spinning(folder: Path) -> Row:
    """BUC-8: 2 kW for ten minutes."""
    return await _called(folder, "spinning", 2000.0, 600)


async def day_ahead(folder: Path) -> Row:
    """BUC-9: 1.5 kW for half an hour, offered on the day before."""
    zone = midnight_in(folder / "zones", TO_MIDNIGHT_S, time.time())
    return await _called(folder, "day-ahead", 1500.0, 1800, zone)


async def _called(
    folder: Path, product: str, power_w: float, lasts_s: int, zone: str = "UTC"
) -> Row:
    lines = (
        "[reserve]",
        "enabled = true",
        'programs = ["Reserve"]',
        f'products = ["{product}"]',
        f'call = "{lasts_s} s"',
        "share = 1.0",
    )
    played = scene(EVENING, battery="hold", economy=lines, headend=PROGRAMS)
    played = replace(played, time_zone=zone)
    async with at_home(folder, played) as home:
        offer = await _offered(home)
        granted_wh = -power_w * lasts_s / 3600.0
        begin = max(round(time.time()), math.ceil(float(offer["start"])))
        span = {"start": begin, "minutes": lasts_s / 60 + 10}
        await home.rig.operator_post(
            f"/reservations/{offer['id']}/grant",
            {"power_w": -power_w, "energy_wh": granted_wh, **span},
        )
        await until(
            lambda: _page(home),
            lambda shown: any(c["state"] == "held ready" for c in shown["commitments"]),
            begin - time.time() + 60.0,
            "the commitment held",
        )
        await home.quiet(BEFORE_S)
        event = await home.rig.dispatch(shed_w=power_w, seconds=lasts_s, program="Reserve")
        course = await home.course(event, after_s=60.0)
        peak_w = await asyncio.to_thread(day_peak_w, EVENING)
        baseline_w = fmean(s.meter_w for s in course.before[-10:])
        row = bounded(course, limit_w=baseline_w - power_w, trigger="call by notification")
        given = delivered_wh(course, baseline_w) / (power_w * lasts_s / 3600.0)
        return Row(
            first_write_ms=row.first_write_ms,
            settle_s=row.settle_s,
            inside_share=row.inside_share,
            delivered_share=given,
            rebound_ratio=row.rebound_ratio,
            comfort_minutes=row.comfort_minutes,
            trigger=row.trigger,
            more={
                "called_s": lasts_s,
                "committed_w": power_w,
                "offered_w": -float(offer["power_w"]),
                "rebound_of_day": round(max(w for _, w in seconds(course.after)) / peak_w, 4),
            },
        )


async def _offered(home: Bench) -> Mapping[str, Any]:
    found = await until(
        lambda: _operator(home),
        lambda told: bool(told["reservations"]),
        90.0,
        "the offer at the utility",
    )
    offer: Mapping[str, Any] = found["reservations"][0]
    return offer


async def _operator(home: Bench) -> Mapping[str, Any]:
    return _JSON.validate_json(await home.rig.operator_get("/reservations"))


async def _page(home: Bench) -> Mapping[str, Any]:
    return _JSON.validate_json(await home.rig.get_page("/api/reserves"))
