"""Events for named homes: each sees its own, nobody else's, whichever worker it comes to."""

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select

from certs.pki import Pki
from hems.headend.errors import DispatchError
from hems.headend.hrefs import RESPONSES, der_controls, dr_controls
from hems.headend.modes import Mode, ProgramKind
from hems.headend.own.book import OwnOrder
from hems.headend.own.models import OwnEventRow
from hems.headend.own.records import programme, whose
from hems.headend.own.table import KEPT_S, MEMORY_S
from hems.headend.records import Edition
from hems.headend.records import Home as Record
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.headend.upstream.settings import UpstreamSettings
from hems.sep2.resources import (
    DefaultDERControl,
    DemandResponseProgramList,
    DERControlList,
    DERProgramList,
    EndDeviceControlList,
    Response,
)
from tests.hems.headend.conftest import PIN, Home, MakeHome, Operator
from tests.waiting import until

pytestmark = pytest.mark.requirement("PRO-2030.5")
WITHIN_S = 15.0


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


def order(
    key: str, homes: Sequence[Home], mode: Mode, value: float, *, binding: bool = False
) -> OwnOrder:
    names = frozenset(home.lfdi for home in homes)
    return OwnOrder(key, {mode: value}, int(time.time()), 600, names, binding=binding)


async def of(home: Home, kind: ProgramKind) -> str:
    """Return where the list of a home's own programme is: that of the lowest primacy but one."""
    if kind is ProgramKind.DER:
        ders = (await home.get("/derp?l=9", DERProgramList)).der_program
        links = {p.primacy: p.der_control_list_link for p in ders}
    else:
        drs = (await home.get("/drp?l=9", DemandResponseProgramList)).demand_response_program
        links = {p.primacy: p.end_device_control_list_link for p in drs}
    link = links[2]
    assert link is not None
    return link.href


async def asked(home: Home) -> list[tuple[str, int]]:
    """Return what a home is asked in its own der programme: mRID and status of each event."""
    found = await home.get(f"{await of(home, ProgramKind.DER)}?l=9", DERControlList)
    return [(c.mrid, c.event_status.current_status) for c in found.der_control]


async def test_each_sees_what_it_is_named_in_and_nothing_of_others(
    head_end: HeadEnd, home: Home, other: Home
) -> None:
    own = head_end.book.own
    made = await own.give(
        [
            order("A", [home, other], Mode.IMPORT, 3000.0),
            order("B", [home], Mode.IMPORT, 1000.0),
            order("C", [other], Mode.SHED, 700.0, binding=True),
        ]
    )
    first, second, third = made["A"], made["B"], made["C"]
    assert isinstance(first, str)
    assert await asked(home) == [(second, 1), (first, 4)], "the later takes the earlier's place"
    assert await asked(other) == [(first, 1)], "not where it is for others only"
    loads = await other.get(f"{await of(other, ProgramKind.DRLC)}?l=9", EndDeviceControlList)
    (load,) = loads.end_device_control
    assert (load.mrid, load.dr_program_mandatory) == (third, True)
    assert (await home.ask("GET", await of(other, ProgramKind.DER))).status == 404
    assert (await home.ask("GET", f"{await of(other, ProgramKind.DER)}/{first}")).status == 404
    single = await home.ask("GET", f"{await of(home, ProgramKind.DER)}/{second}")
    assert single.status == 200
    default = (await of(home, ProgramKind.DER)).replace("/derc", "/dderc")
    assert (await home.get(default, DefaultDERControl)).der_control_base is not None


async def test_only_who_is_named_can_answer(head_end: HeadEnd, home: Home, other: Home) -> None:
    made = await head_end.book.own.give([order("A", [home], Mode.IMPORT, 3000.0)])
    mrid = str(made["A"])

    async def answer(who: Home) -> int:
        body = Response(created_date_time=1, end_device_lfdi=who.lfdi, status=1, subject=mrid)
        return (await who.ask("POST", RESPONSES, body)).status

    assert (await answer(home), await answer(other)) == (201, 400)


