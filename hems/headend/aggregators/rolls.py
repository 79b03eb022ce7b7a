"""EndDevices by their number, and each aggregator's in the order in which its list has them."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Final

from hems.headend.db.held import Changed
from hems.headend.paging import Page, Query
from hems.headend.records import Home

_FEW: Final = 16
"""Up to so many new homes are each put in their place; of more the whole list is sorted."""


class Rolls:
    """Finds homes; follows `hems.headend.homes.Homes`.

    A list of EndDevices has the latest first, and those of one second by SFDI, as IEEE 2030.5
    orders it. So a new one moves others back: who reads page by page may meet one twice, and
    misses none.
    """

    def __init__(self) -> None:
        self._numbered: dict[int, Home] = {}
        self._managed: dict[str, list[Home]] = {}

    def numbered(self, number: int) -> Home | None:
        """Return the home of a number; None if there is none."""
        return self._numbered.get(number)

    def managed(self, aggregator: str) -> Sequence[Home]:
        """Return the homes that an aggregator speaks for, in the order of its list."""
        return self._managed.get(aggregator, ())

    def part(self, home: Home, query: Query) -> Page[Home]:
        """Return a part of the EndDevices that a home may see: its own, and whom it speaks for."""
        others = self.managed(home.lfdi)
        shown = len(others)
        if query.after is not None:  # latest first: those that are not later are at the end
            shown = bisect_left(others, -query.after, key=lambda each: _order(each)[0])
        own = bisect_left(others, _order(home), key=_order)
        if query.after is not None and int(home.registered_at) <= query.after:
            own = -1  # not wanted
        start, end = query.start, query.start + query.limit
        if own < 0:
            items = others[start : min(end, shown)]
        elif own < start:
            items = others[start - 1 : min(end - 1, shown)]
        elif own >= end:
            items = others[start:end]
        else:
            items = (*others[start:own], home, *others[own : min(end - 1, shown)])
        return Page(items, len(others) + 1)

    def take(self, changes: Sequence[Changed[Home]]) -> None:
        """Follow changes of homes."""
        fresh: dict[str, list[Home]] = {}
        for each in changes:
            if each.before is not None:
                self._drop(each.before)
            if each.after is not None:
                self._numbered[each.after.id] = each.after
                if each.after.aggregator:
                    fresh.setdefault(each.after.aggregator, []).append(each.after)
        for aggregator, homes in fresh.items():
            known = self._managed.setdefault(aggregator, [])
            if len(homes) > _FEW:
                known.extend(homes)
                known.sort(key=_order)
                continue
            for home in homes:
                insort(known, home, key=_order)

    def _drop(self, home: Home) -> None:
        self._numbered.pop(home.id, None)
        known = self._managed.get(home.aggregator)
        if known is None:
            return
        del known[bisect_left(known, _order(home), key=_order)]
        if not known:
            del self._managed[home.aggregator]


def _order(home: Home) -> tuple[int, str]:
    """An SFDI is the beginning of its LFDI: both go in one order."""
    return -int(home.registered_at), home.lfdi
