"""The records of the event rules: the standard's numbers, defaults of fields, intervals."""

import dataclasses
import inspect
import math
from types import ModuleType

import pytest

from hems.sep2.rules import events, lifecycle, merge
from hems.sep2.rules.events import (
    Active,
    Default,
    Draw,
    Event,
    Held,
    Interval,
    Program,
    Schedule,
    Status,
    resolve,
)
from hems.sep2.rules.lifecycle import Code, Edition, Owed, Phase, Progress, Step, Verdict
from hems.sep2.rules.merge import Merged

pytestmark = pytest.mark.requirement("PRO-2030.5")

EVENT = Event("E1", Program("P1"), 1, 100, 60, {"opModExpLimW": 0.0})


def records(module: ModuleType) -> list[type]:
    found = (c for _, c in inspect.getmembers(module, inspect.isclass))
    return [c for c in found if dataclasses.is_dataclass(c) and c.__module__ == module.__name__]


@pytest.mark.parametrize("module", [events, lifecycle, merge])
def test_records_are_small_and_never_change(module: ModuleType) -> None:
    found = records(module)
    assert len(found) >= 2
    for record in found:
        assert record.__dataclass_params__.frozen, record  # type: ignore[attr-defined]
        assert "__slots__" in vars(record), record
        assert "__dict__" not in vars(record), record


def test_the_standards_numbers() -> None:
    assert {s.name: int(s) for s in Status} == {
        "SCHEDULED": 0,
        "ACTIVE": 1,
        "CANCELLED": 2,
        "CANCELLED_RANDOMIZED": 3,
        "SUPERSEDED": 4,
        "COMPLETED": 5,
    }
    assert [int(c) for c in Code] == [*range(1, 16), 251, 252, 253, 254]
    assert [c.name for c in Code][:7] == [
        *("RECEIVED", "STARTED", "COMPLETED", "OPT_OUT", "OPT_IN", "CANCELLED", "SUPERSEDED")
    ]
    assert (Code.SUPERSEDED_BY_SERVER, Code.SUPERSEDED_BY_PROGRAM, Code.RESUMED) == (13, 14, 15)
    assert (Code.PARTLY_OPT_OUT, Code.PARTLY_OPT_IN, Code.NO_PARTICIPATION) == (8, 9, 10)
    assert (Code.NOT_SUPPORTED, Code.NOT_APPLICABLE) == (251, 252)
    assert (Code.INVALID, Code.EXPIRED) == (253, 254)
    assert [int(e) for e in Edition] == [2018, 2023]
    assert {s for s in Status if s.revoked} == {
        Status.CANCELLED,
        Status.CANCELLED_RANDOMIZED,
        Status.SUPERSEDED,
    }


def test_what_a_field_is_unless_said() -> None:
    assert (EVENT.kind, EVENT.status, EVENT.status_time) == ("DERControl", Status.SCHEDULED, 0)
    assert (EVENT.randomize_start_s, EVENT.randomize_duration_s) == (0, 0)
    assert (EVENT.device_category, EVENT.response_required, EVENT.reply_to) == (None, 0, None)
    assert (EVENT.mandatory, EVENT.description, EVENT.ramp_s) == (False, "", None)
    assert (Program("P").name, Program("P").primacy) == ("", 255)
    assert Draw() == Draw(0, 0, 0)
    held = Held(EVENT)
    assert (held.draw, held.opted_out, held.modes) == (Draw(), False, None)
    assert Default("D", Program("P"), {}).gradient is None
    active = Active("m", 1.0, "E", Program("P"), 0.0, 1.0, False)
    assert (active.default, active.baseline_w, active.ramp_s) == (False, None, None)
    schedule = Schedule(5.0)
    assert (schedule.active, schedule.next_change, schedule.gradient) == ({}, math.inf, None)
    assert Owed(Code.STARTED, 1.0).modes == frozenset()
    verdict = Verdict()
    assert (verdict.modes, verdict.code, verdict.refused) == (frozenset(), None, frozenset())
    assert (verdict.reason, verdict.ignored) == ("", False)
    progress = Progress(held)
    assert (progress.phase, progress.rejoined) == (Phase.RECEIVED, False)
    assert tuple(Step(progress).owed) == ()
    assert list(Merged(schedule, {}).lost) == []


def test_a_default_control_holds_for_ever_and_binds() -> None:
    program = Program("P", primacy=3)
    limit = Default("D", program, {"opModExpLimW": 5.0}, gradient=2.0)
    schedule = resolve({}, [limit, Default("E", Program("Q", primacy=4), {}, gradient=9.0)], 7)
    (active,) = schedule.active.values()
    assert (active.start, active.end) == (-math.inf, math.inf)
    assert (active.mode, active.value, active.event) == ("opModExpLimW", 5.0, "D")
    assert (active.program, active.mandatory, active.default) == (program, True, True)
    assert (schedule.gradient, schedule.next_change) == (2.0, math.inf)


def test_of_two_defaults_of_one_primacy_the_greater_mrid_counts() -> None:
    defaults = [Default(m, Program(m, primacy=1), {"opModExpLimW": 1.0}) for m in ("A", "B")]
    for order in (defaults, defaults[::-1]):
        assert resolve({}, order, 7).active["opModExpLimW"].event == "B"


@pytest.mark.parametrize(
    ("interval", "at", "inside"),
    [
        (Interval(5, 9), 4.9, False),
        (Interval(5, 9), 5, True),
        (Interval(5, 9), 8.9, True),
        (Interval(5, 9), 9, False),
        (Interval(5, 5), 5, False),
        (Interval(9, 5), 7, False),
    ],
)
def test_an_interval_is_half_open(interval: Interval, at: float, inside: bool) -> None:
    assert (at in interval) is inside


@pytest.mark.parametrize(
    ("interval", "empty"),
    [(Interval(5, 9), False), (Interval(5, 5.0), True), (Interval(1000, 10.0**3), True)],
)
def test_an_interval_is_empty(interval: Interval, empty: bool) -> None:
    assert interval.empty is empty
    assert Interval(9, 5).empty
