"""Frames and data units: written out slowly here, and read the same by both."""

import math
import struct
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.headend.telecontrol import asdu, times
from hems.headend.telecontrol.asdu import (
    Asdu,
    Cause,
    Clock,
    Command,
    Interrogation,
    Measured,
    Point,
    Quality,
    Reading,
    SetPoint,
    Type,
)
from hems.headend.telecontrol.errors import AsduError, FrameError
from hems.headend.telecontrol.frames import (
    MOST_ASDU,
    Acknowledged,
    Frame,
    Framer,
    Numbered,
    Service,
    Unnumbered,
    encode,
)
from tests.fuzz.parsers.parser import attempt

pytestmark = pytest.mark.requirement("PRO-104")

NUMBERS = st.integers(0, 32767)
FRAMES = st.one_of(
    st.builds(Numbered, NUMBERS, NUMBERS, st.binary(min_size=1, max_size=MOST_ASDU)),
    st.builds(Acknowledged, NUMBERS),
    st.builds(Unnumbered, st.sampled_from(Service)),
)


def slow(octets: bytes) -> tuple[list[Frame], bool]:
    """Read frames bit by bit; returns them, and whether all that follows is spoilt."""
    found: list[Frame] = []
    while octets:
        if octets[0] != 104 or (len(octets) > 1 and not 4 <= octets[1] <= 253):
            return found, True
        if len(octets) < 2 or len(octets) < 2 + octets[1]:
            return found, False
        frame, octets = octets[2 : 2 + octets[1]], octets[2 + octets[1] :]
        one = slow_one(frame)
        if one is None:
            return found, True
        found.append(one)
    return found, False


def slow_one(frame: bytes) -> Frame | None:
    bits = "".join(f"{octet:08b}"[::-1] for octet in frame[:4])
    first, second = (int(part[::-1], 2) for part in (bits[1:16], bits[17:32]))
    spoilt, body = bits[16] == "1", frame[4:]
    if not spoilt and bits[0] == "0" and body:
        return Numbered(first, second, body)
    if spoilt or bits[0] == "0" or body:
        return None
    if bits[1] == "0":
        return None if first else Acknowledged(second)
    fits = bits[2:8].count("1") == 1 and bits[8:] == "0" * 24
    return Unnumbered(list(Service)[bits[2:8].index("1")]) if fits else None


def fast(pieces: list[bytes]) -> tuple[list[Frame], bool]:
    framer, found = Framer(), list[Frame]()
    try:
        for piece in pieces:
            found.extend(framer.feed(piece))
    except FrameError:
        return found, True
    return found, False


@given(st.lists(FRAMES, max_size=5), st.lists(st.integers(0, 600), max_size=6))
def test_frames_come_back_in_whatever_pieces(frames: list[Frame], cuts: list[int]) -> None:
    octets = b"".join(encode(frame) for frame in frames)
    ends = [0, *sorted(cuts), len(octets)]
    pieces = [octets[a:b] for a, b in pairwise(ends)]
    assert fast(pieces) == (frames, False)
    assert slow(octets) == (frames, False)


ODD = st.one_of(
    st.binary(max_size=12),
    st.builds(lambda n, rest: bytes((104, n)) + rest, st.integers(0, 255), st.binary(max_size=9)),
    st.builds(
        lambda control: bytes((104, 4)) + control,
        st.binary(min_size=4, max_size=4).map(lambda o: bytes((o[0], o[1] & 1, o[2] & 1, o[3]))),
    ),
    FRAMES.map(encode),
)


@given(st.lists(ODD, max_size=5))
def test_octets_of_any_kind_are_read_as_the_slow_reader_reads_them(parts: list[bytes]) -> None:
    octets = b"".join(parts)
    assert fast([octets]) == slow(octets)
    assert fast([octets[n : n + 1] for n in range(len(octets))]) == slow(octets)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("00", "begins with 0x00"),
        ("6803", "length of 3"),
        ("68fe", "length of 254"),
        ("680400000000", "carries nothing"),
        ("68050100000000", "octets too many"),
        ("680401000100", "third control octet"),
        ("680403000000", "control octets 03"),
        ("68040f000000", "control octets 0f"),  # two services at once
        ("680407000200", "control octets 07"),
    ],
)
def test_what_is_no_frame_is_named(octets: str, why: str) -> None:
    with pytest.raises(FrameError, match=why):
        list(Framer().feed(bytes.fromhex(octets)))


