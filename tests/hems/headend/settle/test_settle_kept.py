"""A settlement that was made stays as it was made; what it is made of may change."""

import asyncio
import csv
import hashlib
import io
from typing import Any

import pytest

from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from tests.hems.headend.conftest import Home, MakeHome, Operator
from tests.hems.headend.settle.homes import EVENING, SetClock, measure, point, respond, series
from tests.hems.headend.settle.test_settle_whole import HOUR_S, shed, text, told

pytestmark = pytest.mark.requirement("PRO-2030.5")


@pytest.fixture
def settings(settings: HeadEndSettings) -> HeadEndSettings:
    """Those of two workers on one database, which wait for each other."""
    return settings.model_copy(update={"busy_timeout_s": 10.0})


async def made(operator: Operator, mrid: str, expected: int) -> Any:
    status, answer = await operator.ask("POST", f"/events/{mrid}/settlements")
    assert status == expected, answer
    return answer


def delivered(lines: bytes) -> dict[str, str]:
    rows = csv.DictReader(io.StringIO(lines.decode()))
    return {each["lfdi"]: each["delivered_wh"] for each in rows}


async def test_a_settlement_stays_as_it_was_made(
    home: Home,
    make_home: MakeHome,
    operator: Operator,
    clock: SetClock,
) -> None:
    mrid, second, _ = await shed(home, make_home, operator, clock)
    clock.at = EVENING + HOUR_S + 10
    refused = (await made(operator, mrid, 409))["error"]
    assert refused == (
        f"event {mrid}: cannot be settled for good yet: readings and answers may still come"
    )
    clock.at = EVENING + 3 * HOUR_S
    assert await told(operator, f"/events/{mrid}/settlements") == {"settlements": []}
    first = await made(operator, mrid, 201)
    assert (first["event"], first["version"], first["homes"]) == (mrid, 1, 3)
    assert (first["made_at"], first["made_by"]) == (clock.at, "operator")
    place = f"/events/{mrid}/settlements/1.csv"
    body = await text(operator, place)
    assert hashlib.sha256(body).hexdigest() == first["sha256"]
    assert body == await text(operator, f"/events/{mrid}/settlement.csv")

    clock.at += HOUR_S
    assert await made(operator, mrid, 200) == first, "nothing has changed since"
    # Its meter tells late what it had measured.
    late = series(lambda _: 900.0, EVENING, EVENING + HOUR_S)
    await measure(second, await point(second), late)
    after = await made(operator, mrid, 201)
    assert (after["version"], after["made_at"]) == (2, clock.at)
    assert await text(operator, place) == body, "as it was made"
    now = delivered(await text(operator, f"/events/{mrid}/settlements/2.csv"))
    assert delivered(body)[second.lfdi] == ""
    assert float(now[second.lfdi]) > 0
    assert delivered(body)[home.lfdi] == now[home.lfdi]
    listed = (await told(operator, f"/events/{mrid}/settlements"))["settlements"]
    assert listed == [first, after]
    for bad in ("3", "0", "x", "1" * 40):
        status, _ = await operator.ask("GET", f"/events/{mrid}/settlements/{bad}.csv")
        assert status == 404, bad
    status, _ = await operator.ask("POST", f"/events/{'AB' * 16}/settlements")
    assert status == 404


async def test_made_twice_at_once_it_is_made_once(
    home: Home, operator: Operator, clock: SetClock, settings: HeadEndSettings
) -> None:
    event = await operator.event(program="Support", shed_w=1500, minutes=60)
    await respond(home, event["id"], 1, clock.at, drlc=True)
    clock.at = EVENING + 3 * HOUR_S
    async with HeadEnd(settings, clock) as other:
        second = Operator(other)
        place = f"/events/{event['id']}/settlements"
        answers = await asyncio.gather(*(who.ask("POST", place) for who in (operator, second) * 3))
        await second.aclose()
    assert sorted(status for status, _ in answers) == [200] * 5 + [201]
    assert {answer["version"] for _, answer in answers} == {1}
