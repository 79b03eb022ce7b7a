"""Responses that homes post, into the database: those of many homes by few statements.

After a dispatch every home answers within seconds, and each response must be kept once.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from hems.headend.errors import ForbiddenError, RequestError
from hems.headend.models import ResponseRow
from hems.headend.records import ResponseRecord
from hems.headend.sql import insert
from hems.headend.store import Store
from hems.headend.together import Together


@dataclass(frozen=True, slots=True)
class ResponsePost:
    """A response to be kept.

    Attributes:
        record: It; its `id` is ignored.
        most: How many responses the home may have posted to the event with it.
    """

    record: ResponseRecord
    most: int


class ResponsePosts:
    """Keeps responses.

    Args:
        store: The open database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._posts = Together(self._save)

    async def add(self, post: ResponsePost) -> int:
        """Keep a response once, durably; returns its number, or that of the equal one.

        Raises:
            ForbiddenError: The home has answered the event too often.
            BusyError: The database cannot take it; nothing of it was stored.
        """
        number = await self._posts.add(post)
        self._store.on_response(post.record)
        return number

    async def _save(self, posts: Sequence[ResponsePost]) -> Sequence[int | RequestError]:
        return await self._store.transact(lambda connection: save_responses(connection, posts))


_Key = tuple[str, str, int, str, int]
"""What makes a response one of its own: home, event, status, modes, createdDateTime."""


def save_responses(
    connection: Connection, posts: Sequence[ResponsePost]
) -> Sequence[int | RequestError]:
    """Keep responses, in their order; returns of each its number, or why it is refused.

    Args:
        connection: In a transaction.
        posts: Of any homes.
    """
    counts = _counts(connection, posts)
    fresh: dict[_Key, ResponseRecord] = {}
    refused: set[_Key] = set()
    for post in posts:
        record, key = post.record, _key(post.record)
        answered = record.lfdi, record.subject
        if key in fresh:
            continue
        if counts[answered] >= post.most:
            refused.add(key)
            continue
        counts[answered] += 1
        fresh[key] = record
    _insert(connection, fresh)
    # One too many that is there already is no new one: its answer was lost on the way.
    numbers = _numbers(connection, fresh.keys() | refused)
    return [
        numbers.get(_key(post.record))
        or ForbiddenError(f"device {post.record.lfdi} has answered {post.record.subject} too often")
        for post in posts
    ]


def _key(record: ResponseRecord) -> _Key:
    return record.lfdi, record.subject, record.status, record.modes, record.created


def _counts(connection: Connection, posts: Iterable[ResponsePost]) -> Counter[tuple[str, str]]:
    """Return how many responses homes have posted to events."""
    asked = {(post.record.lfdi, post.record.subject) for post in posts}
    rows = connection.execute(
        _COUNTS, {"lfdis": [lfdi for lfdi, _ in asked], "subjects": [event for _, event in asked]}
    )
    return Counter({(row.lfdi, row.subject): row.count for row in rows})


def _insert(connection: Connection, fresh: Mapping[_Key, ResponseRecord]) -> None:
    """Insert responses, but for those that are there."""
    if not fresh:
        return
    rows = [
        {
            **dict(zip(_KEY, key, strict=True)),
            "received_at": record.received_at,
            "kind": record.kind,
            "body": record.body,
            "agent": record.agent,
        }
        for key, record in sorted(fresh.items(), key=lambda item: item[0])
    ]
    connection.execute(insert(connection, ResponseRow).on_conflict_do_nothing(), rows)


def _numbers(connection: Connection, keys: Collection[_Key]) -> Mapping[_Key, int]:
    """Return the numbers of responses, so far as they are there."""
    if not keys:
        return {}
    found = connection.execute(
        _NUMBERS,
        {
            "lfdis": list({key[0] for key in keys}),
            "subjects": list({key[1] for key in keys}),
            "created": list({key[4] for key in keys}),
        },
    )
    return {(row.lfdi, row.subject, row.status, row.modes, row.created): row.id for row in found}


_KEY: Final = ("lfdi", "subject", "status", "modes", "created")
_COUNTS: Final = (
    select(ResponseRow.lfdi, ResponseRow.subject, func.count().label("count"))
    .where(
        ResponseRow.lfdi.in_(bindparam("lfdis", expanding=True)),
        ResponseRow.subject.in_(bindparam("subjects", expanding=True)),
    )
    .group_by(ResponseRow.lfdi, ResponseRow.subject)
)
_NUMBERS: Final = select(
    ResponseRow.id,
    ResponseRow.lfdi,
    ResponseRow.subject,
    ResponseRow.status,
    ResponseRow.modes,
    ResponseRow.created,
).where(
    ResponseRow.lfdi.in_(bindparam("lfdis", expanding=True)),
    ResponseRow.subject.in_(bindparam("subjects", expanding=True)),
    ResponseRow.created.in_(bindparam("created", expanding=True)),
)
