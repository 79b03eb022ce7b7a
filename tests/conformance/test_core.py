"""Core function sets, on the wire: the client by itself against the scripted utility."""

import itertools
import ssl
import time

import pytest

from tests.conformance.scenario import EVERY, Profile, scenario
from tests.conformance.steps import force
from tests.interop.grid.notify import CANCELLED as ENDED
from tests.interop.grid.notify import notify, watching
from tests.interop.grid.record import Exchange
from tests.interop.grid.server import Fault, Grid, serving
from tests.interop.grid.tree import ANSWERS, CAPABILITY, CLOCK, DEVICES
from tests.interop.grid.words import CANCELLED, SCHEDULED, number_of, text_of
from tests.interop.lone import Lone

pytestmark = pytest.mark.requirement("PRO-2030.5")

CAP = "opModMaxLimW"
"""A limit that every profile knows, in hundredths of a per cent of the rating."""


def gaps(exchanges: list[Exchange]) -> list[float]:
    """Return the times between requests, s."""
    return [b.at - a.at for a, b in itertools.pairwise(exchanges)]


@scenario("CORE-003", "CORE", "Each resource is polled at its own rate, and at a new one at once")
async def test_poll_rates_are_obeyed(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    listed = f"{grid.home.href}/groups/1/programs"
    grid.home.members[0].programmes.poll_s = 2
    async with serving(grid, context), lone.client(grid):
        await grid.polled(CAPABILITY, 5)
        await grid.polled(listed, 2)
        assert all(0.7 <= gap <= 2.0 for gap in gaps(grid.asked("GET", CAPABILITY)[1:]))
        assert all(gap >= 1.5 for gap in gaps(grid.asked("GET", listed)[1:]))
        # What says nothing of itself goes by what led to it.
        assert all(gap >= 1.5 for gap in gaps(grid.asked("GET", programme.events_href)[1:]))


@scenario("CORE-005", "CORE", "The utility's clock is read and followed")
async def test_time_is_followed(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    grid.ahead_s = 3600.0
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid) as client:
        mrid = programme.add(0, 60, opModMaxLimW=5000)
        await force(lone, CAP, 50.0)
        await grid.answered(mrid, [1, 2])
        assert abs(client.engine.offset_s - 3600.0) < 1.6
    assert all(abs((a.at or 0) - grid.now()) < 15 for a in grid.answers)
    first_clock, first_events = (
        grid.asked("GET", CLOCK)[0],
        grid.asked("GET", programme.events_href)[0],
    )
    assert first_clock.at < first_events.at


@scenario("CORE-006", "CORE", "A step of the utility's clock moves the events with it")
async def test_a_step_of_the_clock(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid):
        mrid = programme.add(120, 60, opModMaxLimW=5000)
        await grid.answered(mrid, [1])
        grid.ahead_s = 125.0
        await force(lone, CAP, 50.0)
        await grid.answered(mrid, [1, 2])


@scenario("CORE-008", "CORE", "A device that the utility does not list enters itself, once")
async def test_in_band_registration(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    entered = grid.members.pop()
    async with serving(grid, context), lone.client(grid):
        await lone.until(lambda: lone.state == "connected")
        await grid.polled(DEVICES, 2)
    (posted,) = grid.asked("POST", DEVICES)
    assert text_of(posted.element(), "lFDI") == lone.lfdi
    assert number_of(posted.element(), "sFDI") == entered.sfdi
    (made,) = grid.members
    assert grid.asked("GET", f"{made.href}/pin")


@scenario("CORE-009", "CORE", "The own device is found among many, over pages")
async def test_the_own_device_among_many(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid(page_most=7)
    own = grid.members.pop()
    for number in range(40):
        grid.add_device(f"{number:040X}", number, 111115, groups=0)
    grid.members.append(own)
    grid.add_programme(group=own.members[0]).add(0, 60, opModMaxLimW=5000)
    async with serving(grid, context), lone.client(grid):
        await force(lone, CAP, 50.0)
    assert not grid.asked("POST", DEVICES)
    others = [
        e.path for e in grid.log if e.path.startswith(f"{DEVICES}/") and own.href not in e.path
    ]
    assert not others


@scenario("CORE-010", "CORE", "Function set assignments lead to programmes and clock")
async def test_assignments_lead_on(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid):
        await grid.polled(programme.events_href)
    asked = [e.path for e in grid.asked("GET", ".*")]
    order = [CAPABILITY, DEVICES, f"{grid.home.href}/pin", f"{grid.home.href}/groups", CLOCK]
    assert [asked.index(path) for path in order] == sorted(asked.index(path) for path in order)


@scenario("CORE-011", "CORE", "Several assignments: all their programmes count together")
async def test_several_assignments(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    second = grid.add_group()
    weak, strong = grid.add_programme(20), grid.add_programme(3, group=second)
    async with serving(grid, context), lone.client(grid):
        weak.add(0, 60, opModMaxLimW=7000)
        await force(lone, CAP, 70.0)
        ruling = strong.add(0, 60, opModMaxLimW=3000)
        await force(lone, CAP, 30.0)
        strong.restate(ruling, CANCELLED)
        await grid.answered(ruling, [1, 2, 6])
        del grid.home.members[1]
        await grid.polled(f"{grid.home.href}/groups", 2)
        assert lone.in_force(CAP) in {70.0, None}


@scenario("CORE-012", "CORE", "A programme with a default and a control")
async def test_a_programme(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    programme.fall_back(opModMaxLimW=9000)
    async with serving(grid, context), lone.client(grid):
        await force(lone, CAP, 90.0)
        mrid = programme.add(1, 2, opModMaxLimW=4000)
        await force(lone, CAP, 40.0)
        await force(lone, CAP, 90.0)
        await grid.answered(mrid, [1, 2, 3])


@scenario("CORE-013", "CORE", "Several programmes: each mode goes by the lowest primacy")
async def test_several_programmes(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    weak, strong = grid.add_programme(9), grid.add_programme(2)
    weak.add(0, 60, opModConnect=False, opModMaxLimW=2000)
    strong.add(0, 60, opModMaxLimW=6000)
    async with serving(grid, context), lone.client(grid):
        await force(lone, CAP, 60.0)
        await force(lone, "opModConnect", value=False)


@scenario("CORE-018", "CORE", "The events are subscribed to, and what is notified is acted on")
async def test_subscription(lone: Lone, context: ssl.SSLContext, notifying: ssl.SSLContext) -> None:
    grid = lone.grid(poll_s=60)
    programme = grid.add_programme(subscribable=1)
    async with serving(grid, context), lone.client(grid):
        await grid.until(
            lambda: watching(grid, programme.events_href) is not None, 8.0, "subscribed"
        )
        mrid = programme.add(0, 60, opModMaxLimW=5000)
        assert await notify(grid, programme.events_href, notifying) in {200, 201, 204}
        await force(lone, CAP, 50.0, 2.0)
        await grid.answered(mrid, [1, 2])
    *_, posted = taken = [e for e in grid.asked("POST", f"{grid.home.href}/watchers") if e.good]
    assert len(taken) == len(grid.home.watchers.items)
    assert text_of(posted.element(), "encoding") == "0"
    assert str(text_of(posted.element(), "notificationURI")).startswith("https://")


@scenario("CORE-019", "CORE", "Subscriptions to several lists, each renewed when it is lost")
async def test_subscriptions_are_renewed(
    lone: Lone, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    grid = lone.grid()
    grid.home.members[0].programmes.subscribable = 1
    grid.home.groups.subscribable = 1
    programme = grid.add_programme(subscribable=1)
    wanted = [
        programme.events_href,
        f"{grid.home.href}/groups/1/programs",
        f"{grid.home.href}/groups",
    ]

    def all_watched() -> bool:
        return all(watching(grid, path) is not None for path in wanted)

    async with serving(grid, context), lone.client(grid, subscription_check_s=1.0):
        await grid.until(all_watched, 8.0, "all subscribed")
        grid.home.watchers.items.clear()  # as after a restart of the utility
        await grid.until(all_watched, 8.0, "all subscribed again")
        other = grid.add_programme(3)
        mrid = other.add(0, 60, opModMaxLimW=5000)
        await notify(grid, wanted[1], notifying)
        await force(lone, CAP, 50.0, 3.0)
        await grid.answered(mrid, [1, 2])


@scenario("CORE-021", "CORE", "Randomised start and duration, drawn once and kept")
async def test_randomisation(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    async with serving(grid, context):
        begin = grid.now() + 2
        async with lone.client(grid) as client:
            made = [
                programme.add(
                    2, 4, randomize_start_s=3, randomize_duration_s=-2, opModConnect=True
                ),
                programme.add(60, 60, randomize_start_s=-30, opModMaxLimW=5000),
            ]
            await grid.until(
                lambda: all(1 in grid.codes(mrid) for mrid in made), 8.0, "both received"
            )
            drawn = {
                grid.scripted(e.event.mrid): (e.starts_at, e.ends_at) for e in client.engine.events
            }
        async with lone.client(grid) as client:
            await grid.until(lambda: len(client.engine.events) == len(made), 10.0, "known again")
            again = {
                grid.scripted(e.event.mrid): (e.starts_at, e.ends_at) for e in client.engine.events
            }
            first, second = again[made[0]], again[made[1]]
            await grid.answered(made[0], [1, 2, 3], 15.0)
    assert all(abs(a - b) < 1.5 for m in made for a, b in zip(drawn[m], again[m], strict=True))
    assert begin - 1 <= first[0] <= begin + 4
    assert 2 - 0.1 <= first[1] - first[0] <= 4 + 0.1
    assert begin + 58 - 31 <= second[0] <= begin + 59
    at = {a.status: a.at or 0 for a in grid.answers if a.subject == made[0]}
    assert begin - 1 <= at[2] <= begin + 4
    assert 1 <= at[3] - at[2] <= 5


@scenario("CORE-022", "CORE", "Responses: received, started, completed, cancelled, as asked for")
async def test_responses(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid):
        done = programme.add(1, 2, opModMaxLimW=5000)
        await grid.answered(done, [1, 2, 3])
        taken_back = programme.add(60, 60, opModMaxLimW=5000)
        await grid.answered(taken_back, [1])
        programme.restate(taken_back, CANCELLED)
        await grid.answered(taken_back, [1, 6])
        cut_short = programme.add(0, 60, opModMaxLimW=4000)
        await grid.answered(cut_short, [1, 2])
        programme.restate(cut_short, CANCELLED)
        await grid.answered(cut_short, [1, 2, 6])
    assert {a.lfdi for a in grid.answers} == {lone.lfdi}
    assert {a.kind for a in grid.answers} <= {"DERControlResponse", "Response"}


@scenario("CORE-022A", "CORE", "No response that was not asked for")
async def test_responses_not_asked_for(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid):
        silent = programme.add(0, 2, answers=None, opModMaxLimW=5000)
        none = programme.add(0, 2, answers="00", opModConnect=True)
        received = programme.add(0, 2, answers="01", opModEnergize=True)
        specific = programme.add(4, 2, answers="02", opModMaxLimW=5000)
        await grid.answered(specific, [2, 3], 15.0)
        assert grid.codes(silent) == grid.codes(none) == []
        assert grid.codes(received) == [1]


@scenario("CORE-022B", "CORE", "A response is posted once, over lost answers and restarts")
async def test_responses_once(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    grid.faults[f"POST {ANSWERS}"] = Fault(503, times=999)
    async with serving(grid, context):
        mrid = programme.add(0, 60, opModMaxLimW=5000)
        async with lone.client(grid):
            await force(lone, CAP, 50.0)
            await grid.until(lambda: grid.asked("POST", ANSWERS), 8.0, "tried")
        grid.faults.clear()
        grid.cut.add(ANSWERS)
        async with lone.client(grid):
            await grid.answered(mrid, [1, 2])
            await grid.polled(programme.events_href, 2)
            assert grid.codes(mrid) == [1, 2]


@scenario("CORE-023", "CORE", "Superseded: the older ends, and says so")
async def test_superseding(lone: Lone, context: ssl.SSLContext, profile: Profile) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid):
        first = programme.add(0, 60, created=grid.now() - 5, opModMaxLimW=6000)
        await grid.answered(first, [1, 2])
        second = programme.add(0, 3, opModMaxLimW=4000)
        await force(lone, CAP, 40.0)
        await grid.answered(first, [1, 2, 7])
        await grid.answered(second, [1, 2, 3])
        # Before 2023 what was superseded does not come back.
        await force(lone, CAP, 60.0 if profile is Profile.Y2023 else None)


@scenario("CORE-023A", "CORE", "Superseded in one mode only: the other goes on")
async def test_superseding_one_mode(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    async with serving(grid, context), lone.client(grid):
        programme.add(0, 60, created=grid.now() - 5, opModConnect=False, opModMaxLimW=6000)
        await force(lone, CAP, 60.0)
        programme.add(0, 60, opModMaxLimW=4000)
        await force(lone, CAP, 40.0)
        assert lone.in_force("opModConnect") == 0


def _grid_with(lone: Lone, modes: dict[str, float]) -> tuple[Grid, str]:
    grid = lone.grid()
    programme = grid.add_programme()
    return grid, programme.add(30, 60, modes, current=SCHEDULED)


@scenario("CORE-024", "CORE", "An event that vanishes from the whole list counts as cancelled")
async def test_a_vanished_event(lone: Lone, context: ssl.SSLContext) -> None:
    grid, mrid = _grid_with(lone, {CAP: 5000})
    programme = grid.home.members[0].members[0]
    async with serving(grid, context), lone.client(grid):
        await grid.answered(mrid, [1])
        programme.events.remove(mrid)
        await grid.answered(mrid, [1, 6])


@scenario("CORE-025", "CORE", "Events run on without contact, and are answered after it")
async def test_events_without_contact(lone: Lone, context: ssl.SSLContext) -> None:
    grid = lone.grid()
    programme = grid.add_programme()
    mrid = programme.add(2, 2, opModMaxLimW=5000)
    async with serving(grid, context), lone.client(grid):
        await grid.answered(mrid, [1])
        grid.silent = True
        await force(lone, CAP, 50.0)
        await force(lone, CAP, None)
        grid.silent = False
        await grid.answered(mrid, [1, 2, 3])
    at = {a.status: a.at or 0 for a in grid.answers}
    assert at[3] - at[2] == 2


@scenario("CORE-018A", "CORE", "A subscription that the utility ends leaves polling", EVERY)
async def test_subscription_ended(
    lone: Lone, context: ssl.SSLContext, notifying: ssl.SSLContext
) -> None:
    grid = lone.grid()
    programme = grid.add_programme(subscribable=1)
    path = programme.events_href
    async with serving(grid, context), lone.client(grid):
        await grid.until(lambda: watching(grid, path) is not None, 8.0, "subscribed")
        await notify(grid, path, notifying, status=ENDED, with_resource=False)
        grid.home.watchers.items.clear()
        begin = time.time()
        programme.add(0, 60, opModMaxLimW=5000)
        await force(lone, CAP, 50.0)
        assert time.time() - begin < 4.0
