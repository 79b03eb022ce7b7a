"""What a control centre, or somebody who is none, may send: one connection ends, and no more."""

import asyncio
import struct
from pathlib import Path
from typing import Any

import pytest

from hems.headend.server import HeadEnd
from hems.headend.telecontrol.connection import MOST_QUESTIONS
from hems.headend.telecontrol.door import MOST_OF_ONE
from hems.headend.telecontrol.settings import CentreSettings, TelecontrolSettings
from tests.hems.headend.conftest import Home, Operator
from tests.hems.headend.ours import until, until_told
from tests.hems.headend.telecontrol.centre import START, Centre, HungUpError, calling

pytestmark = [pytest.mark.requirement("PRO-GATEWAY"), pytest.mark.requirement("PRO-104")]

SHED = struct.pack("<BBBBH", 50, 1, 6, 3, 1) + (201).to_bytes(3, "little")
SHED += struct.pack("<fB", 2.0, 0)


def numbered(send: int, receive: int, unit: bytes) -> bytes:
    return bytes((0x68, 4 + len(unit))) + struct.pack("<HH", send << 1, receive << 1) + unit


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "begins with 0x47"),
        (bytes.fromhex("6803010203"), "length of 3"),
        (bytes.fromhex("68ff") + bytes(255), "length of 255"),
        (numbered(0, 0, SHED), "before STARTDT"),  # a command while stopped
        (START + numbered(1, 0, SHED), "frame 1 came where 0 was due"),
        (START + numbered(0, 9, SHED), "were acknowledged"),
        (START + numbered(0, 0, SHED) * 2, "frame 0 came where 1 was due"),
        (START + numbered(0, 0, SHED[:9]), "octets of them"),
        (START + numbered(0, 0, SHED[:1]), "its head alone"),
        (START + numbered(0, 0, SHED[:1] + b"\x02" + SHED[2:] + SHED[6:]), "has 2 objects"),
        (START + numbered(0, 0, SHED[:1] + b"\x81" + SHED[2:]), "sequence"),
        (bytes.fromhex("68040b000000"), "was not asked for"),
        (bytes.fromhex("680483000000"), "was not asked for"),
    ],
)
async def test_who_breaks_the_rules_is_hung_up_on_with_a_line_in_the_log(
    head_end: HeadEnd, operator: Operator, listen_log: Any, octets: bytes, why: str
) -> None:
    log = listen_log(why)
    async with calling(head_end.addresses.telecontrol) as centre:
        centre.raw(octets)
        assert await centre.hung_up()
    async with asyncio.timeout(20):
        await log.event.wait()
    if "where 1 was due" not in why:  # there the first of two is good
        assert (await operator.ask("GET", "/events"))[1]["events"] == []
    async with calling(head_end.addresses.telecontrol) as other:  # others are served as before
        await other.start()
        assert await other.interrogate()


async def test_a_frame_in_pieces_is_whole(home: Home, head_end: HeadEnd) -> None:
    del home
    async with calling(head_end.addresses.telecontrol) as centre:
        for octet in START:
            centre.raw(bytes((octet,)))
            await centre.writer.drain()
        assert await centre.frame() == bytes.fromhex("68040b000000")


async def test_who_hangs_up_within_a_frame_harms_nobody(home: Home, head_end: HeadEnd) -> None:
    del home
    async with calling(head_end.addresses.telecontrol) as centre:
        await centre.start()
        centre.raw(numbered(0, 0, SHED)[:7])
    async with calling(head_end.addresses.telecontrol) as other:
        await other.start()
        assert await other.interrogate()


async def test_who_floods_is_hung_up_on(home: Home, head_end: HeadEnd, listen_log: Any) -> None:
    del home
    log = listen_log(f"more than {MOST_QUESTIONS} questions")
    async with calling(head_end.addresses.telecontrol) as centre:
        await centre.start()
        unit = struct.pack("<BBBBH", 100, 1, 6, 3, 1) + b"\x00\x00\x00\x14"
        centre.raw(b"".join(numbered(n, 0, unit) for n in range(3 * MOST_QUESTIONS)))
        assert await centre.hung_up()
    await until(log.event.is_set)


async def test_a_stop_ends_the_data_and_a_start_goes_on(home: Home, centre: Centre) -> None:
    del home
    assert await centre.interrogate()
    await centre.stop()
    await centre.start()
    assert await centre.interrogate()


class TestShort:
    """With times so short that a test can wait for them."""

    @pytest.fixture
    def telecontrol(self, telecontrol: TelecontrolSettings) -> TelecontrolSettings:
        short = {"t1_s": 3.0, "t2_s": 0.4, "t3_s": 0.8, "k": 2, "w": 1, "look_s": 3600}
        return telecontrol.model_copy(update=short)

    async def test_who_never_acknowledges_is_hung_up_on(
        self, home: Home, centre: Centre, listen_log: Any
    ) -> None:
        del home
        log = listen_log("(t1)")
        assert await centre.interrogate()  # so that all is known, and told at once
        centre.ask(100, 6, 1, 0, b"\x14")
        frames = await centre.rest()
        assert len([one for one in frames if not one[2] & 1]) == 2  # no more than k
        await until(log.event.is_set)

    async def test_silence_is_tested(self, head_end: HeadEnd) -> None:
        async with calling(head_end.addresses.telecontrol) as centre:
            for _ in range(2):
                assert await centre.frame() == bytes.fromhex("680443000000")
                centre.raw(bytes.fromhex("680483000000"))
            assert await centre.hung_up()


async def test_a_centre_has_so_many_connections(head_end: HeadEnd, listen_log: Any) -> None:
    log = listen_log(f"has {MOST_OF_ONE} connections")
    open_ = [calling(head_end.addresses.telecontrol) for _ in range(MOST_OF_ONE)]
    made = [await each.__aenter__() for each in open_]
    for centre in made:
        await centre.start()
    async with calling(head_end.addresses.telecontrol) as more:
        assert await more.hung_up()
    await until(log.event.is_set)
    for each in open_:
        await each.__aexit__(None, None, None)

    async def welcome() -> bool:
        try:
            async with calling(head_end.addresses.telecontrol) as again:
                await again.start()
        except HungUpError:
            return False
        return True

    assert await until_told(welcome)


class TestElsewhere:
    @pytest.fixture
    def telecontrol(self, table: Path) -> TelecontrolSettings:
        centre = CentreSettings(name="scada", addresses=("10.1.2.0/24",))
        return TelecontrolSettings(port=0, table=table, centres=(centre,))

    async def test_who_calls_from_elsewhere_is_turned_away(
        self, head_end: HeadEnd, listen_log: Any
    ) -> None:
        log = listen_log("no control centre is known")
        async with calling(head_end.addresses.telecontrol) as centre:
            assert await centre.hung_up()
        await until(log.event.is_set)
