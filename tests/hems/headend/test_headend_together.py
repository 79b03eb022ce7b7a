"""Writing together: few transactions, each answer after its own, one's fault is nobody else's."""

import asyncio
from collections.abc import Sequence

import pytest

from hems.headend.errors import BusyError, RequestError, UnknownItemError
from hems.headend.together import MOST, Together

pytestmark = pytest.mark.requirement("PRO-2030.5")


class Disk:
    """Takes numbers; holds a write up until it is let on."""

    def __init__(self) -> None:
        self.writes: list[list[int]] = []
        self.durable: list[int] = []
        self.spoils: int | None = None
        self.busy = False
        self.begun = asyncio.Event()
        self.free = asyncio.Event()
        self.free.set()

    async def write(self, items: Sequence[int]) -> Sequence[str | RequestError]:
        self.writes.append(list(items))
        self.begun.set()
        await self.free.wait()
        if self.busy:
            raise BusyError("the disk is full")
        if self.spoils in items:
            raise ValueError("not a number")
        self.durable += [item for item in items if item >= 0]
        return [f"kept {n}" if n >= 0 else UnknownItemError(f"no {n}") for n in items]


async def test_a_lone_one_is_written_at_once() -> None:
    disk = Disk()
    assert await Together(disk.write).add(7) == "kept 7"
    assert disk.writes == [[7]]


async def test_who_comes_while_a_write_is_under_way_shares_the_next() -> None:
    disk = Disk()
    together = Together(disk.write)
    disk.free.clear()
    tasks = [asyncio.create_task(together.add(0))]
    await disk.begun.wait()
    tasks += [asyncio.create_task(together.add(n)) for n in range(1, MOST + 3)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    disk.free.set()
    assert await asyncio.gather(*tasks) == [f"kept {n}" for n in range(MOST + 3)]
    assert [len(write) for write in disk.writes] == [1, MOST, 2]
    assert disk.durable == list(range(MOST + 3))


async def test_one_that_is_refused_or_spoils_a_write_fails_alone() -> None:
    disk = Disk()
    disk.spoils = 2
    together = Together(disk.write)
    results = await asyncio.gather(
        *(together.add(n) for n in (1, -5, 2, 3)), return_exceptions=True
    )
    assert results[0] == "kept 1"
    assert isinstance(results[1], UnknownItemError)
    assert isinstance(results[2], ValueError)
    assert results[3] == "kept 3"
    assert disk.durable == [1, 3]
    assert await together.add(4) == "kept 4"


async def test_a_busy_database_is_busy_for_all_and_works_again_after() -> None:
    disk = Disk()
    disk.busy = True
    together = Together(disk.write)
    results = await asyncio.gather(*(together.add(n) for n in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [BusyError] * 5
    assert len(disk.writes) == 1  # trying each alone would keep them waiting five times as long
    disk.busy = False
    assert await together.add(9) == "kept 9"


async def test_who_goes_away_holds_nobody_up() -> None:
    disk = Disk()
    together = Together(disk.write)
    disk.free.clear()
    gone, stays = (asyncio.create_task(together.add(n)) for n in (1, 2))
    await disk.begun.wait()
    gone.cancel()
    disk.free.set()
    assert await stays == "kept 2"
    with pytest.raises(asyncio.CancelledError):
        await gone
