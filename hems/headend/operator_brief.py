"""The operator's door for lists: programmes, and events without their homes.

An event of ten thousand homes answers with each of them; whoever looks over many events, as the
console does every few seconds, wants their numbers.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from aiohttp import web
from pydantic import BaseModel
from sqlalchemy import func, select

from hems.headend.book import Book
from hems.headend.fleet.door_words import limit_of
from hems.headend.models import ResponseRow
from hems.headend.modes import Mode, ProgramKind, Value
from hems.headend.operator_door import json_answer
from hems.headend.operator_prices import state_words
from hems.headend.records import Event, Program
from hems.headend.store import Store


class ProgramOut(BaseModel):
    """A programme of the configuration."""

    id: str
    name: str
    kind: ProgramKind
    mandatory: bool
    primacy: int


class ProgramsOut(BaseModel):
    """The programmes of the configuration, in its order."""

    programs: list[ProgramOut]


class SummaryOut(BaseModel):
    """An event in short; `answered` is how many of its homes have said anything of it."""

    id: str
    program: str
    group: str | None
    state: str
    start: int
    duration_s: int
    ends: int
    asks: dict[Mode, Value]
    accepted_at: float
    cancelled_at: float | None
    homes: int
    answered: int


class SummariesOut(BaseModel):
    """The latest events in short, latest first, and how many are remembered at all."""

    events: list[SummaryOut]
    all: int


class BriefDoor:
    """Programmes, and events in short.

    Args:
        book: Events and homes.
        store: What homes answered.
    """

    def __init__(self, book: Book, store: Store) -> None:
        self._book = book
        self._store = store
        self._reached: dict[int, int] = {}
        self._counted_at = -1

    def routes(self) -> list[web.RouteDef]:
        """Return where these stand."""
        return [
            web.get("/programs", self.get_programs),
            web.get("/summaries", self.get_summaries),
        ]

    async def get_programs(self, _request: web.Request) -> web.Response:
        """Answer the programmes of the configuration."""
        configured = self._book.programmes.configured
        return json_answer(
            ProgramsOut(
                programs=[
                    ProgramOut(
                        id=program.mrid,
                        name=program.name,
                        kind=program.kind,
                        mandatory=program.mandatory,
                        primacy=program.primacy,
                    )
                    for program in configured
                ]
            )
        )

    async def get_summaries(self, request: web.Request) -> web.Response:
        """Answer the latest events in short, latest first."""
        known = self._book.events
        shown = known[: limit_of(request)]
        answered = await self._answered([event.mrid for event in shown])
        events = [self._summary(event, answered.get(event.mrid, 0)) for event in shown]
        return json_answer(SummariesOut(events=events, all=len(known)))

    async def _answered(self, events: Sequence[str]) -> Mapping[str, int]:
        """Return by event how many homes have answered it."""
        found: dict[str, int] = {}
        async with self._store.reading() as connection:
            for place in range(0, len(events), _AT_ONCE):
                query = (
                    select(ResponseRow.subject, func.count(func.distinct(ResponseRow.lfdi)))
                    .where(ResponseRow.subject.in_(events[place : place + _AT_ONCE]))
                    .group_by(ResponseRow.subject)
                )
                found.update((row[0], row[1]) for row in await connection.execute(query))
        return found

    def _summary(self, event: Event, answered: int) -> SummaryOut:
        program = self._book.programs[event.program]
        return SummaryOut(
            id=event.mrid,
            program=program.name,
            group=program.group,
            state=state_words(self._book.state(event)),
            start=event.start,
            duration_s=event.duration_s,
            ends=event.start + event.duration_s,
            asks=dict(event.values),
            accepted_at=event.accepted_at,
            cancelled_at=event.cancelled_at,
            homes=self._homes(program),
            answered=answered,
        )

    def _homes(self, program: Program) -> int:
        """Return how many homes a programme is for; counted once as long as nothing changes."""
        if self._counted_at != self._book.change:
            self._counted_at = self._book.change
            self._reached.clear()
        found = self._reached.get(program.index)
        if found is None:
            found = self._reached[program.index] = len(self._book.reached_by(program))
        return found


_AT_ONCE: Final = 500
"""Events in one statement: SQLite takes no more than some thousand values in it."""
