"""A control centre at a real head-end: what it sees, what it commands, and what comes of it."""

import asyncio
import struct
from typing import Any

import pytest

from certs.pki import Pki
from hems.headend.orders.settings import FourEyesSettings
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.headend.telecontrol.settings import TelecontrolSettings
from hems.sep2.resources import DERControlList
from tests.hems.headend.conftest import Home, Operator
from tests.hems.headend.ours import until_told
from tests.hems.headend.telecontrol.centre import Centre, Heard, HungUpError, calling

pytestmark = [pytest.mark.requirement("PRO-GATEWAY"), pytest.mark.requirement("PRO-104")]

GOOD, OLD, INVALID = 0, 0x40, 0x80
CON, TERM = (7, False), (10, False)
NO = [(7, True)]


async def events(operator: Operator) -> list[Any]:
    status, answer = await operator.ask("GET", "/events")
    assert status == 200
    return list(answer["events"])


async def test_an_interrogation_tells_everything_and_what_nobody_knows_as_such(
    home: Home, centre: Centre
) -> None:
    del home
    found = await centre.interrogate()
    values = {at: each for one in found if one.type == 13 for at, each in one.floats().items()}
    assert values[100] == (1.0, GOOD)
    assert values[104] == (0.0, GOOD)  # no event, nothing delivered
    assert values[105] == (0.0, GOOD)
    assert values[102][1] == INVALID  # the home has said nothing of what it could do
    assert values[103][1] == INVALID
    assert values[106] == (0.0, INVALID)  # no such group
    points = {at: o for one in found if one.type == 1 for at, o in one.objects(1).items()}
    assert points == {110: bytes((0,))}
    assert {one.common for one in found} == {1}


async def test_groups_of_interrogation_and_all_stations(home: Home, centre: Centre) -> None:
    del home
    some = await centre.interrogate(qualifier=21)
    assert {at for one in some for at in one.floats()} == {100, 101}
    centre.ask(100, 6, 0xFFFF, 0, bytes((20,)))
    heard: list[Heard] = []
    while len([one for one in heard if (one.type, one.cause) == (100, 10)]) < 2:
        heard.append(await centre.answer())
    assert {one.common for one in heard} == {1, 2}
    centre.ask(100, 6, 1, 0, bytes((99,)))
    assert [(one.cause, one.negative) for one in [await centre.answer()]] == NO


async def test_what_changes_is_told_with_its_time(
    home: Home, centre: Centre, operator: Operator
) -> None:
    del home
    await centre.interrogate()
    await operator.event(limit_import_w=1500, minutes=10)
    async with asyncio.timeout(20):
        while True:
            heard = await centre.hear()
            if heard.type == 30 and heard.objects(8)[110][0] == 1:
                break
    assert heard.cause == 3
    stamp = heard.objects(8)[110][1:]
    assert stamp[6] & 0x7F >= 24  # a year
    assert 1 <= stamp[5] <= 12


async def test_one_object_is_read(home: Home, centre: Centre) -> None:
    del home
    centre.ask(102, 5, 2, 100, b"")
    heard = await centre.answer()
    assert (heard.type, heard.cause, heard.common) == (36, 5, 2)
    assert heard.floats(12) == {100: (1.0, GOOD)}


async def test_a_set_point_is_selected_then_executed_and_reaches_the_home(
    home: Home, centre: Centre, operator: Operator
) -> None:
    assert await centre.set_point(200, 1.5) == NO  # not selected
    assert await centre.set_point(200, 1.5, select=True) == [CON]
    assert not await events(operator), "to select is to order nothing"
    assert await centre.set_point(200, 1.5) == [CON, TERM]
    (event,) = await events(operator)
    assert event["asks"] == {"limit_import_w": 1500.0}
    assert event["duration_s"] == 1800
    assert event["reached"] == 1
    shown = await home.get("/derp/1/derc?l=5", DERControlList)
    assert shown.all == 1
    assert shown.der_control[0].mrid == event["id"]
    _, trail = await operator.ask("GET", "/trail")
    deeds = [deed for deed in trail["entries"] if deed["way"] == "telecontrol"]
    assert [(d["who"], d["did"], d["about"]) for d in deeds] == [
        ("scada", "telecontrol C_SE_NC_1", "1/200")
    ]
    assert deeds[0]["outcome"] == 201


async def test_the_same_command_again_makes_no_second_event(
    home: Home, centre: Centre, head_end: HeadEnd, operator: Operator
) -> None:
    del home
    assert await centre.set_point(201, 2.0) == [CON, TERM]
    async with calling(head_end.addresses.telecontrol) as again:  # its answer was lost
        await again.start()
        assert await again.set_point(201, 2.0) == [CON, TERM]
        assert len(await events(operator)) == 1
        assert await again.set_point(201, 3.0) == [CON, TERM]
    assert [event["asks"] for event in await events(operator)] == [
        {"shed_w": 3000.0},
        {"shed_w": 2000.0},
    ]


