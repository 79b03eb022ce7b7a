"""What a SunSpec device says of its own state: inverter state and alarms (701), phases (20x)."""

from collections.abc import Mapping
from typing import Final

from der.drivers.sunspec.model import Block
from der.model import Alarm, PhaseReading, RunState

STATE_POINTS: Final = ("InvSt", "Alrm")
PHASE_POINTS: Final = ("WphA", "WphB", "WphC", "PhVphA", "PhVphB", "PhVphC")
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
_ALARMS: Final[Mapping[int, Alarm]] = {
    5: Alarm.OPENED,
    6: Alarm.STOPPED,
    8: Alarm.OVER_FREQUENCY,
    9: Alarm.UNDER_FREQUENCY,
    10: Alarm.OVER_VOLTAGE,
    11: Alarm.UNDER_VOLTAGE,
}
"""Bits of model 701's Alrm that have a name of their own here; all others are faults."""
_BITS: Final = 32


def run_state(block: Block) -> RunState | None:
    """Return what the inverter says that it does; None if it does not say, or a reserved value."""
    state = block.number("InvSt")
    return _STATES[int(state)] if state is not None and 0 <= state < len(_STATES) else None


def alarms(block: Block) -> frozenset[Alarm] | None:
    """Return what the device complains of; None if it does not say."""
    bits = block.number("Alrm")
    if bits is None:
        return None
    return frozenset(_ALARMS.get(b, Alarm.FAULT) for b in range(_BITS) if int(bits) >> b & 1)


def phases(block: Block, sign: float) -> tuple[PhaseReading, ...]:
    """Return the phases that a meter tells apart, power times `sign`.

    A meter of one phase has no values for the others, or voltages of zero.
    """
    found = []
    for name in "ABC":
        power_w, voltage_v = block.number(f"Wph{name}"), block.number(f"PhVph{name}")
        if power_w is None and not voltage_v:
            break
        found.append(PhaseReading(None if power_w is None else sign * power_w, voltage_v))
    return tuple(found)
