"""Orders that need a second person: the rule, the door, two workers, time that passes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.headend.dispatch import Order
from hems.headend.errors import DispatchError
from hems.headend.modes import Mode, ProgramKind
from hems.headend.orders.desk import KEPT_S
from hems.headend.orders.four_eyes import (
    Proposal,
    ProposalState,
    why_not_confirm,
    why_two,
)
from hems.headend.orders.peers import peer_rule
from hems.headend.orders.settings import FourEyesSettings, Kind
from hems.headend.records import Program
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from tests.hems.headend.conftest import Home, Operator
from tests.hems.headend.operators.conftest import Person, Staff
from tests.waiting import until

pytestmark = pytest.mark.requirement("PRV-RBAC")
START = 1_800_000_000.0
EVERY = FourEyesSettings(above_homes=0)


class Clock:
    """Time as a test says it; hours do not pass by themselves."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@pytest.mark.parametrize(
    ("settings", "kind", "reached", "moves_w", "why"),
    [
        (FourEyesSettings(), Kind.DER, 10**6, 1e12, None),
        (FourEyesSettings(above_homes=5), Kind.DER, 5, 0.0, None),
        (FourEyesSettings(above_homes=5), Kind.DER, 6, 0.0, "6 homes, more than 5"),
        (FourEyesSettings(above_w=1e4), Kind.DRLC, 6, 1e4, None),
        (FourEyesSettings(above_w=1e4), Kind.DRLC, 6, 10_100.0, "10.1 kW, more than 10.0 kW"),
        (FourEyesSettings(above_w=1e4, above_homes=9), Kind.DRLC, 6, 2e4, "20.0 kW"),
        (FourEyesSettings(above_homes=0, kinds=(Kind.DER,)), Kind.EMERGENCY, 9, 9e9, None),
        (FourEyesSettings(above_homes=0, kinds=(Kind.DER,)), Kind.DER, 9, 9e9, "9 homes"),
        (FourEyesSettings(above_homes=0), Kind.EMERGENCY, 1, 0.0, "1 homes"),
    ],
)
def test_when_two_are_needed(
    settings: FourEyesSettings, kind: Kind, reached: int, moves_w: float, why: str | None
) -> None:
    found = why_two(settings, kind, reached, moves_w)
    assert found is None if why is None else why in (found or "")


PROPOSAL = Proposal("p", "{}", "Ada", "ada", START, START + 60, "", 0.0, 1, 1)


@given(
    person=st.sampled_from(["", "ada", "bob"]),
    proposer=st.sampled_from(["", "ada", "bob"]),
    after_s=st.floats(-10, 120),
    event=st.sampled_from(["", "E"]),
    decided_at=st.sampled_from([0.0, START + 1]),
)
def test_only_another_person_confirms_and_only_in_time(
    person: str, proposer: str, after_s: float, event: str, decided_at: float
) -> None:
    proposal = replace(PROPOSAL, proposer=proposer, event=event, decided_at=decided_at)
    now = START + after_s
    open_ = not event and not decided_at and now < proposal.lapses_at
    assert (proposal.state(now) is ProposalState.PROPOSED) is open_
    good = open_ and person not in {"", proposer}
    assert (why_not_confirm(proposal, person, now) is None) is good


def test_orders_of_other_systems_count_by_their_setting(book_of_three: object) -> None:
    program = Program(1, "Peak Saver", "0" * 32, 10, ProgramKind.DER)
    order = Order({Mode.TARGET_W: 4000.0}, 600.0)
    for settings, refused in (
        (FourEyesSettings(above_w=1e4), False),
        (FourEyesSettings(above_w=1e4, peers=True), True),
        (FourEyesSettings(above_w=12e3, peers=True), False),
        (FourEyesSettings(above_homes=2, peers=True), True),
    ):
        rule = peer_rule(settings, book_of_three)  # type: ignore[arg-type]  # as much of a book as it asks
        if refused:
            with pytest.raises(DispatchError, match="another one confirm it"):
                rule(program, order)
        else:
            rule(program, order)


@pytest.fixture
def book_of_three() -> object:
    class Book:
        def reached_by(self, _program: Program) -> list[int]:
            return [1, 2, 3]

    return Book()


@pytest.fixture
def settings(settings: HeadEndSettings) -> HeadEndSettings:
    return settings.model_copy(update={"four_eyes": EVERY})


@pytest.fixture
async def pair(staff: Staff) -> tuple[Person, Person]:
    return await staff.logged_in("Ada", "dispatcher"), await staff.logged_in("Bob", "dispatcher")


WISH = {"limit_import_w": 1500, "minutes": 10}