async def test_two_workers_take_one_command_once(
    settings: HeadEndSettings,
    telecontrol: TelecontrolSettings,
    home: Home,
    centre: Centre,
    operator: Operator,
) -> None:
    del home
    other = telecontrol.model_copy(update={"host": "127.0.0.2"})
    second = settings.model_copy(update={"telecontrol": other})
    async with HeadEnd(second) as worker, calling(worker.addresses.telecontrol) as beside:
        await beside.start()
        both = await asyncio.gather(centre.set_point(201, 2.0), beside.set_point(201, 2.0))
        assert list(both) == [[CON, TERM], [CON, TERM]]
    assert len(await events(operator)) == 1


async def test_a_restart_forgets_no_order(
    settings: HeadEndSettings, home: Home, operator: Operator, head_end: HeadEnd
) -> None:
    del home
    async with calling(head_end.addresses.telecontrol) as centre:
        await centre.start()
        assert await centre.set_point(200, 1.5, select=True) == [CON]
        assert await centre.set_point(200, 1.5) == [CON, TERM]
    async with HeadEnd(settings) as anew, calling(anew.addresses.telecontrol) as centre:
        await centre.start()
        assert await centre.set_point(200, 1.5) == NO  # selections are a connection's
        assert await centre.set_point(200, 1.5, select=True) == [CON]
        assert await centre.set_point(200, 1.5) == [CON, TERM]
        assert len(await events(operator)) == 1
        assert await centre.command(210, on=True) == [CON, TERM]
    (event,) = await events(operator)
    assert event["cancelled_at"] is not None


async def test_what_all_are_to_do_together_is_shared(
    home: Home, other: Home, centre: Centre, operator: Operator
) -> None:
    del home, other
    assert await centre.set_point(201, 5.0) == [CON, TERM]
    (event,) = await events(operator)
    assert event["asks"] == {"shed_w": 2500.0}
    assert event["program"] == "Energy Support"


async def test_a_single_command_ends_what_a_set_point_ordered(
    home: Home, centre: Centre, operator: Operator
) -> None:
    del home
    assert await centre.set_point(200, 1.5, select=True) == [CON]
    assert await centre.set_point(200, 1.5) == [CON, TERM]
    assert await centre.command(210, on=False) == NO
    assert await centre.command(210, on=True) == [CON, TERM]
    (event,) = await events(operator)
    assert event["cancelled_at"] is not None
    assert await centre.command(210, on=True) == [CON, TERM]  # nothing is left to end


async def test_a_single_command_orders_and_ends_a_fixed_value(
    home: Home, centre: Centre, operator: Operator
) -> None:
    del home
    assert await centre.command(211, on=True) == [CON, TERM]
    (event,) = await events(operator)
    assert event["asks"] == {"limit_export_w": 1500.0}
    assert await centre.command(211, on=False) == [CON, TERM]
    assert (await events(operator))[0]["cancelled_at"] is not None


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ((46, 6, 1, 200, b"\x01"), (44, True)),  # double command: unknown
        ((200, 6, 1, 200, b"\x01"), (44, True)),
        ((50, 6, 9, 200, struct.pack("<fB", 1, 0)), (46, True)),
        ((50, 6, 0xFFFF, 200, struct.pack("<fB", 1, 0)), (46, True)),
        ((50, 6, 1, 999, struct.pack("<fB", 1, 0)), (47, True)),
        ((50, 6, 1, 100, struct.pack("<fB", 1, 0)), (47, True)),  # is seen, not commanded
        ((45, 6, 1, 200, b"\x01"), (47, True)),  # is a set-point
        ((50, 3, 1, 200, struct.pack("<fB", 1, 0)), (45, True)),
        ((50, 8, 1, 200, struct.pack("<fB", 1, 0)), (9, True)),  # nothing was selected
        ((50, 6, 1, 201, struct.pack("<fB", float("nan"), 0)), (7, True)),
        ((50, 6, 1, 201, struct.pack("<fB", float("inf"), 0)), (7, True)),
        ((50, 6, 1, 201, struct.pack("<fB", -5, 0)), (7, True)),  # no reduction
        ((50, 6, 1, 201, struct.pack("<fB", 1e30, 0)), (7, True)),
        ((50, 0x86, 1, 201, struct.pack("<fB", 1, 0)), (7, True)),  # marked as a test
        ((50, 6, 1, 202, struct.pack("<fB", 1, 0)), (7, True)),  # of a group that is not there
        ((102, 5, 1, 200, b""), (47, True)),
        ((102, 6, 1, 100, b""), (45, True)),
        ((100, 6, 1, 7, b"\x14"), (47, True)),
        ((103, 6, 1, 0, bytes.fromhex("00000000010117")), (7, True)),  # answered, never obeyed
    ],
)
async def test_what_is_not_done_is_answered_so(
    home: Home,
    centre: Centre,
    operator: Operator,
    said: tuple[int, int, int, int, bytes],
    answer: tuple[int, bool],
) -> None:
    del home
    kind, _, common, address, body = said
    centre.ask(*said)
    heard = await centre.answer()
    assert (heard.cause, heard.negative) == answer
    assert (heard.type, heard.common, heard.originator) == (kind, common, 3)
    assert heard.body == address.to_bytes(3, "little") + body
    assert not await events(operator)
    assert (await centre.interrogate())[0].common == 1  # and it goes on


