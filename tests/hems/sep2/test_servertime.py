"""The server's clock as the home keeps it, over steps of the home's own."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.sep2 import resources as res
from hems.sep2.book.book import BookSettings
from hems.sep2.book.engine import Engine
from hems.sep2.rules.events import Program
from hems.sep2.rules.servertime import ServerClock, follow
from tests.hems.sep2.controls_made import control
from tests.hems.sep2.memory_ledger import MemoryLedger

pytestmark = pytest.mark.requirement("TIME-SERVER")

MODE = "opModImpLimW"
PROGRAM = Program("A1", "Peak", 1)


class Held:
    """A clock that a test moves: `run` lets time pass, `utc` can be set."""

    def __init__(self) -> None:
        self.utc = 1_000_000.0
        self._ran = 50.0

    def now(self) -> float:
        return self.utc

    def monotonic(self) -> float:
        return self._ran

    def run(self, seconds: float) -> None:
        self.utc += seconds
        self._ran += seconds


def synced(clock: Held, server: ServerClock, current: int) -> bool:
    return server.sync(current, clock.monotonic(), clock.monotonic())


@pytest.mark.parametrize("step_s", [3600.0, -3600.0])
def test_a_step_moves_local_times_and_not_the_servers(step_s: float) -> None:
    clock = Held()
    server = ServerClock(clock)
    synced(clock, server, 1_000_100)
    assert server.now() == 1_000_100
    clock.run(10)
    clock.utc += step_s
    assert server.stepped()
    assert server.settle() == pytest.approx(step_s)
    assert server.now() == 1_000_110
    assert server.offset_s == pytest.approx(100 - step_s)
    assert not server.stepped()


def test_before_the_server_told_its_time_the_homes_clock_is_followed() -> None:
    clock = Held()
    server = ServerClock(clock)
    assert server.assume(20.0)
    assert not server.assume(20.0)
    clock.utc += 3600
    assert server.stepped()
    server.settle()
    assert (server.now(), server.offset_s) == (1_003_620.0, 20.0)


def test_the_offset_is_one_float_while_nothing_is_set() -> None:
    clock = Held()
    server = ServerClock(clock)
    synced(clock, server, 1_000_100)
    before = server.offset_s
    for _ in range(100):
        clock.run(0.1)
        assert not synced(clock, server, int(server.now()))
        assert server.offset_s == before


@given(st.integers(-5, 5), st.floats(-9, 9), st.floats(0, 3))
def test_an_answer_moves_the_offset_no_further_than_it_must(
    ahead_s: int, previous_s: float, delay_s: float
) -> None:
    """The server's clock showed a whole second, at some instant between question and answer."""
    sent = 1000.25
    received = sent + delay_s
    current = math.floor(sent + ahead_s)
    found = follow(previous_s, current, sent, received)
    least, most = current - received, current + 1 - sent
    assert least <= found <= most
    if least <= previous_s <= most:
        assert found == previous_s
    else:
        assert found in {least, most}


def test_a_server_that_sets_its_clock_is_followed_at_once() -> None:
    clock = Held()
    server = ServerClock(clock)
    synced(clock, server, 1_000_100)
    for step_s in (3600, -7200):
        clock.run(5)
        shown = int(server.now()) + step_s
        assert synced(clock, server, shown)
        assert shown <= server.now() <= shown + 1
        assert server.offset_s == pytest.approx(server.now() - clock.now())
        assert not server.stepped(), "the home's clock was not set"


async def test_a_running_event_outlives_a_step_of_the_homes_clock() -> None:
    clock, ledger = Held(), MemoryLedger()
    asked: list[int] = []
    engine = Engine(
        BookSettings("utility", "0" * 39 + "1"),
        ledger,
        clock,
        random.Random(1),  # noqa: S311 - draws, not secrets
        on_step=lambda: asked.append(1),
    )
    engine.sync_time(1_000_000, clock.monotonic(), clock.monotonic())
    event = control("E1", 1_000_000, 600)

    async def poll() -> None:
        await engine.update(PROGRAM, [event], kind=res.DERControl, complete=True)

    await poll()
    clock.run(10)
    clock.utc += 3600  # NTP sets it
    await poll()
    assert asked == [1], "the server's clock is asked for anew, once"
    active = engine.schedule.active[MODE]
    assert active.end == pytest.approx(1_003_600 + 600), "in the time that the home now shows"
    assert engine.events[0].ends_at == pytest.approx(1_004_200)
    clock.run(590)
    await poll()
    assert MODE not in engine.schedule.active
    assert ledger.codes == [("E1", 1), ("E1", 2), ("E1", 3)]
