"""Some homes of an event settled: what they answered and measured is read, then judged."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from math import ceil
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection

from hems.headend.records import Event
from hems.headend.settle.baseline import Method, Span, Way, baseline, enough
from hems.headend.settle.delivery import Measured, Result, Terms, settled
from hems.headend.settle.facts import answers
from hems.headend.settle.like_days import Calendar, like_days
from hems.headend.settle.power import At, Powers
from hems.headend.settle.power_store import Window, earliest, read_powers
from hems.headend.settle.taking_part import Part, Stand, part_of
from hems.headend.settle.told_store import ders_of
from hems.headend.settle.wanted import PERCENTS, Ratings, Wanted, wanted

R = TypeVar("R")


class Ask(Protocol):
    """Runs queries."""

    async def __call__(self, work: Callable[[Connection], R], /) -> R:
        """Run some.

        Raises:
            BusyError: The database cannot serve.
        """
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """How one event is settled.

    Attributes:
        event: It.
        until: Nothing later has been yet, epoch s.
        method: How baselines are found; None where nothing is to be moved.
        at: Where moves are measured.
        terms: By what it is settled.
        calendar: What days are.
        busy: Days that do not count, by mRID of a programme, or LFDI of a home.
    """

    event: Event
    until: float
    method: Method | None
    at: At
    terms: Terms
    calendar: Calendar = field(default_factory=Calendar)
    busy: Mapping[str, frozenset[date]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """A home of an event.

    Attributes:
        lfdi: It.
        told: Whether there were words to tell it.
        programs: mRIDs of the programmes that it is assigned to.
    """

    lfdi: str
    told: bool
    programs: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Home:
    """A home that is settled.

    Attributes:
        part: When it took part.
        whole: For which time it is asked in all, come or to come.
        asks: What of it.
    """

    part: Part
    whole: Span
    asks: Wanted


async def settle_some(ask: Ask, plan: Plan, homes: Sequence[Asked]) -> Sequence[Result]:
    """Return what some homes delivered, in their order.

    Args:
        ask: Runs queries.
        plan: How the event is settled.
        homes: Some of its homes.

    Raises:
        BusyError: The database cannot serve.
    """
    known = await _homes(ask, plan, homes)
    part = {lfdi: home for lfdi, home in known.items() if home.part.spans and home.asks.measured}
    seen = await _seen(ask, plan, part)
    days: Mapping[str, Mapping[int, Powers]] = {}
    if plan.method is not None and plan.method.way is Way.DAYS:
        programs = {e.lfdi: (*e.programs, e.lfdi) for e in homes if e.lfdi in part}
        days = await _like_days(ask, plan, plan.method, programs)

    def judge() -> Sequence[Result]:
        return [
            settled(
                lfdi,
                home.part,
                home.asks,
                _measured(plan, home, lfdi, seen, days.get(lfdi, {})),
                plan.terms,
            )
            for lfdi, home in known.items()
        ]

    return await asyncio.to_thread(judge)


async def _homes(ask: Ask, plan: Plan, homes: Sequence[Asked]) -> Mapping[str, _Home]:
    event, lfdis = plan.event, [home.lfdi for home in homes]
    said = await ask(lambda connection: answers(connection, event.mrid, lfdis))
    ders = await ask(lambda c: ders_of(c, lfdis)) if PERCENTS & event.modes else {}
    found: dict[str, _Home] = {}
    for home in homes:
        own = said.get(home.lfdi, ())
        part = part_of(event, own, told=home.told, until=plan.until)
        der = ders.get(home.lfdi)
        rated = Ratings() if der is None else Ratings(der.rated_w, der.charge_w, der.discharge_w)
        untold = part.stand is Stand.UNTOLD
        asks = Wanted() if untold else wanted(event.values, event.duration_s, rated)
        found[home.lfdi] = _Home(part, part_of(event, own, told=home.told).asked, asks)
    return found


_Seen = Mapping[At, Mapping[str, Powers]]
"""Homes' powers around the event, by where they are measured."""


async def _seen(ask: Ask, plan: Plan, homes: Mapping[str, _Home]) -> _Seen:
    """Return what homes' meters showed around the event."""
    places = {limit.at for home in homes.values() for limit in home.asks.limits}
    if plan.method is not None:
        places.add(plan.at)
    step_s, lfdis = plan.terms.step_s, list(homes)
    edge_s = plan.terms.bridge * step_s
    lead_s = tail_s = edge_s
    if plan.method is not None:
        lead_s, tail_s = max(lead_s, plan.method.lead_s), max(tail_s, plan.method.tail_s)
    window = Window(
        plan.event.earliest_start - lead_s,
        ceil(min(plan.event.latest_end + tail_s, max(plan.until, plan.event.earliest_start))),
    )
    found: dict[At, Mapping[str, Powers]] = {}
    for place in sorted(places) if lfdis else ():
        found[place] = await ask(partial(_read, lfdis, place, window, step_s))
    return found


async def _like_days(
    ask: Ask, plan: Plan, method: Method, programs: Mapping[str, Sequence[str]]
) -> Mapping[str, Mapping[int, Powers]]:
    """Return homes' powers on like days: by home, and by how many seconds earlier that was."""
    event, step_s = plan.event, plan.terms.step_s
    begun = await ask(lambda connection: earliest(connection, list(programs)))
    waiting = {lfdi: _candidates(plan, programs[lfdi], start) for lfdi, start in begun.items()}
    found: dict[str, dict[int, Powers]] = {lfdi: {} for lfdi in waiting}
    while waiting:
        turns: dict[int, list[str]] = {}
        for lfdi, days in list(waiting.items()):
            ago = next(days, None)
            if ago is None or len(found[lfdi]) >= method.days:
                del waiting[lfdi]
            else:
                turns.setdefault(ago, []).append(lfdi)
        for ago, lfdis in turns.items():
            window = Window(event.earliest_start - ago - method.lead_s, event.latest_end - ago)
            shown = await ask(partial(_read, lfdis, plan.at, window, step_s))
            span = Span(event.start - ago, event.start + event.duration_s - ago)
            for lfdi, powers in shown.items():
                if enough(span, step_s, powers):
                    found[lfdi][ago] = powers
    return found


def _candidates(plan: Plan, programs: Sequence[str], begun: int) -> Iterator[int]:
    """Yield by how many seconds like days are earlier of which there may be readings."""
    event, step_s = plan.event, plan.terms.step_s
    empty: frozenset[date] = frozenset()
    busy = empty.union(*(plan.busy.get(program, empty) for program in programs))
    for at in like_days(event.start, event.start + event.duration_s, plan.calendar, busy):
        if at < begun:
            return
        yield round((event.start - at) / step_s) * step_s


def _measured(
    plan: Plan, home: _Home, lfdi: str, seen: _Seen, days: Mapping[int, Powers]
) -> Measured:
    limited = tuple(seen.get(limit.at, _NOBODY).get(lfdi, _NOTHING) for limit in home.asks.limits)
    if plan.method is None or not home.part.spans:
        return Measured(limited=limited)
    moved = seen.get(plan.at, _NOBODY).get(lfdi, _NOTHING)
    return Measured(
        moved, baseline(home.whole, plan.terms.step_s, moved, days, plan.method), limited
    )


def _read(
    lfdis: Sequence[str], at: At, window: Window, step_s: int, connection: Connection
) -> Mapping[str, Powers]:
    return read_powers(connection, lfdis, at, window, step_s)


_NOTHING: Final[Powers] = {}
_NOBODY: Final[Mapping[str, Powers]] = {}
