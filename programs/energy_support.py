"""Energy support (BUC-5): over an event the home takes a given energy less than its baseline.

The bound follows from what is left to save and the time left to save it in: a home that is behind
presses harder, one that has delivered is pressed no more.
"""

import math
from dataclasses import dataclass
from typing import Final

from der.sentence import say
from programs.about import About
from programs.inputs import Inputs
from programs.proposal import HOME, Bounds, Proposal
from programs.rules import in_force, rank_of, wish, withhold
from programs.signal import Signal, SignalKind

ID = "energy-support"

ABOUT: Final = About(
    use_cases=("BUC-5",),
    title="Energy support",
    triggered_by="The utility, by an event",
    asks="Over the event the home takes a given energy less than its baseline.",
    ends="When that energy is saved, or with the event.",
    carried_by=("EndDeviceControl TargetReduction.Wh",),
    clause="IEEE 2030.5, Demand Response and Load Control function set: TargetReduction",
    leaving="What was saved so far counts as partly delivered, the rest as not delivered.",
)

_S_PER_H: Final = 3600.0


@dataclass(frozen=True, slots=True)
class EnergySupportPolicy:
    """How hard the home may be pressed.

    Attributes:
        shortest_s: Time in s over which the last remainder is asked for; without it the bound
            would fall without end as the event closes.
    """

    shortest_s: float = 10.0


def bound_w(signal: Signal, now: float, policy: EnergySupportPolicy) -> float | None:
    """Return the net power in W that delivers what is left; None once all is delivered.

    Args:
        signal: An ENERGY signal with a baseline and an end.
        now: UTC epoch seconds.
        policy: How hard the home may be pressed.
    """
    left_wh = signal.value - signal.delivered_wh
    if left_wh <= 0 or signal.baseline_w is None:
        return None
    left_s = max(signal.ends_at - now, policy.shortest_s)
    return signal.baseline_w - left_wh * _S_PER_H / left_s


def propose(inputs: Inputs, policy: EnergySupportPolicy) -> tuple[Proposal, ...]:
    """Return the upper bound on net power that each energy event in force needs now.

    An event without an end asks for nothing: an energy without a time is no power.

    Args:
        inputs: The home and what is asked of it.
        policy: How hard the home may be pressed.
    """
    proposals: list[Proposal] = []
    for signal in in_force(inputs.signals, SignalKind.ENERGY, inputs.now):
        if not math.isfinite(signal.ends_at) or signal.delivered_wh >= signal.value:
            continue
        rank = rank_of(signal)
        limit_w = bound_w(signal, inputs.now, policy)
        if limit_w is None:
            reason = say(
                "{program} asks to save energy; the power before it is not known",
                program=signal.program,
            )
            proposals += withhold(ID, signal, rank, inputs.devices, reason)
            continue
        left_wh = signal.value - signal.delivered_wh
        reason = say(
            "{program} asks to save {left:.0f} Wh more until the event ends",
            program=signal.program,
            left=left_wh,
        )
        proposals.append(wish(ID, signal, rank, HOME, Bounds(upper_w=limit_w), reason=reason))
    return tuple(proposals)
