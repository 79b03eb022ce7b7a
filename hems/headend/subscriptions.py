"""Who wants to be told of which resource, and what each was told last.

Any number of workers tell: one takes some subscribers for itself (`claim`) by writing down what
they are told, sends it, and says who has taken it (`settle`). What a worker did not get done, for
it was killed, is claimed again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from hems.headend.db.database import Database
from hems.headend.models import HomeRow, NotifiedRow, SubscriptionRow
from hems.headend.modes import Edition
from hems.headend.records import SubscriptionRecord
from hems.headend.rows import subscription_of
from hems.headend.sql import insert
from hems.headend.together import Together

PATIENCE_S: Final = 60.0
"""After this a claim counts as lost; longer than all attempts of a worker that lives."""


@dataclass(frozen=True, slots=True)
class Word:
    """What subscribers of one edition are to be told of a resource.

    Attributes:
        resource: Its path.
        edition: Of the subscribers.
        mark: Differs whenever what is told does; not empty.
        change: Number of the last change that it tells of: who knows a later one is not told.
    """

    resource: str
    edition: Edition
    mark: str
    change: int


@dataclass(frozen=True, slots=True)
class _Claim:
    """See `Subscriptions.claim`."""

    word: Word
    now: float
    most: int

    @property
    def values(self) -> Mapping[str, str | float]:
        """What `_CLAIM` asks for."""
        return {
            "wanted": self.word.resource,
            "of": self.word.edition.value,
            "mark": self.word.mark,
            "change": self.word.change,
            "now": self.now,
            "lost": self.now - PATIENCE_S,
            "most": self.most,
        }


def _claiming() -> ReturningUpdate[Any]:
    mark: BindParameter[str] = bindparam("mark")
    change: BindParameter[int] = bindparam("change")
    fresh = and_(SubscriptionRow.told != mark, SubscriptionRow.told_change <= change)
    lost = and_(
        SubscriptionRow.told == mark,
        SubscriptionRow.taken.is_(False),
        SubscriptionRow.told_at < bindparam("lost"),
    )
    wanted = (
        select(SubscriptionRow.id)
        .join(HomeRow, HomeRow.lfdi == SubscriptionRow.lfdi)
        .where(
            SubscriptionRow.resource == bindparam("wanted"),
            HomeRow.edition == bindparam("of"),
            or_(fresh, lost),
        )
        .limit(bindparam("most"))
        .with_for_update(of=SubscriptionRow, skip_locked=True)
        .cte("wanted")
    )
    return (
        update(SubscriptionRow)
        .where(SubscriptionRow.id.in_(select(wanted.c.id)))
        .values(told=mark, told_change=change, told_at=bindparam("now"), taken=False)
        .returning(SubscriptionRow.__table__)
    )


_CLAIM: Final = _claiming()
"""Made once: to make it takes longer than to execute it."""


class Subscriptions:
    """All subscriptions.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._claims = Together(self._claim)

    async def of(self, lfdi: str) -> Sequence[SubscriptionRecord]:
        """Return a home's subscriptions in the order they came."""
        query = select(SubscriptionRow.__table__).where(SubscriptionRow.lfdi == lfdi)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(SubscriptionRow.id))
            return [subscription_of(row) for row in rows]

    async def get(self, number: int) -> SubscriptionRecord | None:
        """Return a subscription; None if it is gone."""
        query = select(SubscriptionRow.__table__).where(SubscriptionRow.id == number)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else subscription_of(row)

    async def watched(self) -> Mapping[tuple[str, Edition], str]:
        """Return what is subscribed to, by homes of which edition, and the LFDI of one of them."""
        query = (
            select(SubscriptionRow.resource, HomeRow.edition, func.min(HomeRow.lfdi).label("one"))
            .join(HomeRow, HomeRow.lfdi == SubscriptionRow.lfdi)
            .group_by(SubscriptionRow.resource, HomeRow.edition)
        )
        async with self._database.reading() as connection:
            rows = await connection.execute(query)
            return {(row.resource, Edition(row.edition)): row.one for row in rows}

    async def save(
        self, item: SubscriptionRecord, word: Word, now: float, *, taken: bool
    ) -> SubscriptionRecord:
        """Store a subscription (its `id` is ignored); one for the same resource is replaced.

        Args:
            item: The subscription.
            word: What the caller is to tell the home.
            now: Epoch s.
            taken: Whether there is nothing to be told.

        Raises:
            BusyError: The database cannot take it.
        """
        values = {
            "uri": item.uri,
            "item_limit": item.limit,
            "level": item.level,
            "told": word.mark,
            "told_change": word.change,
            "told_at": now,
            "taken": taken,
        }
        async with self._database.writing() as connection:
            done = await connection.execute(
                insert(connection, SubscriptionRow)
                .values(lfdi=item.lfdi, resource=item.resource, **values)
                .on_conflict_do_update(index_elements=["lfdi", "resource"], set_=values)
                .returning(SubscriptionRow.__table__)
            )
            return subscription_of(done.one())

    async def delete(self, number: int) -> None:
        """Forget a subscription."""
        async with self._database.writing() as connection:
            await connection.execute(delete(SubscriptionRow).where(SubscriptionRow.id == number))

    async def claim(self, word: Word, now: float, most: int) -> Sequence[SubscriptionRecord]:
        """Take some who have not been told this for this worker; empty once all are.

        Claims of many resources that come at once share one transaction.

        Args:
            word: What they are told.
            now: Epoch s.
            most: How many at most.
        """
        return await self._claims.add(_Claim(word, now, most))

    async def _claim(self, claims: Sequence["_Claim"]) -> Sequence[Sequence[SubscriptionRecord]]:
        def work(connection: Connection) -> Sequence[Sequence[SubscriptionRecord]]:
            return [
                [subscription_of(row) for row in connection.execute(_CLAIM, each.values)]
                for each in claims
            ]

        return await self._database.transact(work)

    async def settle(
        self, done: Iterable[tuple[int, str]], sent: Iterable[tuple[str, str, float]]
    ) -> None:
        """Note what claims came to.

        Args:
            done: Numbers of subscriptions, and the mark of what each has been told, or is left to
                its polling for.
            sent: When homes that then took it were first sent an event: mRID, LFDI, epoch s.
        """
        marks = [{"one": number, "mark": mark} for number, mark in done]
        rows = [{"mrid": mrid, "lfdi": lfdi, "sent_at": at} for mrid, lfdi, at in sent]
        async with self._database.writing() as connection:
            if marks:
                await connection.execute(
                    update(SubscriptionRow)
                    .where(
                        SubscriptionRow.id == bindparam("one"),
                        SubscriptionRow.told == bindparam("mark"),
                    )
                    .values(taken=True),
                    marks,
                )
            if rows:
                await connection.execute(
                    insert(connection, NotifiedRow).on_conflict_do_nothing(), rows
                )

    async def lost(self, now: float) -> Sequence[tuple[str, Edition]]:
        """Return of which resources, and editions, claims were never seen through."""
        query = (
            select(SubscriptionRow.resource, HomeRow.edition)
            .join(HomeRow, HomeRow.lfdi == SubscriptionRow.lfdi)
            .where(SubscriptionRow.taken.is_(False), SubscriptionRow.told_at < now - PATIENCE_S)
            .distinct()
        )
        async with self._database.reading() as connection:
            return [(r.resource, Edition(r.edition)) for r in await connection.execute(query)]

    async def sent(self, mrids: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
        """Return when homes that took them were first sent events: epoch s by mRID and LFDI."""
        query = select(NotifiedRow.__table__).where(NotifiedRow.mrid.in_(mrids))
        found: dict[str, dict[str, float]] = {}
        async with self._database.reading() as connection:
            for row in await connection.execute(query):
                found.setdefault(row.mrid, {})[row.lfdi] = row.sent_at
        return found

    async def forget_sent(self, before: float) -> None:
        """Let go of when homes were sent events before a time, epoch s."""
        async with self._database.writing() as connection:
            await connection.execute(delete(NotifiedRow).where(NotifiedRow.sent_at < before))
