"""All needs together: what is asked, what is followed, what outlives a restart."""

import asyncio
from collections.abc import AsyncIterator
from datetime import time
from pathlib import Path

import pytest

from hems.cem.needs import CarMode, CarNeed, RunRequest
from hems.device_surface import UnknownDeviceError
from hems.needs.habits import Usual
from hems.needs.orders import CarWish
from hems.store.settings import Settings
from hems.store.store import open_store
from hems.surface import ImpossibleWishError
from programs.economy import EconomyPolicy, Step
from programs.ready_by import Departure
from programs.registry import Policies
from programs.runs import Run
from tests.hems.needs.home import HEAT, NOW, SEVEN, Play
from tests.web.surface import ScriptedClock

pytestmark = pytest.mark.requirement("L1-OWNER")

NO_PLAN = EconomyPolicy()


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncIterator[Settings]:
    store = await open_store(tmp_path / "hems.db", ScriptedClock(NOW))
    yield store.settings
    await store.close()


@pytest.fixture
def play(settings: Settings) -> Play:
    return Play.of(settings)


def test_habits_hold_where_nothing_is_asked(play: Play) -> None:
    ev, guest = play.needs.cars(NOW)
    assert ev == CarNeed("ev", CarMode.CHEAPEST, SEVEN, 12_000)
    assert guest == CarNeed("guest", CarMode.NOW), "as without a planner"
    assert play.needs.heats() == (HEAT,)
    assert play.needs.runs() == ()
    assert play.needs.appliances == ("dishwasher",)


def test_what_is_drawn_is_not_missing_any_more(play: Play) -> None:
    for wh in (0.0, 2_000.0, 5_000.0):
        play.needs.take_image(play.image(7_000, wh), NO_PLAN)
        play.clock.at += 1
    (departure,) = play.needs.applied(Policies()).ready_by.departures
    assert departure == Departure("ev", SEVEN, 7_000.0, 7_000.0, "07:00")
    play.needs.take_image(play.image(0, 12_000), NO_PLAN)
    assert play.needs.applied(Policies()).ready_by.departures == ()


async def test_an_order_holds_until_the_car_leaves(play: Play) -> None:
    play.needs.take_image(play.image(), NO_PLAN)
    before = play.needs.changed
    await play.needs.order_car("ev", CarWish(ready_by=time(6, 30), energy_wh=20e3))
    assert play.needs.changed == before + 1
    assert play.touched == 1
    need = play.needs.cars(play.clock.at)[0]
    assert (need.ready_at, need.energy_wh, need.mode) == (SEVEN - 1_800, 20e3, CarMode.CHEAPEST)
    play.clock.at += 60
    play.needs.take_image(play.image(plugged=False), NO_PLAN)
    assert play.needs.changed == before + 2
    assert play.needs.cars(play.clock.at)[0] == CarNeed(
        "ev", CarMode.CHEAPEST, SEVEN, 12_000, taken_wh=0
    )


async def test_an_order_made_before_the_car_comes_is_for_its_stay(play: Play) -> None:
    play.needs.take_image(play.image(plugged=False), NO_PLAN)
    await play.needs.order_car("ev", CarWish(CarMode.NOW))
    for plugged, mode in ((False, "now"), (True, "now"), (False, "cheapest")):
        play.clock.at += 60
        play.needs.take_image(play.image(plugged=plugged), NO_PLAN)
        assert play.needs.needs().cars[0].mode == mode


async def test_the_plan_counts_for_cars_that_wait_for_it(play: Play) -> None:
    step = (Step(NOW - 1, NOW + 1e6, 0.0),)
    policies = Policies(economy=EconomyPolicy({"ev": step, "dishwasher": step, "tank": step}))
    applied = play.needs.applied(policies).economy
    assert (set(applied.steps), applied.solar) == ({"ev", "tank"}, frozenset())
    await play.needs.order_car("ev", CarWish(CarMode.SOLAR))
    applied = play.needs.applied(policies).economy
    assert (set(applied.steps), applied.solar) == ({"tank"}, frozenset({"ev"}))
    assert play.needs.applied(policies).ready_by.departures == ()
    await play.needs.order_car("ev", CarWish(CarMode.NOW, until=NOW + 600))
    applied = play.needs.applied(policies).economy
    assert (set(applied.steps), applied.solar) == ({"tank"}, frozenset())
    play.clock.at = NOW + 600
    play.needs.take_image(play.image(), NO_PLAN)
    assert "ev" in play.needs.applied(policies).economy.steps


