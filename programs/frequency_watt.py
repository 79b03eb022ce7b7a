"""Frequency functions in the inverter (the slow part of BUC-3): droop and frequency-watt.

Droop: active power moves with the frequency's distance from a dead band, from what it was before.
Frequency-watt: generation is bounded along a curve of the frequency. An inverter that has the
function runs it by itself, within its own response time. For others the hub bounds active power by
the frequency that is measured, once in a control cycle (a second): it helps a grid over minutes and
is no frequency reserve; the loop that is, at 10 Hz, is another programme's (frequency regulation).
"""

from collections.abc import Iterator
from typing import Final

from der.curves import Curve, Droop
from der.model import Control, DeviceState
from der.sentence import Quantity, say
from programs.about import About, Latency
from programs.following import along
from programs.inputs import Inputs
from programs.proposal import Bounds, Proposal
from programs.rules import PRODUCING, in_force, rank_of, wish
from programs.signal import Signal, SignalKind
from programs.support import SupportWish, reached_by, run_or, runs

ID = "frequency-watt"

ABOUT: Final = About(
    use_cases=("BUC-3",),
    title="Active power by frequency, in the inverter",
    triggered_by="The utility: an event, or the default control of its programme",
    asks="Solar and batteries give less as the frequency rises, batteries more as it falls.",
    ends="With the event, when it is cancelled or left; each inverter then runs as it did before.",
    carried_by=(
        "DERControl opModFreqDroop",
        "DERControl opModFreqWatt",
        "DefaultDERControl",
        "DERCurve",
    ),
    clause="IEEE 2030.5-2018 10.10.4.3; IEEE 1547-2018 6.5.2.7",
    latency=Latency.SUB_SECOND,
    leaving="The grid then has less to hold its frequency by.",
)

_KINDS: Final = (SignalKind.FREQUENCY_DROOP, SignalKind.FREQUENCY_WATT)
_BETWEEN_HZ: Final = 55.0
"""A grid below this frequency is one of 50 Hz, one above it of 60 Hz."""


def nominal_hz(frequency_hz: float) -> float:
    """Return the nominal frequency of a grid by what is measured."""
    return 50.0 if frequency_hz < _BETWEEN_HZ else 60.0


def propose_support(inputs: Inputs) -> tuple[SupportWish, ...]:
    """Return what inverters that have the function are to run.

    Args:
        inputs: The home and what is asked of it.
    """
    return tuple(
        found
        for kind in _KINDS
        for signal in in_force(inputs.signals, kind, inputs.now)
        for found in run_or(ID, signal, inputs, _reason(signal))
    )


def propose(inputs: Inputs) -> tuple[Proposal, ...]:
    """Return the bound on each device that does not have the function, at the frequency now.

    Args:
        inputs: The home and what is asked of it.
    """
    found = []
    for kind in _KINDS:
        for signal in in_force(inputs.signals, kind, inputs.now):
            for device, bounds in _bounds(signal, inputs):
                hertz = Quantity(f"{inputs.sensed.frequency_hz:.2f}", "Hz")
                reason = say("{reason}: {frequency}", reason=_reason(signal), frequency=hertz)
                found.append(
                    wish(ID, signal, rank_of(signal), device.spec.id, bounds, reason=reason)
                )
    return tuple(found)


def _bounds(signal: Signal, inputs: Inputs) -> Iterator[tuple[DeviceState, Bounds]]:
    settings, frequency_hz = signal.settings, inputs.sensed.frequency_hz
    if settings is None or frequency_hz is None:
        return
    for device in reached_by(signal, inputs):
        spec = device.spec
        able = spec.control in PRODUCING
        if not able or runs(inputs.options.get(spec.id), settings.function):
            continue
        bounds = None
        if isinstance(settings, Droop):
            before_w = inputs.sensed.before_w.get(spec.id)
            bounds = None if before_w is None else drooped(settings, device, before_w, frequency_hz)
        elif isinstance(settings, Curve):
            bounds = _along(settings, device, frequency_hz)
        if bounds is not None:
            yield device, bounds


def drooped(
    droop: Droop, device: DeviceState, before_w: float, frequency_hz: float
) -> Bounds | None:
    """Return what a droop leaves a device; None inside the dead band, or where it can do nothing.

    Args:
        droop: The function.
        device: A producer or a battery; only the latter gives more at low frequency.
        before_w: Its power before the disturbance, passive sign.
        frequency_hz: As measured.
    """
    spec, nominal = device.spec, nominal_hz(frequency_hz)
    over_hz = frequency_hz - nominal - droop.over_hz
    under_hz = nominal - frequency_hz - droop.under_hz
    if over_hz > 0:
        power_w = before_w - over_hz / nominal / droop.over_droop * spec.min_w
        most_w = spec.max_w if droop.least_share is None else droop.least_share * spec.min_w
        return Bounds(lower_w=min(power_w, most_w, spec.max_w))
    if under_hz > 0 and spec.control is Control.TARGET:
        power_w = before_w + under_hz / nominal / droop.under_droop * spec.min_w
        return Bounds(upper_w=max(power_w, spec.min_w))
    return None


def _along(curve: Curve, device: DeviceState, frequency_hz: float) -> Bounds | None:
    """Return the bound on a device's generation; below zero storage has to charge."""
    spec = device.spec
    share = along(curve.points, frequency_hz)
    if share >= 1.0:
        return None
    if share >= 0.0:
        return Bounds(lower_w=share * spec.min_w)
    return Bounds(lower_w=min(-share * spec.max_w, spec.max_w))


def _reason(signal: Signal) -> str:
    return say("{program} has active power follow the frequency", program=signal.program)
