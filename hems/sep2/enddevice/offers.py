"""What a server offers to one EndDevice, and who is to be told of what is read where."""

from collections.abc import Iterable, Mapping, Sequence

from hems.sep2.book.controls import Control
from hems.sep2.errors import MalformedError
from hems.sep2.transport.address import place_of


class Programs:
    """The programme lists that one device takes part in and what they name, by kind of control.

    After a restart the lists come in one by one, and a running event may be of the last of them:
    what is offered counts as known only once every list has been read.
    """

    def __init__(self) -> None:
        self._offered: dict[type[Control], frozenset[str]] = {}
        self._besides: dict[type[Control], frozenset[str]] = {}
        self._lists: dict[type[Control], dict[str, frozenset[str]]] = {}
        self._told: dict[type[Control], frozenset[str]] = {}

    @property
    def lists(self) -> frozenset[str]:
        """Where all lists are, whatever their kind."""
        return frozenset[str]().union(*self._offered.values(), *self._besides.values())

    def offer(self, kind: type[Control], lists: Iterable[str]) -> None:
        """Note the hrefs of all lists that there are."""
        places = frozenset(safe_place(href) for href in lists)
        self._offered[kind] = places
        self._besides.pop(kind, None)
        read = self._lists.get(kind, {})
        self._lists[kind] = {place: named for place, named in read.items() if place in places}

    def offer_also(self, kind: type[Control], lists: Iterable[str]) -> None:
        """Note lists that there are beside others: what offers them was not legible as a whole."""
        places = frozenset(safe_place(href) for href in lists)
        self._besides[kind] = self._besides.get(kind, frozenset()) | places

    def listed(
        self, kind: type[Control], href: str, programs: frozenset[str], *, whole: bool
    ) -> None:
        """Note the mRIDs that a list names.

        Args:
            kind: Whose programmes they are.
            href: The list's.
            programs: The mRIDs.
            whole: Whether all of it was legible; else what it named before still counts.
        """
        lists, place = self._lists.setdefault(kind, {}), safe_place(href)
        if whole:
            lists[place] = programs
        elif place in lists:
            lists[place] |= programs

    def settled(self, kind: type[Control]) -> frozenset[str] | None:
        """Return the mRIDs that are offered, where that has changed; None while it is not known."""
        offered, lists = self._offered.get(kind), self._lists.get(kind, {})
        if offered is None or not offered <= lists.keys():
            return None
        named = frozenset[str]().union(*(lists[place] for place in offered))
        if self._told.get(kind) == named:
            return None
        self._told[kind] = named
        return named


class Paths:
    """Which resources lead to which, and who has been told of each.

    Several devices may take part in one programme: its lists are then read once and given to all
    of them. Who joins later than a list was read is told of it by one more reading.
    """

    def __init__(self) -> None:
        self._leads: dict[str, frozenset[str]] = {}
        self._heard: dict[str, set[str]] = {}

    def lead(self, href: str, children: Iterable[str]) -> None:
        """Note all that a resource leads to now."""
        self._leads[safe_place(href)] = frozenset(safe_place(child) for child in children)

    def retain(self, tops: Iterable[str]) -> None:
        """Let go of what none of these places leads to: a server may rename all it has."""
        kept: set[str] = set()
        ahead = [safe_place(top) for top in tops]
        while ahead:
            place = ahead.pop()
            if place not in kept:
                kept.add(place)
                ahead += self._leads.get(place, ())
        self._leads = {place: below for place, below in self._leads.items() if place in kept}
        self._heard = {place: heard for place, heard in self._heard.items() if place in kept}

    def roots(self, href: str) -> frozenset[str]:
        """Return the place itself and all those from which it can be reached."""
        found = {safe_place(href)}
        ahead = list(found)
        while ahead:
            place = ahead.pop()
            above = {p for p, children in self._leads.items() if place in children} - found
            found |= above
            ahead += above
        return frozenset(found)

    def told(self, href: str, devices: Iterable[str]) -> None:
        """Note who was given what was read at `href`, by LFDI."""
        self._heard[safe_place(href)] = set(devices)

    def missed(self, audience: Mapping[str, Iterable[str]]) -> Sequence[str]:
        """Return those hrefs that were read before somebody of their audience joined.

        Args:
            audience: The LFDIs of those to be told, by href.
        """
        return [
            href
            for href, devices in audience.items()
            if (heard := self._heard.get(safe_place(href))) is not None and not heard >= {*devices}
        ]

    def forget(self, device: str) -> None:
        """Have a device count as told of nothing: it left something, and may come back."""
        for heard in self._heard.values():
            heard.discard(device)


def safe_place(href: str) -> str:
    """Return the path and query of an href; one that is no URI stands for itself."""
    try:
        return place_of(href)
    except MalformedError:
        return href
