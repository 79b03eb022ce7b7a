"""Calendars: how long what is over or cancelled is shown, and when it is let go of."""

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hems.headend.errors import ConflictError, StoreError, UnknownItemError
from hems.headend.messages import ALL, Message, Priority
from hems.headend.modes import Edition
from hems.headend.shelf import Shelf
from hems.headend.spans import CANCELLED_S, MEMORY_S, Calendar, Span
from hems.headend.status import Keeping, Status
from hems.headend.store import Store

T0 = 1_800_000_000
KEEPING = Keeping()


@dataclass
class Held:
    """A clock that stands still."""

    at: float = T0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "data.sqlite")
    yield opened
    await opened.close()


def calendar(store: Store, clock: Held) -> Calendar[Message]:
    return Calendar(Shelf(store, "message", Message), clock, "message", 2 * CANCELLED_S)


def message(
    letter: str, start: int = 0, length: int = 600, cancelled: float | None = None
) -> Message:
    gone = None if cancelled is None else T0 + cancelled
    return Message(Span(letter * 32, T0 + start, length, T0, gone), letter, Priority.LOW, None)


def seen(made: Calendar[Message], edition: Edition) -> dict[str, int]:
    return {item.text: int(state.status) for item, state in made.shown(ALL, edition)}


async def test_each_edition_sees_ends_in_its_own_words(store: Store) -> None:
    clock = Held()
    made = calendar(store, clock)
    await made.keep(message("A"), message("B", 1200))
    for edition in Edition:
        assert seen(made, edition) == {"A": Status.ACTIVE, "B": Status.SCHEDULED}
    clock.at = T0 + 600
    assert seen(made, Edition.CSIP_AUS) == {"A": Status.ACTIVE, "B": Status.SCHEDULED}
    assert seen(made, Edition.Y2023) == {"A": Status.COMPLETED, "B": Status.SCHEDULED}
    clock.at = T0 + 600 + KEEPING.grace_s
    assert seen(made, Edition.CSIP_AUS) == {"B": Status.SCHEDULED}
    clock.at = T0 + 600 + KEEPING.completed_s
    assert seen(made, Edition.Y2023) == {"B": Status.SCHEDULED}


async def test_no_list_changes_between_the_announced_times(store: Store) -> None:
    clock = Held()
    made = calendar(store, clock)
    await made.keep(message("A"), message("B", 400, 9000, cancelled=100), message("C", 1200))
    due = made.next_change()
    changes = 0
    while due is not None:
        before = [seen(made, edition) for edition in Edition]
        clock.at = due - 0.001
        assert [seen(made, edition) for edition in Edition] == before
        clock.at = due
        changes += [seen(made, edition) for edition in Edition] != before
        due = made.next_change()
    assert changes >= 6
    assert [seen(made, edition) for edition in Edition] == [{}] * len(Edition)


async def test_what_is_over_can_be_changed_no_more(store: Store) -> None:
    clock = Held()
    made = calendar(store, clock)
    await made.keep(message("A"), message("B", cancelled=-5))
    made.check_open(made.get("a" * 32))
    with pytest.raises(ConflictError, match="cancelled already"):
        made.check_open(made.get("B" * 32))
    clock.at = T0 + 600
    with pytest.raises(ConflictError, match="is over"):
        made.check_open(made.get("A" * 32))
    with pytest.raises(UnknownItemError, match="no message"):
        made.get("C" * 32)


async def test_the_old_is_let_go_of_here_and_in_the_database(store: Store) -> None:
    clock = Held()
    made = calendar(store, clock)
    await made.keep(message("A"), message("B", 0, 86400, cancelled=10), message("C", 0, 86400))
    clock.at = T0 + 10 + 2 * CANCELLED_S + 1
    await made.forget_old()
    assert [item.text for item in made.of(ALL)] == ["C", "A"]
    clock.at = T0 + 601 + MEMORY_S
    again = calendar(store, clock)
    await store.load()
    await again.forget_old()
    assert [item.text for item in again.of(ALL)] == ["C"]
    shelf = Shelf(store, "message", Message)
    await store.load()
    assert [item.text for item in shelf.items] == ["C"]


async def test_a_record_that_cannot_be_read_is_named(store: Store, tmp_path: Path) -> None:
    await calendar(store, Held()).keep(message("A"))
    connection = sqlite3.connect(tmp_path / "data.sqlite")
    connection.execute("UPDATE item SET body = '{}'")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="holds a message that cannot be read"):
        await store.load()
