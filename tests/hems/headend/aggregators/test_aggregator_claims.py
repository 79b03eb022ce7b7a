"""A home that an aggregator enters by itself has said nothing before; not to another, either.

Nobody shows whose home it is: a certificate that may register names any LFDI that is free.
"""

import pytest

from hems.headend.server import HeadEnd
from hems.sep2.resources import FlowReservationRequestList, LogEventList
from tests.hems.headend.aggregators.conftest import Group, end_device
from tests.hems.headend.bad_input import sound_bodies
from tests.hems.headend.conftest import PIN, Home, MakeHome

pytestmark = pytest.mark.requirement("PRO-2030.5", "L3-IDENTITY")

FRESH = "E5" * 20
OWN = (("PUT", "/der/1/{kind}#dercap"), ("POST", "/lel"), ("POST", "/frq"))


@pytest.fixture
async def second(group: Group, make_home: MakeHome) -> Home:
    """Another aggregator; both may enter homes."""
    made = make_home("home-b")
    wish = {"lfdi": made.lfdi, "pin": PIN, "edition": "csip-aus", "may_register": True}
    await group.good("POST", "/aggregators", wish)
    await group.good("PUT", group.place, {"may_register": True})
    return made


async def enter(by: Home) -> str:
    answer = await by.ask("POST", "/edev", end_device(FRESH))
    assert answer.status == 201, answer.text
    return answer.location


async def say(by: Home, device: str) -> None:
    """Have a home say of itself what others should not read."""
    bodies = sound_bodies(by, 5, "")
    for method, path in OWN:
        place = device + path.replace("{kind}#", "")
        answer = await by.ask(method, place, bodies[method, "/edev/{home}" + path])
        assert answer.status in {201, 204}, answer.text


async def nothing_there(by: Home, device: str) -> None:
    assert (await by.ask("GET", f"{device}/der/1/dercap")).status == 404
    assert (await by.get(f"{device}/lel?l=9", LogEventList)).all == 0
    assert (await by.get(f"{device}/frq?l=9", FlowReservationRequestList)).all == 0


async def test_what_was_told_one_aggregator_another_does_not_read(
    group: Group, second: Home
) -> None:
    device = await enter(group.home)
    await say(group.home, device)
    assert (await group.home.ask("DELETE", device)).status == 204
    await nothing_there(second, await enter(second))


async def test_who_removes_a_home_may_enter_it_anew(group: Group, second: Home) -> None:
    assert second.lfdi != group.home.lfdi
    device = await enter(group.home)
    await say(group.home, device)
    assert (await group.home.ask("DELETE", device)).status == 204
    device = await enter(group.home)
    await nothing_there(group.home, device)
    await say(group.home, device)


@pytest.mark.parametrize("left", range(len(OWN)))
async def test_a_home_that_was_and_left_something_is_given_by_the_utility_only(
    group: Group, second: Home, head_end: HeadEnd, left: int
) -> None:
    device = await enter(group.home)
    bodies, (method, path) = sound_bodies(group.home, 5, ""), OWN[left]
    place = device + path.replace("{kind}#", "")
    answer = await group.home.ask(method, place, bodies[method, "/edev/{home}" + path])
    assert answer.status in {201, 204}, answer.text
    await head_end.book.retire(FRESH)  # as when its certificate is superseded or revoked
    for by in (second, group.home):
        refused = await by.ask("POST", "/edev", end_device(FRESH))
        assert (refused.status, "was somebody's before" in refused.text) == (403, True)
    homes = {"homes": [{"lfdi": FRESH}]}
    await group.good("POST", f"/aggregators/{second.lfdi}/homes", homes)
    assert (await second.ask("POST", "/edev", end_device(FRESH))).status == 201