SHORT = st.floats(width=32, allow_nan=False)
QUALITY = st.sampled_from([Quality(n) for n in (0, 0x40, 0x80, 0xC0)])
AT = st.integers(946_684_800_000, 4_102_444_799_999).map(lambda ms: ms / 1000)
SELECT = st.booleans()
OF: dict[Type, st.SearchStrategy[Any]] = {
    Type.M_SP_NA_1: st.builds(Point, st.booleans(), QUALITY),
    Type.M_SP_TB_1: st.builds(Point, st.booleans(), QUALITY, AT),
    Type.M_ME_NC_1: st.builds(Measured, SHORT, QUALITY),
    Type.M_ME_TF_1: st.builds(Measured, SHORT, QUALITY, AT),
    Type.C_SC_NA_1: st.builds(Command, st.booleans(), SELECT, st.integers(0, 31)),
    Type.C_SE_NC_1: st.builds(SetPoint, SHORT, SELECT, st.integers(0, 127)),
    Type.C_IC_NA_1: st.builds(Interrogation, st.integers(0, 255)),
    Type.C_RD_NA_1: st.just(Reading()),
    Type.C_CS_NA_1: st.builds(Clock, AT),
}


@st.composite
def units(draw: st.DrawFn) -> Asdu:
    kind = draw(st.sampled_from(list(OF)))
    most = asdu.fitting(kind)
    addresses = st.integers(0, asdu.MOST_ADDRESS)
    objects = draw(st.lists(st.tuples(addresses, OF[kind]), min_size=1, max_size=most))
    cause, common = draw(st.integers(0, 63)), draw(st.integers(0, 65535))
    flags = draw(st.tuples(st.integers(0, 255), st.booleans(), st.booleans()))
    return Asdu(kind, cause, common, tuple(objects), *flags)


@given(units())
def test_data_units_come_back(unit: Asdu) -> None:
    octets = asdu.encode(unit)
    assert len(octets) <= MOST_ASDU
    assert asdu.decode(octets) == unit
    no = asdu.decode(asdu.answered(octets, Cause.UNKNOWN_OBJECT, negative=True))
    assert (no.cause, no.negative, no.test) == (47, True, unit.test)
    assert (no.type, no.common, no.objects) == (unit.type, unit.common, unit.objects)


@given(st.binary(max_size=40))
def test_a_data_unit_is_read_or_refused_in_a_sentence(octets: bytes) -> None:
    unit, said = attempt(lambda: asdu.decode(octets), AsduError)
    assert said.isprintable()
    if unit is not None:
        assert unit.common == int.from_bytes(octets[4:6], "little")


def test_octets_as_others_write_them() -> None:
    """Written by hand, from the layout that 104 has of each type."""
    measured = "240103050100640000" + struct.pack("<f", 1.5).hex() + "40" + "88130a0c6f071a"
    unit = asdu.decode(bytes.fromhex(measured))
    at = datetime(2026, 7, 15, 12, 10, 5, tzinfo=UTC).timestamp()
    (told,) = (each for _, each in unit.objects)
    assert told == Measured(1.5, Quality.NOT_TOPICAL, at)
    assert (unit.type, unit.cause, unit.originator, unit.common) == (36, 3, 5, 1)
    assert asdu.encode(unit).hex() == measured
    command = bytes.fromhex("2d010600020007000081")
    assert asdu.decode(command).objects == ((7, Command(on=True, select=True)),)


@given(AT)
def test_times_come_back_to_the_millisecond(at: float) -> None:
    octets = times.encode(at)
    assert octets[4] >> 5 == datetime.fromtimestamp(at, UTC).isoweekday()
    back = times.decode(octets)
    assert back is not None
    assert math.isclose(back, at, abs_tol=1e-6)


@pytest.mark.parametrize(
    "octets",
    [
        "60ea0000010117",  # 60,000 ms in a minute
        "00003c00010117",  # minute 60
        "00000018010117",  # hour 24
        "00000000000117",  # day 0
        "0000000001 0d17",  # month 13
        "000000001e0217",  # 30 February
        "0000000001017f",  # year 127
    ],
)
def test_there_are_no_such_times(octets: str) -> None:
    with pytest.raises(AsduError, match="none"):
        times.decode(bytes.fromhex(octets))


def test_a_time_that_is_not_valid_is_none() -> None:
    assert times.decode(bytes.fromhex("00008000000000")) is None


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("640106000100", "6 octets"),
        ("64810600010000000014", "sequence"),
        ("64000600010000000014", "0 objects"),
        ("64020600010000000014", "2 objects"),
        ("320106000100c80000000000", "1 objects"),  # a set-point without its qualifier
    ],
)
def test_what_is_no_data_unit_is_named(octets: str, why: str) -> None:
    with pytest.raises(AsduError, match=why):
        asdu.decode(bytes.fromhex(octets))


@given(st.floats(allow_nan=False))
def test_a_short_float_is_what_struct_packs(value: float) -> None:
    try:
        expected = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        expected = math.copysign(math.inf, value)
    assert asdu.short(value) == expected
