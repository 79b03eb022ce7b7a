"""When to plan anew: every few minutes, and at once when what the plan rests on has changed. Pure.

| what | how soon |
|---|---|
| an event, a price, a need, a plug, a device changed | at once, but not twice in `Pace.least_s` |
| the clock was set | at once |
| load or sun other than foretold for `Pace.strange_s` | `Pace.calm_s` after the last |
| nothing of these | `Pace.every_s` after the last |
"""

from dataclasses import dataclass, replace

from hems.cem.planner.plan import Plan


@dataclass(frozen=True, slots=True)
class Pace:
    """How often it is planned.

    Attributes:
        every_s: At the latest.
        least_s: At the soonest, after a change.
        calm_s: At the soonest, when the forecast is wrong.
        strange_s: How long load and sun must differ from what was foretold.
        strange_w: By how much at least, as a mean over that time.
        strange_share: And by which share of what was foretold.
    """

    every_s: float = 300.0
    least_s: float = 5.0
    calm_s: float = 60.0
    strange_s: float = 180.0
    strange_w: float = 500.0
    strange_share: float = 0.5


@dataclass(frozen=True, slots=True)
class Occasion:
    """What is remembered since the last question.

    Attributes:
        asked_at: When that was, monotonic s; None before the first.
        basis: What it rested on, compared as a whole.
        error_ws: Energy, in W s, by which load less sun went beyond what was foretold.
        watched_s: For how long.
    """

    asked_at: float | None = None
    basis: object = None
    error_ws: float = 0.0
    watched_s: float = 0.0

    def asked(self, now: float, basis: object) -> "Occasion":
        """Return the memory after a question at `now`, monotonic s."""
        return Occasion(now, basis)

    def seen(self, error_w: float | None, lasted_s: float, pace: Pace) -> "Occasion":
        """Return the memory with another measured difference from the forecast.

        Args:
            error_w: Measured load and sun together less those foretold; None if not known.
            lasted_s: Time that it stands for.
            pace: Figures.
        """
        if error_w is None:
            return replace(self, error_ws=0.0, watched_s=0.0)
        keep = max(0.0, 1.0 - lasted_s / pace.strange_s)  # an exponential mean over `strange_s`
        return replace(
            self,
            error_ws=keep * self.error_ws + error_w * lasted_s,
            watched_s=min(self.watched_s + lasted_s, pace.strange_s),
        )

    def due(self, now: float, basis: object, expected_w: float, pace: Pace) -> bool:
        """Return whether it is time to plan anew.

        Args:
            now: Monotonic s.
            basis: What a plan would rest on now.
            expected_w: What load and sun were foretold to be now, together.
            pace: Figures.
        """
        if self.asked_at is None:
            return True
        age_s = now - self.asked_at
        if age_s >= pace.every_s:
            return True
        if basis != self.basis and age_s >= pace.least_s:
            return True
        strange_w = max(pace.strange_w, pace.strange_share * abs(expected_w))
        wrong = abs(self.error_ws) > strange_w * pace.strange_s
        return wrong and self.watched_s >= pace.strange_s and age_s >= pace.calm_s


def foretold_w(plan: Plan | None, now: float) -> float | None:
    """Return what a plan foretells of load and sun together at `now`; None beyond its end."""
    if plan is None:
        return None
    slot = plan.slots.at(now)
    if not 0 <= slot < plan.slots.count:
        return None
    return plan.load_w[slot] + plan.sun_w[slot]
