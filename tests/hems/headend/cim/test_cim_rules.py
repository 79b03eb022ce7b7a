"""The pure rules: how a message is answered, what it asks of homes, who may be answered where."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.headend.cim.der import (
    CurvePoint,
    CurveStyle,
    Direction,
    DispatchParameter,
    GroupAsked,
    GroupDispatch,
    GroupNamed,
    Multiplier,
    Parameter,
    Schedule,
    TimeUnit,
    Unit,
)
from hems.headend.cim.envelope import Header, Kind, Message, Verb
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.metering import DemandResponse, EndDeviceControl, Ref, Span
from hems.headend.cim.nouns import Noun, Right
from hems.headend.cim.ordering import wish_of_control, wish_of_dispatch
from hems.headend.cim.patterns import Answer, Pattern, manner_of
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
from hems.headend.modes import Mode
from hems.headend.records import ReadingRecord, ResponseRecord
from hems.sep2.resources import LogEvent

pytestmark = pytest.mark.requirement("PRO-CIM")

NOW = 1_772_366_400.0


ADDRESS = {"reply_address": "nats:a"}
LATER = ADDRESS | {"async_reply": True}


@pytest.mark.parametrize(
    ("sent", "answers", "expected"),
    [
        (("REQUEST", "create", Noun.CONTROLS, {}), True, (Pattern.REQUEST, Answer.NOW)),
        (("REQUEST", "create", Noun.GROUPS, {}), True, (Pattern.CHANGE, Answer.NOW)),
        (("REQUEST", "get", Noun.READINGS, {}), True, (Pattern.QUERY, Answer.NOW)),
        (
            ("REQUEST", "get", Noun.READINGS, {"ack_required": False}),
            True,
            (Pattern.QUERY, Answer.NOW),
        ),
        (("REQUEST", "create", Noun.CONTROLS, LATER), True, (Pattern.SEND, Answer.LATER)),
        (("REQUEST", "create", Noun.CONTROLS, ADDRESS), True, (Pattern.REQUEST, Answer.NOW)),
        (("REQUEST", "get", Noun.READINGS, ADDRESS), False, (Pattern.SEND, Answer.LATER)),
        (
            ("REQUEST", "create", Noun.CONTROLS, {"ack_required": False}),
            True,
            (Pattern.FORGET, Answer.NEVER),
        ),
        (("REQUEST", "create", Noun.CONTROLS, {}), False, (Pattern.FORGET, Answer.NEVER)),
        (("EVENT", "changed", Noun.GROUPS, {}), True, (Pattern.EVENT, Answer.NEVER)),
        (
            ("EVENT", "changed", Noun.GROUPS, {"ack_required": True}),
            True,
            (Pattern.EVENT, Answer.NOW),
        ),
        (
            ("EVENT", "changed", Noun.GROUPS, {"ack_required": True}),
            False,
            (Pattern.EVENT, Answer.NEVER),
        ),
        (("EVENT", "changed", Noun.GROUPS, LATER), True, (Pattern.EVENT, Answer.LATER)),
    ],
)
def test_a_header_says_how_it_is_answered(
    sent: tuple[str, str, Noun, dict[str, Any]], answers: bool, expected: tuple[Pattern, Answer]
) -> None:
    kind, verb, noun, more = sent
    found = manner_of(Kind[kind], Header(verb=Verb(verb), noun=noun, **more), answers=answers)
    assert (found.pattern, found.answer) == expected


@pytest.mark.parametrize(
    ("more", "answers", "fault"),
    [
        ({"async_reply": True}, True, Fault.HEADER),
        ({}, False, Fault.HEADER),
        (
            {"async_reply": True, "reply_address": "https://a/b", "ack_required": False},
            True,
            Fault.RELATION,
        ),
    ],
)
def test_a_header_that_contradicts_itself_is_refused(
    more: dict[str, Any], answers: bool, fault: Fault
) -> None:
    header = Header(verb=Verb.GET, noun=Noun.READINGS, **more)
    with pytest.raises(CimError) as caught:
        manner_of(Kind.REQUEST, header, answers=answers)
    assert caught.value.fault is fault


def dispatch(*parameters: DispatchParameter) -> GroupDispatch:
    return GroupDispatch(group=GroupAsked(mrid="g", parameters=parameters))


def schedule(*points: CurvePoint, **more: Any) -> Schedule:
    values: dict[str, Any] = {
        "start": NOW,
        "duration": 15,
        "unit": TimeUnit.MINUTE,
        "points": points,
    }
    return Schedule(**values | more)


def parameter(*schedules: Schedule, **more: Any) -> DispatchParameter:
    values: dict[str, Any] = {
        "parameter": Parameter.ACTIVE_POWER,
        "multiplier": Multiplier.KILO,
        "unit": Unit.WATT,
        "schedules": schedules,
    }
    return DispatchParameter(**values | more)


P, Q = Parameter.ACTIVE_POWER, Parameter.REACTIVE_POWER


@pytest.mark.parametrize(
    ("kind", "unit", "direction", "point", "values"),
    [
        (P, Unit.WATT, None, {"nominal": 5.0}, {Mode.TARGET_W: 5000.0}),
        (P, Unit.WATT, Direction.REVERSE, {"nominal": 5.0}, {Mode.TARGET_W: 5000.0}),
        (P, Unit.WATT, Direction.FORWARD, {"nominal": 5.0}, {Mode.TARGET_W: -5000.0}),
        (P, Unit.WATT, None, {"most": 5.0}, {Mode.EXPORT: 5000.0}),
        (P, Unit.WATT, Direction.FORWARD, {"most": 5.0}, {Mode.IMPORT: 5000.0}),
        (Q, Unit.VAR, None, {"nominal": -1.0}, {Mode.TARGET_VAR: -1000.0}),
        (Q, Unit.VAR, None, {"most": 1.0}, {Mode.INJECT_VAR: 1000.0}),
        (Q, Unit.VAR, Direction.FORWARD, {"most": 1.0}, {Mode.ABSORB_VAR: 1000.0}),
        (
            P,
            Unit.WATT,
            None,
            {"nominal": 1.0, "most": 2.0},
            {Mode.TARGET_W: 1000.0, Mode.EXPORT: 2000.0},
        ),
    ],
)
def test_a_dispatch_asks_in_our_terms(
    kind: Parameter,
    unit: Unit,
    direction: Direction | None,
    point: dict[str, float],
    values: dict[Mode, float],
) -> None:
    asked = parameter(
        schedule(CurvePoint(interval=1, **point)), parameter=kind, unit=unit, direction=direction
    )
    (order,) = wish_of_dispatch(dispatch(asked)).orders
    assert (order.values, order.start, order.duration_s) == (values, NOW, 900)


def test_intervals_follow_one_another_and_quantities_of_one_time_are_one_order() -> None:
    points = [CurvePoint(interval=n, nominal=float(n)) for n in (2, 1, 3)]
    found = wish_of_dispatch(
        dispatch(
            parameter(schedule(*points)),
            parameter(schedule(*points), parameter=Q, unit=Unit.VAR),
        )
    ).orders
    assert sorted((order.start, order.values[Mode.TARGET_W]) for order in found) == [
        (NOW, 1000.0),
        (NOW + 900, 2000.0),
        (NOW + 1800, 3000.0),
    ]
    assert all(order.values[Mode.TARGET_VAR] == order.values[Mode.TARGET_W] for order in found)


@pytest.mark.parametrize(
    ("asked", "fault", "words"),
    [
        (parameter(schedule(CurvePoint(interval=1))), Fault.PAYLOAD, "asks for nothing"),
        (
            parameter(schedule(CurvePoint(interval=1, least=1.0))),
            Fault.NOT_TRIED,
            "minYValue: homes cannot be asked for a least",
        ),
        (
            parameter(schedule(CurvePoint(interval=1, most=-1.0))),
            Fault.RELATION,
            "maxYValue: -1 is below nothing",
        ),
        (
            parameter(schedule(CurvePoint(interval=1, most=1.0, nominal=2.0))),
            Fault.RELATION,
            "below the nominal",
        ),
        (
            parameter(schedule(CurvePoint(interval=2, nominal=1.0))),
            Fault.RELATION,
            "not counted from 1 to 1",
        ),
        (
            parameter(schedule(CurvePoint(interval=1, nominal=1.0), intervals=2)),
            Fault.RELATION,
            "numberOfIntervals: 2 intervals are said, and 1 are there",
        ),
        (
            parameter(schedule(CurvePoint(interval=1, nominal=1.0), style=CurveStyle.STRAIGHT)),
            Fault.NOT_TRIED,
            "cannot follow straightLineYValues",
        ),
        (
            parameter(schedule(CurvePoint(interval=1, nominal=1.0), duration=0)),
            Fault.PAYLOAD,
            "0 is no length",
        ),
        (
            parameter(schedule(CurvePoint(interval=1, nominal=1.0)), unit=Unit.VAR),
            Fault.RELATION,
            "activePower is in W, not in VAr",
        ),
        (
            parameter(
                schedule(CurvePoint(interval=1, nominal=1.0)),
                parameter=Parameter.VOLTAGE,
                unit=Unit.VOLT,
            ),
            Fault.NOT_TRIED,
            "homes cannot be asked for voltage",
        ),
        (
            parameter(
                schedule(CurvePoint(interval=1, nominal=1.0)),
                schedule(CurvePoint(interval=1, nominal=2.0)),
            ),
            Fault.RELATION,
            "two values of target_w for the same time",
        ),
        (
            parameter(schedule(*(CurvePoint(interval=n + 1, nominal=1.0) for n in range(289)))),
            Fault.TOO_MANY,
            "more than 288 intervals",
        ),
    ],
    ids=range(12),
)
def test_a_dispatch_that_makes_no_sense_is_refused(
    asked: DispatchParameter, fault: Fault, words: str
) -> None:
    with pytest.raises(CimError) as caught:
        wish_of_dispatch(dispatch(asked))
    assert caught.value.fault is fault
    assert words in str(caught.value)


def control(**more: Any) -> EndDeviceControl:
    return EndDeviceControl(**{"groups": (GroupNamed(mrid="g"),)} | more)


@pytest.mark.parametrize(
    ("asked", "values", "start", "duration_s"),
    [
        (
            control(demand_response=DemandResponse(duration_min=30.0, load_percent=-20.0)),
            {Mode.LOAD_PERCENT: 20.0},
            NOW,
            1800,
        ),
        (
            control(
                demand_response=DemandResponse(
                    duration_min=1.0,
                    start=NOW + 60,
                    cooling_k=2.0,
                    heating_k=1.0,
                    duty_percent=50.0,
                )
            ),
            {Mode.COOLING: 2.0, Mode.HEATING: 1.0, Mode.DUTY: 50.0},
            NOW + 60,
            60,
        ),
        (
            control(type=Ref(ref="3.31.0.23"), span=Span(start=NOW, end=NOW + 600)),
            {Mode.CONNECT: 0.0},
            NOW,
            600,
        ),
        (
            control(type=Ref(ref="15.31.0.18"), span=Span(end=NOW + 600)),
            {Mode.CONNECT: 1.0},
            NOW,
            600,
        ),
    ],
)
def test_a_control_asks_in_our_terms(
    asked: EndDeviceControl, values: dict[Mode, float], start: float, duration_s: float
) -> None:
    (order,) = wish_of_control(asked, NOW).orders
    assert (order.values, order.start, order.duration_s) == (values, start, duration_s)


LOADS = DemandResponse(duration_min=30.0, load_percent=-20.0)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (control(), "it asks for nothing"),
        (control(demand_response=DemandResponse(duration_min=1.0)), "it asks for nothing"),
        (control(demand_response=LOADS, groups=()), "names no group and no device"),
        (control(demand_response=replace(LOADS, duration_min=None)), "does not say how long"),
        (control(demand_response=replace(LOADS, indefinite=True)), "that has no end"),
        (control(demand_response=replace(LOADS, load_percent=5.0)), "not more"),
        (control(demand_response=replace(LOADS, command="off")), "homes know no commands"),
        (control(demand_response=LOADS, type=Ref(ref="3.31.0.23")), "a switch, and a demand"),
        (control(demand_response=LOADS, type=Ref(ref="3.31.0")), "not of four numbers"),
        (control(type=Ref(ref="3.1.0.23"), span=Span(end=NOW + 1)), "know nothing of 3.1.0.23"),
        (
            control(demand_response=replace(LOADS, start=NOW), span=Span(start=NOW + 1)),
            "two starts",
        ),
        (control(demand_response=LOADS, span=Span(end=NOW + 1)), "two durations"),
    ],
    ids=range(12),
)
def test_a_control_that_makes_no_sense_is_refused(asked: EndDeviceControl, words: str) -> None:
    with pytest.raises(CimError, match=words):
        wish_of_control(asked, NOW)


@given(
    power=st.floats(-1e6, 1e6),
    direction=st.sampled_from((None, *Direction)),
    multiplier=st.sampled_from(Multiplier),
)
def test_a_target_keeps_its_size_and_turns_with_its_direction(
    power: float, direction: Direction | None, multiplier: Multiplier
) -> None:
    asked = parameter(
        schedule(CurvePoint(interval=1, nominal=power)), direction=direction, multiplier=multiplier
    )
    (order,) = wish_of_dispatch(dispatch(asked)).orders
    found = order.values[Mode.TARGET_W]
    assert isinstance(found, float)
    assert abs(found) == abs(power) * multiplier.factor
    if power:
        assert (found > 0) is ((power > 0) is (direction is not Direction.FORWARD))


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
