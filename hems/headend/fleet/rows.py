"""Between the fleet's table rows and its records: one pair of functions a kind, no queries."""

from dataclasses import asdict
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Row

from hems.headend.errors import StoreError
from hems.headend.fleet.records import (
    Change,
    Check,
    Commissioning,
    Deed,
    Group,
    GroupKind,
    Hub,
    HubPolicy,
    Licence,
    Place,
    Role,
    Site,
    State,
)

AnyRow = Row[Any]
Values = dict[str, str | float | bool | None]

_CHECKS: Final = TypeAdapter(tuple[Check, ...])


def group_of(row: AnyRow) -> Group:
    """Read a group."""
    return Group(row.id, row.name, GroupKind(row.kind), row.parent, _place(row))


def group_values(group: Group) -> Values:
    """Write a group's columns."""
    return {
        "id": group.id,
        "name": group.name,
        "kind": group.kind.value,
        "parent": group.parent,
        **_place_values(group.place),
    }


def site_of(row: AnyRow) -> Site:
    """Read a site."""
    return Site(row.id, row.group, row.name, row.address, row.connection_point, _place(row))


def site_values(site: Site) -> Values:
    """Write a site's columns."""
    return {
        "id": site.id,
        "group": site.group,
        "name": site.name,
        "address": site.address,
        "connection_point": site.connection_point,
        **_place_values(site.place),
    }


def hub_of(row: AnyRow) -> Hub:
    """Read a hub."""
    licence = None
    if row.licence is not None:
        licence = Licence(row.licence, row.licence_from or 0.0, row.licence_until)
    return Hub(
        id=row.id,
        state=State(row.state),
        since=row.since,
        lfdi=row.lfdi,
        kind=row.kind,
        serial=row.serial,
        site=row.site,
        before=None if row.before is None else State(row.before),
        identified_at=row.identified_at,
        testing_until=row.testing_until,
        licence=licence,
        policy=HubPolicy(row.largest_event_w, row.may_disconnect),
        replaces=row.replaces,
        replaced_by=row.replaced_by,
    )


def hub_values(hub: Hub) -> Values:
    """Write a hub's columns, but for the import that it came with."""
    licence = hub.licence
    return {
        "id": hub.id,
        "state": hub.state.value,
        "since": hub.since,
        "lfdi": hub.lfdi,
        "kind": hub.kind,
        "serial": hub.serial,
        "site": hub.site,
        "before": None if hub.before is None else hub.before.value,
        "identified_at": hub.identified_at,
        "testing_until": hub.testing_until,
        "licence": None if licence is None else licence.number,
        "licence_from": None if licence is None else licence.valid_from,
        "licence_until": None if licence is None else licence.valid_until,
        "largest_event_w": hub.policy.largest_event_w,
        "may_disconnect": hub.policy.may_disconnect,
        "replaces": hub.replaces,
        "replaced_by": hub.replaced_by,
    }


def commissioning_of(row: AnyRow) -> Commissioning:
    """Read a commissioning record.

    Raises:
        StoreError: Its checks cannot be read.
    """
    values = dict(row._mapping)  # noqa: SLF001 - the public way to a row's names
    try:
        values["checks"] = _CHECKS.validate_json(row.checks)
    except ValidationError as error:
        raise StoreError(
            f"the database holds commissioning {row.id}, which cannot be read"
        ) from error
    return Commissioning(**values)


def commissioning_values(record: Commissioning) -> Values:
    """Write a commissioning record's columns."""
    return asdict(record) | {"checks": _CHECKS.dump_json(record.checks).decode()}


def change_of(row: AnyRow) -> Change:
    """Read a line of a history."""
    return Change(
        row.hub,
        row.at,
        row.who,
        Role(row.role),
        Deed(row.deed),
        row.before,
        row.after,
        row.why,
        row.site,
        row.id,
    )


def change_values(change: Change) -> Values:
    """Write a new line's columns."""
    return {
        "hub": change.hub,
        "at": change.at,
        "who": change.who,
        "role": change.role.value,
        "deed": change.deed.value,
        "before": change.before,
        "after": change.after,
        "why": change.why,
        "site": change.site,
    }


def _place(row: AnyRow) -> Place | None:
    return None if row.lat is None or row.lon is None else Place(row.lat, row.lon)


def _place_values(place: Place | None) -> Values:
    if place is None:
        return {"lat": None, "lon": None}
    return {"lat": place.lat, "lon": place.lon}
