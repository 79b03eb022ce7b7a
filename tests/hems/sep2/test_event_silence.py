"""What a server's silence makes of the events that it told of: a matter of the profile."""

import random

import pytest

from hems.sep2 import resources as res
from hems.sep2.book.book import BookSettings
from hems.sep2.book.engine import Engine
from hems.sep2.rules.dialect import Dialect
from hems.sep2.rules.events import Program
from tests.hems.sep2.controls_made import control, default
from tests.hems.sep2.memory_ledger import MemoryLedger

MODE = "opModImpLimW"
PROGRAM = Program("A1", "Peak", 1)


class SetClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.ran = 0.0

    def now(self) -> float:
        return 1_000_000.0 + self.ran

    def monotonic(self) -> float:
        return self.ran


@pytest.mark.requirement("PRO-2030.5")
@pytest.mark.parametrize(
    ("dialect", "while_silent"),
    [
        (Dialect.V2018, ["E1", "E1", "D1", "D1"]),
        (Dialect.CSIP, ["E1", "E1", "D1", "D1"]),
        (Dialect.V2023, ["E1", "E1", "D1", "D1"]),
        (Dialect.CSIP_AUS, ["E1", "E1", "E2", "D1"]),
    ],
)
async def test_the_schedule_or_the_default_control_holds(
    dialect: Dialect, while_silent: list[str]
) -> None:
    clock = SetClock()
    engine = Engine(
        BookSettings("utility", "0" * 40, dialect.profile()),
        MemoryLedger(),
        clock,
        random.Random(1),  # noqa: S311 - draws, not secrets
        comms_loss_s=30.0,
    )
    events = [control("E1", 1_000_000, 60), control("E2", 1_000_060, 60)]
    await engine.update(PROGRAM, events, kind=res.DERControl, complete=True)
    held = []
    for clock.ran in (10, 50, 70, 130):
        await engine.set_default(PROGRAM, default("D1", 1500.0))
        held.append(engine.schedule.active[MODE].event)
    assert held == while_silent, "and at no time nothing"
