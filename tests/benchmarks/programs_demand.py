"""Peak shaving, energy support, emergencies, envelopes and power set-points on the whole line."""

from pathlib import Path
from typing import Final

from tests.benchmarks.programs_home import EVENING, NOON, at_home, scene
from tests.benchmarks.programs_judge import (
    Row,
    bounded,
    delivered_wh,
    first_write_ms,
    rebound_ratio,
    seconds,
    settle_s,
)

BEFORE_S: Final = 40.0
LASTS_S: Final = 90


async def peak_shaving(folder: Path) -> Row:
    """BUC-1: the home takes at most 1.5 kW while it would take three times that and more."""
    async with at_home(folder, scene(EVENING, battery="hold")) as home:
        await home.quiet(BEFORE_S)
        event = await home.rig.dispatch(limit_import_w=1500.0, seconds=LASTS_S)
        course = await home.course(event)
        return bounded(course, limit_w=1500.0, trigger="event by notification")


async def energy_support(folder: Path) -> Row:
    """BUC-5: 50 Wh less over the event than the power at its begin would take."""
    asked_wh = 50.0
    async with at_home(folder, scene(EVENING, battery="hold")) as home:
        await home.quiet(BEFORE_S)
        event = await home.rig.dispatch(reduce_energy_wh=asked_wh, seconds=LASTS_S)
        course = await home.course(event)
        baseline_w = seconds(course.before)[-1][1]
        aim_w = baseline_w - asked_wh * 3600.0 / LASTS_S
        delivered = delivered_wh(course, baseline_w)
        return Row(
            first_write_ms=first_write_ms(course),
            settle_s=settle_s(course, aim_w),
            delivered_share=delivered / asked_wh,
            rebound_ratio=rebound_ratio(course),
            comfort_minutes=course.cold_s / 60.0,
            trigger="EndDeviceControl by notification",
        )


async def emergency(folder: Path) -> Row:
    """BUC-7: 3 kW less than before, at once."""
    shed_w = 3000.0
    async with at_home(folder, scene(EVENING, battery="hold")) as home:
        await home.quiet(BEFORE_S)
        event = await home.rig.dispatch(shed_w=shed_w, seconds=LASTS_S)
        course = await home.course(event)
        baseline_w = seconds(course.before)[-1][1]
        return bounded(
            course, limit_w=baseline_w - shed_w, trigger="EndDeviceControl by notification"
        )


async def envelope(folder: Path) -> Row:
    """BUC-11: nothing into the grid at noon, with a battery that is to keep out of it."""
    async with at_home(folder, scene(NOON, battery="hold")) as home:
        await home.quiet(BEFORE_S)
        event = await home.rig.dispatch(limit_export_w=500.0, seconds=LASTS_S)
        course = await home.course(event)
        return bounded(course, limit_w=-500.0, upper=False, trigger="event by notification")
