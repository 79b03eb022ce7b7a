"""The engine: durable before it acts, on time, and holding on without the server."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from hems.clock import SystemClock
from hems.sep2 import resources as res
from hems.sep2.book.book import BookSettings
from hems.sep2.book.engine import Engine
from hems.sep2.book.ledger import LedgerError
from hems.sep2.book.requests import Wish
from hems.sep2.rules.events import Program, Schedule
from hems.sep2.rules.lifecycle import Profile
from tests.hems.sep2.controls_made import control, default
from tests.hems.sep2.kinds_made import curve
from tests.hems.sep2.memory_ledger import MemoryLedger

PROGRAM = Program("A1", "Peak", 1)
LFDI = "0" * 39 + "1"
MODE = "opModImpLimW"


class Seen:
    """Collects what an engine tells, and lets a test await it."""

    def __init__(self) -> None:
        self.schedules: list[tuple[float, Schedule]] = []
        self.alarms: list[str] = []
        self.owed = 0
        self._news = asyncio.Event()

    def on_schedule(self, schedule: Schedule) -> None:
        self.schedules.append((time.time(), schedule))
        self._news.set()

    def on_owed(self) -> None:
        self.owed += 1

    async def until(self, true: Callable[[Schedule], bool]) -> tuple[float, Schedule]:
        async with asyncio.timeout(5):
            while not (self.schedules and true(self.schedules[-1][1])):
                self._news.clear()
                await self._news.wait()
        return self.schedules[-1]


def make(
    ledger: MemoryLedger,
    seen: Seen,
    comms_loss_s: float = 3600.0,
    *,
    lfdi: str = LFDI,
    profile: Profile | None = None,
) -> Engine:
    return Engine(
        BookSettings("utility", lfdi, profile or Profile()),
        ledger,
        SystemClock(),
        random.Random(1),  # noqa: S311 - draws, not secrets
        comms_loss_s=comms_loss_s,
        on_schedule=seen.on_schedule,
        on_owed=seen.on_owed,
        alarm=seen.alarms.append,
    )


@contextlib.asynccontextmanager
async def running(engine: Engine) -> AsyncIterator[None]:
    task = asyncio.create_task(engine.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def update(engine: Engine, *controls: res.DERControl, complete: bool = True) -> None:
    await engine.update(PROGRAM, controls, kind=res.DERControl, complete=complete)


def server_at(engine: Engine, seconds: float) -> None:
    """Set the server's clock to `seconds`, in a way that a test chooses the fraction."""
    engine.set_offset(seconds - time.time())


@pytest.mark.requirement("PRO-2030.5")
async def test_begins_and_ends_on_time() -> None:
    ledger, seen = MemoryLedger(), Seen()
    engine = make(ledger, seen)
    server_at(engine, 999.8)
    offset_s = engine.offset_s
    async with running(engine):
        await update(engine, control("E1", 1000, 1))
        began, schedule = await seen.until(lambda s: MODE in s.active)
        ended, _ = await seen.until(lambda s: MODE not in s.active)
    assert 0 <= began + offset_s - 1000 < 0.5
    assert 0 <= ended + offset_s - 1001 < 0.5
    active = schedule.active[MODE]
    assert active.value == 1500.0
    assert active.start == pytest.approx(1000 - offset_s)
    assert [c for _, c in ledger.codes] == [1, 2, 3]


@pytest.mark.requirement("PRO-2030.5")
async def test_a_limit_is_held_again_after_a_crash_without_the_server() -> None:
    ledger, seen = MemoryLedger(), Seen()
    engine = make(ledger, seen)
    now = int(time.time())
    await update(engine, control("E1", now - 10, 600, randomize_start=5))
    await engine.set_baseline("E1", 6000.0)
    await engine.set_default(PROGRAM, default("D1", 5000.0))
    first = seen.schedules[-1][1]
    again = Seen()
    reborn = make(ledger, again)
    await reborn.load()
    (_, schedule) = again.schedules[0]
    assert schedule.active[MODE] == first.active[MODE]
    assert schedule.active[MODE].baseline_w == 6000.0
    assert [c for _, c in ledger.codes] == [1, 2]
    await reborn.opt_out("E1")
    assert reborn.schedule.active[MODE].value == 5000.0, "the default control was kept too"


