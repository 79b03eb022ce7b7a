"""Grid functions in the event rules: too much, contradictory, meaningless, and two of one href."""

from typing import Any

import pytest

from hems.sep2.book.curves import curve_of
from hems.sep2.rules.changes import concede
from hems.sep2.rules.curve import Curve
from hems.sep2.rules.events import Active, Draw, Event, Held, ModeValue, Program, Schedule
from hems.sep2.rules.lifecycle import Code, Edition, Phase, Profile, Progress, judge
from hems.sep2.rules.merge import merge
from hems.sep2.rules.sanity import nonsense
from tests.hems.sep2.kinds_made import curve

pytestmark = pytest.mark.requirement("PRO-2030.5", "BUC-4", "BUC-12")

FOREVER = 2.0**32


def event(modes: dict[str, ModeValue], **changes: Any) -> Event:
    fields: dict[str, Any] = {"creation_time": 1, "start": 100, "duration_s": 60, "reply_to": "/r"}
    return Event("E1", Program("P1"), modes=modes, response_required=3, **(fields | changes))


@pytest.mark.parametrize(
    ("modes", "words"),
    [
        ({"opModFixedPFInjectW": 0.0}, "opModFixedPFInjectW of 0"),
        ({"opModFixedPFInjectW": 1.01}, "beyond -1 to 1"),
        ({"opModFixedPFAbsorbW": -1.01}, "beyond -1 to 1"),
        ({"opModFixedPFInjectW": float("nan")}, "of nan"),
        ({"opModTargetVar": float("inf")}, "of inf"),
        ({"opModFixedVar": (2.0, 101.0)}, "beyond -100 to 100"),
        ({"opModVoltVar": "/c/1", "opModFixedVar": (2.0, 10.0)}, "a device runs one at a time"),
        ({"opModTargetVar": 1.0, "opModFixedPFInjectW": 0.9}, "a device runs one at a time"),
        ({"opModVoltVar": "/c/1", "opModWattVar": "/c/2"}, "a device runs one at a time"),
    ],
)
def test_nobody_can_mean_it(modes: dict[str, ModeValue], words: str) -> None:
    assert words in nonsense(event(modes), FOREVER)
    verdict = judge(event(modes), Draw(), Profile(), 50.0)
    assert (verdict.code, verdict.modes) == (Code.INVALID, frozenset())


@pytest.mark.parametrize(
    "modes",
    [
        {"opModFixedPFInjectW": 0.9, "opModFixedPFAbsorbW": -0.9},
        {"opModVoltVar": "/c/1", "opModVoltWatt": "/c/2", "opModFreqDroop": (1.0,) * 5},
        {"opModVoltVar": "/c/1", "opModFixedVar": ()},
    ],
)
def test_what_goes_together_stands(modes: dict[str, ModeValue]) -> None:
    assert nonsense(event(modes), FOREVER) == ""


@pytest.mark.parametrize(
    ("edition", "refused", "code", "left"),
    [
        (Edition.V2018, {"opModTargetVar": 9e3}, Code.NOT_APPLICABLE, frozenset()),
        (Edition.V2023, {"opModTargetVar": 9e3}, Code.NOT_APPLICABLE, frozenset()),
        (
            Edition.V2023,
            {"opModTargetVar": 9e3, "opModExpLimW": 5.0},
            Code.NOT_APPLICABLE,
            frozenset({"opModExpLimW"}),
        ),
        (Edition.V2023, {"opModFixedV": 1.0}, Code.NOT_SUPPORTED, frozenset()),
        (
            Edition.V2018,
            {"opModTargetVar": 9e3, "opModExpLimW": 5.0},
            Code.NOT_APPLICABLE,
            frozenset(),
        ),
    ],
)
def test_more_than_the_home_can_is_not_applicable(
    edition: Edition, refused: dict[str, ModeValue], code: Code, left: frozenset[str]
) -> None:
    profile = Profile(
        edition,
        modes=frozenset({"opModTargetVar", "opModExpLimW"}),
        beyond=lambda mode, value: f"{mode} of {value}: too much" if value == 9e3 else "",
    )
    verdict = judge(event(refused), Draw(), profile, 50.0)
    assert (verdict.code, verdict.modes) == (code, left)
    assert ("too much" in verdict.reason) is ("opModTargetVar" in refused)


@pytest.mark.parametrize(
    ("curve_type", "points", "of", "words"),
    [
        (11, ((92, 44), (98, 0), (97, 0)), 3, "goes back along its x axis"),
        (11, ((92, 144), (98, 0)), 3, "y 144 at point 1, beyond -100 to 100"),
        (11, ((92, 44), (298, 0)), 3, "x 298 at point 2, beyond 0 to 200"),
        (11, ((92, 44),), 5, "per cents of reference 5"),
        (12, ((106, 100), (110, -20)), 1, "y -20 at point 2, beyond 0 to 100"),
        (12, ((106, 100),), 7, "per cents of reference 7"),
        (0, ((5, 100), (51, 0)), 1, "x 5 at point 1, beyond 40 to 70"),
        (14, ((-120, 0),), 2, "x -120 at point 1"),
    ],
)
def test_a_curve_that_nobody_can_follow_says_where(
    curve_type: int, points: tuple[tuple[int, int], ...], of: int, words: str
) -> None:
    with pytest.raises(ValueError, match="curve /c/1 ") as refusal:
        curve_of(curve("/c/1", *points, curve_type=curve_type, of=of), "/c/1")
    assert words in str(refusal.value)


def test_ride_through_curves_are_read_as_they_are() -> None:
    assert curve_of(curve("/c/1", (0, 300), (5, 120), curve_type=5, of=0), "/c/1").points


@pytest.mark.parametrize(
    ("codes", "by_server", "by_program", "told"),
    [
        (frozenset(Code), True, True, Code.SUPERSEDED_BY_SERVER),
        (frozenset(Code), False, False, Code.SUPERSEDED),
        (frozenset(Code), False, True, Code.SUPERSEDED_BY_PROGRAM),
        (frozenset({Code.SUPERSEDED}), True, True, Code.SUPERSEDED),
        (frozenset({Code.SUPERSEDED}), False, True, Code.SUPERSEDED),
    ],
)
def test_what_gives_way_is_told_by_whom(
    codes: frozenset[Code], *, by_server: bool, by_program: bool, told: Code
) -> None:
    held = Held(event({"opModVoltVar": "/c/1"}), modes=frozenset({"opModVoltVar"}))
    step = concede(
        Progress(held, Phase.STARTED),
        frozenset({"opModVoltVar"}),
        Profile(codes=codes),
        120.0,
        by_server=by_server,
        by_program=by_program,
    )
    assert step.progress.phase is Phase.SUPERSEDED
    assert [o.code for o in step.owed] == [told]


def test_two_utilities_may_call_their_curves_by_one_href() -> None:
    def asked(mode: str, y: float) -> Schedule:
        active = Active(mode, "/c/1", mode, Program("P"), 0.0, 9.0, mandatory=False)
        return Schedule(5.0, {mode: active}, curves={"/c/1": Curve("/c/1", mode, ((1.0, y),))})

    schedules = {"a": asked("opModVoltVar", 1.0), "b": asked("opModVoltWatt", 2.0)}
    merged = merge(schedules)
    assert {mode: c.points[0][1] for mode, c in merged.curves.items()} == {
        "opModVoltVar": 1.0,
        "opModVoltWatt": 2.0,
    }
