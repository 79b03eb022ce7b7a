"""Whether good lines of a file fit each other and what is there already; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from hems.headend.errors import DispatchError
from hems.headend.fleet.import_rows import HubLine, Problem
from hems.headend.fleet.places import check_site
from hems.headend.fleet.policy import IdentityPolicy
from hems.headend.fleet.records import Hub, Site
from hems.headend.fleet.topology import Topology

_COLUMN_OF = {"name": "site_name", "place": "lat"}
"""Columns that are not called as the field of a site."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Lines of this file that wait, as far as a batch meets them.

    Attributes:
        hubs: Line by hub id.
        lfdis: Line by identity.
        sites: Site and the line that named it first, by site id.
    """

    hubs: dict[str, int]
    lfdis: dict[str, int]
    sites: dict[str, tuple[Site, int]]


@dataclass(frozen=True, slots=True)
class Stored:
    """What is in the fleet already, as far as some lines meet it.

    Attributes:
        hubs: By id.
        owners: Id of the hub by identity.
        sites: By id.
        topology: All groups.
        policy: Which makes are admitted.
    """

    hubs: Mapping[str, Hub]
    owners: Mapping[str, str]
    sites: Mapping[str, Site]
    topology: Topology
    policy: IdentityPolicy


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of some lines.

    Attributes:
        good: To be imported, or there already (true).
        sites: New ones, with the line that named each first.
        problems: Of the others.
    """

    good: Sequence[tuple[HubLine, bool]]
    sites: Sequence[tuple[Site, int]]
    problems: Sequence[Problem]


def fit(lines: Sequence[HubLine], stored: Stored, before: Waiting) -> Judged:
    """Return which lines fit; earlier lines win over later ones.

    Args:
        lines: Good by themselves.
        stored: What is in the fleet.
        before: What the file has said before; lines that fit are added to it.
    """
    good: list[tuple[HubLine, bool]] = []
    sites: list[tuple[Site, int]] = []
    problems: list[Problem] = []
    for each in lines:
        found = list(_clashes(each, before))
        known = stored.hubs.get(each.hub)
        found += _against(each, known, stored)
        site, wrong = _site_for(each, stored, before)
        found += wrong
        if found:
            problems += found
            continue
        good.append((each, known is not None))
        before.hubs[each.hub] = each.line
        if each.lfdi:
            before.lfdis[each.lfdi] = each.line
        if site is not None:
            before.sites[site.id] = (site, each.line)
            sites.append((site, each.line))
    return Judged(good, sites, problems)


def _clashes(line: HubLine, before: Waiting) -> Sequence[Problem]:
    """Return where a line says again what one before it has said."""
    found = []
    if (first := before.hubs.get(line.hub)) is not None:
        column = "serial" if line.kind else "lfdi"
        found.append(Problem(line.line, column, f"hub {line.hub} stands in line {first} already"))
    elif (first := before.lfdis.get(line.lfdi)) is not None:
        found.append(Problem(line.line, "lfdi", f"{line.lfdi} stands in line {first} already"))
    return found


def _against(line: HubLine, known: Hub | None, stored: Stored) -> Sequence[Problem]:
    """Return where a line contradicts what is stored; one that says the same is no problem."""
    owner = stored.owners.get(line.lfdi)
    if owner is not None and owner != line.hub:
        return [Problem(line.line, "lfdi", f"{line.lfdi} is, or was, that of hub {owner}")]
    if known is None:
        if not stored.policy.admits(line.kind):
            make = line.kind or "unknown"
            return [Problem(line.line, "kind", f"hardware of make {make} is not admitted")]
        return []
    where = f"hub {known.id} is known already, with"
    told = {
        "site": (line.site.id, known.site),
        "lfdi": (line.lfdi or known.lfdi, known.lfdi),
        "licence": (line.licence, "" if known.licence is None else known.licence.number),
        "licence_until": (
            line.licence_until,
            None if known.licence is None else known.licence.valid_until,
        ),
        "largest_event_w": (line.largest_event_w, known.policy.largest_event_w),
    }
    return [
        Problem(line.line, column, f"{where} {column} {there or 'none'}")
        for column, (here, there) in told.items()
        if here != there
    ]


def _site_for(
    line: HubLine, stored: Stored, before: Waiting
) -> tuple[Site | None, Sequence[Problem]]:
    """Return the site if it is new, and what is wrong with what the line says of it."""
    site = line.site
    there = stored.sites.get(site.id)
    if there is not None:
        return None, _differences(line, there, "is stored")
    if site.id in before.sites:
        there, first = before.sites[site.id]
        return None, _differences(line, there, f"stands in line {first}")
    if not site.group:
        reason = f"is missing: site {site.id} is new"
        return None, [Problem(line.line, "group", reason)]
    try:
        check_site(site, stored.topology)
    except DispatchError as error:
        column = "site" if site.id in stored.topology.groups else "group"
        return None, [Problem(line.line, column, str(error))]
    return site, ()


def _differences(line: HubLine, there: Site, where: str) -> Sequence[Problem]:
    """Return where a line says something else of a site; what it leaves out is as it was."""
    found = []
    for field in fields(Site):
        said, known = getattr(line.site, field.name), getattr(there, field.name)
        if said and said != known:
            column = _COLUMN_OF.get(field.name, field.name)
            reason = f"site {there.id} {where} with another {field.name.replace('_', ' ')}"
            found.append(Problem(line.line, column, reason))
    return found
