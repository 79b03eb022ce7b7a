"""Facts and signals in the database: plain functions over a connection, for both databases."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, delete, func, or_, select, update
from sqlalchemy import insert as plain_insert

from hems.headend.models import HomeRow, ResponseRow
from hems.headend.monitor.answers import Answered
from hems.headend.monitor.facts import Fact, Kind
from hems.headend.monitor.judge import Verdict
from hems.headend.monitor.signals import Rule, Signal
from hems.headend.monitor.tables import FactRow, HabitRow, PlaceRow, RoundRow, SignalRow
from hems.headend.sql import insert

_CHUNK: Final = 500
_ROUND: Final = "judge"
_EVERY_S: Final = 45.0
_GAP_S: Final = 180.0
HABIT_S: Final = 30 * 86_400.0
"""What was learned of a home's silence is forgotten after so long."""


def add_facts(connection: Connection, worker: str, facts: Sequence[Fact]) -> None:
    """Keep facts of a worker."""
    rows = [
        {
            "minute": fact.minute,
            "worker": worker,
            "kind": fact.kind.value,
            "subject": fact.subject,
            "source": fact.source,
            "count": fact.count,
            "value": fact.value,
        }
        for fact in facts
    ]
    if rows:
        connection.execute(plain_insert(FactRow), rows)


def facts_since(connection: Connection, minute: int) -> list[Fact]:
    """Return all workers' facts from a minute on."""
    table = FactRow
    rows = connection.execute(
        select(
            table.minute, table.kind, table.subject, table.source, table.count, table.value
        ).where(table.minute >= minute)
    )
    return [Fact(r[0], Kind(r[1]), r[2], r[3], r[4], r[5]) for r in rows]


def moved_since(connection: Connection, minute: int) -> set[str]:
    """Return the homes that have moved since a minute, or that signals take for copied."""
    moved = connection.execute(
        select(FactRow.subject)
        .where(FactRow.minute >= minute, FactRow.kind == Kind.MOVED.value)
        .distinct()
    )
    copied = connection.execute(
        select(SignalRow.subject).where(
            SignalRow.rule == Rule.CLONE.value, SignalRow.ended.is_(None)
        )
    )
    return {*moved.scalars(), *copied.scalars()}


def workers_since(connection: Connection, minute: int) -> Mapping[str, int]:
    """Return the last minute of each worker that has told something since a minute."""
    rows = connection.execute(
        select(FactRow.worker, func.max(FactRow.minute))
        .where(FactRow.minute >= minute)
        .group_by(FactRow.worker)
    )
    return {row[0]: row[1] for row in rows}


def places(connection: Connection, lfdis: Collection[str]) -> dict[str, str]:
    """Return from where homes spoke last."""
    found: dict[str, str] = {}
    for part in _parts(tuple(lfdis)):
        query = select(PlaceRow.lfdi, PlaceRow.address).where(PlaceRow.lfdi.in_(part))
        found.update((row.lfdi, row.address) for row in connection.execute(query))
    return found


def save_places(connection: Connection, fresh: Mapping[str, str]) -> None:
    """Keep from where homes spoke last."""
    made = insert(connection, PlaceRow)
    made = made.on_conflict_do_update(
        index_elements=["lfdi"], set_={"address": made.excluded.address}
    )
    rows = [{"lfdi": lfdi, "address": address} for lfdi, address in sorted(fresh.items())]
    if rows:
        connection.execute(made, rows)


def take_round(connection: Connection, now: float) -> float | None:
    """Take this minute's round, if no other worker has.

    Returns:
        Since when rounds have been without a gap, epoch s; None where another has it.
    """
    connection.execute(
        insert(connection, RoundRow).values(name=_ROUND, at=0.0, since=now).on_conflict_do_nothing()
    )
    before = connection.execute(
        select(RoundRow.at, RoundRow.since).where(RoundRow.name == _ROUND).with_for_update()
    ).one()
    if now - _EVERY_S < before.at <= now + _EVERY_S:
        return None
    whole = 0.0 <= now - before.at <= _GAP_S
    since: float = before.since if whole else now
    connection.execute(update(RoundRow).where(RoundRow.name == _ROUND).values(at=now, since=since))
    return since


