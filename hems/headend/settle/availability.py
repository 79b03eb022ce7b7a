"""What the homes of a group could do together: pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hems.headend.ability.rule import Able, Amount


class Away(StrEnum):
    """Why a home cannot be asked."""

    UNSERVED = "not served events"
    """By how far its hub is in its life."""
    UNHEARD = "not heard of"
    BUSY = "busy"
    """Another event asks something of it at that time."""
    LEFT = "left an event"
    """Its owner left one that is under way."""


@dataclass(slots=True)
class Way:
    """What homes could do one way.

    Attributes:
        power_w: Together, W.
        homes: How many could do something.
        none: How many are known to be able to do nothing.
        unknown: Of how many it is not known, by why.
    """

    power_w: float = 0.0
    homes: int = 0
    none: int = 0
    unknown: Counter[str] = field(default_factory=Counter)

    def add(self, amount: Amount, duration_s: float) -> None:
        """Add a home that is to hold it for a time; 0 s for at once."""
        held_w = amount.held_w(duration_s)
        self.power_w += held_w
        if not amount.known(duration_s):
            self.unknown[amount.why] += 1
        elif held_w > 0:
            self.homes += 1
        else:
            self.none += 1


@dataclass(slots=True)
class Availability:
    """What homes could do in a time.

    Attributes:
        begin: From when, epoch s.
        end: Until when.
        at: As of when.
        homes: How many there are.
        not_reached: How many cannot be asked, by why.
        shed: Take less.
        generate: Give power.
        absorb: Take more.
    """

    begin: float
    end: float
    at: float
    homes: int = 0
    away: Counter[str] = field(default_factory=Counter)
    shed: Way = field(default_factory=Way)
    generate: Way = field(default_factory=Way)
    absorb: Way = field(default_factory=Way)

    @property
    def reached(self) -> int:
        """How many can be asked."""
        return self.homes - self.away.total()

    @property
    def not_reached(self) -> Mapping[str, int]:
        """How many cannot be asked, by why."""
        return dict(self.away)

    def add(self, able: Able, away: Away | None) -> None:
        """Add a home.

        Args:
            able: What it could do.
            away: Why it cannot be asked; None where it can, if it was heard of.
        """
        self.homes += 1
        if away is None and not able.reachable:
            away = Away.UNHEARD
        if away is not None:
            self.away[away] += 1
            return
        duration_s = self.end - self.begin
        self.shed.add(able.shed, duration_s)
        self.generate.add(able.generate, duration_s)
        self.absorb.add(able.absorb, duration_s)
