"""Watt-VAR (part of BUC-4): reactive power along a curve of the active power.

An inverter that has the function runs the curve by itself. Where it can only hold a reactive power
that it is told, the hub follows the curve by the inverter's own last reading, once a second.
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

from der.commands import DeviceOptions
from der.curves import Curve
from der.model import DeviceState, Quality
from der.sentence import say
from programs.about import About, Latency
from programs.following import held_along
from programs.inputs import Inputs
from programs.rules import in_force
from programs.signal import Signal, SignalKind
from programs.support import FixedVar, SupportWish, run_or

ID = "watt-var"

ABOUT: Final = About(
    use_cases=("BUC-4",),
    title="Reactive power by active power (Watt-VAR)",
    triggered_by="The utility: an event, or the default control of its programme",
    asks="Inverters absorb or inject reactive power along a curve of their active power.",
    ends="With the event, when it is cancelled or left; each inverter then runs as it did before.",
    carried_by=("DERControl opModWattVar", "DefaultDERControl opModWattVar", "DERCurve"),
    clause="IEEE 2030.5-2018 10.10.4.3; IEEE 1547-2018 5.3.4",
    latency=Latency.SUB_SECOND,
    leaving="The voltage is then the utility's to hold by other means.",
)


@dataclass(frozen=True, slots=True)
class WattVarPolicy:
    """How the hub follows a curve for an inverter that cannot.

    Attributes:
        step_share: A change smaller than this share of the inverter's rating is not written.
    """

    step_share: float = 0.02


def propose_support(inputs: Inputs, policy: WattVarPolicy) -> tuple[SupportWish, ...]:
    """Return what each inverter is to run or hold, for each curve in force.

    Args:
        inputs: The home and what is asked of it.
        policy: How the hub follows a curve itself.
    """
    return tuple(
        wish
        for signal in in_force(inputs.signals, SignalKind.WATT_VAR, inputs.now)
        for wish in run_or(
            ID,
            signal,
            inputs,
            say(
                "{program} sets reactive power by active power, along a curve",
                program=signal.program,
            ),
            partial(_held, signal, policy),
        )
    )


def _held(
    signal: Signal, policy: WattVarPolicy, device: DeviceState, options: DeviceOptions
) -> FixedVar | None:
    curve, reading = signal.settings, device.reading
    if not isinstance(curve, Curve) or reading is None or device.quality is not Quality.GOOD:
        return None
    share = reading.power_w / -device.spec.min_w
    return held_along(curve, share, device, options, policy.step_share)
