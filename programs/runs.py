"""Runs of appliances: begun once, when it pays or must be, and then not broken off.

A run that waits keeps its switch off, at the rank of economy. One that has begun has the owner's
rank to its end: what pays does not break it off, the utility's limits may. When it begins is the
plan's word; without a plan it begins at the last moment.
"""

from dataclasses import dataclass
from typing import Final

from der.model import Control
from programs.about import About
from programs.economy import Step
from programs.inputs import Inputs
from programs.proposal import Bounds, Proposal, Rank

ID = "runs"

ABOUT: Final = About(
    use_cases=(),
    title="Runs of appliances",
    triggered_by="The owner, who asks for a run that is done by a time",
    asks="The appliance waits until it pays to run or must, and is then not broken off.",
    ends="When the run is over or called off.",
    leaving="It cannot be left; without a run asked for it asks nothing.",
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of an appliance.

    Attributes:
        device: Id of its switch.
        ends_at: When it is over, UTC epoch seconds; None while it has not begun.
        reason: One sentence for the owner.
    """

    device: str
    ends_at: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunsPolicy:
    """The runs that the owner has asked for.

    Attributes:
        runs: Those that wait, and those that have begun.
        valid_s: How long one statement lasts unless renewed, s.
    """

    runs: tuple[Run, ...] = ()
    valid_s: float = 60.0


def planned_start(steps: tuple[Step, ...], earliest: float, now: float) -> float | None:
    """Return when a plan has an appliance begin, UTC epoch seconds; None where it does not.

    Args:
        steps: Its steps, in order of time.
        earliest: When it may begin, UTC epoch seconds: what the plan has begin sooner is the run
            before this one, in a plan made before this one was asked for.
        now: UTC epoch seconds; steps that are over do not count.
    """
    starts = (s.starts_at for s in steps if s.power_w > 0 and now < s.ends_at)
    return next((at for at in starts if at >= earliest), None)


def due(
    earliest: float, ready_by: float, length_s: float, planned_at: float | None, now: float
) -> bool:
    """Return whether a run begins now.

    Args:
        earliest: When it may begin, UTC epoch seconds.
        ready_by: When it has to be done.
        length_s: How long it takes, s.
        planned_at: When the plan has it begin; None without a plan.
        now: UTC epoch seconds.
    """
    if now < earliest:
        return False
    return now >= ready_by - length_s or (planned_at is not None and now >= planned_at)


def propose(inputs: Inputs, policy: RunsPolicy) -> tuple[Proposal, ...]:
    """Return, for each run, that its switch stays off until it begins and then on to its end.

    Args:
        inputs: The home and what is asked of it.
        policy: The runs.
    """
    proposals: list[Proposal] = []
    for run in policy.runs:
        state = inputs.devices.get(run.device)
        if state is None or state.spec.control is not Control.SWITCH:
            continue
        expires_at, rank, bounds = inputs.now + policy.valid_s, Rank.ECONOMY, Bounds(upper_w=0.0)
        if run.ends_at is not None:
            expires_at, rank = min(expires_at, run.ends_at), Rank.OWNER
            bounds = Bounds(lower_w=state.spec.max_w)
        if inputs.now < expires_at:
            proposals.append(
                Proposal(ID, rank, run.device, bounds, None, expires_at, reason=run.reason)
            )
    return tuple(proposals)
