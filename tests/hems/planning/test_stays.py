from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hems.cem.planner.question import Stay
from hems.clock import SystemClock
from hems.planning.stays import Stays, under_way
from hems.store.settings import Settings
from hems.store.store import Store, open_store
from tests.hems.planning.home import T0, image, without


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "hems.db", SystemClock())
    yield opened
    await opened.close()


def watched(settings: Settings, *course: tuple[float, bool | None]) -> Stays:
    stays = Stays(settings)
    for at, plugged in course:
        stays.take_image(image(T0 + at, plugged=plugged))
    return stays


async def test_a_stay_begins_and_ends(store: Store) -> None:
    stays = watched(store.settings, (0, False), (60, True), (120, True), (3_600, False))
    assert stays.all == (Stay("car", T0 + 60, T0 + 3_600),)
    assert under_way(stays.all, "car") is None


async def test_who_cannot_tell_or_is_lost_has_neither_come_nor_left(store: Store) -> None:
    stays = watched(store.settings, (0, True), (60, None))
    stays.take_image(without(image(T0 + 120, plugged=False), "car"))
    assert stays.all == (Stay("car", T0),)
    assert under_way(stays.all, "car") == Stay("car", T0)


async def test_stays_outlive_a_restart(store: Store) -> None:
    stays = watched(store.settings, (0, True), (900, False), (1_800, True))
    await stays.save()
    again = Stays(store.settings)
    await again.load()
    assert again.all == stays.all
    again.take_image(image(T0 + 2_700, plugged=True))
    assert again.all == stays.all, "the same stay goes on"


async def test_old_stays_are_forgotten(store: Store) -> None:
    day = 86_400.0
    stays = watched(store.settings, (0, True), (day, False), (70 * day, True), (71 * day, False))
    assert stays.all == (Stay("car", T0 + 70 * day, T0 + 71 * day),)


async def test_what_cannot_be_read_is_said_and_left(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    await store.settings.put("car stays", '[{"device": 3}]')
    stays = Stays(store.settings)
    await stays.load()
    assert stays.all == ()
    assert "is not known" in caplog.text


async def test_a_clock_that_is_set_back_leaves_no_stay_that_ends_before_it_begins(
    store: Store,
) -> None:
    stays = watched(store.settings, (3_600, True), (0, False))
    assert stays.all == (Stay("car", T0 + 3_600, T0 + 3_600),)
