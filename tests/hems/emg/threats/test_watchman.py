"""The watchman: what is noted is written, judged, answered and told, whatever comes at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from der.sentence import say
from hems.emg.threats.assembly import Manner, Watch, watch_of
from hems.emg.threats.barrier import Barrier, may_be_barred
from hems.emg.threats.head import HeadFile
from hems.emg.threats.rules.finding import Threat
from hems.emg.threats.telling import HOLDS_S, Code, Told
from hems.emg.threats.watchman import MOST_WAITING, Tell
from hems.security_event import EventKind, SecurityEvent
from hems.sep2.enddevice.logevents import SECURITY, VENDOR, Happening
from hems.store.store import Store
from tests.hems.emg.threats.conftest import HeldClock, came
from tests.waiting import until

pytestmark = [pytest.mark.requirement("L2-ALARM"), pytest.mark.requirement("L2-EVENTS")]


@dataclass
class Heard:
    """What was told."""

    alarms: dict[str, str | None] = field(default_factory=dict)
    logged: list[Happening] = field(default_factory=list)
    found: list[Told] = field(default_factory=list)

    @property
    def tell(self) -> Tell:
        return Tell(self.alarms.__setitem__, self.logged.append, self.found.append)


@asynccontextmanager
async def watching(
    store: Store, head: HeadFile, clock: HeldClock, heard: Heard, **manner: object
) -> AsyncIterator[Watch]:
    watch = watch_of(store, head, clock, Manner(**manner), heard.tell, restored=False)  # type: ignore[arg-type]
    task = asyncio.create_task(watch.watchman.run())
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def failed(source: str = "192.168.1.66") -> SecurityEvent:
    return SecurityEvent(EventKind.LOGIN_FAILED, say("Name and password do not fit."), "", source)


async def test_guessing_is_written_down_answered_and_told(
    store: Store, head: HeadFile, clock: HeldClock
) -> None:
    heard = Heard()
    async with watching(store, head, clock, heard) as watch:
        for _ in range(12):
            watch.watchman.note(failed())
        await came(lambda: heard.found)
        assert watch.barrier.wait_s("192.168.1.66", clock.at) == 900.0
    (told,) = heard.found
    assert told.finding.threat is Threat.GUESSING
    assert told.finding.evidence == (1,)
    assert told.done.startswith("Nothing is answered to it for 15 min")
    (alarm,) = heard.alarms.values()
    assert alarm is not None
    assert alarm.startswith("Somebody at 192.168.1.66 tries passwords: 10 were wrong")
    (happening,) = heard.logged
    assert (happening.function_set, happening.code) == (SECURITY, Code.GUESSING)
    assert happening.profile == VENDOR
    assert "192.168" not in happening.details
    assert len(happening.details.encode()) <= 32
    rows = list(reversed(await watch.watchman.log.newest(10)))
    told_rows = [(r.entry.kind, r.entry.times, r.entry.threat) for r in rows if r.entry]
    assert told_rows == [
        ("login-failed", 1, ""),
        ("threat", 1, "guessing"),
        ("login-failed", 11, ""),
    ]
    assert told.row == 2


async def test_an_alarm_ends_after_its_time_and_is_shown_to_a_home_that_follows(
    store: Store, head: HeadFile, clock: HeldClock
) -> None:
    heard = Heard()
    async with watching(store, head, clock, heard) as watch:
        for _ in range(10):
            watch.watchman.note(failed())
        await came(lambda: heard.found)
        heard.alarms.clear()  # another home has taken the place
        watch.watchman.note(SecurityEvent(EventKind.LOGGED_IN, "It was."))
        await came(lambda: heard.alarms)
        clock.at += HOLDS_S + 1
        watch.watchman.note(SecurityEvent(EventKind.LOGGED_IN, "It was."))
        await came(lambda: list(heard.alarms.values()) == [None])
        await came(lambda: len(heard.logged) == 2)
    assert heard.logged[1].code == Code.OVER
    assert watch.watchman.standing == []


@pytest.mark.requirement("L1-TAMPER")
async def test_what_was_tampered_with_stays_until_it_is_well_again(
    store: Store, head: HeadFile, clock: HeldClock
) -> None:
    heard = Heard()
    bad = SecurityEvent(EventKind.FIRMWARE_UNTRUSTED, say("It is another."), "pv")
    async with watching(store, head, clock, heard) as watch:
        watch.watchman.note(bad)
        await came(lambda: heard.found)
        clock.at += 30 * 86_400.0
        watch.watchman.note(SecurityEvent(EventKind.RELIABLE_AGAIN, "It is well.", "other"))
        await asyncio.sleep(0.4)
        assert [each.finding.threat for each in watch.watchman.standing] == [Threat.FIRMWARE]
        watch.watchman.note(SecurityEvent(EventKind.RELIABLE_AGAIN, "It is well.", "pv"))
        await came(lambda: not watch.watchman.standing)
    assert list(heard.alarms.values()) == [None]


async def test_what_has_an_alarm_already_is_told_to_all_others(
    store: Store, head: HeadFile, clock: HeldClock
) -> None:
    heard = Heard()
    async with watching(store, head, clock, heard) as watch:
        watch.watchman.note(SecurityEvent(EventKind.AGENT_SILENT, say("It is silent."), "agent"))
        await came(lambda: heard.found)
    assert [each.code for each in heard.logged] == [Code.AGENT]
    assert heard.alarms == {}


async def test_a_flood_holds_up_nobody_and_is_a_finding_itself(
    store: Store, head: HeadFile, clock: HeldClock
) -> None:
    heard = Heard()
    async with watching(store, head, clock, heard) as watch:
        for number in range(3 * MOST_WAITING):
            watch.watchman.note(failed(f"10.{number >> 8}.{number & 255}.1"))
        await came(lambda: Threat.FLOOD in {each.finding.threat for each in heard.found}, 30.0)
    rows = [row async for row in watch.watchman.log.rows()]
    assert len(rows) < 600


async def stepped(watch: Watch) -> int:
    """Return how many rows say that the clock was set."""
    rows = [row async for row in watch.watchman.log.rows()]
    return sum(row.entry is not None and row.entry.kind == EventKind.CLOCK_STEPPED for row in rows)


async def test_a_clock_that_is_set_is_written_down(
    store: Store, head: HeadFile, clock: HeldClock
) -> None:
    heard = Heard()
    async with watching(store, head, clock, heard) as watch:
        for seen, step_s in enumerate((3600.0, -3600.0, 7200.0), 1):
            clock.set_s += step_s
            clock.at += 700.0  # no longer the same event
            watch.watchman.note(SecurityEvent(EventKind.LOGGED_IN, "It was."))
            await until(lambda: stepped(watch), seen.__le__, 20.0, "the step")
        await came(lambda: heard.found)
    assert heard.found[0].finding.threat is Threat.CLOCK


async def test_the_habit_is_kept_over_a_restart(
    store: Store, head: HeadFile, clock: HeldClock
) -> None:
    heard = Heard()
    clock.at -= clock.at % 86_400.0
    day = clock.at

    def hour(at: float) -> int:
        return int(at % 86_400.0 // 3600.0)

    change = SecurityEvent(EventKind.CONFIG_CHANGED, "It was changed.")
    async with watching(store, head, clock, heard, hour=hour) as watch:
        for number in range(22):
            clock.at = day + number * 86_400.0 + 19 * 3600.0
            watch.watchman.note(change)
            await came(lambda: not watch.watchman._waiting)
            await asyncio.sleep(0.3)
    async with watching(store, head, clock, heard, hour=hour) as watch:
        clock.at = day + 22 * 86_400.0 + 3 * 3600.0
        watch.watchman.note(change)
        await came(lambda: heard.found)
    assert heard.found[0].finding.threat is Threat.ODD_HOUR


# Who may be kept out.


@pytest.mark.parametrize(
    ("source", "barred"),
    [
        ("192.168.1.66", True),
        ("2001:db8:5::/64", True),
        ("fe80::1%eth0", True),
        ("127.0.0.1", False),
        ("127.0.0.9", False),
        ("::1", False),
        ("192.168.1.10", False),
        ("2001:db8:1::/64", False),
        ("0.0.0.0", False),  # noqa: S104 - nobody binds to it
        ("", False),
        ("utility", False),
    ],
)
def test_the_hub_s_own_machine_and_network_are_never_kept_out(source: str, *, barred: bool) -> None:
    own = ("192.168.1.10", "2001:db8:1::abcd")
    assert may_be_barred(source, own) is barred
    barrier = Barrier(lambda: own)
    assert barrier.close(source, 100.0) is barred
    assert barrier.wait_s(source, 40.0) == (60.0 if barred else 0.0)
    assert barrier.wait_s(source, 100.0) == 0.0


def test_the_barrier_is_bounded() -> None:
    barrier = Barrier()
    for number in range(1000):
        barrier.close(f"10.0.{number >> 8}.{number & 255}", 100.0)
    assert barrier.wait_s("10.0.0.0", 0.0) == 0.0
    assert barrier.wait_s("10.0.3.231", 0.0) == 100.0
