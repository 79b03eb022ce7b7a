"""Operating envelope (part of BUC-11): the home injects and generates no more than a limit.

A limit on export is about the meter; a limit on generation is about all that produces behind it,
batteries that discharge included (CSIP-AUS opModExpLimW and opModGenLimW). Together with peak
shaving's limits on import and load they are the envelope at the connection point.
"""

from dataclasses import dataclass
from typing import Final

from programs.about import About, Latency
from programs.inputs import Inputs
from programs.proposal import HOME, Bounds, Proposal, Rank
from programs.rules import generation_floor, in_force, kilowatts, rank_of, wish
from programs.signal import SignalKind

ID = "envelope"

ABOUT: Final = About(
    use_cases=("BUC-11",),
    title="Operating envelope",
    triggered_by="The utility, by an event or a default control; or the connection agreement",
    asks="The home feeds in, or generates, no more than a limit.",
    ends="With the event, or when it is cancelled; the default control then holds.",
    carried_by=(
        "DERControl opModExpLimW",
        "DERControl opModGenLimW",
        "DERControl opModMaxLimWInject",
        "DERControl opModMaxLimW",
    ),
    clause="IEEE 2030.5, DER function set: DERControlBase; CSIP-AUS, connection-point limits",
    latency=Latency.SECONDS,
    leaving="The home then feeds in all that it makes and does not use.",
)


@dataclass(frozen=True, slots=True)
class EnvelopePolicy:
    """What the connection agreement says.

    Attributes:
        fixed_export_w: Injection in W that is never exceeded, whatever is signalled; None
            where the agreement sets none.
        fixed_export_valid_s: How long one statement of that limit lasts unless renewed.
    """

    fixed_export_w: float | None = None
    fixed_export_valid_s: float = 60.0


def propose(inputs: Inputs, policy: EnvelopePolicy) -> tuple[Proposal, ...]:
    """Return a lower bound for each limit on export or generation in force.

    Args:
        inputs: The home and what is asked of it.
        policy: What the connection agreement says.
    """
    proposals = [
        wish(
            ID,
            signal,
            rank_of(signal),
            HOME,
            Bounds(lower_w=-signal.value),
            reason=f"{signal.program} asks to feed at most {kilowatts(signal.value)} into the grid",
        )
        for signal in in_force(inputs.signals, SignalKind.EXPORT_LIMIT, inputs.now)
    ]
    for signal in in_force(inputs.signals, SignalKind.GENERATION_LIMIT, inputs.now):
        reason = f"{signal.program} asks to generate at most {kilowatts(signal.value)} in all"
        proposals += generation_floor(ID, signal, signal.value, inputs.devices, reason)
    if policy.fixed_export_w is not None:
        proposals.append(
            Proposal(
                ID,
                Rank.BINDING,
                HOME,
                Bounds(lower_w=-policy.fixed_export_w),
                None,
                inputs.now + policy.fixed_export_valid_s,
                reason=f"The connection may export at most {kilowatts(policy.fixed_export_w)}",
            )
        )
    return tuple(proposals)
