"""What points mean for a reading: signs, sums, conditions, limits, nonsense."""

import math

import pytest

from der.drivers.mapped.meaning import (
    RATING,
    AlarmRule,
    Assumed,
    Condition,
    LimitRule,
    LimitUnit,
    PhaseTerms,
    ReadingMap,
    StateRule,
    Term,
)
from der.drivers.mapped.points import Values
from der.drivers.mapped.reading import Standing, reading
from der.errors import TransientError
from der.model import Alarm, PhaseReading, Reading, RunState

STANDING = Standing("box", 4000.0, 3, 230.0)
POWER = (Term("p"),)


def read(rules: ReadingMap, **numbers: float) -> Reading:
    return reading(rules, Values(numbers), STANDING, 7.0)


def test_terms_are_added_with_their_signs() -> None:
    rules = ReadingMap((Term("taken"), Term("given", -1.0)))
    assert read(rules, taken=200.0, given=50.0).power_w == 150
    assert math.copysign(1, read(ReadingMap((Term("p", -1.0),)), p=0.0).power_w) == 1


@pytest.mark.parametrize(
    ("numbers", "nonsense", "said"),
    [
        ({}, {}, "point p has no value"),
        ({"p": 20_001.0}, {}, "p of 20001 W makes no sense for a device of 4000 W"),
        ({"p": -20_001.0}, {}, "p of -20001 W makes no sense"),
        ({}, {"p": 9e9}, "p of 9e.09 W makes no sense"),
    ],
)
def test_a_power_that_is_not_or_cannot_be(
    numbers: dict[str, float], nonsense: dict[str, float], said: str
) -> None:
    with pytest.raises(TransientError, match=f"^box: {said}"):
        reading(ReadingMap(POWER), Values(numbers, {}, nonsense), STANDING, 7.0)


def test_other_nonsense_costs_no_more_than_itself() -> None:
    rules = ReadingMap(
        POWER,
        {"soc": (Term("soc"),), "temp_c": (Term("t"),), "voltage_v": (Term("v"),)},
    )
    values = Values({"p": 1.0, "soc": 1.2, "v": 230.0}, {}, {"t": 999.9})
    found = reading(rules, values, STANDING, 7.0)
    assert (found.soc, found.temp_c, found.voltage_v) == (None, None, 230)
    assert found.suspect == {"soc", "temp_c"}
    assert read(rules, p=1.0, soc=1.004).soc == 1


def test_a_meter_that_counts_the_other_way_round() -> None:
    rules = ReadingMap(
        POWER,
        {
            "reactive_var": (Term("q"),),
            "energy_import_wh": (Term("i"),),
            "energy_export_wh": (Term("e"),),
        },
        phases=(PhaseTerms((Term("p"),), (Term("v"),)), PhaseTerms((Term("p2"),))),
    )
    turned = Standing("box", 4000.0, inverted=True)
    values = Values({"p": 100.0, "q": 20.0, "i": 5.0, "e": 3.0, "v": 231.0})
    found = reading(rules, values, turned, 7.0)
    assert (found.power_w, found.reactive_var) == (-100, -20)
    assert (found.energy_import_wh, found.energy_export_wh) == (3, 5)
    assert found.phases == (PhaseReading(-100, 231),)  # the second one says nothing


@pytest.mark.parametrize(
    ("condition", "number", "holds"),
    [
        (Condition("x"), 2.0, True),
        (Condition("x"), 0.0, False),
        (Condition("x", negated=True), 0.0, True),
        (Condition("x", frozenset({3.0, 4.0})), 4.0, True),
        (Condition("x", frozenset({3.0, 4.0})), 5.0, False),
        (Condition("x", above=5.0), 5.0, False),
        (Condition("x", above=5.0), 5.1, True),
        (Condition("x", below=5.0), 4.9, True),
        (Condition("x", above=1.0, below=5.0), 5.0, False),
        (Condition("y"), 1.0, None),
    ],
)
def test_conditions(condition: Condition, number: float, holds: bool | None) -> None:
    assert condition.holds(Values({"x": number})) is holds


@pytest.mark.parametrize(
    ("rule", "limit_w"),
    [
        (LimitRule((Term("a"),), unit=LimitUnit.AMPERES), 6900),
        (LimitRule((Term("pct"),), factor=-0.01, of=RATING), -2000),
        (LimitRule((Term("pct"),), factor=-0.01, of="whole"), -1000),
        (LimitRule((Term("pct"),), of="unknown"), None),
        (LimitRule((), value=0.0, factor=-1.0), 0),
        (LimitRule((), value=5.0, when=(Condition("off"), Condition("a"))), None),
        (LimitRule((), value=5.0, when=(Condition("off", negated=True), Condition("a"))), 5),
        (LimitRule((), value=5.0, when=(Condition("unknown"),)), None),
        (LimitRule((Term("unknown"),)), None),
    ],
)
def test_limits(rule: LimitRule, limit_w: float | None) -> None:
    rules = ReadingMap(POWER, limits=(rule,))
    assert read(rules, p=1.0, a=10.0, pct=50.0, whole=2000.0, off=0.0).limit_w == limit_w


def test_the_first_limit_that_applies_is_in_force() -> None:
    first = LimitRule((), value=1.0, when=(Condition("x"),))
    rules = ReadingMap(POWER, limits=(first, LimitRule((), value=2.0)))
    assert read(rules, p=1.0, x=1.0).limit_w == 1
    assert read(rules, p=1.0, x=0.0).limit_w == 2


def test_state_and_alarms() -> None:
    rules = ReadingMap(
        POWER,
        state=StateRule("s", {4.0: RunState.RUNNING}),
        alarms=(AlarmRule(Alarm.FAULT, Condition("s", frozenset({7.0}))),),
    )
    assert read(rules, p=1.0, s=4.0).state is RunState.RUNNING
    assert read(rules, p=1.0, s=4.0).alarms == frozenset()
    assert read(rules, p=1.0, s=7.0).alarms == frozenset({Alarm.FAULT})
    assert read(rules, p=1.0, s=7.0).state is None
    assert read(rules, p=1.0).state is None


@pytest.mark.parametrize(
    ("numbers", "power_w"), [({"on": 1.0}, 4000), ({"on": 0.0}, 0), ({}, 4000)]
)
def test_a_power_that_is_assumed_is_the_worst_case(
    numbers: dict[str, float], power_w: float
) -> None:
    assert read(ReadingMap(Assumed(Condition("on"))), **numbers).power_w == power_w
    assert read(ReadingMap(Assumed(None))).power_w == 4000
