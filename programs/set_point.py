"""Active-power set-point (BUC-12): storage, or all DER together, runs at a power that is told.

The utility asks for it by a DERControl: CSIP-AUS opModStorageTargetW for storage alone,
opModTargetW and opModFixedW for generation and storage together. Batteries share what is asked by
their rating; what they cannot take, the sun gives way to. It ends with the event, and each device
then does what it did before.

A set-point is what a battery should do within the limits, and no limit itself: one on import,
export, load or generation, a disconnection and the main breaker move it, whoever set them.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from der.model import Control, DeviceKind, DeviceState, Quality
from der.sentence import Sentence, say
from programs.about import About
from programs.inputs import Inputs
from programs.proposal import Bounds, Proposal
from programs.rules import PRODUCING, about, in_force, kilowatts, rank_of, wish
from programs.signal import Signal, SignalKind

ID = "set-point"

ABOUT: Final = About(
    use_cases=("BUC-12",),
    title="Power set-point",
    triggered_by="The utility, by an event",
    asks="Storage, or generation and storage together, run at a power that is told.",
    ends="With the event, or when it is cancelled; each device then does what it did before.",
    carried_by=(
        "DERControl opModTargetW",
        "DERControl opModFixedW",
        "DERControl opModStorageTargetW",
    ),
    clause="IEEE 2030.5, DER function set: DERControlBase; CSIP-AUS, storage extension",
    leaving="The battery goes back to the house's own use, and what the set-point would have "
    "delivered counts as not delivered.",
)
_FULL_SOC: Final = 0.999
"""Charge at which a battery takes no more."""


def propose(inputs: Inputs) -> tuple[Proposal, ...]:
    """Return, for each set-point in force, the power that each battery is to run at.

    Args:
        inputs: The home and what is asked of it.
    """
    proposals: list[Proposal] = []
    for signal in in_force(inputs.signals, SignalKind.STORAGE_POWER, inputs.now):
        devices = about(signal, inputs.devices)
        reason = say(
            "{program} asks the battery to {does}", program=signal.program, does=_verb(signal.value)
        )
        proposals += _shared(signal, signal.value, _batteries(devices), reason)
    for signal in in_force(inputs.signals, SignalKind.DER_POWER, inputs.now):
        devices = about(signal, inputs.devices)
        reason = say(
            "{program} asks solar and battery together to {does}",
            program=signal.program,
            does=_verb(signal.value),
        )
        proposals += _shared(signal, signal.value - _pv_w(devices), _batteries(devices), reason)
        proposals += _sun(signal, signal.value - _room_w(devices), devices, reason)
    return tuple(proposals)


def _shared(
    signal: Signal, total_w: float, batteries: Sequence[DeviceState], reason: str
) -> list[Proposal]:
    """Return each battery's part of a total, by its rating in that direction, where it can go.

    One that is full or empty has a part only where all are.
    """
    batteries = [b for b in batteries if _can(b, total_w)] or batteries
    ratings = [abs(b.spec.max_w if total_w > 0 else b.spec.min_w) for b in batteries]
    whole_w = sum(ratings)
    if not whole_w:
        return []
    within_w = min(max(total_w, -whole_w), whole_w)
    parts = [within_w * rating / whole_w for rating in ratings]
    return [
        replace(
            wish(ID, signal, rank_of(signal), battery.spec.id, Bounds(), reason=reason),
            preferred_w=part,
        )
        for battery, part in zip(batteries, parts, strict=True)
    ]


def _sun(
    signal: Signal, floor_w: float, devices: Sequence[DeviceState], reason: str
) -> list[Proposal]:
    """Return floors for the sun, by rating, where the batteries could not take the rest of it.

    They hang on what the batteries could take and not on what they do: a battery makes up for what
    the sun does not give, so a floor that followed it would have it replace the sun bit by bit.
    """
    makers = [d for d in devices if d.spec.kind is DeviceKind.PV and d.spec.control in PRODUCING]
    whole_w = sum(min(d.spec.min_w, 0.0) for d in makers)
    floor_w = min(floor_w, 0.0)
    if not whole_w or floor_w <= whole_w:
        return []
    floors = [(d, Bounds(lower_w=floor_w * min(d.spec.min_w, 0.0) / whole_w)) for d in makers]
    rank = rank_of(signal)
    return [wish(ID, signal, rank, d.spec.id, bounds, reason=reason) for d, bounds in floors]


def _room_w(devices: Sequence[DeviceState]) -> float:
    """Return the power with which the batteries could charge now."""
    return sum(
        max(battery.spec.max_w, 0.0)
        for battery in _batteries(devices)
        if battery.reading is not None and _can(battery, battery.spec.max_w)
    )


def _can(battery: DeviceState, power_w: float) -> bool:
    """Return whether a battery is neither too full nor too empty for a power, as far as known."""
    reading = battery.reading
    if reading is None:
        return True
    if reading.connected is False:
        return False
    return reading.soc is None or (reading.soc < _FULL_SOC if power_w > 0 else reading.soc > 0.0)


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


def _verb(power_w: float) -> Sentence:
    if not power_w:
        return say("rest")
    size = kilowatts(abs(power_w))
    return say("take {size}", size=size) if power_w > 0 else say("give {size}", size=size)
