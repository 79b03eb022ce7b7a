"""The head-end's benchmark measures what it says, and says what it could not measure."""

from argparse import Namespace
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.sep2.resources import MirrorMeterReading
from hems.sep2.xml import parse
from tests.benchmarks import headend
from tests.benchmarks.headend_crowd import address_of
from tests.benchmarks.headend_load import KINDS, fixed, meter_post
from tests.benchmarks.headend_wire import ReplyError, parse_reply, request_of

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/sep+xml\r\nContent-Length: 5\r\n\r\n<Ti/>"


@given(st.integers(0, len(OK)), st.binary(max_size=20))
def test_a_reply_is_known_when_it_is_whole_and_not_before(cut: int, more: bytes) -> None:
    part = parse_reply(OK[:cut])
    assert (part is not None) is (cut == len(OK))
    whole = parse_reply(OK + more)
    assert whole is not None
    assert (whole.status, whole.body, whole.length) == (200, b"<Ti/>", len(OK))


def test_replies_without_a_body() -> None:
    made = parse_reply(b"HTTP/1.1 201 Created\r\nlocation: /mup/7\r\nContent-Length: 0\r\n\r\n")
    assert made is not None
    assert (made.status, made.location, made.body) == (201, "/mup/7", b"")
    changed = parse_reply(b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n")
    assert changed is not None
    assert changed.status == 204
    with pytest.raises(ReplyError, match="Location"):
        _ = changed.location


@pytest.mark.parametrize(
    "data", [b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"]
)
def test_what_is_no_reply_or_does_not_say_its_length_is_refused(data: bytes) -> None:
    with pytest.raises(ReplyError):
        parse_reply(data)


def test_a_request_is_read_by_the_same_rules() -> None:
    sent = request_of("POST", "/n", b"<Notification/>")
    read = parse_reply(sent + b"next", request=True)
    assert read is not None
    assert (read.status, read.body, read.length) == (0, b"<Notification/>", len(sent))
    assert fixed("/tm")(0) == fixed("/tm")(1) == request_of("GET", "/tm")


@given(st.integers(0, 10**6), st.integers(0, 2**31))
def test_each_post_of_a_meter_is_of_a_fresh_interval(number: int, first: int) -> None:
    post = meter_post("/mup/1", "AB" * 16, first)
    bodies = []
    for each in (number, number + 1):
        request = parse_reply(post(each), request=True)
        assert request is not None
        bodies.append(parse(request.body, MirrorMeterReading))
    starts = []
    for body in bodies:
        assert body.reading is not None
        assert body.reading.time_period is not None
        starts.append(body.reading.time_period.start)
    assert starts == [first + 60 * number, first + 60 * (number + 1)]


def test_homes_have_addresses_of_their_own() -> None:
    addresses = [address_of(number) for number in range(10_000)]
    assert len(set(addresses)) == 10_000
    assert "127.0.0.1" not in addresses
    assert all(0 < int(octet) < 255 for each in addresses for octet in each.split(".")[2:])


@pytest.mark.deep
@pytest.mark.requirement("PRO-2030.5")
def test_a_short_run_measures_everything_and_names_what_is_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headend, "QUICK_SECONDS", 0.2)
    monkeypatch.setattr(headend, "QUICK_HOMES", 10)
    monkeypatch.setattr(headend, "QUICK_FLEETS", (3, 30))
    monkeypatch.setattr(headend, "ROWS", (("sqlite", 1), ("postgresql", 1)))
    monkeypatch.setattr(
        headend, "postgresql", lambda: nullcontext("postgresql://nobody@127.0.0.1:1/none")
    )
    options = Namespace(quick=True, rows="", no_crowd=False, no_fleet=False)
    figures = headend.measure(options, tmp_path)
    rows, absent = figures["rows"], figures["absent"]
    assert isinstance(rows, dict)
    assert isinstance(absent, dict)
    assert list(rows) == ["sqlite-1"]
    assert "database" in str(absent["postgresql-1"])
    for kind in KINDS:
        assert rows["sqlite-1"][f"{kind}_rps"] > 0
        assert rows["sqlite-1"][f"ccm8_{kind}_rps"] > 0
        assert figures[f"{kind}_p99_ms"] >= figures[f"{kind}_p50_ms"]  # type: ignore[operator] # numbers
    assert figures["homes_held"] == 10
    fleet, grown = figures["fleet"], figures["fleet_growth"]
    assert isinstance(fleet, dict)
    assert isinstance(grown, dict)
    assert list(fleet) == ["3", "30"]
    assert fleet["30"]["mmr_rps"] > 0
    assert all(factor is not None for factor in grown.values())
    for key in ("fanout_cold", "fanout_10k", "fanout_resumed"):
        assert figures[f"{key}_missing"] == 0
        assert figures[f"{key}_twice"] == 0
        assert figures[f"{key}_s"] > 0  # type: ignore[operator] # a number
