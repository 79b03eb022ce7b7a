"""The programmes: those of the configuration, for everybody, and those of groups of homes.

As CSIP has it, each level of the topology has a programme of its own, with lists of its own: what a
list shows is the same for all who may see it. A group's programme is made when something is first
ordered of that group, and stays.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hems.clock import Clock
from hems.headend.db.database import Database
from hems.headend.db.held import Changed
from hems.headend.dispatch import make_mrid
from hems.headend.records import Mode, Program
from hems.headend.shelf import Owned, Shelf

_FIRST: Final = 1001
"""Index of the first programme of a group; those before are of the configuration."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A programme of a group.

    Attributes:
        index: Its number in hrefs.
        mrid: Its mRID.
        base: mRID of the configured programme that it is a part of.
        group: Id of the group.
        depth: By how much it goes before that one.
    """

    index: int
    mrid: str
    base: str
    group: str
    depth: int

    def of(self, base: Program) -> Program:
        """Return it as a programme."""
        return replace(
            base,
            index=self.index,
            mrid=self.mrid,
            primacy=max(base.primacy - self.depth, 0),
            defaults={},
            group=self.group,
        )


class Programmes:
    """All of them. `Database.load` reads those of groups.

    Args:
        database: The database.
        configured: Those of the configuration.
        clock: The utility's time.
        pen: Private enterprise number for the mRIDs made here.
    """

    def __init__(
        self, database: Database, configured: Sequence[Program], clock: Clock, pen: int
    ) -> None:
        self.configured = tuple(configured)
        self._clock = clock
        self._pen = pen
        self._shelf = Shelf(database, "programme", Narrowed)
        self._shelf.follow(self._take)
        self._all = {program.index: program for program in configured}
        self._by_mrid = {program.mrid: program for program in configured}
        self._by_group: dict[str, dict[int, Program]] = {}
        self._drafted: dict[int, Program] = {}

    @property
    def all(self) -> Mapping[int, Program]:
        """All programmes by index."""
        return self._all

    def of_mrid(self, mrid: str) -> Program | None:
        """Return a programme; None if there is none of this mRID."""
        return self._by_mrid.get(mrid)

    def of(self, groups: Collection[str]) -> Sequence[Program]:
        """Return the programmes of a home.

        Args:
            groups: Ids of the groups that it is in.
        """
        own = (self._by_group.get(group, {}).values() for group in groups)
        return (*self.configured, *(program for some in own for program in some))

    def of_group(self, group: str) -> Sequence[Program]:
        """Return the programmes of a group alone."""
        return tuple(self._by_group.get(group, {}).values())

    @property
    def known(self) -> Sequence[Program]:
        """All, with those that the open transaction is about to make."""
        return (*self._all.values(), *self._drafted.values())

    def index(self, index: int) -> Program:
        """Return a programme that is known, by its index."""
        return self._all.get(index) or self._drafted[index]

    def defaults(self, index: int) -> Mapping[Mode, float]:
        """Return the configured defaults of a programme; a home's own has none."""
        found = self._all.get(index)
        return {} if found is None else found.defaults

    async def narrowed(self, base: Program, group: str, depth: int) -> Program:
        """Return a group's part of a configured programme; a new one if there is none yet.

        Call it in the transaction in which something is ordered of it.

        Args:
            base: The configured programme.
            group: Id of the group.
            depth: By how much the part goes before the whole: lower primacy wins.

        Raises:
            BusyError: The database cannot take it.
        """
        async with self._shelf.database.changing():
            for known in self._shelf.items:
                if (known.base, known.group) == (base.mrid, group):
                    return self._all[known.index]
            last = max((known.index for known in self._shelf.items), default=_FIRST - 1)
            mrid = make_mrid(self._clock.now(), self._pen)
            made = Narrowed(last + 1, mrid, base.mrid, group, depth)
            self._drafted = {made.index: made.of(base)}
            await self._shelf.put((made.mrid, group, made))
        return made.of(base)

    def _take(self, changes: Sequence[Changed[Owned[Narrowed]]]) -> None:
        for each in changes:
            if each.before is not None:
                self._drop(each.before.item)
            if each.after is not None:
                self._put(each.after.item)

    def _put(self, item: Narrowed) -> None:
        base = self._by_mrid.get(item.base)
        if base is None:
            return  # of a programme that the configuration does not name any more
        program = item.of(base)
        self._drafted.pop(item.index, None)
        self._all[item.index] = self._by_mrid[item.mrid] = program
        self._by_group.setdefault(item.group, {})[item.index] = program

    def _drop(self, item: Narrowed) -> None:
        self._all.pop(item.index, None)
        self._by_mrid.pop(item.mrid, None)
        self._by_group.get(item.group, {}).pop(item.index, None)


def of_kind(programs: Iterable[Program], kind: object) -> list[Program]:
    """Return the programmes of a kind as lists have them: by primacy, then mRID descending."""
    found = sorted((p for p in programs if p.kind is kind), key=lambda p: p.mrid, reverse=True)
    return sorted(found, key=lambda p: p.primacy)
