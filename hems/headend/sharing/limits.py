"""Shares of a limit: so many watts at most at all connection points together.

What is shared is what the homes have to forgo: what they need together, less the limit; so that
who needs little is not cut for others who need much. None is cut below what its contract leaves
it. Homes that cannot be told anything count with all that they may use.
"""

from collections.abc import Mapping, Sequence

from hems.headend.sharing.fill import Band, fill
from hems.headend.sharing.model import Ability, Shares, Terms


def share_limit(terms: Terms, homes: Sequence[Ability], before: Mapping[str, int]) -> Shares:
    """Return the limit of each home that can be told one.

    Args:
        terms: What it goes by.
        homes: What each needs and may use.
        before: The limits that they have, W; nothing for a new order.
    """
    told = [home for home in homes if home.takes_part]
    needs = {home.home: home.needs_w for home in told}
    beyond_w = sum(_untold_w(home, before) for home in homes if not home.takes_part)
    limits = {
        home.home: min(max(before.get(home.home, home.needs_w), home.least_w), home.most_w)
        for home in told
    }
    spare_w = terms.ask.total_w - beyond_w - sum(limits.values())
    if before and 0 <= spare_w <= terms.rules.slack_w:
        return Shares(limits)
    if spare_w < 0:  # what nobody needs goes first
        unused = {name: max(0, limit_w - needs[name]) for name, limit_w in limits.items()}
        cut = _spread(terms, -spare_w, unused)
        limits = {name: limit_w - cut.by_home.get(name, 0) for name, limit_w in limits.items()}
        return _forgo(terms, told, limits, cut.short_w) if cut.short_w else Shares(limits)
    # First what was cut of what they need, then what their contracts allow beyond.
    for tops in (needs, {home.home: home.most_w for home in told}):
        room = {name: max(0, top_w - limits[name]) for name, top_w in tops.items()}
        more = _spread(terms, spare_w, room)
        limits = {name: limit_w + more.by_home.get(name, 0) for name, limit_w in limits.items()}
        spare_w = more.short_w
    return Shares(limits)


def _forgo(terms: Terms, told: Sequence[Ability], limits: Mapping[str, int], more_w: int) -> Shares:
    """Cut limits, none of which is more than its home needs, by so much more together."""
    forgone = {home.home: home.needs_w - limits[home.home] for home in told}
    total_w = more_w + sum(forgone.values())
    cut = _cuts(terms, told, forgone, total_w, terms.rules.step_w)
    if cut.short_w:  # a limit is kept, however little it takes of some
        cut = _cuts(terms, told, forgone, total_w, 0)
    cuts = {home.home: home.needs_w - cut.by_home.get(home.home, 0) for home in told}
    return Shares(cuts, cut.short_w)


def _cuts(
    terms: Terms, told: Sequence[Ability], forgone: Mapping[str, int], total_w: int, step_w: int
) -> Shares:
    must, may = [], []
    for home in told:
        name, most_w = home.home, home.needs_w - home.least_w
        burden_h, pull_w = terms.borne[name], most_w / terms.hours
        if forgone[name]:
            must.append(Band(name, forgone[name], most_w, burden_h, pull_w))
        elif most_w:
            may.append(Band(name, min(step_w, most_w), most_w, burden_h, pull_w))
    return fill(total_w, may, must, grain_w=terms.rules.grain_w)


def _untold_w(home: Ability, before: Mapping[str, int]) -> int:
    """Return what a home may use that cannot be told anything now.

    One that is out of reach goes on obeying what it was told; whoever left obeys nothing.
    """
    return home.most_w if home.opted_out else before.get(home.home, home.most_w)


def _spread(terms: Terms, total_w: int, room: Mapping[str, int]) -> Shares:
    """Spread what costs nobody anything, by how much room each has."""
    bands = [
        Band(name, 0, room_w, 0.0, room_w / terms.hours) for name, room_w in room.items() if room_w
    ]
    return fill(total_w, bands, grain_w=terms.rules.grain_w)
