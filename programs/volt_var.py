"""Volt-VAR support (BUC-4): inverters absorb reactive power at high voltage, inject it at low.

An inverter that has the function runs the curve by itself, within its own response time, and goes
back to what it ran before when it hears nothing more. Where an inverter can only hold a reactive
power that it is told, the hub follows the curve by the voltage that is measured at the meter:
within 10 s, and while the hub runs.
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

from der.commands import DeviceOptions
from der.curves import Curve
from der.model import DeviceState
from der.sentence import say
from programs.about import About, Latency
from programs.following import held_along, voltage_share
from programs.inputs import Inputs, Sensed
from programs.rules import in_force
from programs.signal import Signal, SignalKind
from programs.support import FixedVar, SupportWish, run_or

ID = "volt-var"

ABOUT: Final = About(
    use_cases=("BUC-4",),
    title="Keep the voltage by reactive power (Volt-VAR)",
    triggered_by="The utility: an event, or the default control of its programme",
    asks="Inverters absorb or inject reactive power along a curve of the voltage.",
    ends="With the event, when it is cancelled or left; each inverter then runs as it did before.",
    carried_by=("DERControl opModVoltVar", "DefaultDERControl opModVoltVar", "DERCurve"),
    clause="IEEE 2030.5-2018 10.10.4.3; IEEE 1547-2018 5.3.3",
    latency=Latency.SUB_SECOND,
    leaving="The voltage is then the utility's to hold by other means; solar may have to give less "
    "where it is high.",
)


@dataclass(frozen=True, slots=True)
class VoltVarPolicy:
    """How the hub follows a curve for an inverter that cannot.

    Attributes:
        nominal_v: Nominal voltage, phase to neutral.
        step_share: A change smaller than this share of the inverter's rating is not written.
    """

    nominal_v: float = 230.0
    step_share: float = 0.02


def propose_support(inputs: Inputs, policy: VoltVarPolicy) -> tuple[SupportWish, ...]:
    """Return what each inverter is to run or hold, for each curve in force.

    Args:
        inputs: The home and what is asked of it.
        policy: How the hub follows a curve itself.
    """
    return tuple(
        wish
        for signal in in_force(inputs.signals, SignalKind.VOLT_VAR, inputs.now)
        for wish in run_or(
            ID,
            signal,
            inputs,
            say(
                "{program} has the voltage held by reactive power, along a curve",
                program=signal.program,
            ),
            partial(_held, signal, inputs.sensed, policy),
        )
    )


def _held(
    signal: Signal,
    sensed: Sensed,
    policy: VoltVarPolicy,
    device: DeviceState,
    options: DeviceOptions,
) -> FixedVar | None:
    curve = signal.settings
    if not isinstance(curve, Curve):
        return None
    share = voltage_share(curve, sensed, policy.nominal_v)
    return None if share is None else held_along(curve, share, device, options, policy.step_share)
