import math
from typing import Any

import pytest

from hems.scenarios.outcome import judge
from hems.scenarios.record import Answer, Played, Shown, Told
from hems.scenarios.script import Script, parse_script
from programs.performance import Performance
from tests.hems.scenarios.scripts import bare


def _script(**check: Any) -> Script:
    return parse_script(bare(expect=[check]), "a.toml")


def _played(script: Script, **courses: list[float]) -> Played:
    """Return a record with one value of each course a second."""
    played = Played()
    for index in range(max(len(values) for values in courses.values())):
        at = script.begin + index
        played.courses.add(at, {name: values[index] for name, values in courses.items()})
    return played


def _verdict(script: Script, played: Played) -> bool:
    (finding,) = judge(script, played)
    return finding.passed


_SPAN = {"begins": "18:00", "ends": "18:01:40"}


@pytest.mark.parametrize(
    ("bad", "share", "good"),
    [(0, "100 %", True), (1, "100 %", False), (1, "99 %", True), (2, "99 %", False)],
)
def test_a_bound_holds_for_a_share_of_the_seconds(bad: int, share: str, *, good: bool) -> None:
    script = _script(check="bound", of="net", at_most="1 kW", share=share, **_SPAN)
    assert _verdict(script, _played(script, net=[1001.0] * bad + [1000.0] * (100 - bad))) is good


def test_what_is_not_known_is_not_within_bounds() -> None:
    script = _script(check="bound", of="price", at_most="1 /kWh", **_SPAN)
    assert not _verdict(script, _played(script, price=[math.nan] * 100))


def test_nothing_recorded_is_no_success() -> None:
    script = _script(check="bound", of="net", begins="18:05", ends="18:06", at_most="1 kW")
    assert not _verdict(script, _played(script, net=[0.0] * 10))


@pytest.mark.parametrize(("at_least", "good"), [("499 W", True), ("501 W", False)])
def test_a_mean(at_least: str, *, good: bool) -> None:
    script = _script(check="mean", of="net", at_least=at_least, **_SPAN)
    assert _verdict(script, _played(script, net=[0.0, 1000.0] * 50)) is good


@pytest.mark.parametrize(("at_most", "good"), [("101 Wh", True), ("99 Wh", False)])
def test_an_energy(at_most: str, *, good: bool) -> None:
    script = _script(check="energy", of="car", begins="18:00", ends="18:06", at_most=at_most)
    assert _verdict(script, _played(script, car=[1000.0] * 400)) is good


@pytest.mark.parametrize(("steepest", "good"), [("600 W/min", True), ("590 W/min", False)])
def test_a_slope_either_way(steepest: str, *, good: bool) -> None:
    script = _script(
        check="slope", of="net", at_most=steepest, at_least=f"-{steepest}", over="30 s", **_SPAN
    )
    falling = [2000.0 - 10.0 * second for second in range(100)]
    assert _verdict(script, _played(script, net=falling)) is good


@pytest.mark.parametrize(("by", "good"), [("1 kW", True), ("1100 W", False)])
def test_less_than_before(by: str, *, good: bool) -> None:
    script = _script(
        check="less",
        begins="18:01",
        ends="18:02",
        than_from="18:00",
        than_to="18:01",
        by_at_least=by,
    )
    assert _verdict(script, _played(script, net=[1500.0] * 60 + [500.0] * 60)) is good


@pytest.mark.parametrize(("after_w", "good"), [(1000.0, True), (1001.0, False)])
def test_a_rebound(after_w: float, *, good: bool) -> None:
    script = _script(check="rebound", event="peak", within="2 min")
    played = _played(script, net=[1000.0] * 180 + [0.0] * 240 + [after_w] * 180)
    began = script.begin + 180
    played.events["peak"] = Told("peak", "A", "", began, began + 240)
    assert _verdict(script, played) is good


def test_a_rebound_of_what_was_never_dispatched() -> None:
    script = _script(check="rebound", event="peak")
    assert not _verdict(script, _played(script, net=[0.0]))


@pytest.mark.parametrize(
    ("codes", "good"),
    [((1, 2, 3), True), ((1, 2), False), ((2, 1, 3), False), ((1, 2, 3, 3), False)],
)
def test_responses_are_exactly_those_in_their_order(codes: tuple[int, ...], *, good: bool) -> None:
    script = _script(check="responses", event="peak", codes=codes)
    played = Played()
    answers = tuple(Answer(float(code), code) for code in (1, 2, 3))
    played.events["peak"] = Told("peak", "A", "", 0.0, 1.0, answers=answers)
    assert _verdict(script, played) is good


