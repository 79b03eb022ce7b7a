"""Homes that are silent: one by itself, or a group at once, which is an outage. Pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hems.headend.monitor.signals import FLEET, Found, Rule
from hems.headend.monitor.thresholds import Thresholds

MOST_SINGLE: Final = 200
"""Homes that are told one by one; of more only the number is told (fleet health)."""
_MINUTE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Quiet:
    """A home that has been silent for longer than it ever is.

    Attributes:
        lfdi: Its LFDI.
        heard: When it was heard of last, epoch s.
        groups: Its groups, the narrowest first.
    """

    lfdi: str
    heard: float
    groups: tuple[str, ...] = ()


def silence(
    quiet: Sequence[Quiet], sizes: Mapping[str, int], now: float, of: Thresholds
) -> list[Found]:
    """Return outages, and the homes that are silent beside them.

    An outage is told of the widest group that it is one of; its homes are not told each.

    Args:
        quiet: All homes that are silent.
        sizes: How many homes each group has that were heard of within the day, or are silent; of
            the fleet under the empty id.
        now: Epoch s.
        of: From how many on.
    """
    members: defaultdict[str, list[Quiet]] = defaultdict(list)
    for home in quiet:
        for group in (*home.groups, FLEET):
            members[group].append(home)
    covered: set[str] = set()
    found: list[Found] = []
    for group in sorted(members, key=lambda name: (-sizes.get(name, 0), name)):
        own = members[group]
        at_once = _at_once([home.heard for home in own], of.silent_s)
        enough = max(of.outage_homes, of.outage_share * sizes.get(group, 0))
        if at_once >= enough and any(home.lfdi not in covered for home in own):
            covered |= {home.lfdi for home in own}
            found.append(Found(Rule.OUTAGE, group, at_once))
    single = [home for home in quiet if home.lfdi not in covered]
    single.sort(key=lambda home: (-home.heard, home.lfdi))
    found += [
        Found(Rule.SILENT, home.lfdi, int((now - home.heard) / _MINUTE_S))
        for home in single[:MOST_SINGLE]
    ]
    return found


def _at_once(times: Collection[float], span_s: float) -> int:
    """Return how many of some times lie within a span, at most."""
    ordered = sorted(times)
    return max(
        (bisect_right(ordered, begin + span_s) - place for place, begin in enumerate(ordered)),
        default=0,
    )


def sizes_of(
    homes: Collection[str], groups_of: Callable[[str], Sequence[str]], wanted: Collection[str]
) -> dict[str, int]:
    """Return how many of some homes are in each group that is wanted; all under the empty id."""
    sizes = dict.fromkeys(wanted, 0)
    for lfdi in homes:
        for group in groups_of(lfdi):
            if group in sizes:
                sizes[group] += 1
    return {**sizes, FLEET: len(homes)}
