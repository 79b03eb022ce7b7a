"""The trail: who did what, when, from where, and what came of it. Rows are added, never changed.

A row is written before the deed, so that nothing is done that is not there, and another one when it
has ended. Each is bound to all before it by a hash (`hems.store.chain`), so that one that was
changed or taken out afterwards shows. A deed without an end was under way when its worker ended.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.access.credential_rules import key
from hems.clock import Clock
from hems.headend.db.database import Database
from hems.headend.operators.roles import Identity, OperatorRole, Way
from hems.headend.operators.tables import TrailRow
from hems.headend.rows import AnyRow
from hems.store.chain import ChainRow, Verdict, Verifier, append

_LOCK: Final = 0x2030_6
"""Key of the advisory lock under which rows are added: each needs the one before."""
_CHUNK: Final = 500


class Deed(BaseModel):
    """What somebody does, or tried to do.

    Attributes:
        who: By which the utility knows them.
        roles: Theirs.
        way: How they got in.
        origin: Address that they asked from.
        did: The request, as "POST /events/{id}/cancel".
        about: What it concerned: the parts of the path, one after the other.
        detail: What was asked for, as JSON without secrets; empty for none.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    who: str
    roles: tuple[OperatorRole, ...]
    way: Way
    origin: str
    did: str
    about: str = ""
    detail: str = ""

    @classmethod
    def of(cls, who: Identity, did: str, origin: str, about: str = "", detail: str = "") -> "Deed":
        """Return somebody's deed."""
        roles = tuple(role for role in OperatorRole if role in who.roles)
        return cls(
            who=who.name,
            roles=roles,
            way=who.way,
            origin=origin,
            did=did,
            about=about,
            detail=detail,
        )


class End(BaseModel):
    """What came of a deed.

    Attributes:
        of: Number of its row.
        outcome: Status of HTTP.
        made: Where what was made stands; empty for none.
        reason: Why it was refused; empty where it was not.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    of: int
    outcome: int
    made: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A deed and its end.

    Attributes:
        number: Of its row.
        at: When it began, epoch s.
        deed: It.
        end: What came of it; None where nobody knows.
    """

    number: int
    at: float
    deed: Deed
    end: End | None


class Trail:
    """All rows.

    Args:
        database: Where they are.
        clock: The utility's time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, deed: Deed) -> int:
        """Write down what somebody is about to do; returns the number of the row.

        Raises:
            BusyError: The database cannot take it; it is not to be done then.
        """
        return await self._add(key(deed.who), 0, deed.model_dump_json())

    async def end(self, end: End) -> None:
        """Write down what came of it.

        Raises:
            BusyError: The database cannot take it.
        """
        await self._add("", end.of, end.model_dump_json())

    async def entries(
        self, most: int, before: int | None = None, who: str | None = None
    ) -> Sequence[Entry]:
        """Return deeds, the latest first.

        Args:
            most: How many at most.
            before: Only those with a smaller number; None for all.
            who: Only this operator's; None for all.
        """
        query = select(TrailRow.__table__).where(TrailRow.of == 0)
        if before is not None:
            query = query.where(TrailRow.seq < before)
        if who is not None:
            query = query.where(TrailRow.person == key(who))
        async with self._database.reading() as connection:
            rows = (await connection.execute(query.order_by(TrailRow.seq.desc()).limit(most))).all()
            return await _joined(connection, rows)

    async def every(self) -> AsyncIterator[Sequence[Entry]]:
        """Yield all deeds, the earliest first, some at a time."""
        after = 0
        query = select(TrailRow.__table__).where(TrailRow.of == 0).order_by(TrailRow.seq)
        while True:
            async with self._database.reading() as connection:
                part = query.where(TrailRow.seq > after).limit(_CHUNK)
                found = await _joined(connection, (await connection.execute(part)).all())
            if not found:
                return
            yield found
            after = found[-1].number

    async def verify(self) -> Verdict:
        """Look whether the trail is as it was written."""
        verifier, after = Verifier(self._clock.now()), 0
        query = select(TrailRow.__table__).order_by(TrailRow.seq)
        while True:
            async with self._database.reading() as connection:
                part = query.where(TrailRow.seq > after).limit(_CHUNK)
                rows = [_chained(row) for row in await connection.execute(part)]
            if not rows or not all(verifier.take(row) for row in rows):
                return verifier.verdict()
            after = rows[-1].seq

    async def _add(self, person: str, of: int, body: str) -> int:
        async with self._database.writing() as connection:
            if self._database.url:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            query = select(TrailRow.__table__).order_by(TrailRow.seq.desc()).limit(1)
            last = (await connection.execute(query)).one_or_none()
            row = append(None if last is None else _chained(last), self._clock.now(), body)
            await connection.execute(
                insert(TrailRow).values(
                    seq=row.seq,
                    at=row.at,
                    person=person,
                    of=of,
                    body=body,
                    digest=row.digest,
                    link=row.link,
                )
            )
        return row.seq


def _chained(row: AnyRow) -> ChainRow:
    return ChainRow(row.seq, row.at, row.body, row.digest, row.link)


async def _joined(connection: AsyncConnection, rows: Sequence[AnyRow]) -> Sequence[Entry]:
    """Return deeds with their ends."""
    numbers = [row.seq for row in rows]
    query = select(TrailRow.of, TrailRow.body).where(TrailRow.of.in_(numbers))
    ends = {}
    if numbers:
        found = await connection.execute(query)
        ends = {row.of: End.model_validate_json(row.body) for row in found}
    return [
        Entry(row.seq, row.at, Deed.model_validate_json(row.body), ends.get(row.seq))
        for row in rows
    ]