@pytest.mark.parametrize(
    ("check", "good"),
    [
        ({"contains": "METER"}, True),
        ({"contains": "battery"}, False),
        ({"contains": "battery", "told": False}, True),
        ({"contains": "meter", "begins": "18:05"}, False),
        ({"contains": "meter", "ends": "18:01"}, False),
        ({"contains": "meter", "begins": "18:02", "ends": "18:05"}, True),
    ],
)
def test_alarms(check: dict[str, Any], *, good: bool) -> None:
    script = _script(check="alarm", **check)
    played = Played()
    played.shown = [Shown("Grid meter is lost", script.begin + 60, script.begin + 180)]
    assert _verdict(script, played) is good


@pytest.mark.parametrize(
    ("at", "state", "note", "good"),
    [
        ("18:01", "coming", "", True),
        ("18:04", "running", "part", True),
        ("18:04", "running", "whole", False),
        ("18:01", "running", "", False),
        ("18:00", "unknown", "", True),
    ],
)
def test_states(at: str, state: str, note: str, *, good: bool) -> None:
    script = _script(check="state", event="peak", at=at, state=state, note_contains=note)
    played = Played()
    told = Told("peak", "A", "", 0.0, 1.0)
    told.states += [
        (script.begin + 30, "coming", ""),
        (script.begin + 180, "running", "In part only"),
    ]
    played.events["peak"] = told
    assert _verdict(script, played) is good


@pytest.mark.parametrize(("most", "good"), [(2, True), (1, False)])
def test_starts(most: int, *, good: bool) -> None:
    script = _script(check="starts", of="water_heater", at_most=most, **_SPAN)
    on_and_off = ([3000.0] * 10 + [0.0] * 10) * 2 + [3000.0] * 60
    assert _verdict(script, _played(script, water_heater=on_and_off)) is good


def test_refusals() -> None:
    script = _script(check="refused", contains="does not allow")
    played = Played()
    assert not _verdict(script, played)
    played.refusals.append((0.0, "This programme does not allow that."))
    assert _verdict(script, played)


def test_a_value_is_the_last_one_of_before() -> None:
    script = _script(check="value", of="charge", at="18:00:05", at_least="50 %", at_most="50 %")
    assert _verdict(script, _played(script, charge=[0.4, 0.4, 0.4, 0.4, 0.4, 0.5, 0.6]))


def _record(**figures: Any) -> Performance:
    known = {"settled_s": 2.0, "inside_share": 0.99, "promised_wh": 100.0, "delivered_wh": 98.0}
    return Performance(
        "peak-shaving", "A", "utility", 0.0, 900.0, 500.0, "W", note="In full", **(known | figures)
    )


@pytest.mark.parametrize(
    ("check", "record", "good"),
    [
        ({"delivered": "98 %"}, _record(), True),
        ({"delivered": "99 %"}, _record(), False),
        ({"delivered": "98 %"}, _record(promised_wh=None), False),
        ({"delivered": "98 %"}, _record(delivered_wh=None), False),
        ({"inside": "99 %"}, _record(), True),
        ({"inside": "100 %"}, _record(), False),
        ({"inside": "1 %"}, _record(inside_share=None), False),
        ({"settled": "2 s"}, _record(), True),
        ({"settled": "1 s"}, _record(), False),
        ({"settled": "1 h"}, _record(settled_s=None), False),
        ({"note_contains": "in full"}, _record(), True),
        ({"note_contains": "in part"}, _record(), False),
        ({"programme": "emergency", "inside": "1 %"}, _record(), False),
    ],
)
def test_a_record(check: dict[str, Any], record: Performance, *, good: bool) -> None:
    script = _script(check="record", event="peak", **check)
    played = Played(records=(record,))
    assert not _verdict(script, played), "no event was dispatched"
    played.events["peak"] = Told("peak", "A", "", 0.0, 1.0)
    assert _verdict(script, played) is good


def test_all_records_of_a_programme_are_looked_at() -> None:
    script = _script(check="record", programme="peak-shaving", inside="90 %")
    assert not _verdict(script, Played())
    assert _verdict(script, Played(records=(_record(), _record())))
    assert not _verdict(script, Played(records=(_record(), _record(inside_share=0.8))))
