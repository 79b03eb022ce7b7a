"""What a run is measured by sees what is there."""

import logging
from pathlib import Path
from sys import exc_info

from hems.clock import SystemClock
from hems.headend.records import ResponseRecord
from hems.headend.response_posts import ResponsePost, ResponsePosts
from hems.headend.store import Store as UtilityStore
from hems.store.history import Sample
from hems.store.store import open_store
from tests.endure.gauge import Lines, counted_responses, stored_minutes
from tests.endure.judge import doubled

HOME, EVENT = "AA" * 20, "01" * 16
BEGIN_S = 1_790_000_040.0


async def test_a_response_that_comes_twice_alike_is_counted_twice(tmp_path: Path) -> None:
    store = await UtilityStore.open(tmp_path / "utility.sqlite")
    came: dict[str, list[int]] = {}
    record = ResponseRecord(0, HOME, EVENT, 2, "", 5, 9.0, "Response", b"<Response/>")
    with counted_responses(came):
        for _ in range(2):
            await ResponsePosts(store).add(ResponsePost(record, 9))
    await ResponsePosts(store).add(ResponsePost(record, 9))
    assert len(await store.responses(subject=EVENT)) == 1, "the utility itself cannot tell"
    await store.close()
    assert came == {EVENT: [2, 2]}
    assert doubled(came)


def test_a_line_with_a_traceback_is_a_fault_whoever_logs_it() -> None:
    lines = Lines()
    try:
        int("a fault")
    except ValueError:
        told = exc_info()
    for name, about in (("asyncio", told), ("hems.home", None), ("hems.home", told)):
        lines.emit(logging.LogRecord(name, logging.ERROR, "", 0, "said", None, about))
    assert lines.said == {"ERROR hems.home: said": 2}
    assert sorted(each.partition(":")[0] for each in lines.faults) == ["asyncio", "hems.home"]


async def test_the_minutes_of_the_meter_are_counted(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "hems.db", SystemClock())
    names, times = ("meter", "pv"), [BEGIN_S + 5.0 * number for number in range(60)]
    rows = [Sample(at, name, 1.0) for name in names for at in times]
    await store.history.append(rows)
    await store.close()
    assert stored_minutes(tmp_path / "hems.db", BEGIN_S) == 5
    assert stored_minutes(tmp_path / "hems.db", BEGIN_S + 120) == 3
