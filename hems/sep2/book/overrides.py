"""The owner's override of a load control: for so long it is allowed, and no longer.

An EndDeviceControl may grant a time (`overrideDuration`) for which its owner may override it and
still have met it. That is no opt-out: the device takes part again when the time is used up, and
the server hears of it at the end, with the total (response 8 and `DrResponse.overrideDuration`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hems.sep2.rules.events import Interval
from hems.sep2.rules.lifecycle import Code, Owed, Profile


@dataclass(frozen=True, slots=True)
class Override:
    """How much of the granted time is used.

    Attributes:
        since: Since when the owner overrides, server's clock; None while nobody does.
        before_s: What was used before that.
    """

    since: float | None = None
    before_s: float = 0.0

    @property
    def on(self) -> bool:
        """Whether the owner overrides the event now."""
        return self.since is not None

    def used_s(self, span: Interval, now: float) -> float:
        """Return the time used until `now`; what lies outside of the event's own does not count."""
        if self.since is None:
            return self.before_s
        return self.before_s + max(0.0, min(now, span.end) - max(self.since, span.start))

    def ends_at(self, span: Interval, granted_s: float) -> float:
        """Return when the granted time is used up; infinite while nobody overrides."""
        if self.since is None:
            return math.inf
        return max(self.since, span.start) + granted_s - self.before_s

    def begun(self, now: float) -> "Override":
        """Return it with the owner overriding from now on."""
        return self if self.on else replace(self, since=now)

    def ended(self, span: Interval, now: float) -> "Override":
        """Return it with the owner taking part again from now on."""
        return Override(None, self.used_s(span, now))


def told(due: Sequence[Owed], used_s: float, profile: Profile) -> tuple[Owed, ...]:
    """Return responses with a completion told as partly completed, where it was overridden."""
    partly = used_s > 0 and Code.PARTLY_OPT_OUT in profile.codes
    return tuple(
        replace(o, code=Code.PARTLY_OPT_OUT) if partly and o.code is Code.COMPLETED else o
        for o in due
    )
