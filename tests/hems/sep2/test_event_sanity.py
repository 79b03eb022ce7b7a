"""Figures beyond their range, one row each; and those at its edge, which stand."""

import math
from typing import Any

import pytest

from hems.sep2.rules.events import Event, ModeValue, Program
from hems.sep2.rules.sanity import nonsense

pytestmark = pytest.mark.requirement("PRO-2030.5")

FOREVER = 2.0**32


def event(**changes: Any) -> Event:
    fields: dict[str, Any] = {
        "mrid": "E1",
        "program": Program("P1"),
        "creation_time": 1,
        "start": 100,
        "duration_s": 60,
        "modes": {"opModImpLimW": 0.0},
    }
    return Event(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"modes": {}}, "no control mode"),
        ({"duration_s": 0}, "duration of 0 s"),
        ({"duration_s": -1}, "duration of -1 s"),
        ({"start": -1}, "start at -1"),
        ({"start": 4102444801}, "start at 4102444801"),
        ({"randomize_start_s": 3601}, "randomizeStart of 3601 s"),
        ({"randomize_start_s": -3601}, "randomizeStart of -3601 s"),
        ({"randomize_duration_s": 3601}, "randomizeDuration of 3601 s"),
        ({"randomize_duration_s": -3601}, "randomizeDuration of -3601 s"),
    ],
)
def test_an_event_is_nonsense(changes: dict[str, Any], words: str) -> None:
    assert words in nonsense(event(**changes), FOREVER)


@pytest.mark.parametrize(
    "changes",
    [
        {"duration_s": 1},
        {"duration_s": 2**32 - 1},
        {"start": 0},
        {"start": 4102444800},
        {"randomize_start_s": 3600, "randomize_duration_s": -3600},
        {"randomize_start_s": -3600, "randomize_duration_s": 3600},
    ],
)
def test_the_edge_of_a_range_is_sense(changes: dict[str, Any]) -> None:
    assert nonsense(event(**changes), FOREVER) == ""


def test_a_duration_is_believed_up_to_a_length() -> None:
    assert nonsense(event(), 60.0) == ""
    assert "duration of 60 s" in nonsense(event(), 59.0)


@pytest.mark.parametrize(
    ("mode", "least", "greatest"),
    [
        ("opModMaxLimW", 0.0, 100.0),
        ("opModMaxLimPctWAbsorb", 0.0, 100.0),
        ("opModMaxLimPctVAAbsorb", 0.0, 100.0),
        ("opModMaxLimPctVAInject", 0.0, 100.0),
        ("opModFixedW", -100.0, 100.0),
        ("opModFixedV", -100.0, 100.0),
        ("opModFixedPFAbsorbW", -1.0, 1.0),
        ("opModFixedPFInjectW", -1.0, 1.0),
        ("opModImpLimW", 0.0, 1e9),
        ("opModExpLimW", 0.0, 1e9),
        ("opModGenLimW", 0.0, 1e9),
        ("opModLoadLimW", 0.0, 1e9),
        ("opModMaxLimWInject", 0.0, 1e9),
        ("opModMaxLimVarAbsorb", 0.0, 1e9),
        ("opModTargetW", -1e9, 1e9),
        ("DutyCycle", 0.0, 100.0),
        ("Offset.load", -100.0, 100.0),
        ("SetPoint.cooling", -273.15, 327.67),
        ("SetPoint.heating", -273.15, 327.67),
        ("ApplianceLoadReduction", 0.0, 1.0),
        ("TargetReduction.W", 0.0, 1e9),
        ("TargetReduction.12", 0.0, 1e9),
    ],
)
def test_a_mode_has_its_range(mode: str, least: float, greatest: float) -> None:
    def wrong(value: ModeValue) -> str:
        return nonsense(event(modes={"opModExpLimW": 0.0, mode: value}), FOREVER)

    assert wrong(least) == wrong(greatest) == ""
    assert mode in wrong(least - 0.01)
    assert mode in wrong(greatest + 0.01)
    assert mode in wrong(math.nan)
    assert mode in wrong(math.inf)


@pytest.mark.parametrize("mode", ["opModFixedVar", "opModMaxLimPctVarAbsorb"])
def test_a_reactive_percentage_has_a_reference(mode: str) -> None:
    def wrong(value: ModeValue) -> str:
        return nonsense(event(modes={mode: value}), FOREVER)

    for reference in (1.0, 2.0, 3.0, 8.0):
        assert wrong((reference, 100.0)) == ""
        assert "beyond" in wrong((reference, 100.01))
    for reserved in (0.0, 4.0, 9.0):
        assert "reserved" in wrong((reserved, 50.0))
    assert wrong(()) == "", "disabled"


def test_only_one_kind_of_reactive_percentage_is_signed() -> None:
    assert nonsense(event(modes={"opModFixedVar": (1.0, -100.0)}), FOREVER) == ""
    assert "beyond" in nonsense(event(modes={"opModFixedVar": (1.0, -100.01)}), FOREVER)
    words = nonsense(event(modes={"opModMaxLimPctVarInject": (1.0, -1.0)}), FOREVER)
    assert "negative" in words


@pytest.mark.parametrize(
    ("value", "words"), [("/curves/1", ""), ((36.0, 36.0, 5.0), ""), ((36.0, math.nan), "droop")]
)
def test_curves_and_structures(value: ModeValue, words: str) -> None:
    wrong = nonsense(event(modes={"droop": value}), FOREVER)
    assert wrong.startswith(words)
    assert bool(wrong) == bool(words)


def test_reserved_units_of_a_reduction_are_nonsense() -> None:
    assert "unit 13" in nonsense(event(modes={"TargetReduction.13": 5.0}), FOREVER)
    assert "unit 200" in nonsense(event(modes={"TargetReduction.200": 5.0}), FOREVER)


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ((36.0, 36.0, 0.0, 50.0, 500.0), True),
        ((36.0, 36.0, 50.0, 0.0, 500.0), True),
        ((0.0, 0.0, 50.0, 50.0, 0.0), False),
        ((), False),
    ],
)
def test_a_droop_moves_some_power_but_not_all_at_once(value: ModeValue, *, wrong: bool) -> None:
    assert ("droop of 0" in nonsense(event(modes={"opModFreqDroop": value}), FOREVER)) is wrong
