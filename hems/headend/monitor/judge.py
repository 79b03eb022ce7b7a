"""All rules together, and what becomes of signals: they begin, last, and end by themselves."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hems.headend.monitor.counting import floods, table, undelivered
from hems.headend.monitor.facts import Fact, Kind
from hems.headend.monitor.signals import Found, Signal
from hems.headend.monitor.thresholds import Thresholds

QUIET_S: Final = 300.0
"""A signal that was not found again for so long is over."""


def counted(facts: Sequence[Fact], minute: int, of: Thresholds) -> list[Found]:
    """Return what the rules find in facts of all workers.

    Args:
        facts: Of the last `hems.headend.monitor.counting.WINDOW` minutes.
        minute: The last of them that is whole.
        of: From how many on.
    """
    kinds: defaultdict[Kind, list[Fact]] = defaultdict(list)
    for fact in facts:
        kinds[fact.kind].append(fact)
    found = [each for rule in table(of) for each in rule.found(kinds, minute)]
    return [*found, *floods(kinds, minute, of), *undelivered(kinds, minute, of)]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What has become of signals.

    Attributes:
        begun: New ones.
        lasting: Those that go on and were found again.
        ended: Those that are over.
    """

    begun: Sequence[Signal]
    lasting: Sequence[Signal]
    ended: Sequence[Signal]


def follow(known: Sequence[Signal], found: Sequence[Found], now: float) -> Verdict:
    """Return what becomes of signals.

    Args:
        known: Those that last.
        found: What the rules find now.
        now: Epoch s.
    """
    fresh: dict[tuple[str, str], Found] = {}
    for each in found:
        before = fresh.get((each.rule, each.subject))
        if before is None or each.count > before.count:
            fresh[each.rule, each.subject] = each
    lasting: list[Signal] = []
    ended: list[Signal] = []
    for signal in known:
        again = fresh.pop((signal.rule, signal.subject), None)
        if again is not None:
            lasting.append(replace(signal, seen=now, count=max(signal.count, again.count)))
        elif abs(now - signal.seen) >= QUIET_S:  # a clock that was set back ends them as well
            ended.append(replace(signal, ended=now))
    begun = [Signal(f.rule, f.subject, now, now, None, f.count) for f in fresh.values()]
    return Verdict(begun, lasting, ended)
