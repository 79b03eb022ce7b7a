"""Slope of net demand (BUC-2): the home's net power changes by no more than some W a minute.

What is bounded is the slope of the straight line that fits the net power of the last minute best
(least squares over its readings), at each reading anew: so one reading of noise does not break the
bound, and a step, which no storage answers before it is seen, counts with the time that it lasts.

The rule has no memory of its own. The course that the home is to follow is found again in each
decision from the net power of the last two minutes: a line that goes after the readings at the
bound's rate at most. The home keeps to it by what follows without steps: storage first, then the
sun held back, then cars turned down; loads that were taken away come back one by one. No load is
switched off for it: that would be a step itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from der.sentence import say
from programs.about import About, Latency
from programs.inputs import Inputs
from programs.proposal import COURSE, Bounds, Proposal, Rank
from programs.rules import in_force, kilowatts, rank_of
from programs.signal import SignalKind

ID = "slope"

ABOUT: Final = About(
    use_cases=("BUC-2",),
    title="Smooth net demand",
    triggered_by="The home's own bound, or the utility: an event of a programme that was joined "
    "with a bound on the slope, and for a time after any event where the home is set so",
    asks="Net power at the meter changes by no more than a given number of watts a minute.",
    ends="With the event, or when it is cancelled; the home's own bound never.",
    carried_by=("An event of a programme with an agreed slope",),
    clause="Agreement; IEEE 2030.5 has a gradient of a DER (setGradW) and none of the net power",
    latency=Latency.SECONDS,
    leaving="The home's net power then jumps with each load and each cloud.",
)

WINDOW_S: Final = 60.0
"""Over this time the slope is measured."""
_START_S: Final = 10.0
"""The course begins at the mean of the first seconds that are known."""
_LEAST_SPAN: Final = 0.5
"""A window of which less than this share is known has no slope."""


@dataclass(frozen=True, slots=True)
class SlopePolicy:
    """What is bounded without an event.

    Attributes:
        own_w_min: Greatest change of the net power in W a minute; None for no such bound.
        binding: Whether that is the connection agreement's, and so stronger than the owner's
            wishes about a battery; else it is one of them.
        used: Share of a bound that the home plans with; the rest is for what is seen too late.
        valid_s: How long one statement lasts unless renewed, in s.
    """

    own_w_min: float | None = None
    binding: bool = False
    used: float = 0.8
    valid_s: float = 60.0


def propose(inputs: Inputs, policy: SlopePolicy) -> tuple[Proposal, ...]:
    """Return where the net power may be in a second, for each bound on its slope.

    Without a reading of the meter nothing is asked: nobody sees the slope.

    Args:
        inputs: The home and what is asked of it.
        policy: What is bounded without an event.
    """
    if inputs.net_w is None:
        return ()
    past = _known(inputs)
    proposals = [
        Proposal(
            ID,
            rank_of(signal),
            COURSE,
            _next(past, signal.value * policy.used),
            None,
            min(signal.ends_at, inputs.now + policy.valid_s),
            signal.event,
            say(
                "{program} asks that net power changes by at most {power} a minute",
                program=signal.program,
                power=kilowatts(signal.value),
            ),
        )
        for signal in in_force(inputs.signals, SignalKind.SLOPE, inputs.now)
        if signal.value > 0
    ]
    if policy.own_w_min is not None:
        proposals.append(
            Proposal(
                ID,
                Rank.BINDING if policy.binding else Rank.ECONOMY,
                COURSE,
                _next(past, policy.own_w_min * policy.used),
                None,
                inputs.now + policy.valid_s,
                reason=say(
                    "The home's net power changes by at most {own} a minute",
                    own=kilowatts(policy.own_w_min),
                ),
            )
        )
    return tuple(proposals)


def course_w(past: Sequence[tuple[float, float]], rate_w_s: float) -> float | None:
    """Return where a line is that goes after the readings at a rate; None without readings.

    It follows the middle of what is noisy, and a step as fast as it may.

    Args:
        past: Net power at the meter: UTC epoch seconds, W; oldest first.
        rate_w_s: How fast the line may move, W/s, not negative.
    """
    if not past:
        return None
    began = past[0][0]
    first = [w for at, w in past if at <= began + _START_S]
    at_w, before = sum(first) / len(first), began
    for at, net_w in past[len(first) :]:
        most_w = rate_w_s * max(at - before, 0.0)
        at_w += min(max(net_w - at_w, -most_w), most_w)
        before = at
    return at_w


def slope_w_min(past: Sequence[tuple[float, float]], now: float) -> float | None:
    """Return the slope of the net power over the minute before `now`, W a minute.

    Args:
        past: Net power at the meter: UTC epoch seconds, W; oldest first.
        now: UTC epoch seconds.

    Returns:
        Slope of the line that fits best; None where less than half of the minute is known.
    """
    points = [(at - now, w) for at, w in past if now - WINDOW_S <= at <= now]
    if len(points) < 3 or points[-1][0] - points[0][0] < _LEAST_SPAN * WINDOW_S:  # noqa: PLR2004
        return None
    mean_s = sum(at for at, _ in points) / len(points)
    spread = sum((at - mean_s) ** 2 for at, _ in points)
    return sum((at - mean_s) * w for at, w in points) / spread * 60.0


def _known(inputs: Inputs) -> Sequence[tuple[float, float]]:
    """Return the net power so far, with the reading that is decided on as the last."""
    if inputs.past_net or inputs.net_w is None:
        return inputs.past_net
    return ((inputs.now, inputs.net_w),)


def _next(past: Sequence[tuple[float, float]], w_min: float) -> Bounds:
    rate_w_s = w_min / 60.0
    at_w = course_w(past, rate_w_s) or 0.0
    return Bounds(at_w - rate_w_s, at_w + rate_w_s)
