"""Which programmes a server offers, over all of its programme lists."""

from hems.sep2.controls import Control


class Programs:
    """The programme lists of one server and what they name, by kind of control.

    After a restart the lists come in one by one, and a running event may be of the last of them:
    what is offered counts as known only once every list has been read.
    """

    def __init__(self) -> None:
        self._offered: dict[type[Control], frozenset[str]] = {}
        self._lists: dict[type[Control], dict[str, frozenset[str]]] = {}
        self._told: dict[type[Control], frozenset[str]] = {}

    def offer(self, kind: type[Control], lists: frozenset[str]) -> None:
        """Note the hrefs of all lists that there are."""
        self._offered[kind] = lists
        read = self._lists.get(kind, {})
        self._lists[kind] = {href: named for href, named in read.items() if href in lists}

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
        lists = self._lists.setdefault(kind, {})
        if whole:
            lists[href] = programs
        elif href in lists:
            lists[href] |= programs

    def settled(self, kind: type[Control]) -> frozenset[str] | None:
        """Return the mRIDs that are offered, where that has changed; None while it is not known."""
        offered, lists = self._offered.get(kind), self._lists.get(kind, {})
        if offered is None or not offered <= lists.keys():
            return None
        named = frozenset[str]().union(*(lists[href] for href in offered))
        if self._told.get(kind) == named:
            return None
        self._told[kind] = named
        return named
