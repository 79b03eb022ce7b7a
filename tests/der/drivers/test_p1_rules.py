"""The customer port without I/O: framing, telegrams of several countries, the newest of them."""

import contextlib
import logging
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from dsmr_parser.telegram_specifications import V5
from hypothesis import given
from hypothesis import strategies as st

from der.drivers.p1.framing import CIPHERED, CUT, LONGEST, NO_TELEGRAM, TOO_LONG, Framer
from der.drivers.p1.newest import QUIET_S, Memory, Newest
from der.drivers.p1.telegram import TelegramError, parse
from der.errors import TransientError
from der.model import PhaseReading
from der.sim.p1 import sealed
from tests.der.drivers.p1_telegrams import (
    BELGIAN,
    DSMR4,
    DSMR5,
    DSMR22,
    LUXEMBOURGISH,
    SWEDISH,
    made,
)

pytestmark = pytest.mark.requirement("ROLE-SM")

NOON = datetime(2026, 11, 21, 11, 0, tzinfo=UTC).timestamp()
PHASE_W = (-1500.0, 400.0, 100.0)
VOLTS = (229.8, 231.0, 230.4)
GARBAGE = bytes(range(24, 47)) + b"\xff\xfe"


@pytest.mark.parametrize(
    ("raw", "version", "volts", "reactive_var"),
    [
        (DSMR4, "42", (None, None, None), None),
        (DSMR5, "50", VOLTS, None),
        (BELGIAN, "50217", VOLTS, None),
        (LUXEMBOURGISH, "42", VOLTS, 250.0),
        (SWEDISH, "", VOLTS, 250.0),
    ],
    ids=["dsmr4", "dsmr5", "belgium", "luxembourg", "sweden"],
)
def test_every_country_s_telegram_is_one_reading(
    raw: bytes, version: str, volts: tuple[float | None, ...], reactive_var: float | None
) -> None:
    told = parse(raw)
    assert (told.version, told.checked, told.sent_at) == (version, True, NOON)
    reading = told.reading(5.0)
    assert reading.at == 5.0, "of its arrival, not of the meter's clock"
    assert reading.power_w == -1000.0
    assert reading.energy_import_wh == pytest.approx(3_000_750.0)
    assert reading.energy_export_wh == pytest.approx(30_125.0)
    assert reading.reactive_var == reactive_var
    assert reading.voltage_v == volts[0]
    assert reading.phases == tuple(PhaseReading(w, v) for w, v in zip(PHASE_W, volts, strict=True))
    assert not reading.suspect


def test_dsmr_2_has_no_checksum_no_clock_and_no_phases() -> None:
    told = parse(DSMR22)
    assert (told.maker, told.model, told.serial) == ("ISk", "2MT382-1000", "K8EG004046395507")
    assert (told.version, told.checked, told.sent_at, told.phases) == ("", False, None, ())
    reading = told.reading(1.0)
    assert reading.power_w == 1180.0
    assert reading.energy_import_wh == pytest.approx(13_000_000.0)
    assert reading.energy_export_wh == pytest.approx(150_500.0)


def test_a_meter_that_counts_the_other_way_round_is_turned() -> None:
    right, turned = parse(DSMR5).reading(1.0), parse(DSMR5).reading(1.0, inverted=True)
    assert turned.power_w == -right.power_w
    assert turned.energy_import_wh == right.energy_export_wh
    assert turned.energy_export_wh == right.energy_import_wh
    assert [p.power_w for p in turned.phases] == [1500.0, -400.0, -100.0]
    assert [p.voltage_v for p in turned.phases] == list(VOLTS)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (DSMR5.replace(b"01.000", b"01.001"), "the checksum of a telegram is wrong"),
        (sealed(["/SIM5\\X", "", "1-0:1.7.0(00.500*kW)"], wrong=True), "is wrong"),
        (DSMR5[: DSMR5.rindex(b"!") + 1] + b"\r\n", "the checksum of a telegram is missing"),
        (sealed(["/SIM5\\X", "", "1-0:1.8.1(000001.000*kWh)"]), "no power"),
        (made(power="NaN"), "no power"),
        (made(power="Infinity"), "no power"),
        (made(power="12-34"), "cannot be read"),
        (made(power=""), "cannot be read"),
        (made(power="00.500*MW"), "cannot be read"),
        (sealed(["/SIM5\\X", "", "1-0:1.7.0(00.500*hp)"]), "no power"),
        (sealed(["/SIM5\\X", "", "1-0:1.7.0(00.500*kW)", "1-0:2.7.0(x*kW)"]), "cannot be read"),
        (b"/\r\n\r\n!\r\n", "no power"),
    ],
)
def test_a_telegram_that_cannot_be_is_refused_with_its_reason(raw: bytes, why: str) -> None:
    with pytest.raises(TelegramError, match=why):
        parse(raw)


def test_values_that_cannot_be_are_marked_and_the_rest_is_kept() -> None:
    told = parse(made(more=("1-0:32.7.0(6553.5*V)", "1-0:1.8.1(-00001.000*kWh)")))
    reading = told.reading(1.0)
    assert reading.power_w == 500.0
    assert (reading.voltage_v, reading.energy_import_wh) == (None, None)
    assert reading.suspect == {"voltage_v", "energy_import_wh"}


def test_a_day_of_power_failure_logs_costs_no_memory() -> None:
    """The library keeps a little of each log that it parses; the driver must not have it do so."""
    log = next(o for o in V5["objects"] if o["value_name"] == "POWER_EVENT_FAILURE_LOG")
    before = len(log["value_parser"].value_formats)
    for _ in range(50):
        parse(DSMR4)
    assert len(log["value_parser"].value_formats) == before


