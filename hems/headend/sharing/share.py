"""The shares of an order that is made, or was made before and is shared anew.

What is shared anew changes least: homes keep what they were given, and only what is missing since
others dropped out is spread over those that can do more.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

from hems.headend.sharing.fairness import Record, burdens
from hems.headend.sharing.limits import share_limit
from hems.headend.sharing.model import Ability, Ask, Rules, Shares, Terms
from hems.headend.sharing.moves import share_move

_NOTHING: Final[Mapping[str, int]] = {}


def share(
    ask: Ask,
    homes: Iterable[Ability],
    known: Mapping[str, Record],
    rules: Rules,
    before: Mapping[str, int] = _NOTHING,
) -> Shares:
    """Return who does how much of an order.

    Args:
        ask: What the group is asked for, for the time that is left.
        homes: What each can do; each home once, in any order.
        known: What they bore before this order, by home.
        rules: How shares are made.
        before: What they were given of this order so far, W; nothing for a new one.

    Raises:
        ValueError: A home is named twice.
    """
    ranked = sorted(homes, key=lambda home: home.home)
    for one, other in pairwise(ranked):
        if one.home == other.home:
            raise ValueError(f"home {one.home} is named twice")
    terms = Terms(ask, rules, burdens(ranked, known, rules))
    made = share_limit if ask.kind.limit else share_move
    return made(terms, ranked, before)


def borne_w(ask: Ask, home: Ability, share_w: int) -> int:
    """Return what a share costs a home, W: what it moves, or what it forgoes by a limit."""
    return max(0, home.needs_w - share_w) if ask.kind.limit else share_w


def changed(before: Mapping[str, int], after: Shares) -> dict[str, int]:
    """Return the shares that are not as they were, W; 0 for a home that is asked nothing now."""
    homes = sorted({*before, *after.by_home})
    new = {home: after.by_home.get(home, 0) for home in homes}
    return {home: power_w for home, power_w in new.items() if power_w != before.get(home, 0)}
