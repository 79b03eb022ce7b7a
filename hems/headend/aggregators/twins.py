"""A home's own copy of a programme, where its contract keeps some of its events from it.

An aggregator reads one list for all its homes of a programme. A home whose contract bounds what it
may be asked for must not be asked by that list, nor may its neighbours go without. So such a home
has a copy of each of its programmes, which alone its own EndDevice leads to, and in which stands
what its contract lets through. A copy is kept nowhere: its index is made of the home's number and
the programme's index, its mRID of the programme's and the home's LFDI.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from hems.headend.aggregators.rolls import Rolls
from hems.headend.records import Home, Program

_FIRST: Final = 100_000_000_000
"""Index of the first copy; behind all programmes, homes' own too."""
_SPAN: Final = 10_000_000
"""How many programmes of everybody and of groups there may be."""


class Twins:
    """Makes them.

    Args:
        rolls: Homes by their numbers.
        program: Returns a programme of everybody or of a group; None for none of this index.
        limited: Whether a home's contract, by LFDI, keeps anything from it.
    """

    def __init__(
        self,
        rolls: Rolls,
        program: Callable[[int], Program | None],
        limited: Callable[[str], bool],
    ) -> None:
        self._rolls = rolls
        self._program = program
        self._limited = limited

    def has(self, home: Home) -> bool:
        """Whether a home is shown copies in place of its programmes."""
        return bool(home.aggregator) and self._limited(home.lfdi)

    def of(self, home: Home, programs: Sequence[Program]) -> Sequence[Program]:
        """Return a home's programmes as it is shown them by who speaks for it."""
        if not self.has(home):
            return programs
        return [each if each.home is not None else twin(each, home) for each in programs]

    def at(self, index: int) -> Program | None:
        """Return the copy of an index; None if there is none."""
        if index < _FIRST:
            return None
        number, original = divmod(index - _FIRST, _SPAN)
        home, program = self._rolls.numbered(number), self._program(original)
        if home is None or program is None or not self.has(home):
            return None
        return twin(program, home)


def twin(program: Program, home: Home) -> Program:
    """Return a home's copy of a programme."""
    digest = hashlib.sha256(f"programme {program.mrid} for {home.lfdi}".encode()).hexdigest()
    return replace(
        program,
        index=_FIRST + home.id * _SPAN + program.index,
        mrid=digest[:24].upper() + program.mrid[24:],
        home=home.lfdi,
        twin_of=program.index,
    )
