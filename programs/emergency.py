"""Emergency demand reduction (BUC-7): net power falls at once, least essential loads first.

The rank says the rest: at `Rank.EMERGENCY` the allocator sheds strictly by essentiality, and
comfort and minimum on times give way.
"""

from dataclasses import dataclass
from typing import Final

from der.sentence import say
from programs.about import About, Latency
from programs.inputs import Inputs
from programs.proposal import HOME, Bounds, Proposal, Rank
from programs.rules import in_force, kilowatts, wish, withhold
from programs.signal import SignalKind

ID = "emergency"

ABOUT: Final = About(
    use_cases=("BUC-7",),
    title="Emergency demand",
    triggered_by="The utility, by an event, in an emergency of the grid",
    asks="Net power falls at once by a given amount, least essential loads first.",
    ends="With the event, or when it is cancelled; loads come back one after the other.",
    carried_by=("EndDeviceControl TargetReduction.W",),
    clause="IEEE 2030.5, Demand Response and Load Control function set: TargetReduction",
    latency=Latency.SUB_SECOND,
    leaving="What is shed comes back at once.",
)


@dataclass(frozen=True, slots=True)
class EmergencyPolicy:
    """How far an emergency may go.

    Attributes:
        least_net_w: Net power in W below which shedding is not driven: -inf lets storage feed
            the grid where the shed is greater than the home's own draw, 0 does not.
    """

    least_net_w: float = float("-inf")


def propose(inputs: Inputs, policy: EmergencyPolicy) -> tuple[Proposal, ...]:
    """Return the upper bound on net power of each shed in force: its baseline less its value.

    Args:
        inputs: The home and what is asked of it.
        policy: How far an emergency may go.
    """
    proposals: list[Proposal] = []
    for signal in in_force(inputs.signals, SignalKind.SHED, inputs.now):
        if signal.value <= 0:
            continue
        reason = say(
            "{program} asks to shed {power} in an emergency",
            program=signal.program,
            power=kilowatts(signal.value),
        )
        if signal.baseline_w is None:
            reason = say(
                "{reason}; the power before it is not known, so all that can wait does",
                reason=reason,
            )
            proposals += withhold(ID, signal, Rank.EMERGENCY, inputs.devices, reason)
            continue
        limit_w = max(signal.baseline_w - signal.value, policy.least_net_w)
        bounds = Bounds(upper_w=limit_w)
        proposals.append(wish(ID, signal, Rank.EMERGENCY, HOME, bounds, reason=reason))
    return tuple(proposals)
