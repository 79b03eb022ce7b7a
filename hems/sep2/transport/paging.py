"""Puts the pages of a list together, and notices when the list changes meanwhile.

Pages are asked for by `s` and `l`. The third query of the standard, `a` (what comes after a time),
is not used: it would spare octets where a list only grows, but of none that is read here may that
be assumed. Only a list that was read whole tells that an event is gone from it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Generic, TypeVar

from hems.sep2.codec.reading import BadItem
from hems.sep2.errors import OversizedError, TransientError
from hems.sep2.resources.base import List, SubscribableList
from hems.sep2.resources.layout import layout
from hems.sep2.resources.wire import Record

MAX_ITEMS: Final = 10_000
"""More items than any honest list of a home has; the memory for them is bounded by this."""

MAX_STARTS: Final = 4
"""How often a list is begun before it counts as never standing still."""

ListOf = List | SubscribableList
L = TypeVar("L", bound=ListOf)


class Pages(Generic[L]):
    """A list as read so far.

    A changed `all`, an item seen before or an empty page before the end shows that the list
    changed under the reader: what was read is then dropped and reading starts anew. When it ends
    too early in the same way twice, its `all` is wrong: then it is what was read, and `missing`
    tells how many are not. Where more items come than `all` says, they are read to the end too.

    Args:
        expected: Class of the list.
        place: Where it is, for messages.
    """

    def __init__(self, expected: type[L], place: str) -> None:
        slot = layout(expected).items
        if slot is None:
            raise TypeError(f"{expected.__name__} is not a list of one kind of items")
        self._attr = slot.attr
        self._place = place
        self._starts = 0
        self._early: tuple[Record, ...] | None = None
        self._ended = False
        self._begin()

    def _begin(self) -> None:
        self._starts += 1
        if self._starts > MAX_STARTS:
            raise TransientError(f"{self._place}: the list changed each time it was read")
        self._first: L | None = None
        self._items: list[Record] = []
        self.parts: list[L] = []
        self._seen: set[str] = set()
        self.bad: list[BadItem] = []

    @property
    def start(self) -> int:
        """Index of the first item not read yet."""
        return len(self._items) + len(self.bad)

    @property
    def complete(self) -> bool:
        """Whether all items have been read."""
        if self._first is None or self._ended:
            return self._ended
        return self.start == self._first.all

    def add(self, page: L, bad: Sequence[BadItem]) -> None:
        """Take the page that starts at `start`.

        Args:
            page: As read.
            bad: Its items that could not be read.

        Raises:
            OversizedError: If the list has more than `MAX_ITEMS` items.
            TransientError: If it has changed too often.
        """
        items: tuple[Record, ...] = getattr(page, self._attr)
        count = max(page.all, self.start + len(items) + len(bad))
        if count > MAX_ITEMS:
            raise OversizedError(f"{self._place}: {count} items, at most {MAX_ITEMS} are read")
        keys = {key for item in items if (key := _key(item))}
        beyond = self._first is not None and self.start > self._first.all
        if beyond and keys <= self._seen and not bad:
            self._ended = True  # no more, or a server that gives the whole list each time
            return
        if self._first is None:
            self._first = page
        elif page.all != self._first.all or not self._seen.isdisjoint(keys):
            self._begin()
            return
        if not items and not bad and self.start < page.all:
            read = tuple(self._items)
            if self._early == read:
                self._ended = True
            else:
                self._early = read
                self._begin()
            return
        self.parts.append(page)
        self._items += items
        self._seen.update(keys)
        self.bad += bad

    @property
    def missing(self) -> int:
        """How many items a complete list persists in counting without showing them."""
        return 0 if self._first is None else max(0, self._first.all - self.start)

    def merged(self) -> L:
        """Return all pages as one; call it once `complete`."""
        if self._first is None:
            raise ValueError("no page has been added")
        changes: dict[str, object] = {self._attr: tuple(self._items), "results": len(self._items)}
        return replace(self._first, **changes)  # type: ignore[arg-type]  # by name, as in layout


def names_of(listed: Record) -> frozenset[str]:
    """Return by what the items of a list are known, those that have a name."""
    slot = layout(type(listed)).items
    items: Sequence[Record] = () if slot is None else getattr(listed, slot.attr)
    return frozenset(key for item in items if (key := _key(item)))


def _key(item: Record) -> str:
    """Return what an item is known by: some servers have one placeholder for several mRIDs."""
    names = (getattr(item, "mrid", None), getattr(item, "href", None))
    return " ".join(name for name in names if name)
