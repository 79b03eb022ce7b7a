"""The course that the net power is to keep (BUC-2), as those see it who follow it without steps.

Batteries, the sun and chargers answer one decision late. So what they are to even out is not the
power of this instant but that of the next: the mean of the last readings while they only ripple,
the newest after a step, and ahead of both where the power moves steadily, as at a cloud's edge.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from der.model import Control
from hems.cem.arbiter import Decision, Span
from hems.cem.observe import Observed, Usable
from hems.cem.policy import AllocatorPolicy
from hems.cem.ripple import SUN_SAMPLES, trend_w_s, typical_w
from programs.proposal import COURSE, Bounds

_FREE: Final = Span()
_MEAN_OF: Final = 5
"""So many readings are averaged where they only ripple."""


@dataclass(frozen=True, slots=True)
class Course:
    """Where the net power may be at the next reading, as reckoned from the power of this one.

    Attributes:
        span: In W; no bounds where nobody asks for a course.
        rate_w_s: How fast the net power may change, W/s; infinite where nobody asks.
    """

    span: Span = _FREE
    rate_w_s: float = math.inf

    @property
    def asked(self) -> bool:
        """Whether somebody asks for a course."""
        return self.span.upper_by is not None

    def fine(self, policy: AllocatorPolicy) -> AllocatorPolicy:
        """Return the figures for those who follow: a dead band that the course itself moves past.

        Within a wider one they would stand still, and the course, which follows the meter, too.
        """
        return replace(policy, dead_band_w=min(policy.dead_band_w, self.rate_w_s / 2))

    def car_w(
        self, car: Usable, allowed_w: float, left_w: float, waited_s: float, policy: AllocatorPolicy
    ) -> float:
        """Return what a car that charges may take, so that the net power keeps its course.

        It is turned down, not off: that would be a step itself. It rises by what batteries even
        out and by what the course has risen since it was last told; such a rise is not taken back.

        Args:
            car: The car.
            allowed_w: What it may take by all that is asked else.
            left_w: What the course leaves to it, the batteries' full help counted in.
            waited_s: Time since it was last told something else, in s.
            policy: By how much it is raised at a time.
        """
        if not self.asked:
            return allowed_w
        spec, before_w = car.state.spec, car.memory.allowed_w
        step_w = policy.raise_least_w
        if car.running and car.reading.power_w > left_w + step_w:
            return min(allowed_w, max(left_w, spec.least_on_w))
        if allowed_w > before_w:
            risen_w = min(self.rate_w_s * max(waited_s, 0.0), step_w)
            most_w = max(left_w, before_w) + risen_w
            return min(allowed_w, max(most_w, before_w))
        return allowed_w

    def bears(self, step_w: float, left_w: float, waited_s: float, policy: AllocatorPolicy) -> bool:
        """Return whether a load may come back: a step that nobody evens out takes its time.

        Args:
            step_w: By how much the net power will jump, W.
            left_w: What the course leaves, the batteries' full help counted in.
            waited_s: Time since a load last came back.
            policy: How long one waits at most.
        """
        if not self.asked or step_w <= left_w:
            return True
        return waited_s >= min(step_w / max(self.rate_w_s, 1e-9), policy.course_patience_s)


def course(decision: Decision, seen: Observed, policy: AllocatorPolicy) -> Course:
    """Return the course that is asked for, moved by what is expected until the next reading.

    Args:
        decision: What the arbiter decided.
        seen: What the image tells.
        policy: The allocator's figures.
    """
    asked = decision.of(COURSE).span
    bounds = asked.bounds
    if asked.upper_by is None or asked.lower_by is None or not seen.known:
        return Course()
    present_w = _present_w(seen)
    nets = [(s.at, s.base_w + s.pv_w) for s in seen.memory.past]
    shift_w = expected_w(nets, [(s.at, s.pv_w) for s in seen.memory.past], policy) - present_w
    moved = Bounds(bounds.lower_w - shift_w, bounds.upper_w - shift_w)
    return Course(replace(asked, bounds=moved), (bounds.upper_w - bounds.lower_w) / 2)


def expected_w(
    nets: Sequence[tuple[float, float]], sun: Sequence[tuple[float, float]], policy: AllocatorPolicy
) -> float:
    """Return what base and sun together will be at the next reading.

    Args:
        nets: Their readings: UTC epoch seconds, W; oldest first, at least one.
        sun: Those of the sun alone, which has no noise of its own.
        policy: How far ahead a steady course counts.
    """
    present_w = nets[-1][1]
    rate_w_s = max(trend_w_s(nets), trend_w_s(sun, SUN_SAMPLES), key=abs)
    if rate_w_s:
        return present_w + rate_w_s * policy.course_lead_s
    powers = [w for _, w in nets]
    last, before = powers[-_MEAN_OF:], powers[-_MEAN_OF:-1]
    if len(before) < _MEAN_OF - 1:
        return present_w
    ripple_w = typical_w(powers)
    away_w = abs(present_w - sum(before) / len(before))
    if away_w > ripple_w or max(before) - min(before) > 2 * ripple_w:
        return present_w
    return sum(last) / len(last)


def _present_w(seen: Observed) -> float:
    sun_w = sum(u.reading.power_w for u in seen.with_control(Control.FLOOR))
    return (seen.base_w or 0.0) + sun_w