async def test_a_run_begins_with_the_plan_and_ends(play: Play) -> None:
    await play.needs.ask_run("dishwasher", None)
    ready_by = SEVEN + 11 * 3_600
    assert play.needs.runs() == (RunRequest("dishwasher", (2_000.0, 100.0), 900.0, NOW, ready_by),)
    plan = EconomyPolicy({"dishwasher": (Step(NOW + 60, NOW + 1_860, 1_050),)})
    play.needs.take_image(play.image(), plan)
    assert play.needs.applied(Policies()).runs.runs[0].ends_at is None
    play.clock.at = NOW + 60
    play.needs.take_image(play.image(), EconomyPolicy(plan.steps, good_until=NOW + 60))
    assert play.needs.runs(), "an old plan starts nothing"
    play.needs.take_image(play.image(), plan)
    assert play.needs.runs() == ()
    words = "Runs until 21:31, without a break"
    assert play.needs.applied(Policies()).runs.runs == (Run("dishwasher", NOW + 1_860, words),)
    with pytest.raises(ImpossibleWishError, match="has begun"):
        await play.needs.ask_run("dishwasher", None)
    play.clock.at = NOW + 1_860
    play.needs.take_image(play.image(), plan)
    assert play.needs.applied(Policies()).runs.runs == ()


async def test_all_of_it_outlives_a_restart(play: Play) -> None:
    play.needs.take_image(play.image(7_000, 1_000), NO_PLAN)
    await play.needs.order_car("ev", CarWish(CarMode.SOLAR, energy_wh=20e3))
    await play.needs.ask_run("dishwasher", time(23))
    play.clock.at += 300
    play.needs.take_image(play.image(7_000, 1_600), NO_PLAN)
    play.clock.at = SEVEN - 3 * 3_600
    play.needs.take_image(play.image(7_000, 4_000), NO_PLAN)
    assert play.needs.unsaved
    await play.needs.save()
    assert not play.needs.unsaved

    again = Play.of(play.settings, play.clock)
    await again.needs.load()
    need = again.needs.cars(play.clock.at)[0]
    assert (need.mode, need.energy_wh, need.taken_wh) == (CarMode.SOLAR, 20e3, 3_000)
    assert need.power_w == 7_000
    # It was due at 22:30 by the clock and is long over by now: let on once, never twice.
    (run,) = again.needs.applied(Policies()).runs.runs
    assert run.ends_at == play.clock.at + 1_800
    play.clock.at += 60
    again.needs.take_image(again.image(7_000, 6_000), NO_PLAN)
    assert again.needs.cars(play.clock.at)[0].taken_wh == 5_000, "the register went on"
    await again.needs.end_car_order("ev")
    await again.needs.cancel_run("dishwasher")
    last = Play.of(play.settings, play.clock)
    await last.needs.load()
    assert not last.needs.needs().cars[0].ordered
    assert not last.needs.needs().runs[0].asked


async def test_another_habit_holds_over_restarts_until_it_is_taken_back(play: Play) -> None:
    before = play.needs.changed
    usual = Usual(CarMode.SOLAR, time(6, 30), frozenset({0, 1, 2, 3, 4}), 20e3)
    await play.needs.accustom_car("ev", usual)
    assert (play.needs.changed, play.touched) == (before + 1, 1)
    again = Play.of(play.settings, play.clock)
    await again.needs.load()
    for needs in (play.needs, again.needs):
        (need, _), view = needs.cars(NOW), needs.needs().cars[0]
        assert (need.mode, need.ready_at, need.energy_wh) == (CarMode.SOLAR, SEVEN - 1_800, 20e3)
        assert (view.habit_ready, view.habit_wh, view.habit_told) == ("06:30", 20e3, True)
        assert list(view.habit_days) == [0, 1, 2, 3, 4]
        assert not view.ordered
    await again.needs.accustom_car("ev", None)
    last = Play.of(play.settings, play.clock)
    await last.needs.load()
    assert last.needs.cars(NOW)[0] == CarNeed("ev", CarMode.CHEAPEST, SEVEN, 12_000)
    assert not last.needs.needs().cars[0].habit_told
    await play.settings.put("car habit ev", '{"mode": "warp"}')
    await last.needs.load()
    assert last.needs.cars(NOW)[0].energy_wh == 12_000, "what cannot be read is left"


