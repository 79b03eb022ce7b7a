"""The audit trail, what was answered to each message, and what waits to be acted on.

What a message brought about, its answer, its row in the trail and what others are to be told
become durable in one transaction.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.clock import Clock
from hems.headend.cim.entries import Answered, Entry, Post, Taken, Waiting
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.models import CimMessageRow, CimPostRow, CimTakenRow
from hems.headend.cim.ports import Transactions
from hems.headend.sql import insert

POST_LIVES_S: Final = 86_400.0
"""For so long delivery is tried."""
_LONGEST_NOTE: Final = 300


class Journal:
    """The trail and the answers.

    Args:
        store: The open database.
        clock: Its time.
    """

    def __init__(self, store: Transactions, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def note(self, entry: Entry) -> None:
        """Write a row into the trail.

        Raises:
            BusyError: The database cannot take it.
        """
        async with self._store.writing() as connection:
            await self._note(connection, entry)

    async def answered(self, taken: Taken) -> Answered | None:
        """Return what this message was answered before; None where it is new.

        Raises:
            CimError: Another message had this id.
            BusyError: The database cannot serve.
        """
        async with self._store.reading() as connection:
            return await _answered(connection, taken)

    async def settle(
        self,
        taken: Taken,
        answer: Answered,
        entry: Entry,
        posts: Sequence[Post] = (),
        *,
        waits: bytes | None = None,
    ) -> Answered:
        """Make durable what came of a message, in the transaction that is open if one is.

        Args:
            taken: Which it is.
            answer: What it, and each repetition of it, is answered.
            entry: Its row in the trail.
            posts: What is to go out.
            waits: Its octets, where it is acknowledged only and acted on later.

        Returns:
            The answer; that of another worker, which had the same message at the same time, if it
            came first.

        Raises:
            CimError: Another message had this id.
            BusyError: The database cannot take it.
        """
        now = self._clock.now()
        async with self._store.writing() as connection:
            done = await connection.execute(
                insert(connection, CimTakenRow)
                .values(
                    peer=taken.peer,
                    message_id=taken.message_id,
                    meaning=taken.meaning,
                    carrier=taken.carrier,
                    taken_at=now,
                    status=answer.status,
                    answer=answer.body,
                    body=waits,
                    next_at=None if waits is None else now,
                )
                .on_conflict_do_nothing(index_elements=["peer", "message_id"])
                .returning(CimTakenRow.message_id)
            )
            if done.scalar_one_or_none() is None:
                return await _answered(connection, taken) or answer
            await self._note(connection, entry)
            await self._send(connection, posts)
        return answer

    async def waits(self) -> bool:
        """Return whether a message waits to be acted on now.

        Raises:
            BusyError: The database cannot serve.
        """
        async with self._store.reading() as connection:
            return (await connection.execute(self._next())).first() is not None

    async def waiting(self) -> Waiting | None:
        """Return the first message that waits to be acted on, in the transaction that is open.

        Raises:
            BusyError: The database cannot serve.
        """
        async with self._store.writing() as connection:
            row = (await connection.execute(self._next())).one_or_none()
        if row is None:
            return None
        return Waiting(Taken(row.peer, row.message_id, row.meaning, row.carrier), row.body)

    def _next(self) -> Select[*tuple[Any, ...]]:
        return (
            select(CimTakenRow.__table__)
            .where(CimTakenRow.next_at <= self._clock.now())
            .order_by(CimTakenRow.next_at, CimTakenRow.taken_at)
            .limit(1)
        )

    async def acted(self, taken: Taken, entry: Entry, posts: Sequence[Post]) -> None:
        """Make durable that a message that waited was acted on; repetitions get what they got.

        Args:
            taken: Which it is.
            entry: Its row in the trail.
            posts: What is to go out.

        Raises:
            BusyError: The database cannot take it.
        """
        async with self._store.writing() as connection:
            await connection.execute(
                update(CimTakenRow).where(_is(taken)).values(body=None, next_at=None)
            )
            await self._note(connection, entry)
            await self._send(connection, posts)

    async def put_off(self, taken: Taken, entry: Entry, next_at: float) -> None:
        """Have a message wait on, because it cannot be acted on now.

        Raises:
            BusyError: The database cannot do it; it waits as it is.
        """
        async with self._store.writing() as connection:
            await connection.execute(update(CimTakenRow).where(_is(taken)).values(next_at=next_at))
            await self._note(connection, entry)

    async def send(self, posts: Sequence[Post]) -> None:
        """Have messages go out, once the transaction that is open is durable.

        Raises:
            BusyError: The database cannot take them.
        """
        async with self._store.writing() as connection:
            await self._send(connection, posts)

    async def entries(
        self, *, since: float = 0.0, limit: int = 1000
    ) -> Sequence[Mapping[str, object]]:
        """Return the trail, the latest first."""
        query = (
            select(CimMessageRow.__table__)
            .where(CimMessageRow.at >= since)
            .order_by(CimMessageRow.number.desc())
            .limit(limit)
        )
        async with self._store.reading() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    async def prune(self, trail_before: float, taken_before: float) -> None:
        """Forget rows of the trail, and answers, from before a time, epoch s.

        A repetition of what is forgotten must be too old to be taken.
        """
        async with self._store.writing() as connection:
            await connection.execute(delete(CimMessageRow).where(CimMessageRow.at < trail_before))
            await connection.execute(
                delete(CimTakenRow).where(
                    CimTakenRow.taken_at < taken_before, CimTakenRow.next_at.is_(None)
                )
            )

    async def _note(self, connection: AsyncConnection, entry: Entry) -> int:
        values = {name: getattr(entry, name) for name in Entry.__slots__}
        values["reason"] = entry.reason[:_LONGEST_NOTE]
        done = await connection.execute(
            insert(connection, CimMessageRow)
            .values(at=self._clock.now(), **values)
            .returning(CimMessageRow.number)
        )
        return int(done.scalar_one())

    async def _send(self, connection: AsyncConnection, posts: Sequence[Post]) -> None:
        now = self._clock.now()
        for post in posts:
            audit = await self._note(connection, post.entry)
            await connection.execute(
                insert(connection, CimPostRow).values(
                    address=post.address,
                    message_id=post.message_id,
                    body=post.body,
                    next_at=now,
                    tries=0,
                    expires_at=now + POST_LIVES_S,
                    audit=audit,
                )
            )


def _is(taken: Taken) -> ColumnElement[bool]:
    return (CimTakenRow.peer == taken.peer) & (CimTakenRow.message_id == taken.message_id)


async def _answered(connection: AsyncConnection, taken: Taken) -> Answered | None:
    query = select(CimTakenRow.meaning, CimTakenRow.status, CimTakenRow.answer)
    row = (await connection.execute(query.where(_is(taken)))).one_or_none()
    if row is None:
        return None
    if row.meaning != taken.meaning:
        reason = f"another message had the id {taken.message_id}"
        raise CimError(Fault.POLICY, reason, "Header/MessageID")
    return Answered(row.status, row.answer)
