"""Frequency regulation: the loop's reaction and evenness, and what it scores."""

import asyncio
from pathlib import Path
from typing import Final

from tests.benchmarks.programs_judge import Row
from tests.benchmarks.regulation import course_figures, signal_figures, step_figures

STEPS: Final = 400
COURSE_S: Final = 300


async def regulation(folder: Path) -> Row:
    """BUC-3: steps of the frequency; then a course with a loss in it, and a signal."""
    del folder
    found = dict(await step_figures(STEPS))
    for part in await asyncio.gather(course_figures(COURSE_S), signal_figures(COURSE_S)):
        found |= part
    return Row(
        first_write_ms=_number(found["reaction_p999_ms"]),
        settle_s=_number(found["reaction_worst_moment_max_ms"]) / 1000.0,
        delivered_share=min(_number(found["course_score"]), _number(found["signal_score"])),
        comfort_minutes=None,
        trigger="the frequency, measured ten times a second",
        more=found,
    )


def _number(figure: object) -> float:
    assert isinstance(figure, float), figure
    return figure
