"""An amount of energy that may flow within a window of time: what power that leaves now.

Shared by the home's own peak target (a mean over each quarter-hour) and the energy envelope at the
connection point (so many kWh a quarter-hour, an hour or a day). The bound acts within the window:
who has taken little so far may take more now, who has taken too much less, so that the whole keeps
to its amount. In a long window half of the amount is kept for the time to come at an even pace, so
that a morning does not use up the day.
"""

from dataclasses import dataclass
from typing import Final

_S_PER_H: Final = 3600.0
SHORTEST_S: Final = 10.0
"""The last remainder is spread over no less: the bound would grow or fall without end."""
HORIZON_S: Final = 900.0
"""Power is granted for a quarter-hour ahead."""
KEPT_SHARE: Final = 0.5
"""Share of the even pace that is kept for the rest of a long window."""


@dataclass(frozen=True, slots=True)
class EnergyWindow:
    """One window that runs.

    Attributes:
        limit_wh: What may flow in it, not negative.
        used_wh: What has.
        starts_at: UTC epoch seconds.
        ends_at: UTC epoch seconds.
    """

    limit_wh: float
    used_wh: float
    starts_at: float
    ends_at: float

    def left_w(self, now: float) -> float:
        """Return the power in W that may flow now, never negative.

        Args:
            now: UTC epoch seconds, within the window.
        """
        left_s = max(self.ends_at - now, SHORTEST_S)
        ahead_s = min(left_s, HORIZON_S)
        pace_w = self.limit_wh * _S_PER_H / (self.ends_at - self.starts_at)
        kept_wh = KEPT_SHARE * pace_w * (left_s - ahead_s) / _S_PER_H
        left_wh = self.limit_wh - self.used_wh
        if left_wh < kept_wh:  # behind the pace that was to be kept: an even one from here
            return max(left_wh, 0.0) * _S_PER_H / left_s
        even_w = left_wh * _S_PER_H / left_s
        return max((left_wh - kept_wh) * _S_PER_H / ahead_s, min(even_w, KEPT_SHARE * pace_w))
