"""2030.5 words to house words: the one table of control modes, signs and units.

2030.5 counts what a DER gives positive, the house what it takes. Limits are magnitudes on both
sides, and the kind of the `Signal` says the direction; the sign of a set-point turns here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from hems.emg import functions
from hems.emg.ratings import Ratings
from hems.sep2.rules.curve import Curve
from hems.sep2.rules.events import DISABLED, Active, Event, ModeValue, Schedule
from programs.signal import Signal, SignalKind

AMOUNTS: Final[Mapping[str, SignalKind]] = MappingProxyType(
    {
        "opModImpLimW": SignalKind.IMPORT_LIMIT,
        "opModExpLimW": SignalKind.EXPORT_LIMIT,
        "opModLoadLimW": SignalKind.LOAD_LIMIT,
        "opModGenLimW": SignalKind.GENERATION_LIMIT,
        "opModMaxLimWAbsorb": SignalKind.IMPORT_LIMIT,
        "opModMaxLimWInject": SignalKind.EXPORT_LIMIT,
        "TargetReduction.W": SignalKind.SHED,
        "TargetReduction.Wh": SignalKind.ENERGY,
        "DutyCycle": SignalKind.DUTY_CYCLE,
    }
)
"""Modes whose value goes over as it is: CSIP-AUS, IEEE 2030.5-2023, then load control (DRLC)."""

PERCENT_OF_GENERATION: Final = "opModMaxLimW"
"""Limit in per cent of the rated generation (2018)."""

SWITCHES: Final = ("opModConnect", "opModEnergize")
"""False asks generation and storage to cease; True asks nothing."""

SET_POINTS: Final[Mapping[str, SignalKind]] = MappingProxyType(
    {
        "opModTargetW": SignalKind.DER_POWER,
        "opModStorageTargetW": SignalKind.STORAGE_POWER,
    }
)
"""Modes whose value is a power in W that the DER or its storage is to give."""

PERCENT_OF_RATING: Final = "opModFixedW"
"""Set-point in per cent of the rated discharge, or of the rated charge where it is negative."""

_STEERING: Final = frozenset({*SET_POINTS, PERCENT_OF_RATING})

SUPPORTED: Final = frozenset(
    {*AMOUNTS, PERCENT_OF_GENERATION, *SWITCHES, *SET_POINTS, PERCENT_OF_RATING}
)
"""The modes about active power that a home can carry out; those of `functions` come beside them,
and all others are refused, never half obeyed."""

_RUNNING: Final = frozenset(
    {*(kind for kind, _ in functions.CURVES.values()), SignalKind.FREQUENCY_DROOP}
)
"""Kinds of signals that are nothing without the function that they are to run."""

RELATIVE: Final = frozenset({SignalKind.SHED, SignalKind.ENERGY})
"""Kinds that are measured against the net power at the event's start."""


def signals(
    schedule: Schedule,
    ratings: Ratings,
    delivered_wh: Mapping[str, float],
    curves: Mapping[str, Curve] | None = None,
) -> tuple[Signal, ...]:
    """Return what the schedule in force asks of the home, one signal a mode.

    Of several modes that set the power of batteries only the leading one is among them, and so of
    those that set reactive power. A curve that is not known asks nothing.

    Args:
        schedule: What is in force; times are UTC epoch seconds.
        ratings: What per cents are of.
        delivered_wh: Energy already saved by events of kind ENERGY, by mRID; missing is none.
        curves: The curve of each mode that names one, by mode; None for the schedule's own.
    """
    if curves is None:
        curves = {
            mode: schedule.curves[active.value]
            for mode, active in schedule.active.items()
            if isinstance(active.value, str) and active.value in schedule.curves
        }
    asked = [(a, meaning(a.mode, a.value, ratings)) for a in schedule.active.values()]
    pairs = [(active, each) for active, each in asked if each is not None]
    idle = [active for _, each in outdone(schedule) for active in each]
    found = [
        replace(
            _signal(active, kind, value, delivered_wh.get(active.event, 0.0)),
            settings=functions.settings(active.mode, active.value, curves),
        )
        for active, (kind, value) in pairs
        if active not in idle
    ]
    return tuple(s for s in found if s.settings is not None or s.kind not in _RUNNING)


def steering(schedule: Schedule) -> list[Active]:
    """Return the modes in force that set the power of batteries, the one that counts first.

    Modes know nothing of one another, yet batteries can follow one set-point only: that of an
    event counts before a default control's, then the stronger primacy, then what began last.
    """
    return _ordered(schedule, _STEERING)


def outdone(schedule: Schedule) -> Sequence[tuple[Active, Sequence[Active]]]:
    """Return the modes that give way to one of another kind, each lot with the one that leads.

    One set-point of batteries counts, and one way to set reactive power (IEEE 1547-2018, 5.3),
    where the two power factors, for giving and for taking power, go together.
    """
    found: list[tuple[Active, Sequence[Active]]] = []
    for modes in (_STEERING, functions.REACTIVE):
        ordered = _ordered(schedule, modes)
        for first in ordered[:1]:
            factors = first.mode in functions.FACTORS
            rest = [a for a in ordered[1:] if not (factors and a.mode in functions.FACTORS)]
            if rest:
                found.append((first, rest))
    return found


def _ordered(schedule: Schedule, modes: frozenset[str]) -> list[Active]:
    """Return those modes in force that exclude one another, the one that counts first."""
    found = [a for a in schedule.active.values() if a.mode in modes and a.value != DISABLED]
    return sorted(found, key=lambda a: (a.default, a.program.primacy, -a.start, a.event))


def meanings(event: Event, ratings: Ratings) -> tuple[tuple[SignalKind, float], ...]:
    """Return what an event asks, whether or not it is in force; empty if nothing we know."""
    asked = (meaning(mode, value, ratings) for mode, value in event.modes.items())
    return tuple(each for each in asked if each is not None)


def meaning(mode: str, value: ModeValue, ratings: Ratings) -> tuple[SignalKind, float] | None:
    """Return a mode's kind of signal and its value in its unit; None if it asks nothing."""
    if mode in functions.SUPPORTED:
        return functions.meaning(mode, value, ratings)
    if not isinstance(value, float | int):
        return None
    if mode in AMOUNTS:
        return AMOUNTS[mode], float(value)
    if mode == PERCENT_OF_GENERATION:
        return SignalKind.GENERATION_LIMIT, value / 100.0 * ratings.generation_w
    if mode in SET_POINTS:
        return SET_POINTS[mode], -float(value)
    if mode == PERCENT_OF_RATING:
        rated_w = ratings.generation_w if value > 0 else ratings.charge_w
        return SignalKind.DER_POWER, -value / 100.0 * rated_w
    if mode in SWITCHES and not value:
        return SignalKind.DISCONNECT, 0.0
    return None


def _signal(active: Active, kind: SignalKind, value: float, delivered_wh: float) -> Signal:
    return Signal(
        event=active.event,
        program=active.program.name,
        kind=kind,
        value=value,
        starts_at=active.start,
        ends_at=active.end,
        binding=active.mandatory,
        emergency=kind is SignalKind.SHED and active.mandatory,
        baseline_w=active.baseline_w if kind in RELATIVE else None,
        delivered_wh=delivered_wh,
        ramp_s=active.ramp_s,
    )
