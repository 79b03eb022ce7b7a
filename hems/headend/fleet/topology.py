"""The tree of groups: one parent each, no cycles, levels from wide to narrow; pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from hems.headend.errors import ConflictError, DispatchError, UnknownItemError
from hems.headend.fleet.records import Group, GroupKind

MOST_DEPTH: Final = 16
"""Groups from a root down to a leaf."""


class Topology:
    """All groups, checked as a whole. It never changes; `with_groups` returns another.

    Args:
        groups: All of them.

    Raises:
        DispatchError: They are no tree.
    """

    __slots__ = ("_below", "_groups", "_paths")

    def __init__(self, groups: Iterable[Group] = ()) -> None:
        self._groups: dict[str, Group] = {group.id: group for group in groups}
        self._paths: dict[str, tuple[str, ...]] = {}
        below: dict[str, list[str]] = {}
        for group in self._groups.values():
            self._check(group)
            below.setdefault(group.parent, []).append(group.id)
        self._below = {parent: tuple(ids) for parent, ids in below.items()}

    @property
    def groups(self) -> Mapping[str, Group]:
        """All groups by id."""
        return MappingProxyType(self._groups)

    def group(self, name: str) -> Group:
        """Return a group.

        Raises:
            UnknownItemError: There is none of this id.
        """
        found = self._groups.get(name)
        if found is None:
            raise UnknownItemError(f"no group {name[:40]!r}")
        return found

    def above(self, name: str) -> tuple[str, ...]:
        """Return a group and all above it, the narrowest first; empty for no group of ours."""
        known = self._paths.get(name)
        if known is None:
            known = self._paths[name] = tuple(group.id for group in self._climb(name))
        return known

    def children(self, name: str) -> tuple[str, ...]:
        """Return the groups right under one; under "" stand the roots."""
        return self._below.get(name, ())

    def under(self, name: str) -> Iterator[str]:
        """Yield a group and all below it."""
        waiting = [name]
        while waiting:
            each = waiting.pop()
            yield each
            waiting += self.children(each)

    def within(self, narrow: str, wide: str) -> bool:
        """Whether a group is another one, or below it."""
        return wide in self.above(narrow)

    def with_groups(self, changed: Collection[Group]) -> "Topology":
        """Return the tree with groups added or replaced.

        Raises:
            DispatchError: It would be no tree; the message names the group.
        """
        return Topology((self._groups | {group.id: group for group in changed}).values())

    def without(self, name: str) -> "Topology":
        """Return the tree without a group.

        Raises:
            UnknownItemError: There is none of this id.
            ConflictError: Groups hang on it.
        """
        self.group(name)
        if children := self.children(name):
            raise ConflictError(f"group {name!r} has groups under it: {', '.join(children[:3])}")
        return Topology(group for group in self._groups.values() if group.id != name)

    def _climb(self, name: str) -> Iterator[Group]:
        group = self._groups.get(name)
        while group is not None:
            yield group
            group = self._groups.get(group.parent)

    def _check(self, group: Group) -> None:
        if group.kind is GroupKind.SITE:
            raise DispatchError(f"group {group.id!r}: a site is entered as a site, not as a group")
        if not group.parent:
            return
        parent = self._groups.get(group.parent)
        if parent is None:
            raise DispatchError(f"group {group.id!r}: there is no group {group.parent!r} above it")
        if not _fits(group.kind, parent.kind):
            raise DispatchError(
                f"group {group.id!r}: a {group.kind} cannot stand under {parent.id!r}, "
                f"a {parent.kind}"
            )
        for depth, each in enumerate(self._climb(group.parent), start=2):
            if each.id == group.id:
                raise DispatchError(f"group {group.id!r} would stand above itself")
            if depth > MOST_DEPTH:
                raise DispatchError(
                    f"group {group.id!r} would stand deeper than {MOST_DEPTH} groups"
                )


def _fits(kind: GroupKind, parent: GroupKind) -> bool:
    """Whether a kind may stand under another: free under free, else a narrower level."""
    if kind.level is None or parent.level is None:
        return kind is parent
    return parent.level < kind.level
