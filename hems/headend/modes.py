"""What an event can ask of a home: the modes, their ranges, and which edition has words for them.

Signs are the standard's own, for the operator speaks to it: power and reactive power that a DER
gives are positive, what it takes is negative. Power factors are positive where the DER absorbs
reactive power (under-excited) and negative where it injects it, as excitation is defined there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

Value: TypeAlias = float | str | tuple[float, ...]
"""A number; the mRID of a curve; or the parts of FREQ_DROOP and FIXED_VAR."""


class Edition(StrEnum):
    """Which dialect of IEEE 2030.5 a home speaks."""

    CSIP_AUS = "csip-aus"
    """2018 with the CSIP-AUS extension (opModImpLimW and its like)."""
    Y2023 = "2023"
    Y2018 = "2018"
    """2018 alone: it has no word for a limit in watts."""
    CSIP = "csip"
    """2018 with the rules of CSIP: DER and what carries it, nothing else."""


class ProgramKind(StrEnum):
    """Which function set carries a programme's events."""

    DER = "der"
    DRLC = "drlc"


class Mode(StrEnum):
    """What an event asks of a home; the value beside it has the unit named here."""

    IMPORT = "limit_import_w"
    EXPORT = "limit_export_w"
    GENERATION = "limit_generation_w"
    LOAD = "limit_load_w"
    ABSORB_VAR = "limit_absorb_var"
    INJECT_VAR = "limit_inject_var"
    MAX_PERCENT = "limit_generation_percent"
    """Per cent of setMaxW at the connection point."""
    FIXED_PERCENT = "fixed_w_percent"
    """Per cent of the rated discharge, of the rated charge where negative."""
    TARGET_W = "target_w"
    TARGET_VAR = "target_var"
    STORAGE_W = "storage_target_w"
    FIXED_VAR = "fixed_var"
    """(code of what the per cents are of, per cent)."""
    PF_INJECT = "power_factor_inject"
    """Power factor while active power is injected."""
    PF_ABSORB = "power_factor_absorb"
    """Power factor while active power is absorbed."""
    VOLT_VAR = "volt_var"
    VOLT_WATT = "volt_watt"
    WATT_VAR = "watt_var"
    WATT_PF = "watt_pf"
    FREQ_WATT = "freq_watt"
    FREQ_DROOP = "freq_droop"
    """(dead band above, below, Hz; droop above, below, per unit; open-loop response, s)."""
    CONNECT = "connect"
    """1 connected, 0 disconnected."""
    ENERGIZE = "energize"
    """1 energised, 0 not."""
    ISLAND = "island_permit"
    """1 the home may island, 0 it may not."""
    GRID = "grid_connect_permit"
    """1 the home may connect to the grid, 0 it may not."""
    SHED = "shed_w"
    """Average power reduced, W."""
    ENERGY = "reduce_energy_wh"
    """Energy reduced over the event, Wh."""
    DUTY = "duty_cycle_percent"
    """Share of time that loads may run, per cent of their normal."""
    COOLING = "cooling_offset_k"
    """How much warmer cooled rooms may get, K."""
    HEATING = "heating_offset_k"
    """How much colder heated rooms may get, K."""
    LOAD_PERCENT = "load_offset_percent"
    """By how much load is adjusted, per cent."""


CURVES: Final = frozenset(
    {Mode.VOLT_VAR, Mode.VOLT_WATT, Mode.WATT_VAR, Mode.WATT_PF, Mode.FREQ_WATT}
)
"""Modes whose value is the mRID of a curve."""

SWITCHES: Final = frozenset({Mode.CONNECT, Mode.ENERGIZE, Mode.ISLAND, Mode.GRID})
"""Modes whose value is 1 or 0."""

_DRLC: Final = frozenset(
    {Mode.SHED, Mode.ENERGY, Mode.DUTY, Mode.COOLING, Mode.HEATING, Mode.LOAD_PERCENT}
)
_AUS: Final = frozenset({Mode.GENERATION, Mode.LOAD, Mode.STORAGE_W})
_NEW: Final = frozenset({Mode.ABSORB_VAR, Mode.INJECT_VAR, Mode.ISLAND, Mode.GRID})
_WATTS: Final = frozenset({Mode.IMPORT, Mode.EXPORT})

MODES_OF: Final[Mapping[ProgramKind, frozenset[Mode]]] = {
    ProgramKind.DER: frozenset(Mode) - _DRLC,
    ProgramKind.DRLC: _DRLC,
}

EXPRESSIBLE: Final[Mapping[Edition, frozenset[Mode]]] = {
    Edition.CSIP_AUS: frozenset(Mode) - _NEW,
    Edition.Y2023: frozenset(Mode) - _AUS,
    Edition.Y2018: frozenset(Mode) - _NEW - _AUS - _WATTS,
    Edition.CSIP: frozenset(Mode) - _NEW - _AUS - _WATTS - _DRLC,
}
"""What each edition has words for. 2023 limits exchange at the electrical reference point only."""


@dataclass(frozen=True, slots=True)
class Range:
    """Which values a mode takes.

    Attributes:
        least: Smallest sensible value.
        most: Greatest sensible value.
        raw_least: Smallest value that its type can carry.
        raw_most: Greatest value that its type can carry.
    """

    least: float
    most: float
    raw_least: float
    raw_most: float


_MAGNITUDE: Final = Range(0.0, 1e9, 0.0, 1e9)
_SIGNED: Final = Range(-1e9, 1e9, -1e9, 1e9)
_SWITCH: Final = Range(0.0, 1.0, 0.0, 1.0)
_REDUCTION: Final = Range(1.0, 65_535e3, 1.0, 65_535e3)
"""TargetReduction has 16 bits, and nothing greater than the kilowatt and the kilowatt-hour."""
_OFFSET: Final = Range(0.0, 10.0, 0.0, 25.5)

PERCENT: Final = Range(0.0, 100.0, 0.0, 655.35)
SIGNED_PERCENT: Final = Range(-100.0, 100.0, -327.68, 327.67)

RANGES: Final[Mapping[Mode, Range]] = {
    **dict.fromkeys((Mode.IMPORT, Mode.EXPORT, Mode.GENERATION, Mode.LOAD), _MAGNITUDE),
    **dict.fromkeys((Mode.ABSORB_VAR, Mode.INJECT_VAR), _MAGNITUDE),
    **dict.fromkeys((Mode.TARGET_W, Mode.TARGET_VAR, Mode.STORAGE_W), _SIGNED),
    **dict.fromkeys(SWITCHES, _SWITCH),
    **dict.fromkeys((Mode.SHED, Mode.ENERGY), _REDUCTION),
    **dict.fromkeys((Mode.COOLING, Mode.HEATING), _OFFSET),
    **dict.fromkeys((Mode.PF_INJECT, Mode.PF_ABSORB), Range(-1.0, 1.0, -65.535, 65.535)),
    Mode.MAX_PERCENT: PERCENT,
    Mode.FIXED_PERCENT: SIGNED_PERCENT,
    Mode.DUTY: Range(0.0, 100.0, 0.0, 255.0),
    Mode.LOAD_PERCENT: Range(0.0, 100.0, 0.0, 655.35),
}
"""Of the modes whose value is a number. "Sensible" is what a home may be able to do; beyond it,
yet within the type, only a raw order goes."""
