"""2030.5 words to house words, row by row."""

import math

import pytest

from hems.emg.ratings import Ratings
from hems.emg.translate import SUPPORTED, meaning, meanings, signals
from hems.emg.words import effect, quantity, title
from hems.sep2.rules.events import Active, Event, Program, Schedule
from programs.signal import SignalKind

RATINGS = Ratings(9000.0, 5000.0)


@pytest.mark.requirement("ROLE-EMG", "PRO-2030.5")
@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("opModImpLimW", 1500.0, (SignalKind.IMPORT_LIMIT, 1500.0)),
        ("opModExpLimW", 0.0, (SignalKind.EXPORT_LIMIT, 0.0)),
        ("opModLoadLimW", 4000.0, (SignalKind.LOAD_LIMIT, 4000.0)),
        ("opModGenLimW", 2000.0, (SignalKind.GENERATION_LIMIT, 2000.0)),
        ("opModMaxLimWAbsorb", 1500.0, (SignalKind.IMPORT_LIMIT, 1500.0)),
        ("opModMaxLimWInject", 700.0, (SignalKind.EXPORT_LIMIT, 700.0)),
        ("opModMaxLimW", 50.0, (SignalKind.GENERATION_LIMIT, 4500.0)),
        ("opModTargetW", 3000.0, (SignalKind.DER_POWER, -3000.0)),
        ("opModStorageTargetW", -2000.0, (SignalKind.STORAGE_POWER, 2000.0)),
        ("opModFixedW", 50.0, (SignalKind.DER_POWER, -4500.0)),
        ("opModFixedW", -50.0, (SignalKind.DER_POWER, 2500.0)),
        ("opModConnect", 0.0, (SignalKind.DISCONNECT, 0.0)),
        ("opModEnergize", 0.0, (SignalKind.DISCONNECT, 0.0)),
        ("TargetReduction.W", 2000.0, (SignalKind.SHED, 2000.0)),
        ("TargetReduction.Wh", 500.0, (SignalKind.ENERGY, 500.0)),
        ("DutyCycle", 40.0, (SignalKind.DUTY_CYCLE, 40.0)),
        ("opModConnect", 1.0, None),
        ("opModEnergize", 1.0, None),
        ("opModVoltVar", "/curves/1", (SignalKind.VOLT_VAR, 0.0)),
        ("opModWattPF", "/curves/1", None),
        ("opModImpLimW", (), None),
    ],
)
def test_a_mode_means(
    mode: str, value: float | str | tuple[float, ...], expected: tuple[SignalKind, float] | None
) -> None:
    assert meaning(mode, value, RATINGS) == expected


def test_every_supported_mode_has_a_meaning_and_words() -> None:
    for mode in SUPPORTED:
        asked = meaning(mode, 0.0, RATINGS)
        assert asked is not None, mode
        assert title(*asked)
        assert effect(asked[0], ())


def active(mode: str, value: float, **fields: object) -> Active:
    defaults: dict[str, object] = {
        "event": "E" * 32,
        "program": Program("P" * 32, "Peak Saver", 10),
        "start": 100.0,
        "end": 700.0,
        "mandatory": False,
    }
    return Active(mode=mode, value=value, **(defaults | fields))  # type: ignore[arg-type]


@pytest.mark.requirement("ROLE-EMG")
def test_a_signal_carries_who_when_and_how_binding() -> None:
    schedule = Schedule(100.0, {"opModImpLimW": active("opModImpLimW", 1500.0)})
    (signal,) = signals(schedule, RATINGS, {})
    assert (signal.program, signal.starts_at, signal.ends_at) == ("Peak Saver", 100.0, 700.0)
    assert (signal.binding, signal.emergency, signal.baseline_w) == (False, False, None)


@pytest.mark.requirement("BUC-12")
@pytest.mark.parametrize(
    ("others", "leader"),
    [
        ({"default": True, "mandatory": True, "start": -math.inf, "event": "0" * 32}, "E" * 32),
        ({"program": Program("Q" * 32, "Weak", 11), "event": "0" * 32}, "E" * 32),
        ({"program": Program("Q" * 32, "Strong", 9), "event": "0" * 32}, "0" * 32),
        ({"start": 200.0, "event": "F" * 32}, "F" * 32),
    ],
)
def test_of_several_modes_that_set_a_power_one_leads(
    others: dict[str, object], leader: str
) -> None:
    entries = [
        active("opModFixedW", 10.0, **others),
        active("opModStorageTargetW", 3000.0),
        active("opModExpLimW", 1000.0, **others),
    ]
    found = signals(Schedule(300.0, {e.mode: e for e in entries}), RATINGS, {})
    assert [s.event for s in found if s.kind is not SignalKind.EXPORT_LIMIT] == [leader]
    assert SignalKind.EXPORT_LIMIT in {s.kind for s in found}


@pytest.mark.requirement("BUC-7")
@pytest.mark.parametrize("mandatory", [True, False])
def test_a_reduction_is_an_emergency_only_where_the_programme_is_mandatory(
    mandatory: bool,
) -> None:
    entry = active("TargetReduction.W", 2000.0, mandatory=mandatory, baseline_w=5000.0)
    (signal,) = signals(Schedule(100.0, {entry.mode: entry}), RATINGS, {})
    assert (signal.emergency, signal.binding) == (mandatory, mandatory)
    assert signal.baseline_w == 5000.0


@pytest.mark.requirement("BUC-5")
def test_energy_knows_what_was_delivered() -> None:
    entry = active("TargetReduction.Wh", 500.0, baseline_w=5000.0)
    (signal,) = signals(Schedule(100.0, {entry.mode: entry}), RATINGS, {entry.event: 120.0})
    assert (signal.value, signal.delivered_wh) == (500.0, 120.0)


def test_modes_unknown_here_ask_nothing() -> None:
    entry = active("opModFixedV", 10.0)
    assert signals(Schedule(100.0, {entry.mode: entry}), RATINGS, {}) == ()


def test_meanings_of_an_event_that_is_not_in_force_yet() -> None:
    event = Event(
        "E" * 32,
        Program("P" * 32),
        0,
        100,
        600,
        {"opModImpLimW": 1500.0, "opModWattPF": "/curves/1"},
    )
    assert meanings(event, RATINGS) == ((SignalKind.IMPORT_LIMIT, 1500.0),)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(1500.0, "W", "1.5 kW"), (999.0, "W", "999 W"), (0.0, "W", "0 W"), (500.0, "Wh", "500 Wh")],
)
def test_quantities_in_words(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_an_open_end_stays_open() -> None:
    entry = active("opModImpLimW", 5000.0, start=-math.inf, end=math.inf, mandatory=True)
    (signal,) = signals(Schedule(100.0, {entry.mode: entry}), RATINGS, {})
    assert signal.ends_at == math.inf
    assert signal.binding
