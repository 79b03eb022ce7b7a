"""Duty cycle (part of BUC-5): flexible loads run for a share of the time, resting first.

Carried by an EndDeviceControl's DutyCycle. Each period begins with the rest, so that the event
lowers the load from its first second on; the period is counted from the event's own start, which
is random for each home where the utility wants a street not to move as one.
"""

from dataclasses import dataclass
from typing import Final

from der.sentence import say
from programs.about import About
from programs.inputs import Inputs
from programs.proposal import Bounds, Proposal
from programs.rules import SHEDDABLE, about, in_force, rank_of, wish
from programs.signal import SignalKind

ID = "duty-cycle"

ABOUT: Final = About(
    use_cases=("BUC-5",),
    title="Duty cycle",
    triggered_by="The utility, by an event",
    asks="Loads that can wait run for a share of the time.",
    ends="With the event, or when it is cancelled.",
    carried_by=("EndDeviceControl DutyCycle",),
    clause="IEEE 2030.5, Demand Response and Load Control function set: DutyCycle",
    leaving="Loads that can wait run freely again, and the event counts as partly completed.",
)


@dataclass(frozen=True, slots=True)
class DutyCyclePolicy:
    """How loads are cycled.

    Attributes:
        period_s: Time in s over which the share is kept; half an hour unless set otherwise, as
            IEEE 2030.5 has it (DRLC, DutyCycle).
    """

    period_s: float = 1800.0


def propose(inputs: Inputs, policy: DutyCyclePolicy) -> tuple[Proposal, ...]:
    """Return, for each duty cycle whose rest it is now, a stop for every flexible load.

    Args:
        inputs: The home and what is asked of it.
        policy: How loads are cycled.
    """
    return tuple(
        wish(
            ID,
            signal,
            rank_of(signal),
            state.spec.id,
            Bounds(upper_w=0.0),
            reason=say(
                "{program} asks it to run {share:.0f} % of the time",
                program=signal.program,
                share=signal.value,
            ),
        )
        for signal in in_force(inputs.signals, SignalKind.DUTY_CYCLE, inputs.now)
        if rests(inputs.now - signal.starts_at, signal.value, policy)
        for state in about(signal, inputs.devices)
        if state.spec.control in SHEDDABLE
    )


def rests(since_s: float, share_percent: float, policy: DutyCyclePolicy) -> bool:
    """Return whether loads rest, so many seconds after the event's start."""
    resting_s = policy.period_s * (100.0 - min(max(share_percent, 0.0), 100.0)) / 100.0
    return since_s % policy.period_s < resting_s
