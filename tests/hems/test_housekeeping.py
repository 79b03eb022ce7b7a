"""What the home does now and then falls due by the loop's own time, however fast that passes."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.housekeeping import CLEARED, SAMPLES_KEPT_S, Housekeeping, cleared_by
from hems.scenarios.virtual_time import VirtualClock, run_at_once
from hems.store.history import Sample
from hems.store.store import open_store
from tests.stored import looked_into

_START = 1_800_000_000.0
_HOUR_S = 3600.0
_DAY_S = 24 * _HOUR_S
_YEAR_S = 365 * _DAY_S


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
        await store.close()
        with looked_into(tmp_path / "home.db") as connection:
            (left,) = connection.execute("SELECT count(*) FROM samples").fetchone()
        return int(left)

    left = run_at_once(live())
    assert len(told) == 389
    assert len(looked) >= 389
    assert left == 0
    assert alarms == []


def test_a_clock_set_to_a_year_to_come_has_nothing_forgotten_that_is_kept_for_years(
    tmp_path: Path,
) -> None:
    """It is put right some days later; until then four days of minute means have gone."""

    async def live() -> tuple[bool, ...]:
        loop = asyncio.get_running_loop()
        store = await open_store(tmp_path / "home.db", VirtualClock(loop, _START))
        recent, old = _START - 2 * _DAY_S, _START - 34.5 * _DAY_S
        await store.history.append([Sample(at, "meter", 1.0) for at in (old, recent)])
        await store.settings.put(CLEARED, f"{_START:.0f}")
        keeping = Housekeeping(
            store,
            VirtualClock(loop, _START + 70 * _YEAR_S),
            alarm=lambda _: None,
            report=lambda: None,
            refresh=lambda: None,
            damaged=lambda _: None,
        )
        task = asyncio.create_task(keeping.run())
        await asyncio.sleep(24.5 * _HOUR_S)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await store.close()
        with looked_into(tmp_path / "home.db") as connection:
            left = {minute for (minute,) in connection.execute("SELECT minute FROM minutes")}
        return tuple(at // 60 in left for at in (old, recent))

    assert run_at_once(live()) == (False, True)


@given(
    st.lists(st.floats(0, 40 * _DAY_S), max_size=30),
    st.sampled_from(["", "nan", "inf", "soon", f"{_START:.0f}"]),
)
def test_what_is_cleared_by_goes_a_day_further_at_most(steps: list[float], kept: str) -> None:
    now, last = _START, None if kept != f"{_START:.0f}" else _START
    for step in steps:
        now += step
        by = cleared_by(kept, now)
        assert by <= now
        if last is not None:
            assert by == (now if now - last < _DAY_S else last + _DAY_S)
        kept, last = repr(by), by
    assert cleared_by(f"{_START + _YEAR_S}", _START) == _START, "a clock that was put right"
