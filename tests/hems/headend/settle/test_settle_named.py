"""Orders for single homes are settled as others are, and count as such in later settlements."""

import csv
import io

import pytest

from certs.pki import Pki
from hems.headend.modes import Mode
from hems.headend.own.book import OwnOrder
from hems.headend.own.table import MEMORY_S
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.headend.upstream.settings import UpstreamSettings
from tests.hems.headend.conftest import PIN, Home, MakeHome, Operator
from tests.hems.headend.settle.homes import DAY_S, EVENING, SetClock, point, respond
from tests.hems.headend.settle.test_settle_whole import HOUR_S, counted, evenings, text, told

pytestmark = pytest.mark.requirement("PRO-2030.5")


@pytest.fixture
def settings(settings: HeadEndSettings, pki: Pki) -> HeadEndSettings:
    """Those of an aggregator whose utility is not there."""
    identity = pki.identity("home-c")
    upstream = UpstreamSettings(
        url="https://127.0.0.1:9/dcap",
        certificate=identity.certificate,
        key=identity.key,
        roots=pki.trust.roots,
        crls=pki.trust.crls,
        pin=PIN,
    )
    return settings.model_copy(update={"upstream": upstream, "busy_timeout_s": 5.0})


async def ordered(head_end: HeadEnd, key: str, at: float, *homes: Home) -> str:
    """Have homes asked by name to take 1.5 kW less for an hour."""
    names = frozenset(home.lfdi for home in homes)
    order = OwnOrder(key, {Mode.SHED: 1500.0}, int(at), HOUR_S, names)
    return str((await head_end.book.own.give([order]))[key])


def baseline(skipped: int = 0, before_w: float = 2300.0) -> float:
    """Return what the rules make of the evenings, without the latest of them."""
    backs = [n for n in range(1, 25) if (EVENING // DAY_S - n + 3) % 7 < 5][skipped:][:10]
    mean = sum(sorted((2000 + 10 * n for n in backs), reverse=True)[:5]) / 5
    return mean + min(before_w - mean, 0.2 * mean)


async def test_an_order_for_named_homes_is_settled_and_stays_so(
    head_end: HeadEnd, home: Home, make_home: MakeHome, operator: Operator, clock: SetClock
) -> None:
    second, stranger = make_home("home-b"), make_home("home-c")
    for each in (second, stranger):
        await operator.enter(each)
    mrid = await ordered(head_end, "A", EVENING, home, second)
    await evenings(home, await point(home), 900.0)
    progress = await told(operator, f"/events/{mrid}/progress")
    assert (progress["program"], progress["group"]) == ("Homes' own load", None)
    assert (progress["homes"], progress["told"]) == (2, 2)
    assert progress["silent"] == sorted([home.lfdi, second.lfdi])
    for status in (1, 2):
        clock.at += 1
        await respond(home, mrid, status, clock.at, drlc=True)
    clock.at = EVENING + HOUR_S + 10
    await respond(home, mrid, 3, clock.at, drlc=True)
    clock.at = EVENING + 3 * HOUR_S
    first = await told(operator, f"/events/{mrid}/settlement")
    assert (first["final"], first["baseline"]) == (True, "days")
    rows = {each["lfdi"]: each for each in first["homes"]}
    assert set(rows) == {home.lfdi, second.lfdi}, "nobody who was not named"
    assert rows[home.lfdi]["delivered_wh"] == pytest.approx(baseline() - 900.0)
    assert (rows[second.lfdi]["state"], rows[second.lfdi]["delivered_wh"]) == ("no answer", 0)
    total = (await counted(operator, f"/events/{mrid}/settlement", clock))["total"]
    assert (total["homes"], total["took_part"]) == (2, 1)

    # No worker remembers it any more.
    clock.at = EVENING + HOUR_S + MEMORY_S + 1
    await head_end.book.own.forget_old()
    assert head_end.book.own.find(mrid) is None
    again = await told(operator, f"/events/{mrid}/settlement")
    assert again["homes"] == first["homes"]
    lines = (await text(operator, f"/events/{mrid}/settlement.csv")).decode()
    assert [each["lfdi"] for each in csv.DictReader(io.StringIO(lines))] == sorted(rows)


@pytest.mark.parametrize("named", [True, False])
async def test_days_on_which_a_home_was_asked_by_name_are_like_no_other(
    head_end: HeadEnd,
    home: Home,
    make_home: MakeHome,
    operator: Operator,
    clock: SetClock,
    *,
    named: bool,
) -> None:
    other = make_home("home-b")
    await operator.enter(other)
    clock.at = EVENING - DAY_S
    await ordered(head_end, "A", clock.at, home if named else other)
    clock.at = EVENING
    await evenings(home, await point(home), 900.0, 5000.0)
    event = await operator.event(program="Support", shed_w=1500, minutes=60)
    await respond(home, event["id"], 1, clock.at + 1, drlc=True)
    clock.at = EVENING + 3 * HOUR_S
    settled = await told(operator, f"/events/{event['id']}/settlement")
    rows = {each["lfdi"]: each for each in settled["homes"]}
    expected, otherwise = (baseline(skipped, 5000.0) for skipped in (named, not named))
    assert rows[home.lfdi]["baseline_w"] == pytest.approx(expected)
    assert expected != pytest.approx(otherwise)


async def test_who_is_asked_by_name_is_busy(
    head_end: HeadEnd, home: Home, operator: Operator
) -> None:
    await ordered(head_end, "A", EVENING, home)
    assert (await home.ask("GET", "/dcap")).status == 200
    found = await told(operator, f"/availability?from={EVENING + 60}&to={EVENING + 120}")
    assert found["not_reached"] == {"busy": 1}
    found = await told(operator, f"/availability?from={EVENING + 2 * HOUR_S}")
    assert (found["reached"], found["not_reached"]) == (1, {})


async def test_an_order_that_never_was_is_not_there(operator: Operator) -> None:
    status, answer = await operator.ask("GET", f"/events/{'AB' * 16}/settlement")
    assert (status, answer["error"]) == (404, f"no event '{'AB' * 16}'")
