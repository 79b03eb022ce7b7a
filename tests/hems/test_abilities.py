"""What devices can do is kept, waited for a little, and never taken from rubbish."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from der.commands import Ability, DeviceOptions
from der.curves import GridFunction
from hems import abilities
from hems.abilities import KEY, KeptAbilities
from hems.clock import SystemClock
from hems.store.store import Store, open_store
from tests.hems.cem.plant import ALL, CAR, METER, PV

CAN = DeviceOptions(
    frozenset({Ability.REACTIVE}),
    frozenset({GridFunction.VOLT_VAR}),
    untimed=frozenset({GridFunction.VOLT_VAR}),
    absorbed_var=2000.0,
)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Store]:
    store = await open_store(folder / "hems.db", SystemClock())
    try:
        yield store
    finally:
        await store.close()


async def kept(store: Store, told: list[str]) -> KeptAbilities:
    made = KeptAbilities(store.settings, ALL, lambda: told.append("changed"), told.append)
    await made.load()
    return made


@pytest.mark.requirement("BUC-4")
async def test_a_restarted_hub_knows_what_devices_can_do(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        told: list[str] = []
        first = await kept(store, told)
        running = asyncio.create_task(first.run())
        first.present.learn("pv", CAN)
        first.present.learn("gone", CAN)
        assert told == ["changed", "changed"]
        first.present.learn("pv", CAN)
        assert len(told) == 2  # no news
        for _ in range(200):
            if KEY in await store.settings.all():
                break
            await asyncio.sleep(0.01)
        running.cancel()
        again = await kept(store, told)
        assert again.present.options == {"pv": CAN}
        assert again.present.asked == frozenset()


async def test_rubbish_is_told_and_asked_anew(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.settings.put(KEY, '{"pv": {"abilities": ["levitation"]}}')
        told: list[str] = []
        found = await kept(store, told)
        assert found.present.options == {}
        assert "must be asked anew" in told[0]


async def test_a_rating_that_cannot_be_is_not_said_and_ends_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        found = await kept(store, [])
        running = asyncio.create_task(found.run())
        for wrong in (math.nan, math.inf, -5000.0):
            found.present.learn(
                "pv", replace(CAN, absorbed_var=wrong, injected_var=wrong, rated_va=wrong)
            )
            await asyncio.sleep(0)
            assert found.present.options["pv"] == replace(CAN, absorbed_var=None)
        found.present.learn("pv", replace(CAN, injected_var=0.0, rated_va=0.0))
        assert found.present.options["pv"] == replace(CAN, injected_var=0.0), "no var, any VA"
        for _ in range(200):
            if '"injected_var":0.0' in (await store.settings.all()).get(KEY, ""):
                break
            await asyncio.sleep(0.01)
        assert not running.done()
        running.cancel()


async def test_nobody_waits_for_long_for_an_inverter_that_never_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abilities, "LONGEST_WAIT_S", 0.05)
    async with opened(tmp_path) as store:
        silent = KeptAbilities(store.settings, [PV], lambda: None, lambda _: None)
        await asyncio.wait_for(silent.known(), 5)
        bare = KeptAbilities(store.settings, [METER, CAR], lambda: None, lambda _: None)
        await bare.load()
        monkeypatch.setattr(abilities, "LONGEST_WAIT_S", 60.0)
        await asyncio.wait_for(bare.known(), 5)
        waiting = asyncio.create_task(silent.known())
        await asyncio.sleep(0)
        silent.present.learn("pv", CAN)
        await asyncio.wait_for(waiting, 5)
