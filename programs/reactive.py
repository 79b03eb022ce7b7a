"""Fixed reactive power and fixed power factor (BUC-12, reactive part).

The utility names a reactive power for generation and storage together, in var or in per cent of
what they can, which inverters share by their rating; or a power factor that each inverter holds,
one while it gives power and maybe another while it takes some. Each is held with a time after which
the inverter, left alone, drops it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from der.model import DeviceState
from der.sentence import Quantity, Sentence, say
from programs.about import About, Latency
from programs.inputs import Inputs
from programs.rules import in_force
from programs.signal import Signal, SignalKind
from programs.support import (
    FixedFactor,
    FixedVar,
    SupportWish,
    holds,
    reached_by,
    shared,
    support,
)

ID = "reactive-power"

ABOUT: Final = About(
    use_cases=("BUC-12", "BUC-4"),
    title="Fixed reactive power or power factor",
    triggered_by="The utility: an event, or the default control of its programme",
    asks="Inverters together hold a reactive power, or each holds a power factor.",
    ends="With the event, when it is cancelled or left; each inverter then runs as it did before.",
    carried_by=(
        "DERControl opModFixedVar",
        "DERControl opModTargetVar",
        "DERControl opModFixedPFInjectW",
        "DERControl opModFixedPFAbsorbW",
    ),
    clause="IEEE 2030.5-2018 10.10.4.3; IEEE 1547-2018 5.3.2 and 5.3.5",
    latency=Latency.SUB_SECOND,
    leaving="The voltage is then the utility's to hold by other means.",
)


def propose_support(inputs: Inputs) -> tuple[SupportWish, ...]:
    """Return what each inverter is to hold.

    Args:
        inputs: The home and what is asked of it.
    """
    wishes: list[SupportWish] = []
    for signal in in_force(inputs.signals, SignalKind.REACTIVE_POWER, inputs.now):
        reason = say(
            "{program} asks inverters to {does}", program=signal.program, does=_verb(signal.value)
        )
        parts = shared(signal.value, _able(signal, inputs), inputs.options)
        wishes += [
            support(ID, signal, device, FixedVar(float(round(var))), reason)
            for device, var in parts.items()
        ]
    for signal, factor in _factors(inputs).values():
        reason = say(
            "{program} sets a power factor of {factor:g}",
            program=signal.program,
            factor=abs(signal.value),
        )
        wishes += [
            support(ID, signal, device.spec.id, factor, reason) for device in _able(signal, inputs)
        ]
    return tuple(wishes)


def _able(signal: Signal, inputs: Inputs) -> Sequence[DeviceState]:
    return [d for d in reached_by(signal, inputs) if holds(inputs.options.get(d.spec.id))]


def _factors(inputs: Inputs) -> Mapping[frozenset[str], tuple[Signal, FixedFactor]]:
    """Return the power factors, those for giving and for taking power together.

    Returns:
        By the devices that they are about: whose word it is, and what is to be held.
    """
    found: dict[frozenset[str], tuple[Signal, FixedFactor]] = {}
    for signal in in_force(inputs.signals, SignalKind.POWER_FACTOR, inputs.now):
        found[signal.devices] = signal, FixedFactor(producing=signal.value)
    for signal in in_force(inputs.signals, SignalKind.CHARGING_FACTOR, inputs.now):
        first, factor = found.get(signal.devices, (signal, FixedFactor()))
        found[signal.devices] = first, FixedFactor(factor.producing, signal.value)
    return found


def _verb(var: float) -> Sentence:
    if not var:
        return say("move no reactive power")
    size = Quantity(f"{abs(var) / 1000:.3g}", "kvar")
    return say("absorb {size}", size=size) if var > 0 else say("inject {size}", size=size)
