"""What the operator's door takes and gives of groups and sites, as JSON."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field

from hems.headend.fleet.import_rows import ID, MOST_TEXT
from hems.headend.fleet.records import Group, GroupKind, Place, Site
from hems.headend.operator_asks import In

MOST_GROUPS = 1_000
"""Groups that are entered at a time."""
MOST_MEMBERS = 5_000
"""Sites of a free group that are told at a time."""


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has characters that cannot be shown")
    return text.strip()


Name = Annotated[str, Field(pattern=f"^{ID.pattern}$")]
"""Id of a group or a site."""
Text = Annotated[str, Field(max_length=MOST_TEXT), AfterValidator(_printable)]
"""A line for people."""


class PlaceIn(In):
    """A place on the map, degrees of WGS 84."""

    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]

    def record(self) -> Place:
        """Return it as a record."""
        return Place(self.lat, self.lon)


class GroupIn(In):
    """A group, as it shall be."""

    name: Text = ""
    kind: GroupKind
    parent: Name | None = None
    """Id of the group above."""
    place: PlaceIn | None = None

    def record(self, name: str) -> Group:
        """Return it as a record."""
        place = None if self.place is None else self.place.record()
        return Group(name, self.name or name, self.kind, self.parent or "", place)


class NamedGroupIn(GroupIn):
    """The same, with its id."""

    id: Name


class GroupsIn(In):
    """Several groups, all or none; one may stand before the one above it."""

    groups: Annotated[list[NamedGroupIn], Field(min_length=1, max_length=MOST_GROUPS)]


class MembersIn(In):
    """All sites of a free group."""

    sites: Annotated[list[Name], Field(max_length=MOST_MEMBERS)]


class MembersOut(BaseModel):
    """All sites of a free group itself."""

    sites: list[str]


class PlaceOut(BaseModel):
    """A place on the map."""

    lat: float
    lon: float

    @classmethod
    def of(cls, place: Place | None) -> Self | None:
        """Take a record over."""
        return None if place is None else cls(lat=place.lat, lon=place.lon)


class GroupOut(BaseModel):
    """A group."""

    id: str
    name: str
    kind: GroupKind
    parent: str | None
    place: PlaceOut | None
    above: list[str]
    """All groups above, the nearest first."""

    @classmethod
    def of(cls, group: Group, above: tuple[str, ...]) -> Self:
        """Take a record over."""
        return cls(
            id=group.id,
            name=group.name,
            kind=group.kind,
            parent=group.parent or None,
            place=PlaceOut.of(group.place),
            above=list(above),
        )


class GroupsOut(BaseModel):
    """Groups by id; `next` is to be asked for `after`, None at the end."""

    groups: list[GroupOut]
    next: str | None


class SiteIn(In):
    """A site, as it shall be."""

    group: Name
    name: Text = ""
    address: Text = ""
    connection_point: Text = ""
    place: PlaceIn | None = None
    reason: Text = ""
    """Why it hangs on another group from now on."""

    def record(self, name: str) -> Site:
        """Return it as a record."""
        place = None if self.place is None else self.place.record()
        return Site(name, self.group, self.name, self.address, self.connection_point, place)


class SiteOut(BaseModel):
    """A site."""

    id: str
    group: str
    name: str
    address: str
    connection_point: str
    place: PlaceOut | None

    @classmethod
    def of(cls, site: Site) -> Self:
        """Take a record over."""
        return cls(
            id=site.id,
            group=site.group,
            name=site.name,
            address=site.address,
            connection_point=site.connection_point,
            place=PlaceOut.of(site.place),
        )


class SitesOut(BaseModel):
    """Sites by id; `next` is to be asked for `after`, None at the end."""

    sites: list[SiteOut]
    next: str | None