async def test_a_habit_that_cannot_be_is_refused(play: Play) -> None:
    before = play.needs.needs()
    with pytest.raises(UnknownDeviceError):
        await play.needs.accustom_car("boat", None)
    with pytest.raises(ImpossibleWishError, match="on which days"):
        await play.needs.accustom_car("ev", Usual(CarMode.CHEAPEST, time(7), frozenset()))
    for energy_wh in (0.0, -1.0, 1e9, float("nan")):
        with pytest.raises(ImpossibleWishError, match="more than 0"):
            await play.needs.accustom_car("ev", Usual(CarMode.CHEAPEST, energy_wh=energy_wh))
    assert play.needs.needs() == before


async def test_what_is_written_is_little(play: Play) -> None:
    written = 0
    for second in range(3_600):
        play.clock.at = NOW + second
        play.needs.take_image(play.image(7_200, 2.0 * second), NO_PLAN)
        written += play.needs.unsaved
        await play.needs.save()
    assert written <= 13, "at plug-in, then every five minutes"


async def test_what_cannot_be_is_refused_and_changes_nothing(play: Play) -> None:
    await play.needs.order_car("ev", CarWish(CarMode.NOW))
    before = play.needs.needs(), play.needs.changed
    for device in ("boat", "dishwasher", "theirs"):
        with pytest.raises(UnknownDeviceError):
            await play.needs.order_car(device, CarWish(CarMode.NOW))
        with pytest.raises(UnknownDeviceError):
            await play.needs.end_car_order(device)
    for device in ("boat", "ev"):
        with pytest.raises(UnknownDeviceError):
            await play.needs.ask_run(device, None)
        with pytest.raises(UnknownDeviceError):
            await play.needs.cancel_run(device)
    with pytest.raises(ImpossibleWishError):
        await play.needs.order_car("ev", CarWish(energy_wh=-1))
    with pytest.raises(ImpossibleWishError):
        await play.needs.ask_run("dishwasher", NOW - 1)
    assert (play.needs.needs(), play.needs.changed) == before


@pytest.mark.parametrize("text", ["{", "null", '{"mode": "fast"}', '{"taken_wh": NaN}'])
async def test_what_is_damaged_is_left(
    settings: Settings, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("car order ev", "car stay ev", "run dishwasher", "car order gone"):
        await settings.put(name, text)
    play = Play.of(settings)
    await play.needs.load()
    assert not play.needs.needs().cars[0].ordered
    assert "cannot be read" in caplog.text


async def test_without_a_disk_an_order_still_holds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = await open_store(tmp_path / "hems.db", ScriptedClock(NOW))
    play = Play.of(store.settings)
    await store.close()
    (tmp_path / "hems.db").write_bytes(b"no database" * 100)
    await play.needs.load()
    await play.needs.order_car("ev", CarWish(CarMode.NOW))
    assert play.needs.needs().cars[0].mode == "now"
    assert "will not outlive a restart" in caplog.text


async def test_what_is_being_written_when_the_hub_ends_is_written_at_last(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_name: str, _value: str) -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(play.settings, "put", never)
        asked = asyncio.create_task(play.needs.order_car("ev", CarWish(CarMode.NOW)))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
    assert play.needs.unsaved
    await play.needs.save()
    again = Play.of(play.settings, play.clock)
    await again.needs.load()
    assert again.needs.needs().cars[0].mode == "now"
