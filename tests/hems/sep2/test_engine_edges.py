"""An edge that lies within a rounding of now is passed, and not looked for over and over."""

import asyncio
import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.sep2 import resources as res
from hems.sep2.book.book import BookSettings
from hems.sep2.book.engine import Engine
from hems.sep2.rules.events import Program
from hems.sep2.rules.lifecycle import Profile
from tests.hems.sep2.controls_made import control, default
from tests.hems.sep2.memory_ledger import MemoryLedger

PROGRAM = Program("A1", "Peak", 1)
MODE = "opModImpLimW"
RUNS_S = 40.0
START = 1_784_000_010
MOST_LOOKS = 1000


class _StandingLoop(asyncio.SelectorEventLoop):
    """Its time goes from timer to timer and nowhere between: a clock of rare ticks at its worst."""

    def __init__(self) -> None:
        super().__init__()
        self.stands_at = 0.0

    def time(self) -> float:
        return self.stands_at

    def _run_once(self) -> None:
        timers = [t for t in self._scheduled if not t.cancelled()]  # type: ignore[attr-defined]
        if timers and not self._ready:  # type: ignore[attr-defined]
            self.stands_at = max(self.stands_at, min(t.when() for t in timers))
        super()._run_once()  # type: ignore[misc]


class _Clock:
    """The time of such a loop; it counts who looks at it."""

    def __init__(self, epoch: float, booted: float) -> None:
        self._epoch = epoch
        self._booted = booted
        self.looks = 0

    def now(self) -> float:
        return self._epoch + asyncio.get_running_loop().time()

    def monotonic(self) -> float:
        self.looks += 1
        assert self.looks < MOST_LOOKS, "it is looked again and again"
        return self._booted + asyncio.get_running_loop().time()


async def _followed(epoch: float, booted: float, loss_s: float) -> tuple[list[str], int]:
    """Let an engine run through an event and the loss of its server; return what was in force."""
    clock, seen = _Clock(epoch, booted), list[str]()
    engine = Engine(
        BookSettings("utility", "0" * 40, Profile()),
        MemoryLedger(),
        clock,
        random.Random(1),  # noqa: S311 - draws, not secrets
        comms_loss_s=loss_s,
        on_schedule=lambda schedule: seen.append(schedule.active[MODE].event),
    )
    await engine.set_default(PROGRAM, default("D1", 1500.0))
    event = control("E1", START, 10)
    await engine.update(PROGRAM, [event], kind=res.DERControl, complete=True)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(RUNS_S):
            await engine.run()
    return seen, clock.looks


@pytest.mark.requirement("PRO-2030.5")
@given(
    st.floats(START - 8.0, START - 2.0),
    st.floats(0.0, 1e6),
    st.floats(25.0, 35.0),
)
def test_time_is_followed_in_few_looks(epoch: float, booted: float, loss_s: float) -> None:
    with asyncio.Runner(loop_factory=_StandingLoop) as runner:
        seen, looks = runner.run(_followed(epoch, booted, loss_s))
    assert seen == ["D1", "E1", "D1"]
    assert looks < MOST_LOOKS
