"""Files of hubs, line by line into a waiting place, and from there into the fleet.

Lines come in batches, each answered with what is wrong with which of them, so that neither side
ever holds the whole file. Nothing of it is part of the fleet before `run`: then all good lines
become so in one transaction, or, where the operator wants the good ones only, a slice at a time.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from certs.identity import make_pin
from hems.headend.db.changes import Draft
from hems.headend.db.database import Database
from hems.headend.errors import ConflictError, UnknownItemError
from hems.headend.fleet import hub_store, import_store, place_store
from hems.headend.fleet.import_rows import HubLine, Problem
from hems.headend.fleet.import_rules import Stored, fit
from hems.headend.fleet.import_store import Slice
from hems.headend.fleet.memory import CHUNK, FleetMemory
from hems.headend.fleet.places import check_engineer
from hems.headend.fleet.policy import IdentityPolicy
from hems.headend.fleet.records import Actor, GroupKind
from hems.headend.fleet.tables import ImportRow
from hems.headend.modes import Edition

SLICE: Final = 5_000
"""Lines that become part of the fleet at a time where the good ones only are wanted."""
MOST_TOLD: Final = 100
"""Problems that are told of a file as a whole."""
_KEPT_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class NewHome:
    """An EndDevice to be registered.

    Attributes:
        lfdi: Its identity.
        pin: Registration PIN.
        edition: What it speaks.
    """

    lfdi: str
    pin: int
    edition: Edition


class NewHomes(Protocol):
    """Where EndDevices are registered."""

    async def enter(self, homes: Sequence[NewHome]) -> None:
        """Register homes; one that is registered already stays as it is.

        It is called inside of a change, of which it is part.
        """
        ...


@dataclass(frozen=True, slots=True)
class Import:
    """A file that is being imported, and how its lines stand.

    Attributes:
        id: Its name here.
        name: Of the file, for people.
        good: Lines to be imported.
        known: Lines that are in the fleet already, just so.
        bad: Lines not to be imported.
        imported: Lines that were imported.
        problems: What is wrong with the first bad lines, by line.
    """

    id: str
    name: str
    good: int
    known: int
    bad: int
    imported: int
    problems: Sequence[Problem]


class Imports:
    """All files that are being imported.

    Args:
        database: Where they wait.
        memory: The topology, and how identities stand.
        now: UTC epoch seconds.
        policy: Which makes are admitted.
        homes: Where EndDevices are registered.
        edition: What homes speak of which nobody says it.
    """

    def __init__(
        self,
        database: Database,
        memory: FleetMemory,
        now: Callable[[], float],
        *,
        policy: IdentityPolicy,
        homes: NewHomes,
        edition: Edition,
    ) -> None:
        self._database = database
        self._memory = memory
        self._now = now
        self._policy = policy
        self._homes = homes
        self._edition = edition

    async def begin(self, name: str, by: Actor) -> Import:
        """Begin a file; what was begun and not ended a day ago is forgotten.

        Raises:
            ForbiddenError: He may not.
            BusyError: The database cannot take it.
        """
        check_engineer(by, "import hubs")
        batch, now = secrets.token_hex(8), self._now()
        async with self._database.writing() as connection:
            query = select(ImportRow.id).where(ImportRow.begun_at < now - _KEPT_S)
            await self._forget(connection, tuple((await connection.execute(query)).scalars()))
            await connection.execute(
                insert(ImportRow).values(id=batch, name=name, who=by.name, begun_at=now, imported=0)
            )
        return Import(batch, name, 0, 0, 0, 0, ())

    async def add(
        self, batch: str, lines: Sequence[HubLine], problems: Sequence[Problem], by: Actor
    ) -> Sequence[Problem]:
        """Take lines of a file; lines that were told before are told anew.

        Args:
            batch: Id of the import.
            lines: Good by themselves.
            problems: What is wrong with others.
            by: Who imports.

        Returns:
            Everything that is wrong with any of them.

        Raises:
            ForbiddenError: He may not.
            UnknownItemError: There is no such import.
            ConflictError: It has begun to become part of the fleet.
            BusyError: The database cannot take them.
        """
        check_engineer(by, "import hubs")
        numbers = {each.line for each in lines} | {each.line for each in problems}
        async with self._database.writing() as connection:
            if (await self._row(connection, batch)).imported:
                raise ConflictError(f"import {batch} is under way; it takes no more lines")
            await import_store.forget_lines(connection, batch, numbers)
            stored = await self._stored(connection, lines)
            before = await import_store.waiting(connection, batch, lines)
            judged = fit(lines, stored, before)
            found = (*problems, *judged.problems)
            edition = self._edition.value
            await import_store.add_good(connection, batch, judged.good, edition)
            await import_store.add_sites(connection, batch, judged.sites)
            await import_store.add_bad(connection, batch, found)
        return sorted(found, key=lambda each: each.line)

    async def look(self, batch: str) -> Import:
        """Return how a file stands.

        Raises:
            UnknownItemError: There is no such import.
        """
        async with self._database.reading() as connection:
            return await self._look(connection, batch)

    async def run(self, batch: str, by: Actor, *, only_good: bool) -> Import:
        """Have good lines become part of the fleet.

        Where only the good ones are wanted a slice of them does: call it until `good` is 0.

        Args:
            batch: Id of the import.
            by: Who imports.
            only_good: Whether the good lines are wanted although there are bad ones.

        Returns:
            How it stands then. Where it has bad lines, and the good ones only are not wanted,
            nothing was done; some may have become bad since by what others have entered.

        Raises:
            ForbiddenError: He may not.
            UnknownItemError: There is no such import.
            BusyError: The database cannot take it; nothing was done.
        """
        check_engineer(by, "import hubs")
        async with self._database.changing() as draft:
            connection = draft.connection
            name = (await self._row(connection, batch)).name
            await import_store.mark_overtaken(connection, batch, self._fit_groups())
            stands = await import_store.counts(connection, batch)
            if only_good or not stands.bad:
                most = SLICE if only_good else None
                last = await import_store.slice_end(connection, batch, most)
                part = Slice(batch, name, last)
                await import_store.into_fleet(connection, part, by, self._now())
                await self._register(draft, part)
                done = await import_store.forget_slice(connection, part)
                await connection.execute(
                    update(ImportRow)
                    .where(ImportRow.id == batch)
                    .values(imported=ImportRow.imported + done)
                )
            return await self._look(connection, batch)

    async def drop(self, batch: str, by: Actor) -> None:
        """Forget a file; what of it is part of the fleet already stays so.

        Raises:
            ForbiddenError: He may not.
            UnknownItemError: There is no such import.
            BusyError: The database cannot do it now.
        """
        check_engineer(by, "import hubs")
        async with self._database.writing() as connection:
            await self._row(connection, batch)
            await self._forget(connection, (batch,))

    async def _stored(self, connection: AsyncConnection, lines: Sequence[HubLine]) -> Stored:
        return Stored(
            await hub_store.hubs_of(connection, {each.hub for each in lines}),
            await hub_store.owners_of(connection, {each.lfdi for each in lines if each.lfdi}),
            await place_store.sites_of(connection, {each.site.id for each in lines}),
            self._memory.topology,
            self._policy,
        )

    async def _register(self, draft: Draft, part: Slice) -> None:
        """Register the homes of new identities, and have every worker know them."""
        standings = self._memory.standings
        async for rows in import_store.arrived(draft.connection, part, CHUNK):
            await self._homes.enter(
                [NewHome(r.lfdi, r.pin or int(make_pin()), Edition(r.edition)) for r in rows]
            )
            lfdis = [row.lfdi for row in rows]
            fresh = await standings.read(draft.connection, lfdis)
            for lfdi in lfdis:
                draft.changed(standings.kind, lfdi)
            draft.after.append(partial(standings.take, fresh))

    def _fit_groups(self) -> frozenset[str]:
        groups = self._memory.topology.groups.values()
        return frozenset(group.id for group in groups if group.kind is not GroupKind.FREE)

    async def _look(self, connection: AsyncConnection, batch: str) -> Import:
        row = await self._row(connection, batch)
        stands = await import_store.counts(connection, batch)
        told = await import_store.problems(connection, batch, MOST_TOLD)
        return Import(row.id, row.name, stands.good, stands.known, stands.bad, row.imported, told)

    async def _row(self, connection: AsyncConnection, batch: str) -> "_Begun":
        query = select(ImportRow.name, ImportRow.imported).where(ImportRow.id == batch)
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise UnknownItemError(f"no import {batch[:40]!r}")
        return _Begun(batch, row.name, row.imported)

    async def _forget(self, connection: AsyncConnection, batches: Sequence[str]) -> None:
        await import_store.forget(connection, batches)
        await connection.execute(delete(ImportRow).where(ImportRow.id.in_(batches)))


@dataclass(frozen=True, slots=True)
class _Begun:
    id: str
    name: str
    imported: int