def forget(connection: Connection, minute: int, now: float, keep_s: float) -> None:
    """Let go of facts before a minute, of old signals, and of old habits."""
    connection.execute(delete(FactRow).where(FactRow.minute < minute))
    connection.execute(delete(SignalRow).where(SignalRow.ended < now - keep_s))
    connection.execute(delete(HabitRow).where(HabitRow.learned < now - HABIT_S))


def signals(
    connection: Connection, *, ended_since: float | None = None, limit: int | None = None
) -> list[Signal]:
    """Return signals, the latest first.

    Args:
        connection: To the database.
        ended_since: Also those that ended since this time, epoch s; None for those that last.
        limit: So many at most.
    """
    query = select(SignalRow.__table__)
    lasting = SignalRow.ended.is_(None)
    query = query.where(
        lasting if ended_since is None else or_(lasting, SignalRow.ended >= ended_since)
    ).order_by(SignalRow.since.desc(), SignalRow.number.desc())
    if limit is not None:
        query = query.limit(limit)
    known = {rule.value for rule in Rule}
    return [
        Signal(
            Rule(row.rule), row.subject, row.since, row.seen, row.ended, row.evidence, row.number
        )
        for row in connection.execute(query)
        if row.rule in known  # an older version may have had others
    ]


def save(connection: Connection, verdict: Verdict) -> None:
    """Keep what has become of signals."""
    rows = [
        {
            "rule": signal.rule.value,
            "subject": signal.subject,
            "since": signal.since,
            "seen": signal.seen,
            "ended": None,
            "evidence": signal.count,
        }
        for signal in verdict.begun
    ]
    if rows:
        connection.execute(plain_insert(SignalRow), rows)
    for signal in (*verdict.lasting, *verdict.ended):
        connection.execute(
            update(SignalRow)
            .where(SignalRow.number == signal.number)
            .values(seen=signal.seen, ended=signal.ended, evidence=signal.count)
        )


def silent_since(connection: Connection, before: float) -> dict[str, float]:
    """Return when homes were heard of last that were not since a time, epoch s."""
    query = select(HomeRow.lfdi, HomeRow.last_contact).where(HomeRow.last_contact < before)
    return {row.lfdi: row.last_contact for row in connection.execute(query)}


def heard_since(connection: Connection, after: float) -> list[str]:
    """Return the homes that were heard of since a time, epoch s."""
    query = select(HomeRow.lfdi).where(HomeRow.last_contact >= after)
    return [*connection.execute(query).scalars()]


def count_heard(connection: Connection, after: Iterable[float]) -> list[int]:
    """Return how many homes were heard of since each of some times, epoch s."""
    columns = [func.count().filter(HomeRow.last_contact >= at) for at in after]
    return [int(count) for count in connection.execute(select(*columns)).one()]


def habits(connection: Connection) -> dict[str, float]:
    """Return how long homes are silent that were so before, s."""
    rows = connection.execute(select(HabitRow.lfdi, HabitRow.silent_s))
    return {row.lfdi: row.silent_s for row in rows}


def learn(connection: Connection, fresh: Mapping[str, float], now: float) -> None:
    """Keep how long homes were silent that have come back, s."""
    made = insert(connection, HabitRow)
    made = made.on_conflict_do_update(
        index_elements=["lfdi"],
        set_={"silent_s": made.excluded.silent_s, "learned": made.excluded.learned},
    )
    rows = [{"lfdi": of, "silent_s": span, "learned": now} for of, span in sorted(fresh.items())]
    if rows:
        connection.execute(made, rows)


def answered(connection: Connection, mrids: Sequence[str]) -> dict[str, Answered]:
    """Return what homes answered to events, by mRID."""
    homes: dict[str, int] = {}
    statuses: dict[str, dict[int, int]] = {}
    one = func.count(ResponseRow.lfdi.distinct())
    for part in _parts(mrids):
        of_these = ResponseRow.subject.in_(part)
        query = select(ResponseRow.subject, one).where(of_these).group_by(ResponseRow.subject)
        homes.update((mrid, count) for mrid, count in connection.execute(query))
        told = (
            select(ResponseRow.subject, ResponseRow.status, one)
            .where(of_these)
            .group_by(ResponseRow.subject, ResponseRow.status)
        )
        for mrid, status, count in connection.execute(told):
            statuses.setdefault(mrid, {})[status] = count
    return {mrid: Answered(mrid, count, statuses.get(mrid, {})) for mrid, count in homes.items()}


def _parts(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]
