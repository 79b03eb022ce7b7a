"""What other clients were seen to get wrong, each a scenario of our own."""

import ssl
import time
from pathlib import Path

import pytest
from lxml import etree

from certs.pki import Pki
from hems.sep2.enddevice.readings import MirrorSpec, SeriesSpec
from tests.interop.grid.notify import CANCELLED, notify
from tests.interop.grid.server import Grid, serving
from tests.interop.grid.tree import MIRROR
from tests.interop.grid.words import SUPERSEDED, number_of, text_of
from tests.interop.lone import Lone

pytestmark = pytest.mark.requirement("PRO-2030.5")

METER = MirrorSpec("5A", "meter", (SeriesSpec("5B", "net power", uom=38),), post_s=1)
ANOTHER = MirrorSpec("6A", "sub-meter", (SeriesSpec("6B", "net power", uom=38),), post_s=1)
POINTS = 3
"""The premises, the PV and the battery of the lone home have usage points."""


async def test_a_programme_that_appears_later_is_found_within_one_poll(
    lone: Lone, context: ssl.SSLContext
) -> None:
    grid = lone.grid()
    async with serving(grid, context), lone.client(grid):
        await lone.until(lambda: lone.state == "connected")
        listed = f"{grid.home.href}/groups/1/programs"
        await grid.polled(listed)
        programme = grid.add_programme()
        mrid = programme.add(0, 60, opModImpLimW=1500.0)
        appeared = time.time()
        await lone.until(lambda: lone.in_force() == 1500)
        await grid.answered(mrid, [1, 2])
    polls = [e for e in grid.asked("GET", listed) if e.at > appeared]
    found = grid.asked("GET", programme.events_href)[0]
    assert len([e for e in polls if e.at < found.at]) == 1