async def test_a_second_person_confirms(home: Home, pair: tuple[Person, Person]) -> None:
    ada, bob = pair
    status, proposal, answer = await ada.whole("POST", "/events", WISH)
    assert (status, proposal["state"]) == (202, "proposed"), proposal
    place = answer.headers["Location"]
    assert place == f"/proposals/{proposal['id']}"
    assert (proposal["proposed_by"], proposal["why"]) == ("Ada", "it reaches 1 homes, more than 0")
    assert (proposal["homes"], proposal["reached"], proposal["moves_w"]) == (1, 1, 3500.0)
    assert proposal["order"] == {"limit_import_w": 1500.0, "minutes": 10.0}
    assert (await bob.good("GET", "/events"))["events"] == []
    assert (await home.ask("GET", "/derp/1/derc")).text.count("<DERControl ") == 0

    assert "cannot confirm it too" in await ada.bad(403, "POST", f"{place}/confirm")
    event = await bob.good("POST", f"{place}/confirm")
    assert [each["lfdi"] for each in event["homes"]] == [home.lfdi]
    assert event["id"] in (await home.ask("GET", "/derp/1/derc")).text
    for person in pair:
        assert "confirmed already" in await person.bad(409, "POST", f"{place}/confirm")
        assert "confirmed already" in await person.bad(409, "POST", f"{place}/withdraw")
    told = await ada.good("GET", place)
    assert (told["state"], told["decided_by"], told["event"]) == ("confirmed", "Bob", event["id"])
    await ada.good("POST", f"/events/{event['id']}/cancel")


async def test_the_machine_proposes_yet_nobody_in_particular_confirms(
    home: Home, operator: Operator, pair: tuple[Person, Person]
) -> None:
    status, proposal = await operator.ask("POST", "/events", WISH)
    assert (status, proposal["proposed_by"]) == (202, "operator"), home.lfdi
    place = f"/proposals/{proposal['id']}"
    status, answer = await operator.ask("POST", f"{place}/confirm")
    assert (status, "a person must confirm it" in answer["error"]) == (403, True)
    await pair[0].good("POST", f"{place}/confirm")


async def test_a_program_counts_as_its_owner(
    home: Home, operator: Operator, staff: Staff, pair: tuple[Person, Person]
) -> None:
    proposal = await pair[0].good("POST", "/events", WISH)
    _, made = await operator.ask("POST", "/operators/Ada/tokens", {"label": home.lfdi})
    program = staff.stranger()
    program.token = made["token"]
    place = f"/proposals/{proposal['id']}"
    assert "cannot confirm it too" in await program.bad(403, "POST", f"{place}/confirm")


async def test_what_makes_no_sense_is_not_proposed(home: Home, pair: tuple[Person, Person]) -> None:
    ada, _ = pair
    for wish, said in (
        ({"limit_import_w": -1, "minutes": 10}, "limit_import_w"),
        ({"limit_import_w": 1, "minutes": 10, "start": 5e9}, "a year ahead"),
        ({"limit_import_w": 1, "minutes": 10, "program": home.lfdi}, "no programme"),
        ({"volt_var": "0" * 32, "minutes": 10}, "no such curve"),
    ):
        for path in ("/events", "/events/preview"):
            assert said in await ada.bad(422, "POST", path, wish)
    assert await ada.bad(404, "POST", "/events", {**WISH, "group": "nowhere"})
    assert (await ada.good("GET", "/proposals"))["proposals"] == []


async def test_a_preview_orders_nothing(home: Home, pair: tuple[Person, Person]) -> None:
    ada, _ = pair
    curve = {"points": [[0.92, 44], [1.08, -44]]}
    told = await ada.good("POST", "/events/preview", {"volt_var": curve, "minutes": 5})
    assert told == {
        "program": "Peak Saver",
        "group": None,
        "homes": 1,
        "reached": 1,
        "barred": [],
        "moves_w": 0.0,
        "needs_second": True,
        "why_second": "it reaches 1 homes, more than 0",
    }, home.lfdi
    for path, name in (("/events", "events"), ("/curves", "curves"), ("/proposals", "proposals")):
        assert (await ada.good("GET", path))[name] == []


