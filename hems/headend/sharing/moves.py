"""Shares of a target: so many watts to be shed, given or taken together."""

from collections.abc import Mapping, Sequence

from hems.headend.sharing.fill import Band, fill
from hems.headend.sharing.model import Ability, Shares, Terms


def available_w(home: Ability, duration_s: float) -> int:
    """Return what a home can move for that long, W; 0 if it takes no part."""
    if not home.takes_part:
        return 0
    return int(min(float(home.most_w), home.energy_wh * 3600.0 / duration_s))


def share_move(terms: Terms, homes: Sequence[Ability], before: Mapping[str, int]) -> Shares:
    """Return who moves how much.

    Args:
        terms: What it goes by.
        homes: What each can do.
        before: What they were given so far, W.
    """
    ask, rules = terms.ask, terms.rules
    able = {home.home: available_w(home, ask.duration_s) for home in homes}
    kept = {name: min(w, able[name]) for name, w in before.items() if w and able.get(name)}
    missing_w = ask.total_w - sum(kept.values())
    if before and abs(missing_w) <= rules.slack_w:
        return Shares(kept, max(0, missing_w))
    must, may = [], []
    for home in homes:
        name, most_w = home.home, able[home.home]
        least_w, pull_w = max(home.least_w, rules.step_w), most_w / terms.hours
        held_w = kept.get(name, 0)
        if not held_w:
            if most_w and least_w <= most_w:
                may.append(Band(name, least_w, most_w, terms.borne[name], pull_w))
        elif missing_w > 0:
            must.append(Band(name, held_w, most_w, terms.borne[name], pull_w))
        else:
            must.append(Band(name, min(held_w, least_w), held_w, terms.borne[name], pull_w))
    if sum(band.least_w for band in must) > ask.total_w:  # so much less that some have to leave
        return share_move(terms, homes, {})
    return fill(ask.total_w, may if missing_w > 0 else (), must, grain_w=rules.grain_w)
