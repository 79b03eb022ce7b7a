"""Peak shaving (BUC-1): the home takes no more than a limit while the grid is at its peak.

A limit on import is about the meter, so that own generation and storage count; a limit on load is
about all that consumes, whatever feeds it (CSIP-AUS opModImpLimW and opModLoadLimW). The
programme states the limit as it was asked; the safety margin below it is the allocator's.
"""

from dataclasses import dataclass
from typing import Final

from der.sentence import say
from programs.about import About
from programs.energy_window import EnergyWindow
from programs.inputs import Inputs
from programs.proposal import HOME, LOADS, Bounds, Proposal, Rank
from programs.rules import in_force, kilowatts, rank_of, wish
from programs.signal import SignalKind

ID = "peak-shaving"

ABOUT: Final = About(
    use_cases=("BUC-1",),
    title="Peak shaving",
    triggered_by="The utility, by an event; or the home, by a peak limit of its own",
    asks="The home takes no more from the grid, or uses no more in all, than a limit.",
    ends="With the event, or when it is cancelled; the home's own limit never.",
    carried_by=(
        "DERControl opModImpLimW",
        "DERControl opModLoadLimW",
        "DERControl opModMaxLimWAbsorb",
    ),
    clause="IEEE 2030.5, DER function set: DERControlBase; CSIP-AUS, connection-point limits",
    leaving="The home then takes what it needs during the peak, at the tariff's price.",
)


@dataclass(frozen=True, slots=True)
class PeakShavingPolicy:
    """What the owner set.

    Attributes:
        own_limit_w: Import in W that the home keeps under by itself, for a tariff that charges
            for the peak; None for no such limit.
        own_window: The quarter-hour that runs, with what was taken in it: the limit is then on
            its mean, and what is left of it may be taken at any power. None where nobody counts:
            the limit is then on each instant.
        own_limit_valid_s: How long one statement of that limit lasts unless renewed.
    """

    own_limit_w: float | None = None
    own_window: EnergyWindow | None = None
    own_limit_valid_s: float = 60.0


def propose(inputs: Inputs, policy: PeakShavingPolicy) -> tuple[Proposal, ...]:
    """Return an upper bound for each limit on import or load in force.

    Args:
        inputs: The home and what is asked of it.
        policy: What the owner set.
    """
    proposals = [
        wish(
            ID,
            signal,
            rank_of(signal),
            HOME,
            Bounds(upper_w=signal.value),
            reason=say(
                "{program} asks to take at most {power} from the grid",
                program=signal.program,
                power=kilowatts(signal.value),
            ),
        )
        for signal in in_force(inputs.signals, SignalKind.IMPORT_LIMIT, inputs.now)
    ]
    proposals += [
        wish(
            ID,
            signal,
            rank_of(signal),
            LOADS,
            Bounds(upper_w=signal.value),
            reason=say(
                "{program} asks to consume at most {power} in all",
                program=signal.program,
                power=kilowatts(signal.value),
            ),
        )
        for signal in in_force(inputs.signals, SignalKind.LOAD_LIMIT, inputs.now)
    ]
    own = _own(inputs.now, policy)
    return (*proposals, *(() if own is None else (own,)))


def _own(now: float, policy: PeakShavingPolicy) -> Proposal | None:
    """Return the home's own limit: what of the quarter-hour's energy is left, as a power."""
    limit_w, window = policy.own_limit_w, policy.own_window
    if limit_w is None:
        return None
    limit = kilowatts(limit_w)
    reason = say("The home's own peak limit is {limit}", limit=limit)
    most_w = limit_w
    if window is not None and window.starts_at <= now < window.ends_at:
        most_w = window.left_w(now)
        reason = say(
            "The home's own peak limit is {limit} on the mean of a quarter-hour, "
            "which leaves {most} now",
            limit=limit,
            most=kilowatts(most_w),
        )
    expires_at = now + policy.own_limit_valid_s
    bounds = Bounds(upper_w=most_w)
    return Proposal(ID, Rank.ECONOMY, HOME, bounds, None, expires_at, reason=reason)
