"""What the home does now and then falls due by the loop's own time, however fast that passes."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from hems.housekeeping import SAMPLES_KEPT_S, Housekeeping
from hems.scenarios.virtual_time import VirtualClock, run_at_once
from hems.store.history import Sample
from hems.store.store import open_store

_START = 1_800_000_000.0
_HOUR_S = 3600.0


@pytest.mark.requirement("L2-KEYS")
def test_each_falls_due_at_its_own_pace(tmp_path: Path) -> None:
    """The utility is told each minute, revocation lists are looked at, old samples are cleared."""
    told: list[float] = []
    looked: list[float] = []
    alarms: list[str] = []

    async def live() -> int:
        loop = asyncio.get_running_loop()
        clock = VirtualClock(loop, _START)
        store = await open_store(tmp_path / "home.db", clock)
        await store.history.append([Sample(_START - SAMPLES_KEPT_S - 60.0, "meter", 1.0)])
        keeping = Housekeeping(
            store,
            clock,
            alarm=alarms.append,
            report=lambda: told.append(loop.time()),
            refresh=lambda: looked.append(loop.time()),
            damaged=lambda text: alarms.append(text) if text else None,
        )
        task = asyncio.create_task(keeping.run())
        await asyncio.sleep(6.5 * _HOUR_S - 30.0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        start = _START - SAMPLES_KEPT_S - 120.0
        left = await store.history.history(start, start + 120.0, 1)
        await store.close()
        return sum(power_w is not None for each in left for power_w in each.power_w)

    left = run_at_once(live())
    assert len(told) == 389
    assert len(looked) >= 389
    assert left == 0
    assert alarms == []