async def test_a_selection_is_for_its_value_and_can_be_taken_back(
    home: Home, centre: Centre, operator: Operator
) -> None:
    del home
    assert await centre.set_point(200, 1.5, select=True) == [CON]
    assert await centre.set_point(200, 2.5) == NO
    assert await centre.set_point(200, 1.5) == NO  # that used it up
    assert await centre.set_point(200, 1.5, select=True) == [CON]
    assert await centre.set_point(200, 1.5, cause=8) == [(9, False)]
    assert await centre.set_point(200, 1.5) == NO
    assert not await events(operator)


class TestFourEyes:
    @pytest.fixture
    def settings(self, settings: HeadEndSettings) -> HeadEndSettings:
        return settings.model_copy(update={"four_eyes": FourEyesSettings(above_w=1000)})

    async def test_what_two_must_agree_to_is_refused_and_not_proposed(
        self, home: Home, centre: Centre, operator: Operator, listen_log: Any
    ) -> None:
        del home
        log = listen_log("another one confirm it")
        assert await centre.set_point(201, 2.0) == NO
        assert await centre.set_point(200, 1.5, select=True) == NO
        assert log.event.is_set()
        assert not await events(operator)
        _, answer = await operator.ask("GET", "/proposals")
        assert answer["proposals"] == []
        _, trail = await operator.ask("GET", "/trail")
        (deed,) = [deed for deed in trail["entries"] if deed["way"] == "telecontrol"]
        assert deed["outcome"] == 403
        assert await centre.set_point(201, 0.5) == [CON, TERM]


class TestSeeingOnly:
    @pytest.fixture
    def telecontrol(self, telecontrol: TelecontrolSettings) -> TelecontrolSettings:
        centre = telecontrol.centres[0].model_copy(update={"commands": False})
        return telecontrol.model_copy(update={"centres": (centre,)})

    async def test_who_may_only_see_commands_nothing(
        self, home: Home, centre: Centre, operator: Operator
    ) -> None:
        del home
        assert await centre.set_point(201, 2.0) == NO
        assert await centre.interrogate()
        assert not await events(operator)


async def test_only_the_started_connection_of_a_centre_gets_data(
    home: Home, centre: Centre, head_end: HeadEnd
) -> None:
    del home
    await centre.interrogate()
    async with calling(head_end.addresses.telecontrol) as other:
        other.raw(bytes.fromhex("680443000000"))
        assert await other.frame() == bytes.fromhex("680483000000")
        await other.start()
        assert await other.interrogate()
        centre.ask(100, 6, 1, 0, b"\x14")  # the first one carries data no more
        assert await centre.hung_up()
        assert await other.interrogate()


async def test_another_worker_of_the_machine_takes_over(
    settings: HeadEndSettings, telecontrol: TelecontrolSettings, pki: Pki, free_ports: list[int]
) -> None:
    del pki
    port, homes, operators = free_ports
    own = telecontrol.model_copy(update={"port": port})
    shared = settings.model_copy(
        update={"telecontrol": own, "reuse_port": True, "port": homes, "operator_port": operators}
    )
    async with HeadEnd(shared) as second:
        pass  # makes the database
    first = HeadEnd(shared)
    await first.__aenter__()
    try:
        assert first.addresses.telecontrol == f"127.0.0.1:{port}"
        async with HeadEnd(shared) as second:
            assert second.addresses.telecontrol == ""
            await first.__aexit__(None, None, None)

            async def answered() -> bool:
                try:
                    async with calling(f"127.0.0.1:{port}") as centre:
                        await centre.start()
                        return True
                except (OSError, HungUpError):
                    return False

            assert await until_told(answered)
    finally:
        await first.__aexit__(None, None, None)
