"""What each home of an event delivered, some homes at a time: however many there are, few are held.

Homes are read and settled in small chunks, each query by itself, so that a count over many homes
lets others have their turn in between.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Final

from sqlalchemy import Connection

from hems.clock import Clock
from hems.headend.book import Book
from hems.headend.errors import UnknownItemError
from hems.headend.records import Event
from hems.headend.settle.baseline import Method, Way
from hems.headend.settle.chunk import Ask, Asked, Plan, settle_some
from hems.headend.settle.delivery import Pay, Result, Terms
from hems.headend.settle.facts import busy_days, old_event, who_answered
from hems.headend.settle.like_days import Calendar
from hems.headend.settle.named import named, old_named, own_days
from hems.headend.settle.power import At
from hems.headend.settle.settings import SettlementSettings
from hems.headend.settle.tallies import Tallies
from hems.headend.settle.wanted import Ratings, wanted

CHUNK: Final = 50
_ANSWERED: Final = 1000


@dataclass(frozen=True, slots=True)
class ProgramTerms:
    """By what events of a programme are settled.

    Attributes:
        method: How baselines are found; None for what fits the event.
        at: Where moves are measured; None for where the event asks for them.
        pay: What delivery is worth.
    """

    method: Method | None = None
    at: At | None = None
    pay: Pay = field(default_factory=Pay)


class Counting:
    """Settles events.

    Args:
        book: Events and homes.
        ask: Runs queries.
        tallies: Whose an event is.
        settings: How events are settled.
        terms: By what, by the name of the programme.
        clock: The utility's time.
    """

    def __init__(
        self,
        book: Book,
        ask: Ask,
        tallies: Tallies,
        settings: SettlementSettings,
        *,
        terms: Mapping[str, ProgramTerms],
        clock: Clock,
    ) -> None:
        self._book = book
        self._ask = ask
        self._tallies = tallies
        self._settings = settings
        self._terms = terms
        self._clock = clock

    async def event(self, mrid: str) -> Event:
        """Return an event, however long ago it was.

        Raises:
            UnknownItemError: There is none of this mRID.
            BusyError: The database cannot serve.
        """
        own = self._book.own.find(mrid)
        if own is not None:
            return named(own)
        try:
            return self._book.event(mrid)
        except UnknownItemError:
            programmes = self._book.programmes
            found = await self._ask(lambda c: old_event(c, mrid, programmes) or old_named(c, mrid))
            if found is None:
                raise
            return found

    async def homes(self, event: Event) -> Sequence[str]:
        """Return the homes of an event by LFDI: who sees it now, and who ever answered it."""
        found = set(self._tallies.homes(event))
        some = await self._ask(partial(_more_answered, event.mrid, ""))
        while some:
            found.update(some)
            after = some[-1]
            some = await self._ask(partial(_more_answered, event.mrid, after))
        return sorted(found)

    def plan(self, event: Event) -> Plan:
        """Return how an event is settled, as of now."""
        program = self._tallies.program(event)
        terms = self._terms.get(program.name, ProgramTerms())
        asks = wanted(event.values, event.duration_s, Ratings())
        move = asks.move
        at = terms.at or (At.SITE if move is None else move.at)
        fits = Method(Way.FLAT) if at is At.DER else Method()
        return Plan(
            event,
            self._clock.now(),
            None if move is None else terms.method or fits,
            at,
            Terms(self._settings.interval_s, self._settings.bridge, terms.pay),
            self._settings.calendar(),
        )

    async def results(
        self, event: Event, homes: Sequence[str]
    ) -> AsyncGenerator[Sequence[Result], None]:
        """Yield what homes delivered, some at a time, in their order.

        Args:
            event: In which.
            homes: They, by LFDI.

        Raises:
            BusyError: The database cannot serve.
        """
        plan = self.plan(event)
        if plan.method is not None and plan.method.way is Way.DAYS:
            busy = await self._ask(lambda c: busy_days(c, event, plan.calendar))
            plan = replace(plan, busy=busy)
        for start in range(0, len(homes), CHUNK):
            lfdis = homes[start : start + CHUNK]
            some, own = [self._asked(event, lfdi) for lfdi in lfdis], plan
            if plan.method is not None and plan.method.way is Way.DAYS:
                days = await self._ask(partial(_own_days, event, lfdis, plan.calendar))
                own = replace(plan, busy={**plan.busy, **days})
            yield await settle_some(self._ask, own, some)

    def _asked(self, event: Event, lfdi: str) -> Asked:
        programs = [program.mrid for program in self._book.programs_of(lfdi)]
        return Asked(lfdi, self._tallies.told(event, lfdi), programs)


def _own_days(
    event: Event, lfdis: Sequence[str], calendar: Calendar, connection: Connection
) -> Mapping[str, frozenset[date]]:
    return own_days(connection, event, lfdis, calendar)


def _more_answered(event: str, after: str, connection: Connection) -> Sequence[str]:
    return who_answered(connection, event, after, _ANSWERED)
