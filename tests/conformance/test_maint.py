"""Maintenance: devices, groups, programmes, controls and subscriptions that change."""

import ssl

import pytest

from tests.conformance.scenario import CSIP, scenario
from tests.conformance.steps import force
from tests.interop.grid.markup import copied
from tests.interop.grid.notify import CANCELLED, notify, watching
from tests.interop.grid.server import serving
from tests.interop.grid.tree import DEVICES, mrid_of
from tests.interop.grid.words import interval
from tests.interop.lone import Lone

pytestmark = pytest.mark.requirement("PRO-2030.5")

CAP = "opModMaxLimW"


@scenario("MAINT-001", "MAINT", "A device entered out of band later is found", CSIP)
async def test_entered_later(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    own = grid.members.pop()
    async with serving(grid, context), lone.client(grid, registers=False):
        await grid.polled(DEVICES, 2)
        grid.members.append(own)
        grid.add_programme(group=own.members[0]).add(0, 60, opModMaxLimW=5000)
        await force(lone, CAP, 50.0)
    assert not grid.asked("POST", DEVICES)


@scenario("MAINT-002", "MAINT", "A device that was removed enters itself again in band", CSIP)
async def test_removed_and_entered_again(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    grid.add_programme().add(0, 60, opModMaxLimW=5000)
    async with serving(grid, context), lone.client(grid):
        await force(lone, CAP, 50.0)
        grid.members.clear()
        await grid.until(lambda: grid.asked("POST", DEVICES), 8.0, "entered again")
        grid.add_programme(group=grid.members[0].members[0]).add(0, 60, opModMaxLimW=3000)
        await force(lone, CAP, 30.0)


@scenario("MAINT-003", "MAINT", "Groups changed by notification: programmes come and go", CSIP)
async def test_groups_changed(
    lone: Lone, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    grid = lone.grid(poll_s=60)
    grid.home.groups.subscribable = 1
    path = f"{grid.home.href}/groups"
    grid.add_programme().add(0, 60, opModMaxLimW=5000)
    async with serving(grid, context), lone.client(grid):
        await force(lone, CAP, 50.0)
        await grid.until(lambda: watching(grid, path) is not None, 8.0, "subscribed")
        grid.home.members.clear()
        group = grid.add_group()
        group.href += "/b"
        grid.add_programme(group=group).add(0, 60, opModMaxLimW=3000)
        await notify(grid, path, notifying)
        await force(lone, CAP, 30.0, 4.0)


@scenario("MAINT-004", "MAINT", "A control that is edited while it runs", CSIP)
async def test_an_edited_control(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    mrid = programme.add(0, 300, opModMaxLimW=5000)
    async with serving(grid, context), lone.client(grid) as client:
        await force(lone, CAP, 50.0)
        await grid.answered(mrid, [1, 2])
        item = copied(next(e for e in programme.events.items if mrid_of(e) == mrid))
        old = item.find("{*}interval")
        assert old is not None
        start = int(old.findtext("{*}start") or "0")
        item.replace(old, interval(start, int(grid.now()) - start + 3))
        programme.events.replace(mrid, item)
        await force(lone, CAP, None)
        await grid.answered(mrid, [1, 2, 3])
        assert len(client.engine.events) == 1


@scenario("MAINT-005", "MAINT", "A programme's primacy changes: the ranking follows", CSIP)
async def test_primacy_changes(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    first, second = grid.add_programme(2), grid.add_programme(9)
    first.fall_back(opModMaxLimW=6000)
    second.fall_back(opModMaxLimW=3000)
    async with serving(grid, context), lone.client(grid):
        await force(lone, CAP, 60.0)
        first.primacy, second.primacy = 9, 2
        await force(lone, CAP, 30.0)


@scenario("MAINT-005A", "MAINT", "A programme is removed: its controls and default end", CSIP)
async def test_a_programme_is_removed(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme(2)
    programme.fall_back(opModConnect=False)
    mrid = programme.add(0, 60, opModMaxLimW=6000)
    async with serving(grid, context), lone.client(grid):
        await force(lone, CAP, 60.0)
        await grid.answered(mrid, [1, 2])
        grid.home.members[0].members.clear()
        await force(lone, CAP, None)
        await force(lone, "opModConnect", None)


@scenario("MAINT-006", "MAINT", "A subscription that the utility ended is asked for again", CSIP)
async def test_a_subscription_is_ended(
    lone: Lone, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    grid = lone.grid()
    programme = grid.add_programme(subscribable=1)
    path = programme.events_href
    async with serving(grid, context), lone.client(grid, subscription_check_s=1.0):
        await grid.until(lambda: watching(grid, path) is not None, 8.0, "subscribed")
        assert await notify(grid, path, notifying, status=CANCELLED, with_resource=False) < 300
        grid.home.watchers.items.clear()
        await grid.until(
            lambda: (
                len(grid.asked("POST", f"{grid.home.href}/watchers")) >= 2
                or len(grid.asked("GET", path)) >= 4
            ),
            8.0,
            "asked for again, or polled",
        )
        programme.add(0, 60, opModMaxLimW=4000)
        await force(lone, CAP, 40.0)


@scenario("MAINT-007", "MAINT", "A device that the utility disables takes part in nothing", CSIP)
async def test_a_disabled_device(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    programme.add(0, 60, opModMaxLimW=5000)
    async with serving(grid, context), lone.client(grid):
        await force(lone, CAP, 50.0)
        grid.home.enabled = False
        await force(lone, CAP, None)
        grid.home.enabled = True
        await force(lone, CAP, 50.0)
