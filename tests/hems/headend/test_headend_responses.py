"""Responses of many homes in one transaction: each is kept once, and no home keeps too many."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from hems.headend.errors import ForbiddenError
from hems.headend.models import Base
from hems.headend.records import ResponseRecord
from hems.headend.response_posts import ResponsePost, ResponsePosts, save_responses
from hems.headend.store import Store

pytestmark = pytest.mark.requirement("PRO-2030.5")

HOMES = ("AA" * 20, "BB" * 20)
EVENTS = ("01" * 16, "02" * 16)


def post(home: str, event: str, status: int, created: int = 5, most: int = 3) -> ResponsePost:
    record = ResponseRecord(0, home, event, status, "", created, 9.0, "Response", b"<Response/>")
    return ResponsePost(record, most)


posts = st.builds(
    post, st.sampled_from(HOMES), st.sampled_from(EVENTS), st.integers(1, 3), st.integers(0, 2)
)


@given(st.lists(st.lists(posts, max_size=6), max_size=4))
def test_each_is_kept_once_in_whatever_batches_they_come(batches: list[list[ResponsePost]]) -> None:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    numbers: dict[tuple[str, str, int, int], int] = {}
    per_event: dict[tuple[str, str], int] = {}
    for batch in batches:
        with engine.begin() as connection:
            results = save_responses(connection, batch)
        assert len(results) == len(batch)
        for wanted, result in zip(batch, results, strict=True):
            record = wanted.record
            key = record.lfdi, record.subject, record.status, record.created
            if isinstance(result, int):
                assert numbers.setdefault(key, result) == result
            else:
                assert isinstance(result, ForbiddenError)
        for home, event, *_ in numbers:
            per_event[home, event] = sum(1 for key in numbers if key[:2] == (home, event))
        assert len(set(numbers.values())) == len(numbers)
        assert all(count <= 3 for count in per_event.values())
    engine.dispose()


async def test_a_fleet_answers_at_once_and_again(database: Path | str) -> None:
    store = await Store.open(database)
    kept = ResponsePosts(store)
    homes = [f"{n:040X}" for n in range(60)]
    first = await asyncio.gather(*(kept.add(post(home, EVENTS[0], 1)) for home in homes))
    again = await asyncio.gather(*(kept.add(post(home, EVENTS[0], 1)) for home in homes))
    assert len(set(first)) == 60
    assert again == first
    stored = await store.responses(subject=EVENTS[0])
    assert sorted(item.lfdi for item in stored) == sorted(homes)
    assert {item.id for item in stored} == set(first)
    await store.close()


async def test_one_home_at_its_limit_keeps_no_other_out(database: Path | str) -> None:
    store = await Store.open(database)
    kept = ResponsePosts(store)
    results = await asyncio.gather(
        *(kept.add(post(HOMES[0], EVENTS[0], status)) for status in range(1, 6)),
        kept.add(post(HOMES[1], EVENTS[0], 1)),
        kept.add(post(HOMES[0], EVENTS[1], 1)),
        return_exceptions=True,
    )
    assert [isinstance(each, int) for each in results] == [True] * 3 + [False] * 2 + [True] * 2
    refusals = [each for each in results if not isinstance(each, int)]
    assert all(isinstance(each, ForbiddenError) for each in refusals)
    assert len(await store.responses()) == 5
    await store.close()