async def test_one_key_is_one_order_in_any_worker_and_after_a_restart(
    settings: HeadEndSettings, pki: Pki
) -> None:
    async with HeadEnd(settings) as first, HeadEnd(settings) as second:
        home = Home(pki.identity("home-a"), pki, second.addresses.base_url)
        operator = Operator(first)
        await operator.enter(home)
        wish = order("A", [home], Mode.IMPORT, 3000.0)
        made = await first.book.own.give([wish, wish])
        assert await second.book.own.give([wish]) == made
        await until(lambda: asked(home), lambda seen: seen == [(made["A"], 1)], WITHIN_S, "seen")
        await second.book.own.cancel([str(made["A"])])
        await second.book.own.cancel([str(made["A"]), "none"])
        assert await asked(home) == [(made["A"], 2)]
        await home.aclose()
        await operator.aclose()
    async with HeadEnd(settings) as again:
        assert await again.book.own.give([wish]) == made
        assert not again.book.own.running


async def test_what_makes_no_sense_is_refused_and_stops_nothing_else(
    head_end: HeadEnd, home: Home
) -> None:
    own, past = head_end.book.own, int(time.time()) - 100
    bad = [
        OwnOrder("1", {}, past, 600, frozenset({home.lfdi})),
        OwnOrder("2", {Mode.SHED: 1.0, Mode.IMPORT: 1.0}, past, 600, frozenset({home.lfdi})),
        OwnOrder("3", {Mode.SHED: 1.0}, past, 600, frozenset()),
        OwnOrder("4", {Mode.SHED: 1.0}, past, 50, frozenset({home.lfdi})),
        OwnOrder("5", {Mode.IMPORT: -1.0}, past, 600, frozenset({home.lfdi})),
        OwnOrder("6", {Mode.IMPORT: 1.0}, past, 0, frozenset({home.lfdi})),
    ]
    made = await own.give([*bad, order("7", [home], Mode.IMPORT, 1.0)])
    said = {key: str(value) for key, value in made.items() if isinstance(value, DispatchError)}
    assert set(said) == {"1", "2", "3", "4", "5", "6"}
    assert said["4"] == "the event would be over before it began"
    assert await asked(home) == [(made["7"], 1)]


async def test_what_is_long_over_is_forgotten(
    head_end: HeadEnd, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = head_end.book.own
    made = await own.give([order("A", [home], Mode.IMPORT, 3000.0)])
    await own.forget_old()
    assert own.find(str(made["A"])) is not None
    kept = select(OwnEventRow.mrid)
    for after_s, found in ((MEMORY_S, [made["A"]]), (KEPT_S, [])):
        clock = _At(time.time() + 600 + after_s + 1)
        monkeypatch.setattr(own, "_clock", clock)
        monkeypatch.setattr(own._table, "_clock", clock)
        await own.forget_old()
        assert own.find(str(made["A"])) is None
        async with head_end.store.reading() as connection:
            rows = list((await connection.execute(kept)).scalars())
        assert rows == found, "the database keeps it until nobody settles it any more"
        wish = replace(order("A", [home], Mode.IMPORT, 3000.0), start=int(clock.now()))
        if found:
            assert await own.give([wish]) == made, "one key is one order, for as long"


class _At:
    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now


async def test_a_home_that_is_entered_later_has_its_own_programmes_at_once(
    head_end: HeadEnd, operator: Operator, make_home: MakeHome
) -> None:
    late = make_home("home-b")
    made = await head_end.book.own.give([order("A", [late], Mode.IMPORT, 3000.0)])
    await operator.enter(late)
    assert await asked(late) == [(made["A"], 1)]


def test_an_index_says_whose_programme_it_is() -> None:
    found = set()
    for number in (1, 2, 999_999):
        for kind in ProgramKind:
            record = Record(number, f"{number:040X}", 0, Edition.CSIP_AUS, 0.0)
            made = programme(record, kind, 2, 40732)
            assert whose(made.index) == (number, kind)
            found |= {made.index, made.mrid}
    assert len(found) == 12
    assert [whose(index) for index in (0, 1, 1001, 9_999_999)] == [None] * 4
    assert der_controls(7) != dr_controls(7)


async def test_where_nobody_aggregates_homes_have_no_programmes_of_their_own(
    settings: HeadEndSettings, pki: Pki
) -> None:
    async with HeadEnd(settings.model_copy(update={"upstream": None})) as running:
        home = Home(pki.identity("home-a"), pki, running.addresses.base_url)
        operator = Operator(running)
        await operator.enter(home)
        found = await home.get("/derp?l=9", DERProgramList)
        assert [program.primacy for program in found.der_program] == [10]
        assert (await home.ask("GET", der_controls(10_000_002))).status == 404
        assert (await operator.ask("GET", "/upstream"))[0] == 404
        await home.aclose()
        await operator.aclose()
