"""The pure rules: how a message is answered, and what it asks of homes."""

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
from hems.headend.cim.envelope import Header, Kind, Verb
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.metering import DemandResponse, EndDeviceControl, Ref, Span
from hems.headend.cim.nouns import Noun
from hems.headend.cim.ordering import wish_of_control, wish_of_dispatch
from hems.headend.cim.patterns import Answer, Pattern, manner_of
from hems.headend.modes import Mode

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
