"""What homes told, in the words of the enterprise; where it may go; the settings (pure)."""

import math
from typing import Any

import pytest

from hems.headend.cim.der import (
    Direction,
)
from hems.headend.cim.envelope import Header, Kind, Message, Verb
from hems.headend.cim.errors import CimError
from hems.headend.cim.metering import Span
from hems.headend.cim.nouns import Right
from hems.headend.cim.peers import Peer
from hems.headend.cim.ports import Group, Logged
from hems.headend.cim.settings import CimSettings, PeerSettings
from hems.headend.cim.telling import (
    end_device_events,
    event_of_response,
    meter_readings,
    reading_type,
    standing,
)
from hems.headend.cim.wire import parse, serialize
from hems.headend.records import ReadingRecord, ResponseRecord
from hems.sep2.resources import LogEvent

pytestmark = pytest.mark.requirement("PRO-CIM")

NOW = 1_772_366_400.0


def reading(lfdi: str = "A", **more: Any) -> ReadingRecord:
    values: dict[str, Any] = {
        "lfdi": lfdi,
        "point": "p",
        "meter": "m",
        "description": "",
        "uom": 38,
        "flow": 1,
        "role": "",
        "start": 1000,
        "duration_s": 0,
        "value": 100.0,
    }
    return ReadingRecord(**values | more)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (reading(), "0.0.0.12.1.1.37.0.0.0.0.0.0.0.0.0.38.0"),
        (reading(duration_s=300), "0.0.0.0.1.1.37.0.0.0.0.0.0.0.0.0.38.0"),
        (reading(uom=72, flow=19), "0.0.0.3.19.1.12.0.0.0.0.0.0.0.0.0.72.0"),
        (reading(uom=72, duration_s=900), "0.0.0.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0"),
        (reading(uom=None, flow=None), "0.0.0.0.0.1.0.0.0.0.0.0.0.0.0.0.0.0"),
    ],
)
def test_a_reading_type_says_what_was_measured(record: ReadingRecord, code: str) -> None:
    assert reading_type(record) == code
    assert len(code.split(".")) == 18


def test_readings_stand_by_homes_at_the_end_of_their_intervals() -> None:
    found = meter_readings([reading(), reading("B", duration_s=300), reading(value=7.0)])
    assert [(m.meter.mrid, len(m.readings)) for m in found.readings] == [("A", 2), ("B", 1)]
    (told,) = found.readings[1].readings
    assert (told.at, told.period) == (1300.0, Span(start=1000.0, end=1300.0))


def test_a_groups_status_is_the_sum_of_its_homes_as_a_dispatch_counts() -> None:
    group = Group("g", "North", "", ("A", "B", "C"))
    told = standing(group, [reading(value=300.0), reading("B", flow=19, value=1000.0)], NOW)
    (power,) = told.parameters
    assert (power.value.nominal, power.value.at) == (700.0, 1000.0)
    assert power.direction is Direction.REVERSE
    assert told.status is not None
    assert told.status.remark == "2 of 3 homes have told their power"


def test_an_answer_names_the_order_it_is_to() -> None:
    record = ResponseRecord(7, "A", "E1", 2, "", 0, 12.0, "DERControlResponse", b"")
    event = event_of_response(record, "D1")
    assert (event.mrid, event.tracking, event.reason) == ("response-7", "D1", "started")
    assert event_of_response(record).tracking == "E1"


@pytest.mark.parametrize("at", [-(2**63), -1, 0, 2**31, 2**63 - 1])
def test_whatever_time_a_home_tells_can_be_passed_on(at: int) -> None:
    entry = LogEvent(
        created_date_time=at,
        details="\ufffe a\tb",
        function_set=0,
        log_event_code=0,
        log_event_id=1,
        log_event_pen=0,
        profile_id=2,
    )
    record = ResponseRecord(7, "A", "E1", 2, "", at, 12.0, "DERControlResponse", b"")
    told = end_device_events([record], [Logged(1, "A", entry)], {})
    readings = meter_readings([reading(start=at, duration_s=2**32 - 1)])
    for payload in (told, readings):
        sent = Message(Kind.EVENT, Header(verb=Verb.CREATED, noun="x"), payload=payload)
        assert parse(serialize(sent)) == sent


PEER = Peer("dms", "dms", frozenset(Right), ("https://dms.example/cim", "nats:box.dms"))


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://dms.example/cim", True),
        ("https://dms.example/cim/replies", True),
        ("https://dms.example/cimx", False),
        ("https://dms.example/cim/../admin", False),
        ("https://dms.example/cim/%2e%2e/admin", False),
        ("https://dms.example/cim?x=1", False),
        ("https://dms.example.evil/cim", False),
        ("http://dms.example/cim", False),
        ("nats:box.dms", True),
        ("nats:box.dms.replies", True),
        ("nats:box.dmsx", False),
        ("nats:box.dms.*", False),
        ("nats:box.dms.>", False),
        ("", False),
        ("https://dms.example/cim/\n", False),
        ("https://dms.example/cim/" + "x" * 300, False),
    ],
)
def test_answers_go_only_where_the_settings_let_them(address: str, good: bool) -> None:
    if good:
        PEER.check_address(address)
        return
    with pytest.raises(CimError):
        PEER.check_address(address)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"host": "192.0.2.1", "tls": False}, "not a loopback address"),
        ({"peers": (PeerSettings(name="a"), PeerSettings(name="a"))}, "two peers have the same"),
        ({"peers": ()}, "at least 1 item"),
        ({"age_s": math.inf}, "less than or equal"),
    ],
)
def test_settings_that_make_no_sense_are_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        CimSettings(**{"peers": (PeerSettings(name="a"),)} | more)


@pytest.mark.parametrize("address", ["ftp://a/b", "http://a/b", "https://a", "https://u@a/b", "x"])
def test_a_reply_address_is_a_url_with_a_path(address: str) -> None:
    with pytest.raises(ValueError, match="neither an https URL"):
        PeerSettings(name="a", reply_to=(address,))
