"""Old rows go bit by bit: events are written in between, and the room is used again."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from hems.sep2.book.ledger import EventRow
from hems.store.store import Store
from tests.stored import execute, looked_into

pytestmark = pytest.mark.requirement("PRV-INTEGRITY", "LC-TEST")

DAY_S = 86_400
FIRST = 1_700_006_400
DAYS = 70
EVENT = EventRow("A", "s", "DERControl", "p", "n", 1, False, b"x", 0, 0, 0, "received")
FILL = """
    INSERT INTO minutes (device, minute, count, power_sum_w, soc, taken_sum_w)
    WITH RECURSIVE past(n) AS (SELECT ? UNION ALL SELECT n + 1 FROM past WHERE n + 1 < ?)
    SELECT ?, n, 60, 6000.0, NULL, 6000.0 FROM past
"""


def fill(path: Path, first_day: int, days: int) -> None:
    """Write minutes of two devices."""
    begin = (FIRST + first_day * DAY_S) // 60
    for device in (1, 2):
        execute(path, "INSERT OR IGNORE INTO devices VALUES (?, ?)", (device, f"d{device}"))
        execute(path, FILL, (begin, begin + days * 1440, device))


def pages(path: Path) -> int:
    with looked_into(path) as connection:
        return int(connection.execute("PRAGMA page_count").fetchone()[0])


async def test_events_are_written_while_weeks_are_cleared_away(store: Store, path: Path) -> None:
    """Each of them between two slices, of which there are at least ten for each device."""
    fill(path, 0, DAYS)
    written = 0
    clearing = asyncio.create_task(store.history.prune(FIRST, minutes_before=FIRST + DAYS * DAY_S))
    while not clearing.done():
        await store.ledger.save([replace(EVENT, mrid=f"{written:04X}")], [])
        written += 1
    await clearing
    assert written >= DAYS // 7, "an event waited for more than a slice"
    assert execute(path, "SELECT count(*) FROM minutes") == [(0,)]
    assert len(await store.ledger.events()) == written


async def test_the_file_grows_to_its_planned_size_and_no_further(store: Store, path: Path) -> None:
    """A month is kept; a week comes and a week goes, eight times."""
    fill(path, 0, 42)
    sizes = []
    for week in range(8):
        end = 42 + 7 * week
        await store.history.prune(FIRST, minutes_before=FIRST + (end - 35) * DAY_S)
        fill(path, end, 7)
        sizes.append(pages(path))
    assert max(sizes) <= sizes[0] * 1.02 + 4, sizes