async def test_a_group_that_appears_later_is_found(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    grid.home.members.clear()
    async with serving(grid, context), lone.client(grid):
        await lone.until(lambda: lone.state == "connected")
        grid.add_group()
        grid.add_programme().add(0, 60, opModImpLimW=1500.0)
        await lone.until(lambda: lone.in_force() == 1500)


@pytest.mark.parametrize("newer_first", [True, False])
async def test_of_two_controls_of_one_creation_time_the_one_not_superseded_runs(
    lone: Lone, context: ssl.SSLContext, newer_first: bool
) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    created = grid.now()
    # The mRID of the newer is the lower one, so that it cannot be told by that.
    old, new = "F0", "0F"
    programme.add(0, 60, mrid=old, created=created, opModImpLimW=3000.0)
    async with serving(grid, context), lone.client(grid):
        await lone.until(lambda: lone.in_force() == 3000)
        programme.restate(old, SUPERSEDED, superseded_at=created)
        programme.add(0, 60, mrid=new, created=created, opModImpLimW=1200.0)
        if newer_first:
            programme.events.items.reverse()
        await lone.until(lambda: lone.in_force() == 1200)
        await grid.answered(old, [1, 2, 7])
        await grid.answered(new, [1, 2])


async def test_both_of_one_creation_time_found_at_once(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    created = grid.now()
    programme.add(0, 60, mrid="F0", created=created, current=SUPERSEDED, opModImpLimW=3000.0)
    programme.add(0, 60, mrid="0F", created=created, opModImpLimW=1200.0)
    async with serving(grid, context), lone.client(grid):
        await lone.until(lambda: lone.in_force() == 1200)
        await grid.answered("0F", [1, 2])
        assert 2 not in grid.codes("F0")


async def test_a_second_immediate_control_with_a_lower_limit_takes_over_at_once(
    lone: Lone, context: ssl.SSLContext
) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid):
        first = programme.add(0, 60, opModImpLimW=3000.0)
        await lone.until(lambda: lone.in_force() == 3000)
        await grid.answered(first, [1, 2])
        second = programme.add(0, 60, created=grid.now() + 1, opModImpLimW=1200.0)
        await lone.until(lambda: lone.in_force() == 1200, 3.0)
        await grid.answered(first, [1, 2, 7])
        await grid.answered(second, [1, 2])


async def test_a_wrong_pin_stops_all_traffic_and_is_told(
    lone: Lone, context: ssl.SSLContext
) -> None:
    grid = lone.grid()
    grid.home.pin = 123455
    grid.add_programme().add(0, 60, opModImpLimW=1500.0)
    async with serving(grid, context), lone.client(grid) as client:
        await lone.until(lambda: lone.state == "refused")
        seen = len(grid.log)
        assert "PIN" in client.state.detail
        assert any("PIN" in alarm for alarm in lone.alarms)
        # Longer than every rate and back-off of this client.
        with pytest.raises(AssertionError):
            await grid.until(lambda: len(grid.log) > seen, 2.0, "silence broken")
    assert [e.path for e in grid.log][-1].endswith("/pin")
    assert {e.method for e in grid.log} == {"GET"}
    assert lone.in_force() is None


async def test_without_a_registration_link_nothing_is_obeyed(
    lone: Lone, context: ssl.SSLContext
) -> None:
    grid = lone.grid()
    grid.home.withheld = {"RegistrationLink"}
    grid.add_programme().add(0, 60, opModImpLimW=1500.0)
    async with serving(grid, context), lone.client(grid) as client:
        await grid.polled(grid.home.href.rpartition("/")[0], 2)
        assert lone.in_force() is None
        assert "RegistrationLink" in client.state.detail
        grid.home.withheld = set()
        await lone.until(lambda: lone.in_force() == 1500)


async def test_usage_points_are_looked_up_before_they_are_made(
    pki: Pki, tmp_path: Path, context: ssl.SSLContext
) -> None:
    lone = Lone(pki, tmp_path)
    grid = lone.grid()
    async with serving(grid, context):
        async with lone.client(grid, mirrors=(METER,)):
            await grid.until(lambda: grid.asked("POST", MIRROR), 8.0, "point made")
        async with Lone(pki, tmp_path).client(grid, mirrors=(METER, ANOTHER)):
            await grid.until(lambda: len(grid.asked("POST", MIRROR)) == 2, 8.0, "the other made")
            await grid.polled(MIRROR, 0)
    made = [text_of(e.element(), "mRID") for e in grid.asked("POST", MIRROR)]
    assert [int(str(mrid), 16) for mrid in made] == [0x5A, 0x6A]
    first_look, first_post = grid.asked("GET", MIRROR)[0], grid.asked("POST", MIRROR)[0]
    assert first_look.at <= first_post.at


async def test_usage_points_are_2018_valid_with_right_roles_and_types(
    lone: Lone, context: ssl.SSLContext
) -> None:
    grid = lone.grid()
    async with serving(grid, context), lone.client(grid):
        await grid.until(lambda: len(grid.asked("POST", MIRROR)) == POINTS, 8.0, "points made")
    points = [e.element() for e in grid.asked("POST", MIRROR)]
    for point in points:
        assert point.get("schemaVer") is None
        assert point.get("subscribable") is None
    roles = {int(str(text_of(point, "roleFlags")), 16): point for point in points}
    assert set(roles) == {0b11, 0b1001001}, "the premises; and a DER behind them, a sub-meter"
    point = roles[0b11]
    power = next(
        m for m in point.findall("{*}MirrorMeterReading") if number_of(m, "ReadingType/uom") == 38
    )
    assert number_of(power, "ReadingType/commodity") == 1
    assert number_of(power, "ReadingType/kind") == 37


async def test_subscriptions_are_used_and_their_end_leaves_polling(
    lone: Lone, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    grid = lone.grid(poll_s=30)
    programme = grid.add_programme(subscribable=1)
    path = programme.events_href
    async with serving(grid, context), lone.client(grid):
        await grid.until(lambda: grid.home.watchers.items, 8.0, "subscribed")
        programme.add(0, 60, opModImpLimW=1500.0)
        assert await notify(grid, path, notifying) in {200, 201, 204}
        await lone.until(lambda: lone.in_force() == 1500, 2.0)
        watchers = list(grid.home.watchers.items)
        grid.home.watchers.items.clear()
        grid.home.watchers.items += watchers
        assert await notify(grid, path, notifying, status=CANCELLED, with_resource=False) < 300
        await grid.polled(path)


async def test_a_notification_without_the_resource_makes_it_read(
    lone: Lone, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    grid = lone.grid(poll_s=30)
    programme = grid.add_programme(subscribable=1)
    async with serving(grid, context), lone.client(grid):
        await grid.until(lambda: grid.home.watchers.items, 8.0, "subscribed")
        mrid = programme.add(0, 60, opModImpLimW=1500.0)
        await notify(grid, programme.events_href, notifying, with_resource=False)
        await lone.until(lambda: lone.in_force() == 1500, 2.0)
        await grid.answered(mrid, [1, 2])


def _foreign(body: bytes) -> set[str]:
    """Return the namespaces of a body that are not of 2030.5 2018 or CSIP-AUS."""
    known = {"urn:ieee:std:2030.5:ns", "https://csipaus.org/ns"}
    return {str(etree.QName(e).namespace) for e in etree.fromstring(body).iter()} - known


async def test_all_that_is_sent_to_a_csip_aus_server_is_of_2018(
    lone: Lone, context: ssl.SSLContext
) -> None:
    grid: Grid = lone.grid()
    programme = grid.add_programme(subscribable=1)
    async with serving(grid, context), lone.client(grid):
        mrid = programme.add(0, 2, opModImpLimW=1500.0)
        await grid.answered(mrid, [1, 2, 3])
    for sent in [e for e in grid.log if e.method in {"POST", "PUT"}]:
        assert b"schemaVer" not in sent.body
        assert not _foreign(sent.body)
