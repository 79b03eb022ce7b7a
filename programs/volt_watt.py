"""Volt-Watt (part of BUC-4): less generation where the voltage is high.

An inverter that has the function runs the curve by itself. For others the hub bounds the generation
by the voltage that is measured at the meter: followed within 10 s, held still against small moves,
and only while the hub runs; when it falls silent, each device falls back as for any limit.
"""

from dataclasses import dataclass
from typing import Final

from der.curves import Curve, ShareOf
from der.sentence import say
from programs.about import About, Latency
from programs.following import along, voltage_share
from programs.inputs import Inputs
from programs.proposal import Bounds, Proposal
from programs.rules import PRODUCING, in_force, rank_of, wish
from programs.signal import Signal, SignalKind
from programs.support import SupportWish, reached_by, run_or, runs

ID = "volt-watt"

ABOUT: Final = About(
    use_cases=("BUC-4", "BUC-11"),
    title="Less generation at high voltage (Volt-Watt)",
    triggered_by="The utility: an event, or the default control of its programme",
    asks="Solar and discharging batteries give less as the voltage rises, along a curve.",
    ends="With the event, when it is cancelled or left; each inverter then runs as it did before.",
    carried_by=("DERControl opModVoltWatt", "DefaultDERControl opModVoltWatt", "DERCurve"),
    clause="IEEE 2030.5-2018 10.10.4.3; IEEE 1547-2018 5.4.2",
    latency=Latency.SECONDS,
    leaving="Inverters may then trip where the voltage is too high, and give nothing.",
)


@dataclass(frozen=True, slots=True)
class VoltWattPolicy:
    """How the hub follows a curve for an inverter that cannot.

    Attributes:
        nominal_v: Nominal voltage, phase to neutral.
    """

    nominal_v: float = 230.0


def propose_support(inputs: Inputs) -> tuple[SupportWish, ...]:
    """Return what inverters that have the function are to run.

    Args:
        inputs: The home and what is asked of it.
    """
    return tuple(
        wish
        for signal in in_force(inputs.signals, SignalKind.VOLT_WATT, inputs.now)
        for wish in run_or(ID, signal, inputs, _reason(signal))
    )


def propose(inputs: Inputs, policy: VoltWattPolicy) -> tuple[Proposal, ...]:
    """Return the bound on each producer that does not have the function, at the voltage now.

    Args:
        inputs: The home and what is asked of it.
        policy: How the hub follows a curve itself.
    """
    return tuple(
        proposal
        for signal in in_force(inputs.signals, SignalKind.VOLT_WATT, inputs.now)
        for proposal in _bounds(signal, inputs, policy)
    )


def _bounds(signal: Signal, inputs: Inputs, policy: VoltWattPolicy) -> list[Proposal]:
    curve = signal.settings
    if not isinstance(curve, Curve) or curve.of is not ShareOf.MAX_W:
        return []
    level_v = inputs.sensed.level_v
    share = voltage_share(curve, inputs.sensed, policy.nominal_v)
    if share is None or level_v is None:
        return []
    part = min(max(along(curve.points, share), 0.0), 1.0)
    if part >= 1.0:
        return []
    return [
        wish(
            ID,
            signal,
            rank_of(signal),
            device.spec.id,
            Bounds(lower_w=part * device.spec.min_w),
            reason=say(
                "{reason}: at {level:.0f} V at most {part:.0%}",
                reason=_reason(signal),
                level=level_v,
                part=part,
            ),
        )
        for device in reached_by(signal, inputs)
        if device.spec.control in PRODUCING
        and not runs(inputs.options.get(device.spec.id), curve.function)
    ]


def _reason(signal: Signal) -> str:
    return say("{program} has generation follow the voltage, along a curve", program=signal.program)
