"""What is asked of a group, what each home can do for it, and what each is given. No I/O.

Powers are whole watts and never negative: which way they go is said by the `Kind`.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a group is asked for."""

    SHED = "shed"
    """Take less from the grid than it would."""
    GENERATE = "generate"
    """Give power (opModTargetW, positive)."""
    ABSORB = "absorb"
    """Take power (opModTargetW, negative)."""
    IMPORT = "import"
    """Take no more than so much at the connection points together."""
    EXPORT = "export"
    """Give no more than so much at the connection points together."""
    GENERATION = "generation"
    """Generate no more than so much together."""
    LOAD = "load"
    """Consume no more than so much together."""

    @property
    def limit(self) -> bool:
        """Whether it says how much at most; else how much is to be moved."""
        return self in _LIMITS


_LIMITS = frozenset({Kind.IMPORT, Kind.EXPORT, Kind.GENERATION, Kind.LOAD})


@dataclass(frozen=True, slots=True)
class Ability:
    """What a home can do for one kind of order, now.

    Attributes:
        home: Its LFDI.
        most_w: To be moved, at most; of a limit, what its contract or its connection allows.
        least_w: It moves nothing or at least this; of a limit, what it may always use.
        need_w: Of a limit: what it would use without one; None for `most_w`.
        energy_wh: What it can move until it is empty or full; infinite where that does not matter.
        rated_w: What percentages are of; 0 for `most_w`.
        reachable: Whether it can be told anything now.
        opted_out: Whether its owner left.
        since: Since when it is one of the homes, epoch s; 0 for always.
    """

    home: str
    most_w: int
    least_w: int = 0
    need_w: int | None = None
    energy_wh: float = math.inf
    rated_w: int = 0
    reachable: bool = True
    opted_out: bool = False
    since: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no home can be.

        Raises:
            ValueError: A figure is negative or contradicts another.
        """
        need_w = 0 if self.need_w is None else self.need_w
        if min(self.most_w, self.least_w, self.rated_w, need_w) < 0 or not self.energy_wh >= 0:
            raise ValueError(f"home {self.home}: what it can do must not be negative")
        if self.least_w > self.most_w:
            raise ValueError(
                f"home {self.home}: at least {self.least_w} W is more than at most {self.most_w} W"
            )

    @property
    def takes_part(self) -> bool:
        """Whether it can be asked for anything."""
        return self.reachable and not self.opted_out

    @property
    def size_w(self) -> int:
        """What percentages and earlier events are measured by."""
        return self.rated_w or self.most_w

    @property
    def needs_w(self) -> int:
        """What it would use without a limit, within its contract."""
        need_w = self.most_w if self.need_w is None else self.need_w
        return min(max(need_w, self.least_w), self.most_w)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a group is asked for.

    Attributes:
        kind: Which way.
        total_w: To be moved together, or the limit of all together.
        duration_s: For how long.
    """

    kind: Kind
    total_w: int
    duration_s: float

    def __post_init__(self) -> None:
        """Refuse what cannot be shared.

        Raises:
            ValueError: It asks for less than nothing, or for no time.
        """
        if self.total_w < 0:
            raise ValueError(f"{self.kind} {self.total_w} W: less than nothing cannot be shared")
        if not 0 < self.duration_s < math.inf:
            raise ValueError(f"{self.kind}: a duration of {self.duration_s} s is none")


@dataclass(frozen=True, slots=True)
class Rules:
    """How shares are made.

    Attributes:
        step_w: No home is asked to move less than this.
        grain_w: Shares are whole multiples of this where bounds allow, so that few orders do.
        window_days: How far back it counts what homes were asked for.
        bother_h: Being asked at all counts like so many hours at full size.
        slack_w: What is missing of a target, or what a limit leaves over, is not shared anew
            before it is more than this.
    """

    step_w: int = 100
    grain_w: int = 1
    window_days: float = 30.0
    bother_h: float = 0.1
    slack_w: int = 0

    def __post_init__(self) -> None:
        """Refuse rules that make no sense.

        Raises:
            ValueError: A figure is out of its range.
        """
        if min(self.step_w, self.slack_w) < 0 or self.grain_w < 1:
            raise ValueError("step_w and slack_w must be 0 or more and grain_w 1 or more")
        if not (0 < self.window_days < math.inf and 0 <= self.bother_h < math.inf):
            raise ValueError("window_days must be more than 0 and bother_h 0 or more")


@dataclass(frozen=True, slots=True)
class Terms:
    """What one sharing goes by.

    Attributes:
        ask: What the group is asked for, for the time that is left.
        rules: How shares are made.
        borne: What each home has borne before, hours at full size.
    """

    ask: Ask
    rules: Rules
    borne: Mapping[str, float]

    @property
    def hours(self) -> float:
        """How long it is for."""
        return self.ask.duration_s / 3600.0


@dataclass(frozen=True, slots=True)
class Shares:
    """Who does how much.

    Attributes:
        by_home: Of what is moved, W, without homes that are asked nothing; of a limit, the limit
            of every home that can be told one.
        short_w: How much of a target nobody can do; of a limit, by how much it is exceeded when
            every home uses what it may.
    """

    by_home: Mapping[str, int] = field(default_factory=dict)
    short_w: int = 0

    @property
    def total_w(self) -> int:
        """The sum of all shares, W."""
        return sum(self.by_home.values())


def percent_of(percent: float, homes: Iterable[Ability]) -> int:
    """Return a percentage of what all homes together are rated for, W, without its sign.

    Homes that take no part count too: what a utility calls 50 % of a group is of the whole group.

    Raises:
        ValueError: It is no number.
    """
    if not math.isfinite(percent):
        raise ValueError(f"{percent} is no percentage")
    return round(abs(percent) / 100.0 * sum(home.size_w for home in homes))
