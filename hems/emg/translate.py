"""2030.5 words to house words: the one table of control modes, signs and units.

2030.5 counts generation positive and limits are magnitudes in W; the house counts consumption
positive and a `Signal`'s value is a magnitude too, so no sign turns here: the kind says the
direction.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from hems.sep2.events import Active, ModeValue, Schedule
from programs.signal import Signal, SignalKind

LIMITS: Final[Mapping[str, SignalKind]] = MappingProxyType(
    {
        "opModImpLimW": SignalKind.IMPORT_LIMIT,
        "opModExpLimW": SignalKind.EXPORT_LIMIT,
        "opModLoadLimW": SignalKind.LOAD_LIMIT,
        "opModGenLimW": SignalKind.GENERATION_LIMIT,
        "opModMaxLimWAbsorb": SignalKind.IMPORT_LIMIT,
        "opModMaxLimWInject": SignalKind.EXPORT_LIMIT,
    }
)
"""Modes whose value is a limit in W: CSIP-AUS first, then IEEE 2030.5-2023."""

PERCENT_OF_GENERATION: Final = "opModMaxLimW"
"""Limit in percent of the rated generation (2018)."""

SWITCHES: Final = ("opModConnect", "opModEnergize")
"""False asks generation and storage to cease; True asks nothing."""

TARGET_REDUCTION: Final = "TargetReduction"
"""DRLC: so much less than the home took when the event began."""

REDUCTION_UNITS: Final[Mapping[int, tuple[SignalKind, float]]] = MappingProxyType(
    {0: (SignalKind.ENERGY, 1e3), 1: (SignalKind.SHED, 1e3), 2: (SignalKind.SHED, 1.0)}
)
"""UnitType of a target reduction: kind of signal, and W or Wh of one unit (kWh, kW, W)."""

SUPPORTED: Final = frozenset({*LIMITS, PERCENT_OF_GENERATION, *SWITCHES, TARGET_REDUCTION})
"""The modes that this home carries out; all others are refused, never half obeyed."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the translation needs to know of the home.

    Attributes:
        generation_w: Rated generation of all PV and storage, W, positive.
        binds: Says by programme name and the server's own flag whether the owner is bound.
        to_local: Turns the server's seconds into UTC epoch seconds of this machine.
        delivered_wh: Energy already saved by an event, by mRID; missing means none.
    """

    generation_w: float
    binds: Callable[[str, bool], bool]
    to_local: Callable[[float], float]
    delivered_wh: Mapping[str, float]


def signals(schedule: Schedule, terms: Terms) -> tuple[Signal, ...]:
    """Return what the schedule in force asks of the home, one signal a mode."""
    found = []
    for active in schedule.active.values():
        asked = meaning(active.mode, active.value, terms.generation_w)
        if asked is not None:
            found.append(_signal(active, *asked, terms))
    return tuple(found)


def meaning(mode: str, value: ModeValue, generation_w: float) -> tuple[SignalKind, float] | None:
    """Return a mode's kind of signal and its value in W or Wh; None if it asks nothing."""
    if mode in LIMITS and isinstance(value, float | int):
        return LIMITS[mode], float(value)
    if mode == PERCENT_OF_GENERATION and isinstance(value, float | int):
        return SignalKind.GENERATION_LIMIT, float(value) / 100.0 * generation_w
    if mode in SWITCHES and not value:
        return SignalKind.DISCONNECT, 0.0
    if mode == TARGET_REDUCTION and isinstance(value, tuple):
        unit, amount = value
        if int(unit) in REDUCTION_UNITS:
            kind, factor = REDUCTION_UNITS[int(unit)]
            return kind, amount * factor
    return None


def _signal(active: Active, kind: SignalKind, value: float, terms: Terms) -> Signal:
    relative = kind in {SignalKind.SHED, SignalKind.ENERGY}
    return Signal(
        event=active.event,
        program=active.program.name,
        kind=kind,
        value=value,
        starts_at=terms.to_local(active.start),
        ends_at=terms.to_local(active.end),
        binding=active.default or terms.binds(active.program.name, active.mandatory),
        emergency=kind is SignalKind.SHED and active.mandatory,
        baseline_w=active.baseline_w if relative else None,
        delivered_wh=terms.delivered_wh.get(active.event, 0.0),
    )
