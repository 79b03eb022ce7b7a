"""What the measuring models of SunSpec call what a reading has: one table, and how to read it.

SunSpec inverters count generation positive, its meters import; the house counts consumption
positive. `sign` in the table is the one place that says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from der.drivers.sunspec.block import Block
from der.model import Alarm, PhaseReading, RunState

METER_MODELS: Final = (213, 203, 214, 204, 212, 202, 211, 201)
"""Meters, the richest first: three phases before two before one, floats before scaled integers.

Wye, which has a neutral and so voltages to it, comes before delta.
"""
INVERTER_MODELS: Final = (701, 113, 103, 112, 102, 111, 101)
"""Inverters, the richest first."""

SANE: Final[Mapping[str, tuple[float, float]]] = {
    "voltage_v": (0.0, 500.0),
    "frequency_hz": (0.0, 70.0),
    "temp_c": (-60.0, 200.0),
}
"""What these attributes of a reading can be in a home; all else is a wrong scale factor."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Where a model keeps what a reading needs, and the factor to the passive sign.

    Attributes:
        sign: For active and reactive power.
        power: Active power.
        reactive: Reactive power.
        voltage: Phase to neutral; the first that has a value counts.
        frequency: Of the grid.
        imported: Energy taken from the grid side; empty where the model does not count it.
        exported: Energy given to the grid side.
        phase_power: Of each phase, in order; empty where the model does not have it.
        phase_voltage: The same.
        phase_reactive: The same.
        phase_imported: The same, of energy taken from the grid side.
        phase_exported: The same, of energy given to it.
        temperature: Of the cabinet.
        connected: 1 where the device is connected.
        state: What it does.
        states: What that point's values mean.
        alarms: Bits of what it complains of.
        meanings: Bits that have a name of their own; all others are faults.
        harmless: Bits that are no complaint.
    """

    sign: float
    power: str
    reactive: str
    voltage: tuple[str, ...]
    frequency: str
    exported: str
    imported: str = ""
    phase_power: tuple[str, ...] = ()
    phase_voltage: tuple[str, ...] = ()
    phase_reactive: tuple[str, ...] = ()
    phase_imported: tuple[str, ...] = ()
    phase_exported: tuple[str, ...] = ()
    temperature: str = ""
    connected: str = ""
    state: str = ""
    states: Mapping[int, RunState] = field(default_factory=dict)
    alarms: str = ""
    meanings: Mapping[int, Alarm] = field(default_factory=dict)
    harmless: frozenset[int] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """All points."""
        named = (
            self.power,
            self.reactive,
            *self.voltage,
            self.frequency,
            self.exported,
            self.imported,
            *self.phase_power,
            *self.phase_voltage,
            *self.phase_reactive,
            *self.phase_imported,
            *self.phase_exported,
            self.temperature,
            self.connected,
            self.state,
            self.alarms,
        )
        return tuple(dict.fromkeys(name for name in named if name))


_STATES: Final = (
    RunState.OFF,
    RunState.SLEEPING,
    RunState.STARTING,
    RunState.RUNNING,
    RunState.THROTTLED,
    RunState.SHUTTING_DOWN,
    RunState.FAULT,
    RunState.STANDBY,
)
_INVERTER_ALARMS: Final[Mapping[int, Alarm]] = {
    5: Alarm.OPENED,
    6: Alarm.STOPPED,
    8: Alarm.OVER_FREQUENCY,
    9: Alarm.UNDER_FREQUENCY,
    10: Alarm.OVER_VOLTAGE,
    11: Alarm.UNDER_VOLTAGE,
}
_METER_ALARMS: Final[Mapping[int, Alarm]] = {3: Alarm.UNDER_VOLTAGE, 6: Alarm.OVER_VOLTAGE}
_LOW_POWER_FACTOR: Final = 4
_BITS: Final = 32
_VOLTAGES: Final = ("PhVphA", "PhVphB", "PhVphC")

_METER: Final = Measures(
    sign=1.0,
    power="W",
    reactive="VAR",
    voltage=("PhV", "PhVphA"),
    frequency="Hz",
    imported="TotWhImp",
    exported="TotWhExp",
    phase_power=("WphA", "WphB", "WphC"),
    phase_voltage=_VOLTAGES,
    phase_reactive=("VARphA", "VARphB", "VARphC"),
    phase_imported=("TotWhImpPhA", "TotWhImpPhB", "TotWhImpPhC"),
    phase_exported=("TotWhExpPhA", "TotWhExpPhB", "TotWhExpPhC"),
    alarms="Evt",
    meanings=_METER_ALARMS,
    # What meters call a low power factor is a remark; the bits above are reserved, or a maker's.
    harmless=frozenset({_LOW_POWER_FACTOR, *range(8, _BITS)}),
)
_OLD_INVERTER: Final = Measures(
    sign=-1.0,
    power="W",
    reactive="VAr",
    voltage=("PhVphA",),
    frequency="Hz",
    exported="WH",
    phase_voltage=_VOLTAGES,
    temperature="TmpCab",
    state="St",
    states=dict(enumerate(_STATES, start=1)),
    alarms="Evt1",
    meanings=_INVERTER_ALARMS,
)
_DER: Final = Measures(
    sign=-1.0,
    power="W",
    reactive="Var",
    voltage=("LNV", "VL1"),
    frequency="Hz",
    imported="TotWhAbs",
    exported="TotWhInj",
    phase_power=("WL1", "WL2", "WL3"),
    phase_voltage=("VL1", "VL2", "VL3"),
    phase_reactive=("VarL1", "VarL2", "VarL3"),
    phase_imported=("TotWhAbsL1", "TotWhAbsL2", "TotWhAbsL3"),
    phase_exported=("TotWhInjL1", "TotWhInjL2", "TotWhInjL3"),
    temperature="TmpCab",
    connected="ConnSt",
    state="InvSt",
    states=dict(enumerate(_STATES)),
    alarms="Alrm",
    meanings=_INVERTER_ALARMS,
)
MEASURES: Final[Mapping[int, Measures]] = {
    **dict.fromkeys(METER_MODELS, _METER),
    **dict.fromkeys(INVERTER_MODELS, _OLD_INVERTER),
    701: _DER,
}


def run_state(measures: Measures, block: Block) -> RunState | None:
    """Return what the device says that it does; None if it does not say, or a reserved value."""
    state = block.number(measures.state) if measures.state else None
    return None if state is None else measures.states.get(int(state))


def alarms(measures: Measures, block: Block) -> frozenset[Alarm] | None:
    """Return what the device complains of; None if it does not say."""
    bits = block.number(measures.alarms) if measures.alarms else None
    if bits is None:
        return None
    return frozenset(
        measures.meanings.get(bit, Alarm.FAULT)
        for bit in range(_BITS)
        if int(bits) >> bit & 1 and bit not in measures.harmless
    )


def phases(measures: Measures, block: Block, sign: float) -> tuple[PhaseReading, ...]:
    """Return the phases that the device tells apart, power times `sign`.

    A device on one phase has no values for the others, or voltages of zero.
    """
    count = len(measures.phase_voltage)
    found = []
    for power_w, voltage_v, reactive_var, imported_wh, exported_wh in zip(
        _all(block, measures.phase_power, count),
        _all(block, measures.phase_voltage, count),
        _all(block, measures.phase_reactive, count),
        _all(block, measures.phase_imported, count),
        _all(block, measures.phase_exported, count),
        strict=True,
    ):
        if power_w is None and not voltage_v:
            break
        energies = imported_wh, exported_wh
        if sign != measures.sign:  # built in the other way round
            energies = exported_wh, imported_wh
        turned = _times(sign, power_w), _times(sign, reactive_var)
        found.append(PhaseReading(turned[0], _sane_v(voltage_v), turned[1], *energies))
    return tuple(found)


def _sane_v(voltage_v: float | None) -> float | None:
    """Return a voltage that can be in a home; None for a wrong scale factor."""
    low, high = SANE["voltage_v"]
    return voltage_v if voltage_v is not None and low <= voltage_v <= high else None


def _times(sign: float, value: float | None) -> float | None:
    return None if value is None else sign * value + 0.0  # zero has no sign


def first(block: Block, names: Sequence[str]) -> float | None:
    """Return the first of several points that has a value."""
    return next((v for v in (block.number(name) for name in names) if v is not None), None)


def _all(block: Block, names: Sequence[str], count: int) -> list[float | None]:
    return [block.number(name) for name in names] if names else [None] * count
