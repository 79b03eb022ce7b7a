"""One door for every wish: what anybody asks of the home is a `Proposal` with a rank.

Utility events, aggregator calls, prices, the owner's buttons, the plan and the safety limits all
become proposals; one arbiter turns them into set-points.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from der.model import Phase

HOME: Final = "home"
"""Target of a proposal about the connection point (the meter), not about one device."""

LOADS: Final = "loads"
"""Target of a proposal about the sum of all that consumes behind the meter, charging included."""

GENERATION: Final = "generation"
"""Target of a proposal about the sum of all that produces behind the meter (never positive)."""

COURSE: Final = "course"
"""Target of a proposal about where the net power at the meter may be one second from now, so that
half the width of its bounds is how fast it may change. What follows without steps answers it:
storage, the sun, chargers; no load is switched off for it."""

PHASES: Final[Mapping[Phase, str]] = {phase: f"phase-{phase}" for phase in Phase}
"""Targets of proposals about one phase at the connection point, by phase."""

HOME_TARGETS: Final = (HOME, LOADS, GENERATION, COURSE, *PHASES.values())
"""The targets that are no device; no device may carry one of these ids."""


class Rank(IntEnum):
    """Whose word counts; the smaller number is the stronger."""

    SAFETY = 0
    """Device safety and the main breaker."""
    EMERGENCY = 1
    """Islanding and grid emergencies."""
    BINDING = 2
    """Binding utility limits and controls."""
    ACCEPTED = 3
    """Events that the home has accepted and may leave."""
    OWNER = 4
    """The owner's direct wish and comfort."""
    ECONOMY = 5
    """What pays."""
    IDLE = 6
    """What a device does when nobody asks anything."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A closed interval of power in W, passive sign; infinite where unbounded."""

    lower_w: float = -math.inf
    upper_w: float = math.inf

    def __contains__(self, power_w: float) -> bool:
        return self.lower_w <= power_w <= self.upper_w

    def clamp(self, power_w: float) -> float:
        """Return the power nearest to `power_w` inside the bounds."""
        return min(max(power_w, self.lower_w), self.upper_w)

    def times(self, part: float) -> "Bounds":
        """Return the bounds of so large a part of the power, 0 to 1; both must be finite."""
        return Bounds(part * self.lower_w, part * self.upper_w)

    def within(self, other: "Bounds") -> "Bounds":
        """Return these bounds cut to `other`; where they do not meet, the nearest edge of it."""
        return Bounds(other.clamp(self.lower_w), other.clamp(self.upper_w))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A wish about the home or one device.

    Attributes:
        source: Which programme or part asks ("peak-shaving", "owner", "main-breaker").
        rank: How strong the wish is.
        target: A device id, or `HOME`.
        bounds: The power that the target must keep to.
        preferred_w: The power it should have within them; None for no preference.
        expires_at: UTC epoch seconds after which the wish is void.
        cause: mRID of the event behind it, empty if none: the ledger and the page join on it.
        reason: One sentence for the owner.
        disconnect: Whether the device is also to open its switch, where it has one.
    """

    source: str
    rank: Rank
    target: str
    bounds: Bounds
    preferred_w: float | None
    expires_at: float
    cause: str = ""
    reason: str = ""
    disconnect: bool = False