def _framed(data: bytes, cuts: list[int]) -> list[bytes | str]:
    framer, found, start = Framer(), list[bytes | str](), 0
    for cut in [*sorted(cuts), len(data)]:
        found += framer.feed(data[start:cut])
        start = cut
    return found


@given(
    st.lists(st.sampled_from([DSMR22, DSMR4, DSMR5, BELGIAN, SWEDISH]), max_size=5),
    st.lists(st.integers(0, 4000), max_size=20),
)
def test_telegrams_come_out_as_they_went_in_however_the_stream_is_cut(
    telegrams: list[bytes], cuts: list[int]
) -> None:
    data = b"\r\n".join(telegrams)
    assert _framed(data, [min(cut, len(data)) for cut in cuts]) == telegrams


@given(st.lists(st.one_of(st.binary(max_size=300), st.sampled_from([DSMR5, DSMR5[:200], b"/"]))))
def test_whatever_comes_the_framer_holds_little_and_parsing_does_not_fail(
    pieces: list[bytes],
) -> None:
    framer = Framer()
    for piece in pieces:
        for found in framer.feed(piece):
            if isinstance(found, bytes):
                assert len(found) <= LONGEST + 300
                with contextlib.suppress(TelegramError):
                    parse(found)
    held = b"".join(f for f in framer.feed(b"\n" + DSMR5 + DSMR5) if isinstance(f, bytes))
    assert held.endswith(DSMR5), "a sound telegram comes through after anything"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (GARBAGE, [NO_TELEGRAM]),
        (b"\xdb\x08SAG\x01\x02\x03\x04\x05\x82\x01\x00", [CIPHERED]),
        (b"\r\n\r\n", []),
        (DSMR5[:300] + b"\r\n" + DSMR5, [CUT, DSMR5]),
        (GARBAGE + DSMR5, [NO_TELEGRAM, DSMR5]),
        (DSMR5 + GARBAGE, [DSMR5, NO_TELEGRAM]),
        (b"/" + b"9" * (LONGEST + 10), [TOO_LONG]),
        (b"9" * (LONGEST * 3), [NO_TELEGRAM]),
    ],
)
def test_what_is_no_telegram_is_thrown_away_and_named(
    data: bytes, found: list[bytes | str]
) -> None:
    assert [*Framer().feed(data)] == found


def test_an_endless_line_is_not_kept() -> None:
    framer = Framer()
    faults = [f for _ in range(200) for f in framer.feed(b"/" + b"1" * 1000)]
    assert set(faults) == {TOO_LONG}
    assert len(faults) <= 200 * 1001 // LONGEST


def _newest(max_age_s: float = 5.0) -> Newest:
    return Newest(Memory("meter"), max_age_s)


def test_the_newest_of_a_backlog_wins() -> None:
    newest = _newest()
    assert newest.feed(made("00.100") + made("00.200") + made("00.300"), 1.0, NOON)
    told, at = newest.current(1.0)
    assert (told.power_w, at) == (300.0, NOON)


@pytest.mark.parametrize("off_s", [-86_400.0, -3600.0, 3600.0, 86_400.0])
def test_a_wrong_clock_is_said_once_and_ages_nothing(
    off_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    newest, now = _newest(), NOON - off_s
    for second in range(30):
        stamp = f"2611211200{second:02}W"
        newest.feed(made(at=stamp), second, now + second)
        assert newest.current(second + 4.9)[1] == now + second
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    side = "ahead" if off_s > 0 else "behind"
    assert f"meter: the meter's clock is {abs(off_s):.0f} s {side}" in caplog.text


def test_an_adapter_that_repeats_itself_goes_stale(caplog: pytest.LogCaptureFixture) -> None:
    newest = _newest()
    for second in range(7):
        newest.feed(made(), second, NOON + second)
    assert newest.current(4.9)[1] == NOON
    with pytest.raises(TransientError, match=r"meter: .* the same telegram comes again and again"):
        newest.current(6.0)
    assert not caplog.records, "the reading's error says it"


def test_repetition_outlives_the_connection() -> None:
    memory = Memory("meter")
    assert Newest(memory, 5.0).feed(made(), 1.0, NOON)
    again = Newest(memory, 5.0)
    assert not again.feed(made(), 9.0, NOON + 8)
    assert again.silent() == "the same telegram comes again and again"


def test_after_one_with_a_checksum_none_without_is_believed() -> None:
    newest = _newest()
    newest.feed(made("00.100"), 1.0, NOON)
    newest.feed(DSMR22, 2.0, NOON + 1)
    assert newest.current(2.0)[0].power_w == 100.0
    assert newest.silent() == "the checksum of a telegram is missing"


def test_bad_telegrams_cost_one_line_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    newest = _newest()
    bad = DSMR5.replace(b"01.000", b"01.001")
    for second in range(100):
        newest.feed(bad + GARBAGE, second, NOON + second)
    said = ["meter: the checksum of a telegram is wrong", "meter: what comes is no telegram"]
    assert caplog.messages == said
    newest.feed(bad, 101 + QUIET_S, NOON)
    assert caplog.messages == [*said, said[0]]


def test_a_slow_meter_is_told_to_be_given_more_time(caplog: pytest.LogCaptureFixture) -> None:
    newest = _newest()
    for turn in range(3):
        newest.feed(made(at=f"26112112{turn:02}00W"), turn * 10.0, NOON + turn * 60)
    assert caplog.messages == [
        "meter: sends every 10 s, but is stale after 5 s: its max_age must be longer"
    ]


def test_its_library_is_loaded_only_by_a_home_that_has_such_a_meter() -> None:
    """It brings a cipher library and DLMS with it: some 7 MB and a tenth of a second."""
    script = (
        "import sys, der.registry, der.drivers.feed; "
        "assert not {'dsmr_parser', 'dlms_cosem'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