async def test_nothing_is_told_before_it_is_kept() -> None:
    ledger, seen = MemoryLedger(), Seen()
    engine = make(ledger, seen)
    kept: list[int] = []
    engine._on_schedule = lambda _: kept.append(ledger.saves)
    await update(engine, control("E1", int(time.time()) - 1, 60))
    assert kept == [1], "one save, before the first word"


async def test_a_full_disk_does_not_stop_a_limit_and_loses_no_response() -> None:
    ledger, seen = MemoryLedger(), Seen()
    engine = make(ledger, seen)
    ledger.full = True
    await update(engine, control("E1", int(time.time()) - 1, 60))
    assert MODE in engine.schedule.active
    assert seen.alarms == ["the ledger cannot be written: the disk is full"]
    assert (ledger.codes, seen.owed) == ([], 0)
    ledger.full = False
    await update(engine, control("E1", int(time.time()) - 1, 60))
    assert [c for _, c in ledger.codes] == [1, 2]
    assert seen.owed == 1


async def test_a_damaged_row_is_told_and_the_others_live() -> None:
    ledger, seen = MemoryLedger(), Seen()
    engine = make(ledger, seen)
    now = int(time.time())
    await update(engine, control("E1", now, 60), control("E2", now, 60))
    row = ledger.rows["utility", LFDI, "E2"]
    ledger.rows["utility", LFDI, "E2"] = replace(row, body=b"<garbage")
    again = Seen()
    reborn = make(ledger, again)
    await reborn.load()
    assert reborn.schedule.active[MODE].event == "E1"
    assert len(again.alarms) == 1
    assert "E2" in again.alarms[0]


@pytest.mark.requirement("PRO-2030.5")
async def test_without_contact_running_events_end_and_no_other_begins() -> None:
    ledger, seen = MemoryLedger(), Seen()
    engine = make(ledger, seen, comms_loss_s=0.3)
    server_at(engine, 999.9)
    async with running(engine):
        await engine.set_default(PROGRAM, default("D1", 5000.0))
        await update(engine, control("E1", 1000, 1), control("E2", 1001, 600))
        await seen.until(lambda s: s.active[MODE].event == "E1")
        await seen.until(lambda s: s.active[MODE].event == "D1")
        assert engine.server_time() >= 1001
        engine.contact()
        await seen.until(lambda s: s.active[MODE].event == "E2")


async def test_following_the_servers_clock_moves_events() -> None:
    ledger, seen = MemoryLedger(), Seen()
    engine = make(ledger, seen)
    async with running(engine):
        await update(engine, control("E1", int(time.time()) + 1000, 60))
        assert MODE not in engine.schedule.active
        engine.set_offset(1010.0)
        await seen.until(lambda s: MODE in s.active)


async def test_a_ledger_that_cannot_be_read_at_the_start_is_read_once_it_can() -> None:
    """A full disk: what the owner chose before the restart counts again when there is room."""
    ledger, seen = MemoryLedger(), Seen()
    engine = make(ledger, seen)
    start = int(time.time())
    await update(engine, control("E1", start, 60))
    await engine.opt_out("E1")
    saves = ledger.saves

    ledger.unreadable = ledger.full = True
    reborn = make(ledger, Seen())
    with pytest.raises(LedgerError):
        await reborn.load()
    await update(reborn, control("E1", start, 60))
    assert MODE in reborn.schedule.active  # obeyed meanwhile: nobody knows better

    ledger.unreadable = ledger.full = False
    await update(reborn, control("E1", start, 60))
    assert MODE not in reborn.schedule.active
    assert [e.opted_out for e in reborn.events] == [True]
    assert ledger.saves <= saves + 1
    assert [c for _, c in ledger.codes] == [1, 2, 4]


OTHER = "0" * 39 + "2"


async def test_two_devices_of_one_home_keep_their_own_lives_of_one_event() -> None:
    """A gateway's devices share a ledger and programmes, but not what an owner chose."""
    ledger, now = MemoryLedger(), int(time.time())
    for lfdi in (LFDI, OTHER):
        engine = make(ledger, Seen(), lfdi=lfdi)
        await engine.load()
        await update(engine, control("E1", now - 10, 600))
        if lfdi == OTHER:
            await engine.opt_out("E1")
    assert [(r.lfdi, r.status) for r in ledger.responses.values()] == [
        *((LFDI, code) for code in (1, 2)),
        *((OTHER, code) for code in (1, 2, 4)),
    ]
    for lfdi, opted_out in ((LFDI, False), (OTHER, True)):
        reborn = make(ledger, Seen(), lfdi=lfdi)
        await reborn.load()
        assert [e.opted_out for e in reborn.events] == [opted_out]
        assert (MODE in reborn.schedule.active) is not opted_out


