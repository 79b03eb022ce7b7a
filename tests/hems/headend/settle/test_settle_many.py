"""Settlements of more homes than fit a page: files stream, pages meet, nobody is there twice."""

import csv
import io

import aiohttp
import pytest

from hems.headend.errors import BusyError
from hems.headend.mirror_posts import MeterPost, Sample
from hems.headend.mirror_store import MirrorStore, PointPost
from hems.headend.modes import Edition
from hems.headend.records import ResponseRecord
from hems.headend.response_posts import ResponsePost, ResponsePosts
from hems.headend.server import HeadEnd
from hems.headend.settle import counting, door_files
from hems.headend.settle.chunk import settle_some
from tests.hems.headend.conftest import Operator
from tests.hems.headend.settle.homes import EVENING, STEP_S, SetClock

HOMES = 137
HOUR_S = 3600


def lfdi(number: int) -> str:
    return f"{number:040X}"


async def street(head_end: HeadEnd, operator: Operator) -> str:
    """Have many homes: each takes its number in W less than 3 kW while the event lasts."""
    await head_end.book.register_all(
        [(lfdi(n), 123455, Edition.CSIP_AUS) for n in range(1, HOMES + 1)]
    )
    event = str((await operator.event(program="Quick", shed_w=100, minutes=30))["id"])
    mirrors, kept = MirrorStore(head_end.store), ResponsePosts(head_end.store)
    for number in range(1, HOMES + 1):
        samples = [
            Sample(start, STEP_S, "", 3000 - (number if 0 <= start - EVENING < 1800 else 0))
            for start in range(EVENING - HOUR_S, EVENING + HOUR_S, STEP_S)
        ]
        point = PointPost(lfdi(number), "AB" * 16, "0003", b"<MirrorUsagePoint/>")
        await mirrors.save_point(point, [MeterPost("01" * 16, "", 38, 1, 0, samples)])
        said = ResponseRecord(0, lfdi(number), event, 2, "", EVENING, EVENING, "Response", b"<R/>")
        await kept.add(ResponsePost(said, 9))
    return event


async def test_pages_and_files_hold_each_home_once(
    head_end: HeadEnd, operator: Operator, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "CHUNK", 10)
    event = await street(head_end, operator)
    clock.at = EVENING + 3 * HOUR_S
    rows: dict[str, float] = {}
    after, pages = "", 0
    while True:
        path = f"/events/{event}/settlement?limit=50&after={after}"
        status, page = await operator.ask("GET", path)
        assert status == 200, page
        assert rows.keys().isdisjoint(each["lfdi"] for each in page["homes"])
        rows |= {each["lfdi"]: each["delivered_w"] for each in page["homes"]}
        pages, after = pages + 1, page["next"]
        if after is None:
            break
    assert pages == 3
    assert rows == pytest.approx({lfdi(n): float(n) for n in range(1, HOMES + 1)})
    total = page["total"]
    assert total["delivered_w"] == pytest.approx(sum(range(1, HOMES + 1)))
    assert (total["homes"], total["took_part"], total["measured"]) == (HOMES,) * 3

    async with operator._session.get(f"/events/{event}/settlement.csv") as answer:
        text = await answer.text()
    lines = list(csv.DictReader(io.StringIO(text)))
    assert [each["lfdi"] for each in lines] == sorted(rows)
    assert {each["lfdi"]: float(each["delivered_w"]) for each in lines} == pytest.approx(rows)


async def test_half_a_file_is_not_taken_for_the_whole(
    head_end: HeadEnd, operator: Operator, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database goes away while a file is under way."""
    monkeypatch.setattr(counting, "CHUNK", 10)
    monkeypatch.setattr(door_files, "_PIECE", 1)
    event = await street(head_end, operator)
    clock.at = EVENING + 3 * HOUR_S
    asked = 0

    async def failing(*_: object) -> object:
        nonlocal asked
        asked += 1
        if asked > 3:
            raise BusyError("the database cannot serve now")
        return await settle_some(*_)  # type: ignore[arg-type] # as it is called

    monkeypatch.setattr(counting, "settle_some", failing)
    async with operator._session.get(f"/events/{event}/settlement.csv") as answer:
        assert answer.status == 200
        with pytest.raises(aiohttp.ClientError):
            await answer.read()
