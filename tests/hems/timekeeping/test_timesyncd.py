"""What systemd-timesyncd and the kernel say of the machine's clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.timekeeping import kernel
from hems.timekeeping.program import output_of
from hems.timekeeping.reading import Source
from hems.timekeeping.timesyncd import read, span_s

pytestmark = pytest.mark.requirement("TIME-NTP")

KEPT = """\
FallbackNTPServers=0.debian.pool.ntp.org 1.debian.pool.ntp.org
ServerName=0.debian.pool.ntp.org
ServerAddress=192.0.2.9
RootDistanceMaxUSec=5s
PollIntervalMinUSec=32s
PollIntervalMaxUSec=34min 8s
PollIntervalUSec=8min 32s
NTPMessage={ Leap=0, Version=4, Mode=4, Stratum=2, Precision=-24, RootDelay=8.087ms, \
RootDispersion=1.159ms, Reference=C0248F97, OriginateTimestamp=Mon 2026-11-23 04:34:03 UTC, \
ReceiveTimestamp=Mon 2026-11-23 04:34:03 UTC, Ignored=no PacketCount=7, Jitter=2.154ms }
Frequency=-372441
"""


def test_time_that_is_kept() -> None:
    found = read(KEPT)
    assert (found.source, found.synchronised) == (Source.TIMESYNCD, True)
    assert (found.name, found.stratum) == ("0.debian.pool.ntp.org", 3)
    assert found.error_s == pytest.approx(0.0040435 + 0.001159 + 0.002154)
    assert [u.poll_s for u in found.upstreams] == [512.0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "FallbackNTPServers=0.debian.pool.ntp.org\n",
        KEPT.replace("Leap=0", "Leap=3"),
        KEPT.replace("Stratum=2", "Stratum=16"),
        KEPT.replace("Stratum=2", "Stratum=0"),
        KEPT.replace("Ignored=no", "Ignored=yes"),
    ],
)
def test_time_that_is_not_kept(text: str) -> None:
    found = read(text)
    assert (found.synchronised, found.stratum, found.error_s) == (False, None, None)


def test_a_leap_second_is_announced() -> None:
    assert read(KEPT.replace("Leap=0", "Leap=1")).leap == "insert"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("34min 8s", 2048.0),
        ("1.5ms", 0.0015),
        ("32s", 32.0),
        ("8us", 8e-6),
        ("", None),
        ("x", None),
    ],
)
def test_spans_as_systemd_prints_them(text: str, seconds: float | None) -> None:
    assert span_s(text) == (None if seconds is None else pytest.approx(seconds))


@given(st.text(max_size=300))
def test_whatever_is_printed_nothing_breaks(text: str) -> None:
    for each in (text, KEPT + text, KEPT.replace("8.087ms", text)):
        read(each)


async def test_a_program_that_fails_says_nothing() -> None:
    assert await output_of("/bin/sh", "-c", "echo half; exit 1") is None
    assert await output_of("/bin/sh", "-c", "echo whole") == "whole\n"


@pytest.mark.parametrize(
    ("status", "kept", "leap"),
    [(0x2001, True, ""), (0x0040, False, ""), (0x2011, True, "insert"), (0x2021, True, "delete")],
)
def test_the_kernel_s_word(status: int, kept: bool, leap: str) -> None:
    found = kernel.read(status, 16_000)
    assert (found.synchronised, found.leap) == (kept, leap)
    assert found.error_s == (pytest.approx(0.016) if kept else None)


def test_the_real_kernel_is_asked() -> None:
    found = kernel.ask()
    assert found is None or found.source is Source.KERNEL
    if found is not None and found.synchronised:
        assert found.error_s is not None
        assert 0.0 <= found.error_s < 100.0
