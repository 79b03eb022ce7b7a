"""Events for named homes, and the programmes that they stand in; pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from hems.headend.modes import ProgramKind
from hems.headend.records import Event, Home, Program

_FIRST: Final = 10_000_000
"""Index of the first programme of a home; those before are everybody's, and of groups."""
_KINDS: Final = (ProgramKind.DER, ProgramKind.DRLC)
_NAMES: Final[Mapping[ProgramKind, str]] = {
    ProgramKind.DER: "Home's own limits",
    ProgramKind.DRLC: "Home's own load",
}


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """An event for named homes.

    Attributes:
        event: What it asks and when; which programme it is in depends on the home.
        key: By which whoever ordered it knows it again.
        kind: In which of a home's own programmes it stands.
        homes: For whom, by LFDI.
    """

    event: Event
    key: str
    kind: ProgramKind
    homes: frozenset[str]

    def at(self, program: Program) -> Event:
        """Return it as it stands in a home's programme."""
        return replace(self.event, program=program.index)


def programme(home: Home, kind: ProgramKind, primacy: int, pen: int) -> Program:
    """Return a home's own programme of a kind: it is kept nowhere, and the same at any time."""
    digest = hashlib.sha256(f"own {kind.value} programme of {home.lfdi}".encode()).hexdigest()
    return Program(
        index=_FIRST + home.id * len(_KINDS) + _KINDS.index(kind),
        name=_NAMES[kind],
        mrid=f"{digest[:24].upper()}{pen:08X}",
        primacy=primacy,
        kind=kind,
        home=home.lfdi,
    )


def whose(index: int) -> tuple[int, ProgramKind] | None:
    """Return the number of the home whose own programme an index is, and its kind; None: nobody's.

    Args:
        index: As in hrefs.
    """
    if index < _FIRST:
        return None
    number, place = divmod(index - _FIRST, len(_KINDS))
    return number, _KINDS[place]
