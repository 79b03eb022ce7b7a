"""The hub's own part in a trial: what it notes before it, and what it goes by after."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from hems.clock import SystemClock
from hems.commands import updating
from hems.commands.updates import Updates
from hems.commands.updating import BEFORE
from hems.emg.firmware.releases import Offered
from hems.security_event import Note, SecurityEvent
from hems.settings.config import Config
from hems.settings.updates_section import UpdatesSection
from hems.software.sides import UPDATES, VERDICT, Sides, put, verdict
from hems.software.switch import State, Verdict, armed, installed, returned, started
from hems.store.store import open_store
from hems.succession import Succession
from tests.waiting import until
from web.words import tell

READY = installed(State(), "0.2.0", migrates=False)
TRIAL = started(armed(READY))
ALWAYS = Config(updates=UpdatesSection(window="00:00-00:00"))


class House:
    """What the watch sees of a running home: a device that can be lost, an event."""

    def __init__(self) -> None:
        self.answers, self.runs, self.seq, self.stopped = True, False, 0, 0
        self.alarms = SimpleNamespace(lasting=self._lasting)
        self.alarm: str | None = None
        self.front = self

    @property
    def home(self) -> "House":
        return self

    def snapshot(self) -> SimpleNamespace:
        self.seq += 1
        car = SimpleNamespace(id="car", quality="good" if self.answers else "stale")
        utility = SimpleNamespace(name="grid", state="connected")
        events = [SimpleNamespace(state="running", starts_at=0.0)] if self.runs else []
        return SimpleNamespace(
            at=1000.0, seq=self.seq, devices=[car], utilities=[utility], events=events
        )

    def stop(self) -> None:
        self.stopped += 1

    def _lasting(self, _about: str, text: str | None) -> None:
        self.alarm = text


@pytest.fixture
def sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sides:
    monkeypatch.setattr(updating, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(updating, "TRIAL_EVERY_S", 0.01)
    made = Sides(tmp_path / "root", tmp_path / "package")
    made.root.mkdir()
    return made


async def _running(
    sides: Sides, home: Path, house: House, good: Callable[[], bool], note: Note = lambda _: None
) -> None:
    """Have the watch run until something is so."""

    async def now() -> bool:
        return good()

    store = await open_store(home / "hems.db", SystemClock())
    updates = Updates(
        home / "hems.toml",
        str(sides.root),
        config=lambda: ALWAYS,
        offered=Offered,
        settings=store.settings,
        clock=SystemClock(),
        note=lambda _: None,
    )
    try:
        async with updating.updating(updates, cast("Succession", house), house.stop, note):
            await until(now, lambda found: found, 30.0, "it is so")
    finally:
        await store.close()


def _told(house: House) -> bool:
    return house.alarm is not None


def _before(home: Path) -> object:
    path = home / UPDATES / BEFORE
    return json.loads(path.read_bytes()) if path.exists() else None


STANDS = {"trial": 1, "devices": ["car"], "utilities": ["grid"]}


@pytest.mark.requirement("LC-PATCH")
async def test_how_the_home_stands_is_noted_as_long_as_a_version_waits(
    sides: Sides, tmp_path: Path
) -> None:
    """The power may go, or somebody may start the hub anew, before the quiet moment comes."""
    house = House()
    house.runs = True
    sides.write(armed(READY))
    await _running(sides, tmp_path, house, lambda: _before(tmp_path) == STANDS)
    assert not house.stopped, "an event runs"
    house.answers = False
    await _running(sides, tmp_path, house, lambda: _before(tmp_path) == STANDS | {"devices": []})
    house.runs = False
    await _running(sides, tmp_path, house, lambda: house.stopped == 1)


@pytest.mark.requirement("LC-PATCH")
async def test_who_ends_the_hub_at_once_has_it_noted_too(
    sides: Sides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updating, "LOOK_EVERY_S", 3600.0)
    sides.write(armed(READY))
    await _running(sides, tmp_path, House(), lambda: True)
    assert _before(tmp_path) == STANDS


@pytest.mark.requirement("LC-PATCH")
@pytest.mark.parametrize(("noted", "good"), [(1, False), (7, True)])
async def test_a_lost_device_counts_if_it_was_there_right_before(
    sides: Sides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noted: int, good: bool
) -> None:
    monkeypatch.setattr("hems.software.proof.STEADY_S", 0.1)
    monkeypatch.setattr("hems.software.proof.GIVE_UP_S", 0.3)
    (tmp_path / UPDATES).mkdir()
    put(tmp_path / UPDATES / BEFORE, STANDS | {"trial": noted}, mode=0o600)
    sides.write(TRIAL)
    sides.link("a")
    house = House()
    house.answers = False
    await _running(sides, tmp_path, house, lambda: verdict(tmp_path) is not None)
    why = "" if good else "car does not answer"
    assert verdict(tmp_path) == Verdict(1, good=good, why=why)


@pytest.mark.requirement("LC-PATCH")
async def test_no_word_is_said_of_a_version_that_does_not_run(
    sides: Sides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk on which its starts cannot be counted the former one runs, and is not on trial."""
    monkeypatch.setattr("hems.software.proof.STEADY_S", 0.05)
    sides.write(TRIAL)
    sides.link("package")
    looks = iter(range(20))
    await _running(sides, tmp_path, House(), lambda: next(looks, None) is None)
    assert not (tmp_path / UPDATES / VERDICT).exists()


@pytest.mark.requirement("LC-PATCH")
@pytest.mark.requirement("L1-EVENTS")
async def test_a_version_taken_back_is_on_record_once_and_told_at_every_start(
    sides: Sides, tmp_path: Path
) -> None:
    noted: list[SecurityEvent] = []
    taken_back = returned(TRIAL, "car does not answer")
    again = returned(started(armed(installed(taken_back, "0.3.0", migrates=False))), "it fell")
    for state, told in ((taken_back, 1), (taken_back, 1), (again, 2)):
        house = House()
        sides.write(state)
        await _running(sides, tmp_path, house, partial(_told, house), noted.append)
        assert len(noted) == told
    assert ["car does not answer" in each.text for each in noted] == [True, False]
    assert "car antwortet nicht" in tell(noted[0].text, "de"), "also the reason, which was kept"
