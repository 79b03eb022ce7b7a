"""The hub's end of its regulating process, with a process that only pretends to regulate."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

from hems.regulation.letters import Report
from hems.regulation.process import SILENT_S, Regulator
from tests.waiting import until

pytestmark = pytest.mark.requirement("BUC-3")
TALKS = """
import sys, time
from hems.regulation.letters import Ready, Report, write_answer
def say(answer):
    sys.stdout.buffer.write(write_answer(answer))
    sys.stdout.buffer.flush()
say(Ready("usual priority"))
for number in range(NUMBER):
    say(Report(None, "", 0.0, number, "", False))
    time.sleep(0.1)
time.sleep(60)
"""


def hang(seconds: float) -> None:
    """Have the hub do nothing at all, as when it hangs or the machine sleeps."""
    time.sleep(seconds)


async def ready(regulator: Regulator) -> None:
    async def look() -> bool:
        return regulator.ready

    await until(look, bool, 30.0, "the process ready")


@pytest.mark.parametrize(("stands_still", "talks"), [(True, 10_000), (False, 1)])
async def test_only_silence_that_the_hub_could_hear_ends_the_process(
    tmp_path: Path, stands_still: bool, talks: int
) -> None:
    script = tmp_path / "talks.py"
    script.write_text(TALKS.replace("NUMBER", str(talks)))
    reports: list[Report] = []
    regulator = Regulator(lambda: b"\n", reports.append, (sys.executable, str(script)))
    serving = asyncio.create_task(regulator.serve())
    try:
        await ready(regulator)
        regulator.take()
        await asyncio.sleep(0.5)
        if stands_still:
            hang(1.5 * SILENT_S)
            await asyncio.sleep(1.0)
            assert regulator.taken
            assert len(reports) > 20
        else:
            async with asyncio.timeout(2.5 * SILENT_S):
                await serving
            assert not regulator.taken
    finally:
        regulator.kill()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
