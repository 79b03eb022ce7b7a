"""The operator's door for availability, progress and settlement."""

import re
from typing import Final, TypedDict

from aiohttp import web

from hems.clock import Clock
from hems.headend.book import Book
from hems.headend.errors import RequestError
from hems.headend.fleet.door_words import limit_of, name_in, wanted
from hems.headend.modes import Mode, Value
from hems.headend.operator_door import json_answer, number_in
from hems.headend.operator_prices import state_words
from hems.headend.operator_view import MEANINGS
from hems.headend.records import Event
from hems.headend.settle.abilities import Abilities
from hems.headend.settle.chunk import Plan
from hems.headend.settle.counting import Counting
from hems.headend.settle.counts import Count, Counts
from hems.headend.settle.delivery import Result
from hems.headend.settle.door_models import (
    AvailabilityOut,
    CodeOut,
    Counted,
    DeliveryOut,
    HomeSettlementOut,
    IntervalOut,
    ProgressOut,
    SettlementOut,
    TotalOut,
)
from hems.headend.settle.settings import SettlementSettings
from hems.headend.settle.tallies import Tallies
from hems.headend.settle.wanted import PERCENTS, Ratings
from hems.headend.settle.wanted import wanted as asked

_LFDI: Final = re.compile(r"[0-9A-Fa-f]{1,40}")
_LONGEST_S: Final = 7 * 86_400
_AHEAD_S: Final = 366 * 86_400


class EventHead(TypedDict):
    """What is told of an event beside its homes; see `EventHeadOut`."""

    id: str
    program: str
    group: str | None
    state: str
    start: int
    ends: int
    asks: dict[Mode, Value]
    cancelled_at: float | None


class SettleDoor:
    """What could be done, what is being done, and what it came to.

    Args:
        book: Homes and events.
        abilities: What groups could do.
        tallies: Who answered what.
        counting: Settles homes.
        counts: Events over all their homes.
        settings: How events are settled.
        clock: The utility's time.
    """

    def __init__(
        self,
        book: Book,
        abilities: Abilities,
        tallies: Tallies,
        counting: Counting,
        counts: Counts,
        *,
        settings: SettlementSettings,
        clock: Clock,
    ) -> None:
        self._book = book
        self._abilities = abilities
        self._tallies = tallies
        self._counting = counting
        self._counts = counts
        self._settings = settings
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Return where these stand."""
        return [
            web.get("/availability", self.get_availability),
            web.get("/events/{id}/progress", self.get_progress),
            web.get("/events/{id}/settlement", self.get_settlement),
        ]

    async def get_availability(self, request: web.Request) -> web.Response:
        """Answer what a group could do, now or over a window."""
        group = wanted(request, "group")
        begin, end = _time(request, "from"), _time(request, "to")
        self._check(begin, end)
        return json_answer(AvailabilityOut.of(await self._abilities.of(group, begin, end), group))

    def _check(self, begin: float | None, end: float | None) -> None:
        """Refuse a window that is none.

        Raises:
            RequestError: It is over, too far, too long, or ends before it begins.
        """
        now = self._clock.now()
        first = now if begin is None else begin
        if not now - _LONGEST_S <= first <= now + _AHEAD_S:
            raise RequestError(f"query parameter from: {first:g} is not about now, nor ahead")
        if end is not None and not first <= end <= first + _LONGEST_S:
            raise RequestError("query parameter to: not within seven days behind `from`")

    async def get_progress(self, request: web.Request) -> web.Response:
        """Answer how an event goes: who answered what, and what is delivered so far."""
        event = await self._counting.event(name_in(request))
        limit, after = limit_of(request), _after(request)
        tally = await self._tallies.of(event)
        silent = await self._tallies.silent(event, after, limit + 1)
        count, counted = await self._count(event)
        codes = [
            CodeOut(status=code, meaning=MEANINGS.get(code, "unknown"), homes=homes)
            for code, homes in tally.codes.items()
        ]
        return json_answer(
            ProgressOut(
                **self._head(event),
                as_of=self._clock.now(),
                homes=tally.homes,
                told=tally.told,
                answered=tally.answered,
                notified=tally.notified,
                states={stand.value: n for stand, n in tally.stands.items()},
                codes=codes,
                counted=counted,
                delivery=None if count is None else self._delivery(event, count),
                silent=list(silent[:limit]),
                next=silent[limit - 1] if len(silent) > limit else None,
            )
        )

    async def get_settlement(self, request: web.Request) -> web.Response:
        """Answer what an event came to, in all and home by home."""
        event = await self._counting.event(name_in(request))
        limit, after = limit_of(request), _after(request)
        homes = [lfdi for lfdi in await self._counting.homes(event) if lfdi > after]
        count, counted = await self._count(event)
        found: list[Result] = []
        async for some in self._counting.results(event, homes[:limit]):
            found += some
        plan = self._counting.plan(event)
        why = self.why_not_final(event, plan)
        return json_answer(
            SettlementOut(
                **self._head(event),
                final=why is None,
                why_not_final=why,
                baseline=_way(plan),
                interval_s=plan.terms.step_s,
                currency=self._settings.currency,
                rate_kwh=plan.terms.pay.rate_kwh,
                counted=counted,
                total=None if count is None else TotalOut.of(count.total, count.at),
                homes=[HomeSettlementOut.of(each) for each in found],
                next=homes[limit - 1] if len(homes) > limit else None,
            )
        )

    async def _count(self, event: Event) -> tuple[Count | None, Counted]:
        if not measured(event):
            return None, "not measured"
        count = await self._counts.of(event)
        return count, "being counted" if count is None else "ready"

    def why_not_final(self, event: Event, plan: Plan) -> str | None:
        """Return why a settlement may still change; None where it will not."""
        tail_s = 0 if plan.method is None else plan.method.tail_s
        over = float(event.latest_end)
        if event.cancelled_at is not None and not event.cancel_randomized:
            over = min(over, event.cancelled_at)
        if plan.until < over:
            return "the event is not over"
        if plan.until < over + max(tail_s, self._settings.wait_minutes * 60):
            return "readings and answers may still come"
        return None

    def _head(self, event: Event) -> EventHead:
        program = self._tallies.program(event)
        return {
            "id": event.mrid,
            "program": program.name,
            "group": program.group,
            "state": state_words(self._book.state(event)),
            "start": event.start,
            "ends": event.start + event.duration_s,
            "asks": dict(event.values),
            "cancelled_at": event.cancelled_at,
        }

    def _delivery(self, event: Event, count: Count) -> DeliveryOut:
        plan = self._counting.plan(event)
        return DeliveryOut(
            as_of=count.at,
            interval_s=plan.terms.step_s,
            asked_w=count.total.asked_w,
            baseline=_way(plan),
            intervals=[IntervalOut.of(each) for each in count.total.intervals],
        )


def measured(event: Event) -> bool:
    """Return whether meters can show anything of what an event asks."""
    percent = PERCENTS & event.modes
    return bool(percent) or asked(event.values, event.duration_s, Ratings()).measured


def _way(plan: Plan) -> str | None:
    return None if plan.method is None else plan.method.way.value


def _time(request: web.Request, key: str) -> float | None:
    return number_in(request, key, 0.0) if key in request.query else None


def _after(request: web.Request) -> str:
    """Return behind which LFDI a page begins.

    Raises:
        RequestError: It is no LFDI.
    """
    after = request.query.get("after", "")
    if after and not _LFDI.fullmatch(after):
        raise RequestError("query parameter after is no LFDI")
    return after.upper()
