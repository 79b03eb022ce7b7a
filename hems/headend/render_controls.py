"""DERControlBase and load reductions in each edition's words: pure functions from values."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from hems.headend import hrefs
from hems.headend.modes import CURVES, EXPRESSIBLE, Edition, Mode, Value
from hems.sep2.resources import (
    ActivePower,
    DERControlBase,
    DutyCycle,
    FixedVar,
    FreqDroopType,
    Link,
    Offset,
    PowerFactorWithExcitation,
    ReactivePower,
    TargetReduction,
    UnsignedActivePower,
    UnsignedReactivePower,
)

_KWH, _KW, _WATT, _BTU, _MEGAJOULE = 0, 1, 2, 7, 11
_POWER_UNITS = {_WATT: 1.0, _KW: 1000.0}
_ENERGY_UNITS = {_KWH: 1000.0, _MEGAJOULE: 1e6 / 3600, _BTU: 1055.05585262 / 3600}
"""Size of each unit of TargetReduction in W or Wh, the plainest first."""
_UINT16 = 2**16 - 1
_FINEST_PF: Final = -4

_Q = TypeVar("_Q", ActivePower, UnsignedActivePower, ReactivePower, UnsignedReactivePower)
_Writer = Callable[[Value], object]


def control_base(
    values: Mapping[Mode, Value],
    edition: Edition,
    program: int = 1,
    ramp_s: float | None = None,
) -> DERControlBase:
    """Write what is asked as control modes of an edition; what it has no word for is left out.

    Args:
        values: By mode.
        edition: Whom it is written for.
        program: Index of the programme, where its curves stand.
        ramp_s: How long a device takes to go over.
    """
    known = {mode: value for mode, value in values.items() if mode in EXPRESSIBLE[edition]}
    fields: dict[str, object] = {}
    for mode, value in known.items():
        if mode in CURVES:
            fields[f"op_mod_{mode.value}"] = Link(href=hrefs.curve(program, str(value)))
        else:
            name, write = _writer(mode, edition)
            fields[name] = write(value)
    ramp = None if ramp_s is None else round(ramp_s * 100)
    return DERControlBase(ramp_tms=ramp, **fields)  # type: ignore[arg-type] # each by its writer


def _writer(mode: Mode, edition: Edition) -> tuple[str, _Writer]:
    if edition is Edition.Y2023 and mode in _NEW_LIMITS:
        return _NEW_LIMITS[mode], lambda value: _limit(UnsignedActivePower, _number(value))
    return _WRITERS[mode]


def _number(value: Value) -> float:
    if not isinstance(value, float | int):
        raise TypeError(f"{value!r} is not a number")
    return value


def _limit(kind: type[_Q], amount: float) -> _Q:
    """Write a limit rounded down: what goes out is never looser than what was ordered."""
    quantity = kind.of(amount)
    if quantity.amount > amount:
        return replace(quantity, value=quantity.value - 1)
    return quantity


def _percent(value: Value) -> int:
    return round(_number(value) * 100)


def _switch(value: Value) -> bool:
    return bool(_number(value))


def _power_factor(value: Value) -> PowerFactorWithExcitation:
    """Write a power factor; excitation true is under-excited: the DER absorbs reactive power."""
    factor = _number(value)
    multiplier = -3
    while multiplier > _FINEST_PF and round(abs(factor) * 1e3, 6) % 1:
        multiplier -= 1
    return PowerFactorWithExcitation(
        displacement=min(round(abs(factor) * 10**-multiplier), _UINT16),
        excitation=factor >= 0,
        multiplier=multiplier,
    )


def _fixed_var(value: Value) -> FixedVar:
    reference, percent = _parts(value)
    return FixedVar(ref_type=int(reference), value=round(percent * 100))


def _droop(value: Value) -> FreqDroopType:
    over, under, k_over, k_under, response = _parts(value)
    return FreqDroopType(
        dbof=round(over * 1000),
        dbuf=round(under * 1000),
        kof=round(k_over * 1000),
        kuf=round(k_under * 1000),
        open_loop_tms=round(response * 100),
    )


def _parts(value: Value) -> tuple[float, ...]:
    if not isinstance(value, tuple):
        raise TypeError(f"{value!r} has no parts")
    return value


_NEW_LIMITS: Final[Mapping[Mode, str]] = {
    Mode.IMPORT: "op_mod_max_lim_w_absorb",
    Mode.EXPORT: "op_mod_max_lim_w_inject",
}

_WRITERS: Final[Mapping[Mode, tuple[str, _Writer]]] = {
    Mode.IMPORT: ("op_mod_imp_lim_w", lambda v: _limit(ActivePower, _number(v))),
    Mode.EXPORT: ("op_mod_exp_lim_w", lambda v: _limit(ActivePower, _number(v))),
    Mode.GENERATION: ("op_mod_gen_lim_w", lambda v: _limit(ActivePower, _number(v))),
    Mode.LOAD: ("op_mod_load_lim_w", lambda v: _limit(ActivePower, _number(v))),
    Mode.ABSORB_VAR: (
        "op_mod_max_lim_var_absorb",
        lambda v: _limit(UnsignedReactivePower, _number(v)),
    ),
    Mode.INJECT_VAR: (
        "op_mod_max_lim_var_inject",
        lambda v: _limit(UnsignedReactivePower, _number(v)),
    ),
    Mode.MAX_PERCENT: ("op_mod_max_lim_w", _percent),
    Mode.FIXED_PERCENT: ("op_mod_fixed_w", _percent),
    Mode.TARGET_W: ("op_mod_target_w", lambda v: ActivePower.of(_number(v))),
    Mode.TARGET_VAR: ("op_mod_target_var", lambda v: ReactivePower.of(_number(v))),
    Mode.STORAGE_W: ("op_mod_storage_target_w", lambda v: ActivePower.of(_number(v))),
    Mode.FIXED_VAR: ("op_mod_fixed_var", _fixed_var),
    Mode.PF_INJECT: ("op_mod_fixed_pf_inject_w", _power_factor),
    Mode.PF_ABSORB: ("op_mod_fixed_pf_absorb_w", _power_factor),
    Mode.FREQ_DROOP: ("op_mod_freq_droop", _droop),
    Mode.CONNECT: ("op_mod_connect", _switch),
    Mode.ENERGIZE: ("op_mod_energize", _switch),
    Mode.ISLAND: ("op_mod_island_permit", _switch),
    Mode.GRID: ("op_mod_grid_connect_permit", _switch),
}


def target_reduction(values: Mapping[Mode, Value]) -> TargetReduction | None:
    """Write a reduction in the unit that comes closest; of equal ones the plainest.

    The value is a whole number of 16 bits, and of energy the schema knows kWh, MJ and BTU: half a
    kWh can only be told as 1706 BTU.
    """
    if Mode.SHED in values:
        return _closest(_number(values[Mode.SHED]), _POWER_UNITS)
    if Mode.ENERGY in values:
        return _closest(_number(values[Mode.ENERGY]), _ENERGY_UNITS)
    return None


def duty_cycle(values: Mapping[Mode, Value]) -> DutyCycle | None:
    """Write the share of time that loads may run."""
    if Mode.DUTY not in values:
        return None
    return DutyCycle(normal_value=round(_number(values[Mode.DUTY])))


def offset(values: Mapping[Mode, Value]) -> Offset | None:
    """Write shifts of thermostats and of load."""
    if not {Mode.COOLING, Mode.HEATING, Mode.LOAD_PERCENT} & values.keys():
        return None
    return Offset(
        cooling_offset=_scaled(values.get(Mode.COOLING), 10),
        heating_offset=_scaled(values.get(Mode.HEATING), 10),
        load_adjustment_percentage_offset=_scaled(values.get(Mode.LOAD_PERCENT), 100),
    )


def _scaled(value: Value | None, unit: int) -> int | None:
    return None if value is None else round(_number(value) * unit)


def _closest(amount: float, units: Mapping[int, float]) -> TargetReduction:
    def error(unit: int) -> float:
        return abs(_whole(amount, units[unit]) * units[unit] - amount)

    best = min(units, key=error)
    return TargetReduction(type=best, value=_whole(amount, units[best]))


def _whole(amount: float, size: float) -> int:
    return min(round(amount / size), _UINT16)
