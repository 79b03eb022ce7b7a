"""What the homes of a group could do, read some homes at a time."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final, Protocol

from sqlalchemy import Connection

from hems.clock import Clock
from hems.headend.ability.rule import able
from hems.headend.ability.told import Told
from hems.headend.book import Book
from hems.headend.fleet.access import Access
from hems.headend.records import Event, Home
from hems.headend.settle.availability import Availability, Away
from hems.headend.settle.chunk import Ask
from hems.headend.settle.facts import who_left
from hems.headend.settle.settings import SettlementSettings
from hems.headend.settle.told_store import told_of
from hems.headend.settle.wanted import Ratings, wanted

CHUNK: Final = 100
_FRESH_S: Final = 10.0
_MOST: Final = 64
"""Answers that are remembered."""

_Key = tuple[str | None, float | None, float | None]


class Groups(Protocol):
    """Who is in which group."""

    def depth(self, group: str) -> int:
        """Return how far down a group stands; raises `UnknownItemError` for none."""
        ...

    def homes_in(self, group: str) -> Iterable[str]:
        """Yield the LFDIs of a group's homes."""
        ...


class Abilities:
    """Asks what groups could do.

    Args:
        book: Homes and events.
        groups: Who is in which group.
        ask: Runs queries.
        settings: For how long what homes told counts.
        clock: The utility's time.
    """

    def __init__(
        self, book: Book, groups: Groups, ask: Ask, settings: SettlementSettings, clock: Clock
    ) -> None:
        self._book = book
        self._groups = groups
        self._ask = ask
        self._rules = settings.rules()
        self._clock = clock
        self._known: OrderedDict[_Key, tuple[float, int, Availability]] = OrderedDict()

    async def of(self, group: str | None, begin: float | None, end: float | None) -> Availability:
        """Return what a group could do; an answer is good for some seconds.

        Args:
            group: Id of the group or site; None for everybody.
            begin: From when, epoch s; None for now.
            end: Until when it is to be held; None for at once.

        Raises:
            UnknownItemError: There is no such group.
            BusyError: The database cannot serve.
        """
        key, now = (group, begin, end), self._clock.now()
        known = self._known.get(key)
        if known is not None and self._book.change == known[1] and now - known[0] < _FRESH_S:
            return known[2]
        change = self._book.change
        found = await self._count(self._homes(group), begin or now, end)
        self._known[key] = now, change, found
        self._known.move_to_end(key)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return found

    def _homes(self, group: str | None) -> Sequence[Home]:
        if group is None:
            return self._book.homes
        self._groups.depth(group)
        found = (self._book.home(lfdi) for lfdi in self._groups.homes_in(group))
        return [home for home in found if home is not None]

    async def _count(self, homes: Sequence[Home], begin: float, end: float | None) -> Availability:
        now = self._clock.now()
        found = Availability(begin, begin if end is None else end, now)
        busy, left = await self._engaged(found.begin, found.end)
        since = now - self._rules.read_s
        for start in range(0, len(homes), CHUNK):
            part = homes[start : start + CHUNK]
            heard = await self._book.contacts.of(*{home.aggregator or home.lfdi for home in part})
            own = {
                home.lfdi: heard[speaker]
                for home in part
                if (speaker := home.aggregator or home.lfdi) in heard
            }
            lfdis = [home.lfdi for home in part]
            told = await self._ask(partial(_told, lfdis, own, since))
            for home in part:
                away = self._away(home.lfdi, busy, left)
                largest_w = self._book.contracts.largest_w(home.lfdi)
                able_to = able(told[home.lfdi], now, self._rules, largest_w=largest_w)
                found.add(able_to, away)
        return found

    def _away(self, lfdi: str, busy: frozenset[str], left: frozenset[str]) -> Away | None:
        if Access.EVENTS not in self._book.served(lfdi):
            return Away.UNSERVED
        if lfdi in left:
            return Away.LEFT
        return Away.BUSY if lfdi in busy else None

    async def _engaged(self, begin: float, end: float) -> tuple[frozenset[str], frozenset[str]]:
        """Return the homes of which something is asked in a time, and those that left that."""
        busy: set[str] = set()
        left: set[str] = set()
        for event in self._book.events:
            if _meets(event, begin, end) and _asks(event):
                program = self._book.programs[event.program]
                busy.update(home.lfdi for home in self._book.reached_by(program))
                left.update(await self._ask(partial(_left, event.mrid)))
        for item in self._book.own.running:
            if _meets(item.event, begin, end) and _asks(item.event):
                busy |= item.homes
                left.update(await self._ask(partial(_left, item.event.mrid)))
        return frozenset(busy), frozenset(left)


def _meets(event: Event, begin: float, end: float) -> bool:
    last = event.latest_end if event.cancelled_at is None else event.cancelled_at
    return event.earliest_start <= end and begin < last


def _asks(event: Event) -> bool:
    return wanted(event.values, event.duration_s, Ratings()).measured


def _told(
    lfdis: Sequence[str], heard: Mapping[str, float], since: float, connection: Connection
) -> Mapping[str, Told]:
    return told_of(connection, lfdis, heard, since)


def _left(event: str, connection: Connection) -> Sequence[str]:
    return who_left(connection, event)