async def test_withdrawn_and_listed_by_state(home: Home, pair: tuple[Person, Person]) -> None:
    ada, bob = pair
    first = await ada.good("POST", "/events", WISH)
    second = await ada.good("POST", "/events", {**WISH, "start": "+5m"})
    assert second["lapses_at"] == second["order"]["start"], home.lfdi
    done = await bob.good("POST", f"/proposals/{first['id']}/withdraw", {"reason": "too early"})
    assert (done["state"], done["decided_by"], done["reason"]) == ("withdrawn", "Bob", "too early")
    assert "withdrawn already" in await bob.bad(409, "POST", f"/proposals/{first['id']}/confirm")
    listed = (await bob.good("GET", "/proposals?state=proposed"))["proposals"]
    assert [each["id"] for each in listed] == [second["id"]]
    assert "none of" in await bob.bad(400, "GET", "/proposals?state=nonsense")
    assert await bob.bad(404, "POST", "/proposals/nonsense/confirm")
    event = await bob.good("POST", f"/proposals/{second['id']}/confirm")
    assert event["start"] == second["order"]["start"]


@pytest.mark.parametrize(("start", "waits_s"), [(None, 1800.0), ("+10m", 600.0)])
async def test_an_order_that_nobody_confirms_lapses(
    settings: HeadEndSettings, start: str | None, waits_s: float
) -> None:
    clock = Clock()
    async with HeadEnd(settings, clock) as head_end:
        operator = Operator(head_end)
        staff = Staff(operator, head_end.addresses.operator_url, [])
        try:
            await operator.ask("POST", "/homes", {"lfdi": "0A" * 20, "pin": "123455"})
            wish = {**WISH, **({} if start is None else {"start": start})}
            proposal = (await operator.ask("POST", "/events", wish))[1]
            assert proposal["lapses_at"] == START + waits_s
            clock.at += waits_s
            bob = await staff.with_token("Bob", "dispatcher")
            place = f"/proposals/{proposal['id']}"
            assert (await bob.good("GET", place))["state"] == "lapsed"
            for what in ("confirm", "withdraw"):
                assert "lapsed already" in await bob.bad(409, "POST", f"{place}/{what}")
            assert (await bob.good("GET", "/events"))["events"] == []
        finally:
            for person in staff.made:
                await person.session.close()
            await operator.aclose()


async def test_a_proposal_is_forgotten_long_after_it_lapsed(settings: HeadEndSettings) -> None:
    clock = Clock()

    async def listed() -> list[str]:
        return [each["id"] for each in (await operator.ask("GET", "/proposals"))[1]["proposals"]]

    async with HeadEnd(settings, clock) as head_end:
        operator = Operator(head_end)
        await operator.ask("POST", "/homes", {"lfdi": "0A" * 20, "pin": "123455"})
        old = (await operator.ask("POST", "/events", WISH))[1]["id"]
        clock.at += KEPT_S
        young = (await operator.ask("POST", "/events", WISH))[1]["id"]
        assert await listed() == [young, old]
        await operator.aclose()
    clock.at += EVERY.waits_minutes * 60 + 1
    async with HeadEnd(settings, clock) as head_end:  # which keeps house at its start
        operator = Operator(head_end)
        await until(listed, lambda left: left == [young], 30.0, "the old one is forgotten")
        await operator.aclose()


@pytest.fixture
async def workers(settings: HeadEndSettings) -> AsyncIterator[tuple[HeadEnd, HeadEnd]]:
    async with AsyncExitStack() as stack:
        slow = settings.model_copy(update={"busy_timeout_s": 5.0})
        first = await stack.enter_async_context(HeadEnd(slow))
        yield first, await stack.enter_async_context(HeadEnd(slow))


async def test_of_all_who_confirm_at_once_at_two_workers_one_does(
    workers: tuple[HeadEnd, HeadEnd],
) -> None:
    first, second = workers
    operator = Operator(first)
    staff = Staff(operator, first.addresses.operator_url, [])
    try:
        await operator.ask("POST", "/homes", {"lfdi": "0A" * 20, "pin": "123455"})
        people = [await staff.with_token(f"Kim {n}", "dispatcher") for n in range(6)]
        for place in range(0, 6, 2):  # every other one asks the other worker
            there = staff.stranger(second.addresses.operator_url)
            there.token, people[place] = people[place].token, there
        for _ in range(3):
            proposal = (await operator.ask("POST", "/events", WISH))[1]
            path = f"/proposals/{proposal['id']}/confirm"
            answers = await asyncio.gather(*(each.ask("POST", path) for each in people))
            assert sorted(status for status, _ in answers) == [201] + [409] * 5
            (event,) = [answer["id"] for status, answer in answers if status == 201]
            told = (await operator.ask("GET", f"/proposals/{proposal['id']}"))[1]
            assert told["event"] == event
        assert len((await operator.ask("GET", "/events"))[1]["events"]) == 3
    finally:
        for person in staff.made:
            await person.session.close()
        await operator.aclose()
