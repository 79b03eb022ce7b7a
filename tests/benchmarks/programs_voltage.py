"""Volt-VAR and reactive set-points on the whole line: the meter's var against the curve."""

import itertools
from pathlib import Path
from statistics import fmean
from typing import Final

from tests.benchmarks.programs_home import Bench, at_home, scene
from tests.benchmarks.programs_judge import Course, Row, first_write_ms, held, seconds, worst
from tests.e2e.rig import Trace

SUNNY: Final = (
    *("--fixed-load", "300", "--pv-w", "2500", "--battery-soc", "1.0"),
    *("--ev-soc", "1.0", "--tank-temp", "60", "--room-temp", "22", "--pv-style", "full"),
)
POINTS: Final = ((0.92, 44.0), (0.98, 0.0), (1.02, 0.0), (1.08, -44.0))
"""IEEE 1547's default for category B: per unit of 230 V, per cent of VA, injected positive."""
RATED_VA: Final = 4400.0
HIGH_V: Final = 248.0
BEFORE_S: Final = 30.0
LASTS_S: Final = 60
WITHIN: Final = 0.05
"""Of the rating: what IEEE 1547 grants to reactive power in the steady state."""
RESPONSE_S: Final = 5.0


async def volt_var(folder: Path) -> Row:
    """BUC-4: a high voltage at the feeder; the inverter absorbs what the curve asks at its own."""
    async with at_home(folder, scene(SUNNY)) as home:
        await home.rig.feeder(HIGH_V)
        await home.quiet(BEFORE_S)
        curve = {"points": POINTS, "of": "max_va", "open_loop_s": RESPONSE_S}
        event = await home.rig.dispatch(volt_var=curve, seconds=LASTS_S)
        course = await home.course(event, after_s=20.0)
        return followed(course)


def followed(course: Course) -> Row:
    """Return the row of a course that is to follow the curve at each second's voltage."""
    settled = next(
        (s.at - course.triggered_at for s in course.during if s.meter_var >= 0.9 * asked_var(s)),
        None,
    )
    rows = seconds(course.during, lambda s: (s.meter_var - asked_var(s)) / RATED_VA)
    since = course.triggered_at + (settled or 0.0) + RESPONSE_S
    judged = [off for at, off in rows if since <= at <= course.ends_at - 1]
    before_v = fmean(s.voltage_v for s in course.before[-100:])
    during_v = fmean(s.voltage_v for s in course.during if s.at >= since)
    got = fmean(s.meter_var for s in course.during if s.at >= since)
    wanted = fmean(asked_var(s) for s in course.during if s.at >= since)
    return Row(
        first_write_ms=first_write_ms(course, ("pv",)),
        settle_s=settled,
        inside_share=sum(abs(off) <= WITHIN for off in judged) / len(judged) if settled else 0.0,
        delivered_share=got / wanted,
        comfort_minutes=None,
        trigger="event by notification; the curve's own response is 5 s",
        more={"voltage_before": round(before_v, 1), "voltage_during": round(during_v, 1)},
    )


def asked_var(sample: Trace) -> float:
    """Return what the curve asks at a sample's voltage, var, absorption positive."""
    at = sample.voltage_v / 230.0
    if at <= POINTS[0][0]:
        return -POINTS[0][1] / 100 * RATED_VA
    for (x0, y0), (x1, y1) in itertools.pairwise(POINTS):
        if at <= x1:
            return -(y0 + (y1 - y0) * (at - x0) / (x1 - x0)) / 100 * RATED_VA
    return -POINTS[-1][1] / 100 * RATED_VA


async def set_points(folder: Path) -> Row:
    """BUC-12: 1 kvar absorbed; then solar and battery together give 1 kW, the sun held back."""
    async with at_home(folder, scene(SUNNY)) as home:
        await home.quiet(BEFORE_S)
        reactive = await _reactive(home)
        active = await _active(home)
        return worst([reactive, active])


async def _reactive(home: Bench) -> Row:
    event = await home.rig.dispatch(target_var=-1000.0, seconds=LASTS_S)
    course = await home.course(event, after_s=20.0)
    return held(
        course,
        aim=1000.0,
        within=WITHIN * RATED_VA,
        value=lambda s: s.meter_var,
        devices=("pv",),
        trigger="events by notification",
    )


async def _active(home: Bench) -> Row:
    await home.quiet(BEFORE_S)
    event = await home.rig.dispatch(target_w=1000.0, seconds=LASTS_S)
    course = await home.course(event, after_s=20.0)
    return held(
        course,
        aim=300.0 - 1000.0,
        within=100.0,
        value=lambda s: s.meter_w,
        trigger="events by notification",
    )
