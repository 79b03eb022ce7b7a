"""Which programmes and events a home sees by its groups; pure.

As CSIP models it each home has one FunctionSetAssignments. Its DERProgramListLink leads to a list
of its own: one programme for each level of the topology that has one and that the home belongs to,
beside those for everybody. Where two ask different things of the same mode the one of lower
primacy rules, so that the narrower level has the last word on its own wires.
"""

from collections.abc import Collection, Iterable
from typing import Final, Protocol, TypeVar

from hems.headend.fleet.records import GroupKind

_PRIMACIES: Final = {
    GroupKind.SITE: 10,
    GroupKind.TRANSFORMER: 20,
    GroupKind.SEGMENT: 30,
    GroupKind.FEEDER: 40,
    GroupKind.SUBSTATION: 50,
    GroupKind.SUBTRANSMISSION: 60,
    GroupKind.SYSTEM: 70,
    GroupKind.FREE: 80,
}


class Assigned(Protocol):
    """A programme, as far as its place counts."""

    @property
    def mrid(self) -> str:
        """32 upper-case hex digits."""
        ...

    @property
    def primacy(self) -> int:
        """Lower wins."""
        ...

    @property
    def group(self) -> str | None:
        """Whom it is for; None for everybody."""
        ...


_P = TypeVar("_P", bound=Assigned)


def sees_programme(home_groups: Collection[str], programme_group: str | None) -> bool:
    """Whether a home is assigned a programme.

    Args:
        home_groups: Of the home: its site and all above (`FleetBook.groups_of`).
        programme_group: Whom the programme is for; None for everybody.
    """
    return programme_group is None or programme_group in home_groups


def visible_to(
    home_groups: Collection[str], programme_group: str | None, event_group: str | None
) -> bool:
    """Whether a home sees an event of a programme.

    Args:
        home_groups: Of the home.
        programme_group: Whom the programme is for; None for everybody.
        event_group: Whom the event is for, inside of that; None for all of the programme.
    """
    return sees_programme(home_groups, programme_group) and sees_programme(home_groups, event_group)


def assigned_to(home_groups: Collection[str], programmes: Iterable[_P]) -> tuple[_P, ...]:
    """Return a home's programmes as its list has them: by primacy, then by falling mRID.

    Args:
        home_groups: Of the home.
        programmes: All of them.
    """
    seen = [each for each in programmes if sees_programme(home_groups, each.group)]
    seen.sort(key=lambda each: each.mrid, reverse=True)
    return tuple(sorted(seen, key=lambda each: each.primacy))


def primacy_for(kind: GroupKind | None) -> int:
    """Return the primacy of a programme that says none: the narrower, the stronger.

    Args:
        kind: Level of its group; None where it is for everybody.
    """
    return _PRIMACIES[GroupKind.SYSTEM if kind is None else kind]