async def test_rows_from_before_there_were_several_devices_are_the_homes() -> None:
    ledger, now = MemoryLedger(), int(time.time())
    engine = make(ledger, Seen())
    await update(engine, control("E1", now - 10, 600, randomize_start=-9))
    row = ledger.rows.pop(("utility", LFDI, "E1"))
    ledger.rows["utility", "", "E1"] = replace(row, lfdi="")
    reborn = make(ledger, Seen())
    await reborn.load()
    assert MODE in reborn.schedule.active
    assert ledger.rows["utility", LFDI, "E1"] == row


async def test_a_profile_that_keeps_its_schedule_begins_events_without_contact() -> None:
    ledger, seen = MemoryLedger(), Seen()
    engine = make(ledger, seen, comms_loss_s=0.05, profile=Profile(keeps_schedule=True))
    server_at(engine, 999.7)
    async with running(engine):
        await update(engine, control("E1", 1000, 600))
        await seen.until(lambda s: MODE in s.active)
    assert engine.server_time() >= 1000


async def test_what_another_servers_event_took_is_told_and_stays_given_up() -> None:
    ledger, seen = MemoryLedger(), Seen()
    engine = make(ledger, seen)
    await update(engine, control("E1", int(time.time()) - 10, 600))
    await engine.concede("E1", frozenset({MODE}))
    assert MODE not in engine.schedule.active
    await engine.concede("E1", frozenset({MODE}))
    assert [c for _, c in ledger.codes] == [1, 2, 7]
    reborn = make(ledger, Seen())
    await reborn.load()
    assert MODE not in reborn.schedule.active


async def test_what_no_device_takes_is_refused_with_its_reason() -> None:
    ledger, seen = MemoryLedger(), Seen()
    engine = make(ledger, seen)
    now = int(time.time())
    await update(engine, control("E1", now - 10, 600))
    await engine.concede("E1", frozenset({MODE}), refused="pv: no room for 12 points")
    assert MODE not in engine.schedule.active
    assert [c for _, c in ledger.codes] == [1, 2, 252]
    await update(engine, control("E1", now - 10, 600))  # its server goes on listing it
    assert MODE not in engine.schedule.active
    (state,) = engine.events
    assert (state.phase.value, state.reason) == ("rejected", "pv: no room for 12 points")
    reborn = make(ledger, Seen())
    await reborn.load()
    assert MODE not in reborn.schedule.active
    assert [c for _, c in ledger.codes] == [1, 2, 252]
    await update(reborn, control("E1", now - 10, 600))  # nor does it begin anew when listed then
    assert MODE not in reborn.schedule.active
    assert [state.phase.value for state in reborn.events] == ["rejected"]


async def test_the_home_is_told_when_only_a_curve_changes() -> None:
    ledger, seen = MemoryLedger(), Seen()
    engine = make(ledger, seen)
    base = res.DERControlBase(op_mod_volt_var=res.Link(href="/c/1"))
    await engine.set_curves(PROGRAM, [curve("/c/1", (92, 44), (108, -44))], complete=True)
    await update(engine, control("E1", int(time.time()) - 10, 600, base=base))
    before = len(seen.schedules)
    await engine.set_curves(PROGRAM, [curve("/c/1", (95, 44), (105, -44))], complete=True)
    assert len(seen.schedules) == before + 1
    assert seen.schedules[-1][1].curves["/c/1"].points[0] == (95.0, 44.0)


async def test_a_wish_is_kept_before_it_is_told_to_whoever_posts_it() -> None:
    ledger, kept = MemoryLedger(), list[int]()
    engine = make(ledger, Seen())
    engine.on_request = lambda: kept.append(ledger.saves)
    now = int(time.time())
    mrid = await engine.reserve(Wish(7000.0, 3500.0, now, now + 3600))
    await engine.cancel_reservation(mrid)
    assert kept == [1, 2]
    (request,) = engine.owed_requests
    await engine.request_placed(request, None)
    assert engine.reservations == ()
