"""Where the lines of a file wait until all are there, and the step from there into the fleet.

The step is a handful of statements inside the database, so that a file of any length needs the
memory of one batch.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    case,
    cast,
    delete,
    false,
    func,
    insert,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.headend.fleet.import_rows import HubLine, Problem
from hems.headend.fleet.import_rules import Waiting
from hems.headend.fleet.memory import chunks
from hems.headend.fleet.records import Actor, Deed, Place, Site, State
from hems.headend.fleet.rows import AnyRow, site_values
from hems.headend.fleet.tables import (
    HistoryRow,
    HubRow,
    IdentityRow,
    ImportedHubRow,
    ImportedSiteRow,
    SiteRow,
)
from hems.headend.models import Base

_L: Final = ImportedHubRow
_S: Final = ImportedSiteRow


@dataclass(frozen=True, slots=True)
class Counts:
    """How the lines of a file stand.

    Attributes:
        good: To be imported.
        known: There already, just so.
        bad: Not to be imported.
    """

    good: int
    known: int
    bad: int


async def waiting(connection: AsyncConnection, batch: str, lines: Sequence[HubLine]) -> Waiting:
    """Return what waits that some lines could clash with."""
    found = Waiting({}, {}, {})
    good = (_L.batch == batch) & (_L.problem == "")
    for part in chunks(tuple({each.hub for each in lines})):
        rows = await connection.execute(select(_L.id, _L.line).where(good, _L.id.in_(part)))
        found.hubs.update((row.id, row.line) for row in rows)
    for part in chunks(tuple({each.lfdi for each in lines if each.lfdi})):
        rows = await connection.execute(select(_L.lfdi, _L.line).where(good, _L.lfdi.in_(part)))
        found.lfdis.update((row.lfdi, row.line) for row in rows)
    for part in chunks(tuple({each.site.id for each in lines})):
        query = select(_S.__table__).where(_S.batch == batch, _S.id.in_(part))
        for row in await connection.execute(query):
            found.sites[row.id] = (_site(row), row.line)
    return found


async def forget_lines(connection: AsyncConnection, batch: str, lines: Collection[int]) -> None:
    """Forget lines that are told again."""
    await connection.execute(delete(_L).where(_L.batch == batch, _L.line.in_(lines)))
    await connection.execute(delete(_S).where(_S.batch == batch, _S.line.in_(lines)))


async def add_good(
    connection: AsyncConnection, batch: str, lines: Iterable[tuple[HubLine, bool]], edition: str
) -> None:
    """Have good lines wait; beside each whether its hub is known already, just so."""
    values = [
        {
            "batch": batch,
            "line": each.line,
            "id": each.hub,
            "lfdi": each.lfdi,
            "kind": each.kind,
            "serial": each.serial,
            "site": each.site.id,
            "licence": each.licence or None,
            "licence_until": each.licence_until,
            "largest_event_w": each.largest_event_w,
            "pin": each.pin or 0,
            "edition": edition if each.edition is None else each.edition.value,
            "known": known,
            "column": "",
            "problem": "",
        }
        for each, known in lines
    ]
    if values:
        await connection.execute(insert(_L), values)


async def add_sites(
    connection: AsyncConnection, batch: str, sites: Iterable[tuple[Site, int]]
) -> None:
    """Have sites wait; beside each the line that named it first."""
    values = [{"batch": batch, "line": line, **site_values(site)} for site, line in sites]
    if values:
        await connection.execute(insert(_S), values)


async def add_bad(connection: AsyncConnection, batch: str, problems: Iterable[Problem]) -> None:
    """Keep that lines are bad: of each the first problem."""
    first: dict[int, Problem] = {}
    for each in problems:
        first.setdefault(each.line, each)
    values = [
        {
            "batch": batch,
            "line": each.line,
            "column": each.column,
            "problem": each.reason,
            "known": False,
            **dict.fromkeys(("id", "lfdi", "kind", "serial", "site", "edition"), ""),
            **dict.fromkeys(("licence", "licence_until", "largest_event_w")),
            "pin": 0,
        }
        for each in first.values()
    ]
    if values:
        await connection.execute(insert(_L), values)


async def counts(connection: AsyncConnection, batch: str) -> Counts:
    """Return how the lines stand."""
    query = select(
        func.count(),
        func.coalesce(func.sum(cast(_L.known, Integer)), 0),
        func.coalesce(func.sum(case((_L.problem != "", 1), else_=0)), 0),
    ).where(_L.batch == batch)
    total, known, bad = (await connection.execute(query)).one()
    return Counts(total - known - bad, known, bad)


async def problems(connection: AsyncConnection, batch: str, limit: int) -> Sequence[Problem]:
    """Return the first bad lines."""
    query = (
        select(_L.line, _L.column, _L.problem)
        .where(_L.batch == batch, _L.problem != "")
        .order_by(_L.line)
        .limit(limit)
    )
    return [Problem(row.line, row.column, row.problem) for row in await connection.execute(query)]


async def mark_overtaken(
    connection: AsyncConnection, batch: str, fit_groups: Collection[str]
) -> int:
    """Mark the lines that somebody else's changes have made bad since; returns how many."""
    good = (_L.batch == batch) & (_L.problem == "") & ~_L.known
    entered = select(SiteRow.id).where(SiteRow.id == _S.id).exists()
    rows = await connection.execute(
        select(_S.id, _S.group, entered.label("entered")).where(_S.batch == batch)
    )
    sites = [row.id for row in rows if row.entered or row.group not in fit_groups]
    marked = await _mark(
        connection,
        good & select(HubRow.id).where(HubRow.id == _L.id).exists(),
        ("", "the hub was entered by somebody else meanwhile"),
    )
    marked += await _mark(
        connection,
        good & select(IdentityRow.hub).where(IdentityRow.lfdi == _L.lfdi).exists(),
        ("lfdi", "the identity was given to another hub meanwhile"),
    )
    for part in chunks(sites):
        marked += await _mark(
            connection,
            good & _L.site.in_(part),
            ("site", "the site, or its group, was changed by somebody else meanwhile"),
        )
        await connection.execute(delete(_S).where(_S.batch == batch, _S.id.in_(part)))
    return marked


