"""So much of a kind in so long: the shape of most rules. Pure."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from hems.headend.monitor.facts import Fact, Kind
from hems.headend.monitor.signals import Found, Rule
from hems.headend.monitor.thresholds import Thresholds

_TEN: Final = 10
_HOUR: Final = 60
WINDOW: Final = 70
"""Minutes of facts that rules look at, at most."""
_OUT_OF_PROPORTION: Final = 20
_WAVE_SOURCES: Final = 10
_WAVE_LETTERS: Final = 10
_CLONED_MINUTES: Final = 3
_V6: Final = ":"


class By(Enum):
    """What is counted together."""

    SUBJECT = auto()
    SOURCE = auto()


Measure = Callable[[Sequence[Fact]], int]
"""Returns how much facts of one key come to."""


@dataclass(frozen=True, slots=True)
class Counting:
    """A rule: what facts of a kind come to, by a key.

    Attributes:
        rule: What it finds.
        kind: Of which facts.
        most: So much is a signal.
        span: In so many minutes.
        by: What is counted together.
        measure: How much they come to.
        unless: Whether they do not count after all; None for never.
        shown: What the signal says they come to, where not the measure.
    """

    rule: Rule
    kind: Kind
    most: int
    span: int = _TEN
    by: By = By.SUBJECT
    measure: Measure = lambda facts: sum(fact.count for fact in facts)
    unless: Callable[[Sequence[Fact]], bool] | None = None
    shown: Measure | None = None

    def found(self, facts: Mapping[Kind, Sequence[Fact]], minute: int) -> list[Found]:
        """Return what it finds as of a minute."""
        keys: defaultdict[str, list[Fact]] = defaultdict(list)
        for fact in facts.get(self.kind, ()):
            if minute - self.span < fact.minute <= minute:
                keys[fact.source if self.by is By.SOURCE else fact.subject].append(fact)
        found: list[Found] = []
        for key, own in keys.items():
            count = self.measure(own)
            if key and count >= self.most and not (self.unless is not None and self.unless(own)):
                found.append(
                    Found(self.rule, key, count if self.shown is None else self.shown(own))
                )
        return found


def table(of: Thresholds) -> tuple[Counting, ...]:
    """Return the rules that look at one kind of facts alone.

    Args:
        of: From how many on.
    """
    return (
        Counting(Rule.HANDSHAKES, Kind.HANDSHAKE, of.handshakes, by=By.SOURCE),
        Counting(
            Rule.HANDSHAKE_WAVE,
            Kind.HANDSHAKE,
            max(of.handshakes, _WAVE_SOURCES),
            unless=lambda facts: len({fact.source for fact in facts}) < _WAVE_SOURCES,
        ),
        Counting(Rule.REFUSED_CERTIFICATE, Kind.REFUSED_CERTIFICATE, 3),
        Counting(Rule.STRANGER, Kind.STRANGER, 5),
        Counting(Rule.BARRED, Kind.BARRED, 1),
        Counting(Rule.CLONE, Kind.ADDRESS, _CLONED_MINUTES, 15, measure=_minutes_of_two),
        Counting(Rule.SCAN, Kind.REFUSED, of.scanned, measure=_paths, shown=_total),
        Counting(Rule.SCAN, Kind.REFUSED, of.refusals),
        Counting(Rule.CLOCK, Kind.CLOCK, 3, _HOUR, shown=_greatest),
        Counting(Rule.CONTRADICTION, Kind.CONTRADICTION, 2, _HOUR),
        Counting(Rule.OVER_RATING, Kind.OVER_RATING, 3, _HOUR),
        Counting(Rule.SIGN, Kind.SIGN, 3, _HOUR),
        Counting(Rule.FROZEN, Kind.FROZEN, 1, _TEN, shown=_greatest),
        Counting(Rule.UNDELIVERED, Kind.NOT_TAKEN, 3, _HOUR),
    )


def _total(facts: Sequence[Fact]) -> int:
    return sum(fact.count for fact in facts)


def _paths(facts: Sequence[Fact]) -> int:
    """The same paths may be tried each minute: the most of any one counts."""
    return int(max(fact.value for fact in facts))


def _greatest(facts: Sequence[Fact]) -> int:
    return round(max(fact.value for fact in facts))


def _minutes_of_two(facts: Sequence[Fact]) -> int:
    """Return in how many minutes a home spoke from two addresses of one family.

    A home may well have an address of each family, and several of IPv6 in one network.
    """
    minutes: defaultdict[tuple[int, bool], set[str]] = defaultdict(set)
    for fact in facts:
        minutes[fact.minute, _V6 in fact.source].add(fact.source)
    return len({minute for (minute, _), sources in minutes.items() if len(sources) > 1})


def floods(facts: Mapping[Kind, Sequence[Fact]], minute: int, of: Thresholds) -> list[Found]:
    """Return homes that ask far more than others, in any of the last five minutes."""
    asked: defaultdict[tuple[str, int], int] = defaultdict(int)
    total: defaultdict[int, int] = defaultdict(int)
    homes: defaultdict[int, float] = defaultdict(float)
    for fact in facts.get(Kind.REQUESTS, ()):
        if minute - 5 < fact.minute <= minute:
            asked[fact.subject, fact.minute] += fact.count
    for fact in facts.get(Kind.ALL, ()):
        total[fact.minute] += fact.count
        homes[fact.minute] += fact.value
    worst: dict[str, int] = {}
    for (lfdi, when), count in asked.items():
        others = max(homes[when] - 1, 1)
        usual = max(total[when] - count, 0) / others
        if count >= of.requests and count >= _OUT_OF_PROPORTION * usual:
            worst[lfdi] = max(count, worst.get(lfdi, 0))
    return [Found(Rule.FLOOD, lfdi, count) for lfdi, count in worst.items()]


def undelivered(facts: Mapping[Kind, Sequence[Fact]], minute: int, of: Thresholds) -> list[Found]:
    """Return whether the fleet as a whole does not take its notifications."""
    left, taken = (
        sum(f.count for f in facts.get(kind, ()) if minute - _TEN < f.minute <= minute)
        for kind in (Kind.NOT_TAKEN, Kind.TAKEN)
    )
    if left >= _WAVE_LETTERS and left >= of.undelivered_share * (left + taken):
        return [Found(Rule.UNDELIVERED_WAVE, "", left)]
    return []
