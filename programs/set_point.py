"""Active-power set-point (BUC-12): storage, or all DER together, runs at a power that is told.

The utility asks for it by a DERControl: CSIP-AUS opModStorageTargetW for storage alone,
opModTargetW and opModFixedW for generation and storage together. Batteries share what is asked by
their rating; what they cannot take, the sun gives way to. It ends with the event, and each device
then does what it did before.
"""

from collections.abc import Sequence

from der.model import Control, DeviceKind, DeviceState, Quality
from programs.inputs import Inputs
from programs.proposal import Bounds, Proposal
from programs.rules import about, generation_floor, in_force, kilowatts, rank_of, wish
from programs.signal import Signal, SignalKind

ID = "set-point"


def propose(inputs: Inputs) -> tuple[Proposal, ...]:
    """Return, for each set-point in force, the power that each battery is to run at.

    Args:
        inputs: The home and what is asked of it.
    """
    proposals: list[Proposal] = []
    for signal in in_force(inputs.signals, SignalKind.STORAGE_POWER, inputs.now):
        devices = about(signal, inputs.devices)
        reason = f"{signal.program} asks the battery to {_verb(signal.value)}"
        proposals += _shared(signal, signal.value, _batteries(devices), reason)
    for signal in in_force(inputs.signals, SignalKind.DER_POWER, inputs.now):
        devices = about(signal, inputs.devices)
        reason = f"{signal.program} asks solar and battery together to {_verb(signal.value)}"
        proposals += _shared(signal, signal.value - _pv_w(devices), _batteries(devices), reason)
        proposals += generation_floor(ID, signal, max(-signal.value, 0.0), inputs.devices, reason)
    return tuple(proposals)


def _shared(
    signal: Signal, total_w: float, batteries: Sequence[DeviceState], reason: str
) -> list[Proposal]:
    """Return each battery's part of a total, by its rating in that direction."""
    ratings = [abs(b.spec.max_w if total_w > 0 else b.spec.min_w) for b in batteries]
    whole_w = sum(ratings)
    if not whole_w:
        return []
    within_w = min(max(total_w, -whole_w), whole_w)
    parts = [within_w * rating / whole_w for rating in ratings]
    return [
        wish(ID, signal, rank_of(signal), battery.spec.id, Bounds(part, part), reason=reason)
        for battery, part in zip(batteries, parts, strict=True)
    ]


def _batteries(devices: Sequence[DeviceState]) -> Sequence[DeviceState]:
    """Return the batteries that can be told something now."""
    return [
        state
        for state in devices
        if state.spec.control is Control.TARGET and state.quality is not Quality.LOST
    ]


def _pv_w(devices: Sequence[DeviceState]) -> float:
    """Return what all generation gives now, by its last good readings; never positive."""
    return sum(
        min(state.reading.power_w, 0.0)
        for state in devices
        if state.spec.kind is DeviceKind.PV
        and state.reading is not None
        and state.quality is Quality.GOOD
    )


def _verb(power_w: float) -> str:
    if not power_w:
        return "rest"
    return f"{'take' if power_w > 0 else 'give'} {kilowatts(abs(power_w))}"
