"""A utility's event shared over an aggregator's homes, followed, shared anew, and answered."""

import time
from collections.abc import Sequence
from typing import Any

import pytest

from hems.sep2.rules.lifecycle import Phase
from tests.hems.headend.conftest import Operator
from tests.hems.headend.ours import until
from tests.hems.headend.upstream.conftest import Run
from tests.hems.headend.upstream.houses import House, Street
from tests.waiting import until as until_told

pytestmark = pytest.mark.requirement("PRO-2030.5")

SUPPORT = {"program": "Energy Support"}
WITHIN_S = 40.0


async def codes(operator: Operator, event: Any) -> list[int]:
    """Return what the utility has of the aggregator for an event, in order."""
    _, shown = await operator.ask("GET", f"/events/{event['id']}")
    return [response["status"] for response in shown["homes"][0]["responses"]]


async def told(operator: Operator, event: Any, *expected: int) -> list[int]:
    return await until_told(
        lambda: codes(operator, event), lambda seen: set(expected) <= set(seen), WITHIN_S, "told"
    )


def shed(houses: Sequence[House]) -> list[float | None]:
    return [house.shed_w for house in houses]


@pytest.mark.deep
async def test_an_event_is_shared_run_made_up_for_and_answered_once(
    run: Run, operator: Operator, houses: Sequence[House], street: Street
) -> None:
    async with run():
        event = await operator.event(shed_w=3000, seconds=40, **SUPPORT)
        await until(lambda: shed(houses) == [1000, 1000, 1000])
        await told(operator, event, 1, 2)
        await houses[2].leave()
        await until(lambda: shed(houses)[:2] == [1500, 1500])
        assert houses[2].shed_w is None
        last = await told(operator, event, 3)
    assert sorted(last) == [1, 2, 3]
    given = sorted((order.value_w, len(homes)) for order, homes in street.dispatched.values())
    assert given == [(1000, 3), (1500, 2)], "those who stayed were told, and nobody else"


async def test_what_the_utility_takes_back_homes_are_spared(
    run: Run, operator: Operator, houses: Sequence[House]
) -> None:
    async with run() as upstream:
        event = await operator.event(shed_w=3000, minutes=30, **SUPPORT)
        await until(lambda: shed(houses) == [1000, 1000, 1000])
        await told(operator, event, 2)
        await operator.ask("POST", f"/events/{event['id']}/cancel")
        await until(lambda: shed(houses) == [None, None, None])
        assert 6 in await told(operator, event, 6)
        await until(lambda: not upstream.aggregator.shared)


async def test_when_all_have_left_the_group_has(
    run: Run, operator: Operator, houses: Sequence[House]
) -> None:
    async with run():
        event = await operator.event(shed_w=3000, minutes=30, **SUPPORT)
        await until(lambda: shed(houses) == [1000, 1000, 1000])

        async def leaving() -> list[int]:
            for house in houses:  # whatever it is asked instead of who left before it
                await house.leave()
            return await codes(operator, event)

        last = await until_told(leaving, lambda seen: 4 in seen, WITHIN_S, "opted out")
    assert sorted(last) == [1, 2, 4]


async def test_a_limit_is_kept_by_the_homes_together(
    run: Run, operator: Operator, houses: Sequence[House]
) -> None:
    async with run():
        await operator.event(limit_import_w=3000, minutes=30)
        await until(lambda: [house.limit_w for house in houses] == [1000, 1000, 1000])


async def test_what_cannot_be_shared_is_refused_with_the_code_for_it(
    run: Run, operator: Operator, street: Street
) -> None:
    async with run():
        event = await operator.event(target_var=500, minutes=5)
        seen = await told(operator, event, 252)
    assert 2 not in seen
    assert not street.dispatched


async def test_an_event_far_ahead_is_shared_when_its_time_comes(
    run: Run, operator: Operator, street: Street
) -> None:
    async with run(lead_s=2) as upstream:
        event = await operator.event(shed_w=3000, seconds=60, start=int(time.time()) + 6, **SUPPORT)
        await told(operator, event, 1)
        known = await until(lambda: upstream.client.engine.events)
        assert known[0].phase is Phase.RECEIVED
        await until(lambda: street.dispatched)
        (order, _), *_ = street.dispatched.values()
        assert order.start == event["start"]
        assert time.time() >= event["start"] - 2.1


async def test_a_crash_between_dispatch_and_its_note_doubles_nothing(
    run: Run, operator: Operator, houses: Sequence[House], street: Street
) -> None:
    street.dies_after = 1
    async with run():
        event = await operator.event(shed_w=3000, seconds=30, **SUPPORT)
        await until(lambda: shed(houses) == [1000, 1000, 1000])
    street.dies_after = None
    async with run() as upstream:
        await told(operator, event, 2)
        (shared,) = upstream.aggregator.shared.values()
        assert {home.home for home in shared.homes.values()} == set(street.houses)
    async with run():
        last = await told(operator, event, 3)
    assert sorted(last) == [1, 2, 3], "each once, over two restarts"
    assert [len(house.events) for house in houses] == [1, 1, 1]


async def test_the_reading_of_all_homes_together_reaches_the_utility(
    run: Run, operator: Operator, houses: Sequence[House]
) -> None:
    for house, net_w in zip(houses, (1500.0, -400.0, 700.0), strict=True):
        house.meter(net_w)

    async def read() -> list[float]:
        _, shown = await operator.ask("GET", "/readings")
        return [reading["value"] for reading in shown["readings"]]

    async with run() as upstream:
        seen = await until_told(read, lambda values: 1800.0 in values, WITHIN_S, "the total")
        await upstream.keep()
    assert seen[0] == 1800.0


async def test_one_that_does_nothing_is_made_up_for(
    run: Run, operator: Operator, houses: Sequence[House], street: Street
) -> None:
    """The one that does not follow is seen by its meter, against what it took before."""
    for house in houses:
        house.meter(2000.0)

    async def read() -> int:
        return sum(reading.net_w is not None for reading in await street.readings())

    await until_told(read, lambda count: count == len(houses), WITHIN_S, "readings")
    rules = {"ramp_s": 1.0, "short_s": 2.0}
    async with run(**rules):
        await operator.event(shed_w=3000, minutes=30, **SUPPORT)
        await until(lambda: shed(houses) == [1000, 1000, 1000])

        async def shared_anew() -> list[float | None]:
            for house, net_w in zip(houses, (1000.0, 1000.0, 2000.0), strict=True):
                house.meter(net_w)
            return shed(houses)

        last = await until_told(shared_anew, lambda w: w[:2] == [1500, 1500], WITHIN_S, "anew")
    assert last[2] == 1000, "it is not told to do less: it may yet do it"
