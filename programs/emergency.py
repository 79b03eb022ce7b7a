"""Emergency demand reduction (BUC-7): net power falls at once, least essential loads first.

The rank says the rest: at `Rank.EMERGENCY` the allocator sheds strictly by essentiality, and
comfort and minimum on times give way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from der.model import DeviceState
from programs.proposal import HOME, Bounds, Proposal, Rank
from programs.rules import in_force, kilowatts, wish, withhold
from programs.signal import Signal, SignalKind

ID = "emergency"


@dataclass(frozen=True, slots=True)
class EmergencyPolicy:
    """How far an emergency may go.

    Attributes:
        least_net_w: Net power in W below which shedding is not driven: -inf lets storage feed
            the grid where the shed is greater than the home's own draw, 0 does not.
    """

    least_net_w: float = float("-inf")


def propose(
    signals: Sequence[Signal],
    devices: Mapping[str, DeviceState],
    net_w: float | None,  # noqa: ARG001 (one signature for all programmes)
    now: float,
    policy: EmergencyPolicy,
) -> tuple[Proposal, ...]:
    """Return the upper bound on net power of each shed in force: its baseline less its value.

    Args:
        signals: All signals from outside.
        devices: The home's devices, by id.
        net_w: Net power at the meter in W, import positive; None while unknown.
        now: UTC epoch seconds.
        policy: How far an emergency may go.
    """
    proposals: list[Proposal] = []
    for signal in in_force(signals, SignalKind.SHED, now):
        if signal.value <= 0:
            continue
        reason = f"{signal.program} asks to shed {kilowatts(signal.value)} in an emergency"
        if signal.baseline_w is None:
            reason += "; the power before it is not known, so all that can wait does"
            proposals += withhold(ID, signal, Rank.EMERGENCY, devices, reason)
            continue
        limit_w = max(signal.baseline_w - signal.value, policy.least_net_w)
        bounds = Bounds(upper_w=limit_w)
        proposals.append(wish(ID, signal, Rank.EMERGENCY, HOME, bounds, reason=reason))
    return tuple(proposals)
