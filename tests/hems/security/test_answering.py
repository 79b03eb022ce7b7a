"""From what happens to what is done: a real watchman, a real list of devices, real stores."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from der.errors import RejectedError
from der.model import DeviceSpec, Setpoint
from der.registry import Registry
from der.sentence import say
from der.service import Device, Mode
from hems import bulletin
from hems.alarms import Alarms
from hems.clock import SystemClock
from hems.emg.threats.assembly import Manner, Watch, watch_of
from hems.emg.threats.barrier import Barrier
from hems.emg.threats.rules import setpoints
from hems.emg.threats.rules.finding import Threat
from hems.emg.threats.telling import Told
from hems.emg.threats.watchman import Tell
from hems.emg.trust.standing import Cause, TrustStanding
from hems.security.trusting import Trusting
from hems.security_event import EventKind, SecurityEvent
from hems.settings.config import Config
from hems.store.store import Store, open_store
from tests.der.shelf import METER, SPEC, Shelf
from tests.waiting import until

pytestmark = [pytest.mark.requirement("L2-EVENTS", "L2-BLOCK"), pytest.mark.timeout(90)]

STORM = 240


@dataclass
class House:
    """A watched house."""

    watch: Watch
    trusting: Trusting
    shelves: dict[str, Shelf]
    devices: dict[str, Device]
    found: list[Told] = field(default_factory=list)

    def storm(self, device: str) -> None:
        """Tell a device something new all the time."""
        for _ in range(STORM):
            self.watch.watchman.note(setpoints.told(device, 1000.0, "somebody"))

    async def told(self, threat: Threat, about: str) -> Told:
        """Wait until something is found."""

        async def look() -> Told | None:
            return next(
                (t for t in self.found if (t.finding.threat, t.finding.about) == (threat, about)),
                None,
            )

        found = await until(look, lambda each: each is not None, 30.0, f"{threat} of {about}")
        assert found is not None
        return found

    def standing(self, device: str) -> TrustStanding:
        return self.trusting.trust.standings[device].standing


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "home.db", SystemClock())
    yield opened
    await opened.close()


@asynccontextmanager
async def house(store: Store, *, answers: bool = True, **manner: Any) -> AsyncIterator[House]:
    clock = SystemClock()
    specs: list[DeviceSpec] = [METER, *(replace(SPEC, id=n, name=n.upper()) for n in "abcd")]
    shelves = {spec.id: Shelf() for spec in specs}
    devices = {}
    for spec in specs:
        shelves[spec.id].answers.set()

        async def link(shelf: Shelf = shelves[spec.id]) -> Shelf:
            return shelf

        devices[spec.id] = Device(spec, link)
    tasks: set[asyncio.Task[None]] = set()

    def spawn(work: Coroutine[Any, Any, None]) -> None:
        tasks.add(asyncio.create_task(work))

    trusting = Trusting(
        Config(),
        Registry(devices),
        store,
        clock,
        Alarms(clock, lambda: None),
        note=lambda event: watch.watchman.note(event),  # noqa: PLW0108 - made below
        barrier=Barrier(),
        spawn=spawn,
        changed=lambda: None,
    )
    found: list[Told] = []
    watch = watch_of(
        store,
        None,
        clock,
        Manner(answers=(trusting.answer,) if answers else (), **manner),
        Tell(lambda _source, _text: None, lambda _happening: None, found.append),
        restored=False,
    )
    await trusting.load()
    running = asyncio.create_task(watch.watchman.run())
    try:
        yield House(watch, trusting, shelves, devices, found)
    finally:
        running.cancel()
        await asyncio.gather(running, *tasks, return_exceptions=True)


async def test_a_device_in_a_storm_is_given_back_shut_and_allowed_again(store: Store) -> None:
    async with house(store) as home:
        handle = await home.devices["a"].open(Mode.READ_WRITE)
        await handle.write(Setpoint(500, 30))
        home.storm("a")
        told = await home.told(Threat.SETPOINT_STORM, "a")
        assert told.done == (
            "A was given back to its own control, and is told nothing more until somebody of the "
            "home allows it."
        )

        async def given_back() -> bool:
            return home.shelves["a"].setpoints[-1] is None

        await until(given_back, bool, 20.0, "it is given back")
        assert home.standing("a") is TrustStanding.QUARANTINED
        with pytest.raises(RejectedError):
            await handle.write(Setpoint(500, 30))
        assert home.standing("b") is TrustStanding.TRUSTED
        await home.trusting.trust.lift("a", "the owner")
        assert home.standing("a") is TrustStanding.TRUSTED

        async def over() -> bool:
            return not home.watch.watchman.standing

        await until(over, bool, 20.0, "the alarm is over, too")


async def test_the_meter_is_never_shut(store: Store) -> None:
    async with house(store) as home:
        for _ in range(3):
            event = SecurityEvent(EventKind.DEVICE_HOSTILE, say("It is."), METER.id)
            home.watch.watchman.note(event)
        assert (await home.told(Threat.HOSTILE_DEVICE, METER.id)).done == ""
    assert home.standing(METER.id) is TrustStanding.TRUSTED


async def test_three_devices_are_shut_at_most(store: Store) -> None:
    async with house(store) as home:
        for name in "abcd":
            home.storm(name)
            await home.told(Threat.SETPOINT_STORM, name)

            async def settled(name: str = name) -> bool:
                return name == "d" or home.standing(name) is TrustStanding.QUARANTINED

            await until(settled, bool, 20.0, f"{name} is shut")
        views = home.trusting.trust.standings
        assert [n for n in views if Cause.THREAT in views[n].doubts] == ["a", "b", "c"]
        assert (await home.told(Threat.SETPOINT_STORM, "d")).done == ""


async def test_it_can_be_left_at_an_alarm(store: Store) -> None:
    async with house(store, answers=False) as home:
        home.storm("a")
        assert (await home.told(Threat.SETPOINT_STORM, "a")).done == ""
        assert home.standing("a") is TrustStanding.TRUSTED


@pytest.mark.requirement("L2-FEED")
async def test_what_the_service_provider_calls_critical_is_graver_in_log_and_findings(
    store: Store,
) -> None:
    said = {
        EventKind.DEVICE_NEW.value: bulletin.Severity.CRITICAL,
        EventKind.CONNECTION.value: bulletin.Severity.CRITICAL,
        EventKind.DEVICE_CHANGED.value: bulletin.Severity.INFO,
    }
    async with house(store, said=lambda: said) as home:
        for kind in (EventKind.DEVICE_NEW, EventKind.CONNECTION, EventKind.DEVICE_CHANGED):
            home.watch.watchman.note(SecurityEvent(kind, say("It was."), "a"))
        told = await home.told(Threat.LISTENER, "a")
        assert told.finding.severity == "alarm", "a warning, but for the service provider's word"
        rows = [each async for each in home.watch.watchman.log.rows()]
        graven = {each.entry.kind: each.entry.severity for each in rows if each.entry}
        assert graven["device-new"] == graven["connection"] == "alarm"
        assert graven["device-changed"] == "alarm", "not less grave by anybody's word"