async def _mark(
    connection: AsyncConnection, which: ColumnElement[bool], why: tuple[str, str]
) -> int:
    column, problem = why
    done = await connection.execute(
        update(_L)
        .where(which)
        .values(column=column, problem=problem)
        .execution_options(synchronize_session=False)
    )
    return done.rowcount


async def slice_end(connection: AsyncConnection, batch: str, most: int | None) -> int:
    """Return the line up to which so many good lines stand; 0 for none."""
    good = (_L.batch == batch) & (_L.problem == "") & ~_L.known
    lines = select(_L.line).where(good).order_by(_L.line)
    if most is not None:
        lines = lines.limit(most)
    found = await connection.execute(select(func.max(lines.subquery().c.line)))
    return found.scalar_one() or 0


@dataclass(frozen=True, slots=True)
class Slice:
    """Good lines that become part of the fleet in one go.

    Attributes:
        batch: Of which file.
        name: Of the file, for people.
        last: Up to which line.
    """

    batch: str
    name: str
    last: int

    @property
    def lines(self) -> ColumnElement[bool]:
        """Condition for these lines."""
        good = (_L.batch == self.batch) & (_L.problem == "") & ~_L.known
        return good & (_L.line <= self.last)


async def into_fleet(connection: AsyncConnection, part: Slice, by: Actor, now: float) -> None:
    """Have good lines become sites, hubs, identities and first lines of histories."""
    used = (_S.batch == part.batch) & _S.id.in_(select(_L.site).where(part.lines))
    places = ("id", "group", "name", "address", "connection_point", "lat", "lon")
    chosen = select(*(getattr(_S, each) for each in places)).where(used)
    await connection.execute(insert(SiteRow).from_select(places, chosen))
    begun = case((_L.lfdi == "", State.MADE.value), else_=State.ENROLLED.value)
    hub: dict[str, Any] = {
        "id": _L.id,
        "state": begun,
        "since": literal(now),
        "lfdi": _L.lfdi,
        "kind": _L.kind,
        "serial": _L.serial,
        "site": _L.site,
        "identified_at": literal(now),
        "testing_until": literal(0.0),
        "licence": _L.licence,
        "licence_from": case((_L.licence.is_not(None), literal(now))),
        "licence_until": _L.licence_until,
        "largest_event_w": _L.largest_event_w,
        "may_disconnect": true(),
        "replaces": literal(""),
        "replaced_by": literal(""),
        "batch": _L.batch,
    }
    await _fill(connection, HubRow, hub, part)
    await connection.execute(
        insert(IdentityRow).from_select(
            ("lfdi", "hub", "barred"),
            select(_L.lfdi, _L.id, false()).where(part.lines, _L.lfdi != ""),
        )
    )
    line: dict[str, Any] = {
        "hub": _L.id,
        "at": literal(now),
        "who": literal(by.name),
        "role": literal(by.role.value),
        "deed": literal(Deed.IMPORTED.value),
        "before": literal(""),
        "after": begun,
        "why": literal(f"{part.name}, line ") + cast(_L.line, String),
        "site": _L.site,
    }
    await _fill(connection, HistoryRow, line, part)


async def _fill(
    connection: AsyncConnection, table: type[Base], values: Mapping[str, Any], part: Slice
) -> None:
    query = select(*values.values()).where(part.lines).order_by(_L.line)
    await connection.execute(insert(table).from_select(tuple(values), query))


async def arrived(
    connection: AsyncConnection, part: Slice, limit: int
) -> AsyncIterator[Sequence[AnyRow]]:
    """Yield the lines with an identity, so many at a time: line, lfdi, pin (0: none), edition."""
    after = 0
    columns: tuple[Any, ...] = (_L.line, _L.lfdi, _L.pin, _L.edition)
    query = select(*columns).where(part.lines, _L.lfdi != "").order_by(_L.line).limit(limit)
    while found := (await connection.execute(query.where(_L.line > after))).all():
        yield found
        after = found[-1].line


async def forget_slice(connection: AsyncConnection, part: Slice) -> int:
    """Forget lines that are in the fleet now; returns how many they were."""
    entered = select(SiteRow.id).where(SiteRow.id == _S.id).exists()
    await connection.execute(delete(_S).where(_S.batch == part.batch, entered))
    return (await connection.execute(delete(_L).where(part.lines))).rowcount


async def forget(connection: AsyncConnection, batches: Collection[str]) -> None:
    """Forget the lines of files."""
    await connection.execute(delete(_L).where(_L.batch.in_(batches)))
    await connection.execute(delete(_S).where(_S.batch.in_(batches)))


def _site(row: AnyRow) -> Site:
    place = None if row.lat is None or row.lon is None else Place(row.lat, row.lon)
    return Site(row.id, row.group, row.name, row.address, row.connection_point, place)
