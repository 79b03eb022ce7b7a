import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hems.cem.planner.question import Role
from hems.clock import SystemClock
from hems.planning.chronicle import FIRST_S, STEP_S, Chronicle
from hems.store.history import Sample
from hems.store.store import Store, open_store
from tests.hems.planning.home import T0, image

ROLES = {"meter": Role.METER, "pv": Role.SUN}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "hems.db", SystemClock())
    yield opened
    await opened.close()


async def measured(store: Store, start: float, end: float, device: str, power_w: float) -> None:
    count = int((end - start) // 60)
    batch = [Sample(start + 60 * i + 5, device, power_w) for i in range(count)]
    await store.history.append(batch)


async def test_only_whole_steps_that_are_written_down_are_told(store: Store) -> None:
    await measured(store, T0 - 3 * STEP_S, T0 + 600, "meter", 800.0)
    chronicle = Chronicle(store.history, ROLES)
    found, told_to = await chronicle.since(None, T0 + 600)
    (meter,) = found
    assert told_to == T0
    assert meter.start + len(meter.power_w) * STEP_S == T0
    assert meter.power_w[-3:] == (800.0,) * 3
    assert all(math.isnan(w) for w in meter.power_w[:-3])


async def test_each_stretch_is_told_once(store: Store) -> None:
    await measured(store, T0 - 3_600, T0 + 3_600, "meter", 800.0)
    chronicle = Chronicle(store.history, ROLES)
    _, told_to = await chronicle.since(None, T0 + 60)
    again, same = await chronicle.since(told_to, T0 + 120)
    assert (again, same) == ((), told_to)
    later, told_to = await chronicle.since(told_to, T0 + STEP_S + 60)
    assert [(s.start, s.power_w) for s in later] == [(T0, (800.0,))]
    assert told_to == T0 + STEP_S


async def test_the_first_time_it_goes_back_sixty_days_and_no_further(store: Store) -> None:
    await measured(store, T0 - FIRST_S - 7_200, T0 - FIRST_S + 7_200, "meter", 800.0)
    found, _ = await Chronicle(store.history, ROLES).since(None, T0 + 60)
    known = [w for s in found for w in s.power_w if not math.isnan(w)]
    assert len(known) == 7_200 // STEP_S


async def test_who_has_no_role_is_not_told_of(store: Store) -> None:
    await measured(store, T0 - 3_600, T0, "toaster", 800.0)
    assert (await Chronicle(store.history, ROLES).since(None, T0 + 60))[0] == ()


async def test_sun_that_was_held_back_is_marked(store: Store) -> None:
    await measured(store, T0 - 2 * STEP_S, T0, "pv", -1_000.0)
    chronicle = Chronicle(store.history, ROLES)
    chronicle.take_image(image(T0 - 2 * STEP_S + 30, held_to_w=-6_000.0))  # held to all it can
    chronicle.take_image(image(T0 - STEP_S + 30, held_to_w=-1_000.0))
    (found, *_), _ = await chronicle.since(T0 - 2 * STEP_S, T0 + 60)
    assert found.held_back == (False, True)


async def test_after_a_clock_set_back_all_is_told_again(store: Store) -> None:
    """The planner has forgotten what was too old by the time that was wrong."""
    await measured(store, T0 - 3_600, T0, "meter", 800.0)
    chronicle = Chronicle(store.history, ROLES)
    _, wrong = await chronicle.since(None, T0 + 300 * 86_400)
    (found,), told_to = await chronicle.since(wrong, T0 + 60)
    assert found.power_w[-4:] == (800.0,) * 4
    assert told_to == T0


def test_of_what_was_held_back_no_more_is_remembered_than_is_told() -> None:
    chronicle = Chronicle(None, ROLES)  # type: ignore[arg-type]
    for day in range(200):
        at = T0 + day * 86_400 + (day % 24) * 3_600
        chronicle.take_image(image(at, held_to_w=-1_000.0))
    assert 50 <= len(chronicle._held["pv"]) <= 61
