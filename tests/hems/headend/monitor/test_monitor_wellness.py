"""A worker's health, told to anybody in a word."""

import aiohttp
import pytest

from hems.headend.errors import BusyError
from hems.headend.monitor.wellness import FAR_BEHIND
from hems.headend.server import HeadEnd
from hems.knocks import MOST
from tests.hems.headend.conftest import Operator

pytestmark = pytest.mark.requirement("L3-MONITOR")


async def asked(head_end: HeadEnd, path: str) -> tuple[int, object]:
    """Ask without any login."""
    async with (
        aiohttp.ClientSession(head_end.addresses.operator_url) as session,
        session.get(path) as answer,
    ):
        return answer.status, await answer.json()


async def test_a_worker_that_works(head_end: HeadEnd) -> None:
    assert await asked(head_end, "/health/live") == (200, {"status": "ok"})
    assert await asked(head_end, "/health/ready") == (200, {"status": "ok"})


async def test_without_its_database_it_lives_and_is_not_ready(
    head_end: HeadEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_work: object) -> int:
        raise BusyError("the database is away")

    monkeypatch.setattr(head_end.store, "inquire", away)
    assert await asked(head_end, "/health/ready") == (503, {"status": "database"})
    assert await asked(head_end, "/health/live") == (200, {"status": "ok"})


async def test_a_worker_far_behind_the_others_is_not_ready(
    head_end: HeadEnd, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    await operator.event(limit_import_w=1000, minutes=10)
    seen = head_end.store.changes.seen
    monkeypatch.setattr(head_end.store.changes, "seen", seen - FAR_BEHIND - 1)
    status, answer = await asked(head_end, "/health/ready")
    assert (status, answer) == (503, {"status": "behind"})


async def test_it_is_asked_so_often_and_no_more(head_end: HeadEnd) -> None:
    async with aiohttp.ClientSession(head_end.addresses.operator_url) as session:
        statuses: list[int] = []
        while 429 not in statuses and len(statuses) < 50 * MOST:
            async with session.get("/health/live") as answer:
                statuses.append(answer.status)
    assert set(statuses) == {200, 429}
    assert len(statuses) > MOST
