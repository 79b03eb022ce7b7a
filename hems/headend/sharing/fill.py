"""Water-filling: raises one level for all homes until their shares make up the total.

The level is measured in hours at full power that a home has borne, this event included. A home
joins in when the level reaches what it bore before, and gives more until it gives all it can. Who
cannot give just a little (a least share) joins in at the level at which it would give that much.
All is O(n log n), and the same whatever order homes come in.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hems.headend.sharing.model import Shares

_NEARLY_W: Final = 1e-3
"""Less than this is a matter of how numbers are rounded, not of who is asked."""


@dataclass(frozen=True, slots=True)
class Band:
    """What one home may be given.

    Attributes:
        home: Its LFDI.
        least_w: The least share.
        most_w: The greatest share.
        burden_h: The level at which it would begin to give.
        pull_w: How much more it gives for each hour of the level; more than 0.
    """

    home: str
    least_w: int
    most_w: int
    burden_h: float
    pull_w: float

    @property
    def entry_h(self) -> float:
        """The level from which on it gives more than its least share."""
        return self.burden_h + self.least_w / self.pull_w

    @property
    def full_h(self) -> float:
        """The level from which on it gives all that it can."""
        return self.burden_h + self.most_w / self.pull_w

    def at(self, level_h: float) -> float:
        """Return its share at a level, W."""
        wanted = (level_h - self.burden_h) * self.pull_w
        return min(max(wanted, float(self.least_w)), float(self.most_w))


def fill(
    total_w: int, may: Sequence[Band], must: Sequence[Band] = (), *, grain_w: int = 1
) -> Shares:
    """Share a total.

    Args:
        total_w: To be shared, W.
        may: Homes that are given nothing or a share in their band.
        must: Homes that have a share already and keep one in their band; their least shares
            together are not more than the total.
        grain_w: Shares are whole multiples of this, as far as bands and total allow.

    Returns:
        Shares that make up the total. If they cannot, either all homes give all they can, or what
        is missing is less than the least share of any home that is left out.
    """
    chosen = [*must, *_choose(total_w, sorted(may, key=_order), must)]
    chosen.sort(key=lambda band: band.home)
    reachable = min(total_w, sum(band.most_w for band in chosen))
    shares = _whole(chosen, reachable, grain_w)
    return Shares({home: share for home, share in shares.items() if share}, total_w - reachable)


def _order(band: Band) -> tuple[float, str]:
    return (band.entry_h, band.home)


def _choose(total_w: int, may: Sequence[Band], must: Sequence[Band]) -> Sequence[Band]:
    """Return who joins in, out of `may`, which is in order of entry."""
    joined, before_w = _joined(total_w, may, must)
    chosen = list(may[:joined])
    least_w = sum(band.least_w for band in (*must, *chosen))
    most_w = sum(band.most_w for band in (*must, *chosen))
    # The first to overshoot joins if the others have not made up the total by then: they step back.
    wanted = joined < len(may) and total_w - before_w > _NEARLY_W
    for band in may[joined:]:
        if not wanted and most_w >= total_w:
            break
        if least_w + band.least_w <= total_w:
            chosen.append(band)
            least_w += band.least_w
            most_w += band.most_w
        wanted = False
    return chosen


def _joined(total_w: int, may: Sequence[Band], must: Sequence[Band]) -> tuple[int, float]:
    """Raise the level until one who joins in with its least share makes up the total, or more.

    Returns:
        How many have joined before that one, and what they and `must` give by then, W.
    """
    edges = _edges(must)
    edges += [(band.full_h, 1, -band.pull_w) for band in may]
    edges += [(band.entry_h, 0, float(index)) for index, band in enumerate(may)]
    edges.sort()
    given_w, slope, level_h = float(sum(band.least_w for band in must)), 0.0, -math.inf
    for at_h, turn, change in edges:
        if slope:
            given_w += slope * (at_h - level_h)
        level_h = at_h
        if turn:
            slope += change
            continue
        band = may[int(change)]
        if given_w + band.least_w >= total_w - _NEARLY_W:
            return int(change), given_w
        given_w += band.least_w
        slope += band.pull_w
    return len(may), given_w


def _edges(bands: Sequence[Band]) -> list[tuple[float, int, float]]:
    """Return where homes that are in begin to give more, and where they give all: level, slope."""
    edges = [(band.entry_h, 1, band.pull_w) for band in bands]
    edges += [(band.full_h, 1, -band.pull_w) for band in bands]
    return edges


def _level(bands: Sequence[Band], total_w: int) -> float:
    """Return the level at which homes in their bands give a total, which they can."""
    given_w, slope, level_h = float(sum(band.least_w for band in bands)), 0.0, 0.0
    for at_h, _, change in sorted(_edges(bands)):
        more_w = slope * (at_h - level_h)
        if given_w + more_w >= total_w and more_w > 0:
            return level_h + (total_w - given_w) / slope
        given_w += more_w
        level_h = at_h
        slope += change
    return level_h


def _whole(bands: Sequence[Band], total_w: int, grain_w: int) -> dict[str, int]:
    """Return shares in whole grains that make up a total which lies within the bands."""
    level_h = _level(bands, total_w)
    exact = {band.home: band.at(level_h) for band in bands}
    shares = {
        band.home: min(
            max(math.floor(exact[band.home] / grain_w) * grain_w, band.least_w), band.most_w
        )
        for band in bands
    }
    left_w = total_w - sum(shares.values())
    # Who lost most by rounding gets back first; who gained most gives up first.
    ranked = sorted(bands, key=lambda band: (shares[band.home] - exact[band.home], band.home))
    left_w = _settle(shares, ranked, left_w, grain_w, each_w=grain_w)
    _settle(shares, ranked, left_w, 1, each_w=abs(left_w))
    return shares


def _settle(
    shares: dict[str, int], ranked: Sequence[Band], left_w: int, step_w: int, *, each_w: int
) -> int:
    """Give out, or take back, what rounding left over.

    Args:
        shares: Are changed.
        ranked: Who gets back first; who gives up first is last.
        left_w: To be given out; to be taken back if negative.
        step_w: Shares change in multiples of this.
        each_w: By how much each share changes at most.

    Returns:
        What is left of it.
    """
    more = left_w > 0
    for band in ranked if more else reversed(ranked):
        if abs(left_w) < step_w:
            break
        share = shares[band.home]
        room_w = band.most_w - share if more else share - band.least_w
        moved_w = min(room_w, each_w, abs(left_w)) // step_w * step_w
        moved_w = moved_w if more else -moved_w
        shares[band.home] += moved_w
        left_w -= moved_w
    return left_w
