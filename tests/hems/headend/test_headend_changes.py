"""What workers hold in memory is what the database holds, whoever changes what and looks when."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.headend.db import changes
from hems.headend.db.held import Changed
from hems.headend.errors import ConflictError
from hems.headend.shelf import Owned, Shelf
from hems.headend.store import Store

KEYS = ("a", "b", "c")


@dataclass(frozen=True)
class Item:
    value: int


@dataclass(frozen=True)
class Step:
    """Something that one of two workers does.

    Attributes:
        worker: Which, 0 or 1.
        saves: What it saves in one transaction, by key; None drops the key.
        fails: Whether the transaction is given up at its end.
        looks: Whether it looks what the other has changed instead.
    """

    worker: int
    saves: dict[str, int | None]
    fails: bool = False
    looks: bool = False


steps = st.lists(
    st.builds(
        Step,
        st.integers(0, 1),
        st.dictionaries(st.sampled_from(KEYS), st.none() | st.integers(0, 9), min_size=1),
        st.booleans(),
        st.booleans(),
    ),
    max_size=14,
)


class Worker:
    """A worker's memory, and what its listeners make of it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.shelf = Shelf(store, "thing", Item)
        self.followed: dict[str, int] = {}
        self.shelf.follow(self.take)

    def take(self, fresh: Sequence[Changed[Owned[Item]]]) -> None:
        for each in fresh:
            assert (None if each.before is None else each.before.item.value) == (
                self.followed.get(each.key)
            )
            if each.after is None:
                del self.followed[each.key]
            else:
                self.followed[each.key] = each.after.item.value

    @property
    def held(self) -> dict[str, int]:
        return {key: owned.item.value for key, owned in self.shelf.all.items()}


async def open_worker(path: Path) -> Worker:
    worker = Worker(await Store.open(path))
    await worker.store.load()
    return worker


async def act(worker: Worker, step: Step) -> None:
    if step.looks:
        await worker.store.catch_up()
        return
    async with worker.store.changing():
        for key, value in step.saves.items():
            if value is None:
                await worker.shelf.drop(key)
            else:
                await worker.shelf.put((key, "", Item(value)))
        if step.fails:
            raise ConflictError("given up")


async def check(path: Path, done: list[Step]) -> None:
    workers = [await open_worker(path), await open_worker(path)]
    truth: dict[str, int] = {}
    for step in done:
        try:
            await act(workers[step.worker], step)
        except ConflictError:
            assert step.fails
        else:
            if not step.looks:
                merged = {**truth, **step.saves}
                truth = {key: value for key, value in merged.items() if value is not None}
                assert workers[step.worker].held == truth, "who changes knows all before it"
    third = await open_worker(path)
    for worker in (*workers, third):
        await worker.store.catch_up()
        assert worker.held == worker.followed == truth
        await worker.store.close()


@pytest.mark.requirement("PRO-2030.5")
@pytest.mark.parametrize("kept", [1, 3, 10_000])
def test_all_workers_hold_what_the_database_holds(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "KEPT", kept)

    @settings(max_examples=12, deadline=None)
    @given(steps)
    def follow(done: list[Step]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(check(Path(folder) / "db.sqlite", done))

    follow()


async def test_a_task_that_outlives_its_transaction_has_one_of_its_own(tmp_path: Path) -> None:
    worker = await open_worker(tmp_path / "db.sqlite")
    begun = asyncio.Event()

    async def later() -> None:
        await begun.wait()
        await worker.shelf.put(("b", "", Item(2)))

    async with worker.store.changing():
        task = asyncio.create_task(later())
        await worker.shelf.put(("a", "", Item(1)))
    begun.set()
    await task
    assert worker.held == {"a": 1, "b": 2}
    await worker.store.close()
