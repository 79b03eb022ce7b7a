"""Power that limits leave to flexible loads, as each load sees it: by the limits that reach it."""

import math
from dataclasses import dataclass, field

from der.model import DeviceSpec, DeviceState
from hems.cem.arbiter import Decision, Span, Target
from hems.cem.outlook import Outlook
from hems.cem.phases import Lines
from hems.cem.policy import AllocatorPolicy
from hems.cem.storage import Surroundings
from programs.ownership import weakest
from programs.proposal import HOME, LOADS, Proposal, Rank


@dataclass(frozen=True, slots=True)
class View:
    """What the limits that reach a load leave.

    Attributes:
        left_w: To what runs, in W.
        spare_w: To what is granted anew.
        by: Whose limit that is; None where there is none.
    """

    left_w: float
    spare_w: float
    by: Proposal | None


@dataclass(slots=True)
class Room:
    """Power that flexible loads may still take; used up as they are granted it.

    Attributes:
        left_w: Under all limits together.
        spare_w: The same, less what is held back from whatever is granted anew: the batteries'
            quick help, and what the last minute's peak took.
        firm_w: Under those alone that come from outside, or are stronger.
        urgent_w: Under those alone for which minimum times give way.
        safe_w: Under safety's alone, for which loads give way that nothing else may take away.
        by: Whose limit `left_w` is; None where there is none.
        firm_by: Whose limit `firm_w` is.
        urgent_by: Whose limit `urgent_w` is.
        safe_by: Whose limit `safe_w` is.
        late_w: How much further than reckoned the base may rise before a charger has answered.
        help_w: The lowest power in W that the batteries can be brought to, which is counted in.
        course_w: Under the course that the net power is to keep: cars are turned down to it.
        lines: What the limits of single phases leave, which are safety's and reach every load.
    """

    left_w: float = math.inf
    spare_w: float = math.inf
    firm_w: float = math.inf
    urgent_w: float = math.inf
    safe_w: float = math.inf
    by: Proposal | None = None
    firm_by: Proposal | None = None
    urgent_by: Proposal | None = None
    safe_by: Proposal | None = None
    late_w: float = 0.0
    help_w: float = 0.0
    course_w: float = math.inf
    lines: Lines = field(default_factory=Lines)

    def take(self, power_w: float, load: DeviceState) -> None:
        """Use some of it up for a load; negative to give it back."""
        self.lines.take(power_w, load)
        self.left_w -= power_w
        self.spare_w -= power_w
        self.firm_w -= power_w
        self.urgent_w -= power_w
        self.safe_w -= power_w
        self.course_w -= power_w

    def narrow(self, level: Rank, left_w: float, by: Proposal | None) -> None:
        """Take in what a limit leaves.

        Args:
            level: `Rank.IDLE` for all limits, `Rank.ACCEPTED` for the firm ones, `Rank.EMERGENCY`
                for the urgent ones, `Rank.SAFETY` for safety's alone.
            left_w: What it leaves.
            by: Whose it is.
        """
        if level is Rank.SAFETY and left_w < self.safe_w:
            self.safe_w, self.safe_by = left_w, by
        elif level is Rank.EMERGENCY and left_w < self.urgent_w:
            self.urgent_w, self.urgent_by = left_w, by
        elif level is Rank.ACCEPTED and left_w < self.firm_w:
            self.firm_w, self.firm_by = left_w, by
        elif level is Rank.IDLE and left_w < self.left_w:
            self.left_w, self.by = left_w, by

    def view(self, reach: Rank, load: DeviceState) -> View:
        """Return what is left to a load under the limits of a rank and all stronger ones."""
        whole = self._whole(reach)
        line = self.lines.left(load)
        spare_w = min(line.spare_w, whole.spare_w)
        if line.left_w < whole.left_w:
            return View(line.left_w, spare_w, line.by)
        return View(whole.left_w, spare_w, whole.by)

    def _whole(self, reach: Rank) -> View:
        """Return what the limits on the home as a whole leave."""
        if reach > Rank.ACCEPTED:
            return View(self.left_w, self.spare_w, self.by)
        held_back_w = self.left_w - self.spare_w if math.isfinite(self.left_w) else 0.0
        if reach > Rank.EMERGENCY:
            return View(self.firm_w, self.firm_w - held_back_w, self.firm_by)
        if reach > Rank.SAFETY:
            return View(self.urgent_w, self.urgent_w - held_back_w, self.urgent_by)
        return View(self.safe_w, self.safe_w - held_back_w, self.safe_by)


def wanted(span: Span) -> bool:
    """Return whether somebody's word is that a load shall run."""
    return span.lower_by is not None and span.bounds.lower_w > 0


def reach(spec: DeviceSpec, span: Span) -> Rank:
    """Return the weakest rank whose limits may take a load away.

    Args:
        spec: The load.
        span: What is asked of it.
    """
    by = span.lower_by
    if by is None or not wanted(span):
        return weakest(spec)
    return min(weakest(spec), Rank(max(by.rank - 1, Rank.SAFETY)))


def leave(
    decision: Decision,
    around: Surroundings,
    outlook: Outlook,
    help_w: float,
    policy: AllocatorPolicy,
) -> Room:
    """Return what all limits leave to the flexible loads, with the batteries' full help.

    Args:
        decision: What the arbiter decided.
        around: What they have beside them.
        outlook: How far that may rise.
        help_w: The lowest power in W that the batteries together can be brought to.
        policy: The allocator's figures.
    """
    room = Room(late_w=outlook.home.late_w, help_w=min(help_w, 0.0))
    if around.base_w is None:
        return room
    home, total = decision.of(HOME), decision.of(LOADS)
    home_fixed_w = around.base_w + around.absent_w + around.pv_w + around.rise_w + help_w
    total_fixed_w = max(around.base_w + around.absent_w + around.base_rise_w, 0.0)
    for level, span in _levels(home):
        room.narrow(level, _left_w(policy.aim(span.bounds).upper_w, home_fixed_w), span.upper_by)
    if home.span.upper_by is not None:
        held_back_w = min(
            max(policy.fast_reserve_w, outlook.usual_w, outlook.step_w), max(-help_w, 0.0)
        )
        room.spare_w = room.left_w - held_back_w - (outlook.home.slow_w - outlook.home.fast_w)
    for level, span in _levels(total):
        room.narrow(level, _left_w(policy.aim(span.bounds).upper_w, total_fixed_w), span.upper_by)
    if total.span.upper_by is not None:
        left_w = _left_w(policy.aim(total.span.bounds).upper_w, total_fixed_w)
        room.spare_w = min(room.spare_w, left_w - (outlook.loads.slow_w - outlook.loads.fast_w))
    return room


def _levels(target: Target) -> tuple[tuple[Rank, Span], ...]:
    return (
        (Rank.IDLE, target.span),
        (Rank.ACCEPTED, target.firm),
        (Rank.EMERGENCY, target.urgent),
        (Rank.SAFETY, target.safe),
    )


def _left_w(limit_w: float, fixed_w: float) -> float:
    """Return what a limit leaves beside what is fixed; all where there is no limit."""
    return math.inf if limit_w == math.inf else limit_w - fixed_w
