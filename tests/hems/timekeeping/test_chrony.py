"""What chrony says: a real chronyd, with an NTP server and a reference clock on real sockets."""

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.timekeeping.chrony import ChronyError, ask, read, too_often
from hems.timekeeping.reading import Reading, Source, Upstream
from tests.hems.timekeeping.clockwork import NtpServer, beat, chronyd, ntp_server
from tests.timekeepers import CHRONYC, unpacked
from tests.waiting import until

pytestmark = [pytest.mark.requirement("TIME-SOURCES"), pytest.mark.requirement("TIME-NTP")]

WITHIN_S = 60.0
KEPT = (
    "7F000001,192.0.2.7,2,1795408443.901848062,0.000026413,-0.000004032,0.000016805,"
    "1.375,-0.126,8.082,0.000242470,0.000318753,1.0,Normal\n"
    "^,*,192.0.2.7,1,6,377,0,-0.000005124,-0.000009156,0.000427386\n"
    "^,-,192.0.2.8,2,1,377,0,-0.000005124,-0.000009156,0.000427386\n"
    "^,?,192.0.2.9,0,1,0,4294967295,0.000000000,0.000000000,0.000000000\n"
    "#,+,PPS,0,2,377,4,-0.000005124,-0.000009156,0.000427386\n"
)
LOST = "00000000,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised\n"
OWN = (
    "7F7F0101,,10,1795408443.9,0.000000000,0.000000000,0.000000000,"
    "0.000,0.000,0.000,0.000000000,0.000000000,0.0,Normal\n"
)


async def asked(door: str) -> Reading | None:
    return await ask(str(CHRONYC), door)


def good(reading: Reading | None) -> bool:
    return reading is not None and reading.synchronised


def test_what_is_said_of_time_that_is_kept() -> None:
    found = read(KEPT)
    assert (found.source, found.synchronised, found.name) == (Source.CHRONY, True, "192.0.2.7")
    assert found.stratum == 2
    assert found.error_s == pytest.approx(26.413e-6 + 318.753e-6 + 121.235e-6)
    assert found.upstreams == (
        Upstream("192.0.2.7", False, 1, 64.0, "used"),
        Upstream("192.0.2.8", False, 2, 2.0, "unused"),
        Upstream("192.0.2.9", False, 0, 2.0, "unreachable"),
        Upstream("PPS", True, 0, 4.0, "good"),
    )


def test_who_is_asked_too_often_is_named() -> None:
    """Not a server that does not answer, nor a clock that is attached to the machine."""
    assert [each.name for each in too_often(read(KEPT))] == ["192.0.2.8"]
    slower = replace(read(KEPT).upstreams[1], poll_s=4.0)
    assert too_often(replace(read(KEPT), upstreams=(slower,))) == ()


@pytest.mark.parametrize("text", [LOST, OWN])
def test_what_is_said_of_time_that_nobody_keeps(text: str) -> None:
    """The machine's own clock is no source, whatever stratum chrony gives it."""
    found = read(text)
    assert (found.synchronised, found.name, found.stratum) == (False, "", None)
    assert found.error_s is None


@pytest.mark.parametrize(
    ("words", "leap"), [("Insert second", "insert"), ("Delete second", "delete")]
)
def test_a_leap_second_is_announced(words: str, leap: str) -> None:
    found = read(KEPT.replace("Normal", words))
    assert (found.leap, found.synchronised) == (leap, True)


@pytest.mark.parametrize(
    "text",
    ["", "506 Cannot talk to daemon\n", "a,b,c\n", KEPT.replace(",2,", ",two,", 1), KEPT + "^,*\n"],
)
def test_what_makes_no_sense_is_one_error(text: str) -> None:
    with pytest.raises(ChronyError, match=r"^chronyc: [^\n]+$"):
        read(text)


@given(st.text(max_size=200))
def test_nothing_else_than_that_error(text: str) -> None:
    for each in (text, KEPT + text, text.join(KEPT.split(","))):
        with contextlib.suppress(ChronyError):
            read(each)


async def test_without_chrony_nothing_is_said() -> None:
    assert await ask("/nonexistent/chronyc") is None


@unpacked
async def test_without_its_daemon_nothing_is_said(tmp_path: Path) -> None:
    assert await asked(str(tmp_path / "nobody.sock")) is None


@unpacked
async def test_a_real_chrony_with_an_ntp_server_that_it_asks_too_often(tmp_path: Path) -> None:
    server = NtpServer(stratum=3)
    async with ntp_server(server) as port:
        line = f"server 127.0.0.1 port {port} minpoll 0 maxpoll 1 iburst"
        async with chronyd(tmp_path, line) as door:
            found = await until(lambda: asked(door), good, WITHIN_S, "chrony keeps the clock")
            assert found is not None
            assert (found.name, found.stratum) == ("127.0.0.1", 4)
            assert found.error_s is not None
            assert 0.0 < found.error_s < 1.0
            (upstream,) = too_often(found)
            assert upstream.poll_s < 4.0
            assert len(server.asked) >= 1


@unpacked
async def test_a_real_chrony_whose_server_sends_it_away(tmp_path: Path) -> None:
    server = NtpServer(stratum=0, leap=3)
    async with (
        ntp_server(server) as port,
        chronyd(tmp_path, f"server 127.0.0.1 port {port} iburst") as door,
    ):
        await until(lambda: asked(door), lambda r: r is not None, WITHIN_S, "chrony answers")

        async def turned_to() -> int:
            return len(server.asked)

        await until(turned_to, lambda count: count >= 1, WITHIN_S, "it is asked")
        found = await asked(door)
        assert found is not None
        assert not found.synchronised
        assert too_often(found) == ()


@unpacked
async def test_a_reference_clock_is_shown_by_its_name(tmp_path: Path) -> None:
    """GPS here; PTP (PHC0), IRIG and radio clocks reach chrony in the same ways."""
    clock = tmp_path / "gps.sock"
    line = f"refclock SOCK {clock} refid GPS poll 0 delay 0.1 precision 1e-3"
    async with chronyd(tmp_path, line) as door:
        driver = asyncio.create_task(beat(clock))
        try:
            found = await until(lambda: asked(door), good, WITHIN_S, "the clock is heard")
        finally:
            driver.cancel()
    assert found is not None
    assert (found.name, found.stratum) == ("GPS", 1)
    (upstream,) = found.upstreams
    assert (upstream.name, upstream.reference_clock) == ("GPS", True)
    assert too_often(found) == ()
