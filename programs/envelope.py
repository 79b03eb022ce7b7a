"""Operating envelope (part of BUC-11): the home injects and generates no more than a limit.

A limit on export is about the meter; a limit on generation is about all that produces behind it,
batteries that discharge included (CSIP-AUS opModExpLimW and opModGenLimW). Together with peak
shaving's limits on import and load they are the envelope at the connection point.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from der.model import DeviceState
from programs.proposal import GENERATION, HOME, Bounds, Proposal, Rank
from programs.rules import in_force, kilowatts, rank_of, wish
from programs.signal import Signal, SignalKind

ID = "envelope"


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


def propose(
    signals: Sequence[Signal],
    devices: Mapping[str, DeviceState],  # noqa: ARG001 (one signature for all programmes)
    net_w: float | None,  # noqa: ARG001
    now: float,
    policy: EnvelopePolicy,
) -> tuple[Proposal, ...]:
    """Return a lower bound for each limit on export or generation in force.

    Args:
        signals: All signals from outside.
        devices: The home's devices, by id.
        net_w: Net power at the meter in W, import positive; None while unknown.
        now: UTC epoch seconds.
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
        for signal in in_force(signals, SignalKind.EXPORT_LIMIT, now)
    ]
    proposals += [
        wish(
            ID,
            signal,
            rank_of(signal),
            GENERATION,
            Bounds(lower_w=-signal.value),
            reason=f"{signal.program} asks to generate at most {kilowatts(signal.value)} in all",
        )
        for signal in in_force(signals, SignalKind.GENERATION_LIMIT, now)
    ]
    if policy.fixed_export_w is not None:
        proposals.append(
            Proposal(
                ID,
                Rank.BINDING,
                HOME,
                Bounds(lower_w=-policy.fixed_export_w),
                None,
                now + policy.fixed_export_valid_s,
                reason=f"The connection may export at most {kilowatts(policy.fixed_export_w)}",
            )
        )
    return tuple(proposals)
