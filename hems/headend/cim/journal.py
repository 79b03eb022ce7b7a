"""The audit trail, what was answered to each message, and what is still to go out.

What a message brought about, its answer, its row in the trail and what others are to be told
become durable in one transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.clock import Clock
from hems.headend.cim.entries import Answered, Claim, Entry, Post
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.models import CimMessageRow, CimPostRow, CimTakenRow
from hems.headend.cim.ports import Transactions
from hems.headend.rows import AnyRow
from hems.headend.sql import insert

LEASE_S: Final = 30.0
"""After so long without an answer, whoever worked on a message is taken to have ended."""
POST_LIVES_S: Final = 86_400.0
"""For so long delivery is tried."""
_LONGEST_NOTE: Final = 300

WORKING: Final = "working"
WAITING: Final = "waiting"
ANSWERED: Final = "answered"


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
            await self.note_in(connection, entry)

    async def claim(
        self, claim: Claim, digest: str, stale: CimError | None, ack: Answered | None = None
    ) -> Claim | Answered:
        """Take a message, unless it was taken before.

        Args:
            claim: The message.
            digest: SHA-256 of what it says.
            stale: Why it would be too old or too new, were it the first of its id.
            ack: What is answered at once where it is to be worked on later.

        Returns:
            What is to be worked on, or what was answered before.

        Raises:
            CimError: It is stale; another message had this id; somebody works on it just now.
            BusyError: The database cannot take it.
        """
        now = self._clock.now()
        async with self._store.writing() as connection:
            values = {
                "digest": digest,
                "began_at": now,
                "until": now + LEASE_S if ack is None else now,
                "state": WORKING if ack is None else WAITING,
                "carrier": claim.carrier,
                "body": None if ack is None else claim.body,
                "status": None if ack is None else ack.status,
                "answer": None if ack is None else ack.body,
            }
            key = {"peer": claim.peer, "message_id": claim.message_id}
            done = await connection.execute(
                insert(connection, CimTakenRow)
                .values(**key, **values)
                .on_conflict_do_nothing(index_elements=["peer", "message_id"])
                .returning(CimTakenRow.message_id)
            )
            if done.scalar_one_or_none() is not None:
                if stale is not None:
                    raise stale
                return replace(claim, began_at=now)
            found = await connection.execute(select(CimTakenRow.__table__).filter_by(**key))
            row = found.one()
            if row.digest != digest:
                reason = f"another message had the id {claim.message_id}"
                raise CimError(Fault.POLICY, reason, "Header/MessageID")
            if row.answer is not None:
                return Answered(row.status, row.answer)
            if not await _leased(connection, row, now):
                reason = f"message {claim.message_id} is being worked on"
                raise CimError(Fault.BUSY, reason)
            return replace(claim, began_at=row.began_at, again=True)

    async def waiting(self) -> Claim | None:
        """Take one message that was acknowledged and not worked on yet; None where there is none.

        Raises:
            BusyError: The database cannot do it now.
        """
        now = self._clock.now()
        async with self._store.writing() as connection:
            found = await connection.execute(
                select(CimTakenRow.__table__)
                .where(CimTakenRow.state == WAITING, CimTakenRow.until <= now)
                .order_by(CimTakenRow.began_at)
                .limit(1)
            )
            row = found.one_or_none()
            if row is None or not await _leased(connection, row, now):
                return None
            # Whoever took it first has left `until` where it was; later ones know that they are.
            again = row.until > row.began_at
            return Claim(
                row.peer, row.message_id, row.began_at, again, row.body, carrier=row.carrier
            )

    async def settle(
        self, claim: Claim, answer: Answered | None, entry: Entry, posts: Sequence[Post] = ()
    ) -> None:
        """Make durable what came of a message.

        Args:
            claim: The message.
            answer: What repetitions are answered; None where they get the acknowledgement.
            entry: Its row in the trail.
            posts: What is to go out.

        Raises:
            BusyError: The database cannot take it.
        """
        values: dict[str, object] = {"state": ANSWERED, "body": None}
        if answer is not None:
            values |= {"status": answer.status, "answer": answer.body}
        async with self._store.writing() as connection:
            await connection.execute(
                update(CimTakenRow)
                .where(CimTakenRow.peer == claim.peer, CimTakenRow.message_id == claim.message_id)
                .values(values)
            )
            await self.note_in(connection, entry)
            await self.send_in(connection, posts)

    async def release(self, claim: Claim, entry: Entry, again_at: float) -> None:
        """Let go of a message that could not be worked on now, so that it can be sent again.

        Args:
            claim: The message.
            entry: Its row in the trail.
            again_at: From when on it may be taken up again, epoch s.

        Raises:
            BusyError: The database cannot do it; its lease ends by itself.
        """
        mine = (CimTakenRow.peer == claim.peer) & (CimTakenRow.message_id == claim.message_id)
        async with self._store.writing() as connection:
            await connection.execute(update(CimTakenRow).where(mine).values(until=again_at))
            await self.note_in(connection, entry)

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
        """Forget rows of the trail and answers from before a time, epoch s."""
        async with self._store.writing() as connection:
            await connection.execute(delete(CimMessageRow).where(CimMessageRow.at < trail_before))
            await connection.execute(delete(CimTakenRow).where(CimTakenRow.began_at < taken_before))

    async def note_in(self, connection: AsyncConnection, entry: Entry) -> int:
        """Write a row into the trail within a transaction; returns its number."""
        values = {name: getattr(entry, name) for name in Entry.__slots__}
        values["reason"] = entry.reason[:_LONGEST_NOTE]
        done = await connection.execute(
            insert(connection, CimMessageRow)
            .values(at=self._clock.now(), **values)
            .returning(CimMessageRow.number)
        )
        return int(done.scalar_one())

    async def send_in(self, connection: AsyncConnection, posts: Sequence[Post]) -> None:
        """Have messages go out once a transaction is durable."""
        now = self._clock.now()
        for post in posts:
            audit = await self.note_in(connection, post.entry)
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


async def _leased(connection: AsyncConnection, row: AnyRow, now: float) -> bool:
    """Lease a row for ourselves, unless somebody else has it."""
    if row.until > now:
        return False
    done = await connection.execute(
        update(CimTakenRow)
        .where(
            CimTakenRow.peer == row.peer,
            CimTakenRow.message_id == row.message_id,
            CimTakenRow.until == row.until,
        )
        .values(until=now + LEASE_S)
    )
    return done.rowcount == 1
