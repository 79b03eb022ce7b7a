"""Who answered what to an event, counted in the database; and who said nothing."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import Connection

from hems.headend.book import Book
from hems.headend.fleet.access import Access
from hems.headend.records import EXPRESSIBLE, Event, Home, Program
from hems.headend.settle.chunk import Ask
from hems.headend.settle.facts import answered_of, last_codes, notified
from hems.headend.settle.named import Named
from hems.headend.settle.taking_part import STANDS, Stand

_CHUNK: Final = 500
_FRESH_S: Final = 2.0
_TIMES: Final = 20.0
"""What was found is good for so many times what it took to find."""
_MOST: Final = 16
"""Events that are remembered."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How the homes of an event stand.

    Attributes:
        homes: How many there are.
        told: To how many there were words to tell it.
        notified: How many took a notification.
        codes: How many answered which code last.
    """

    homes: int
    told: int
    notified: int
    codes: Mapping[int, int]

    @property
    def answered(self) -> int:
        """How many answered anything."""
        return sum(self.codes.values())

    @property
    def stands(self) -> Mapping[Stand, int]:
        """How many stand how; each home once."""
        found = dict.fromkeys(Stand, 0)
        for code, homes in self.codes.items():
            found[STANDS[code]] += homes
        found[Stand.UNTOLD] = self.homes - self.told
        found[Stand.SILENT] = max(self.told - self.answered, 0)
        return found


@dataclass(frozen=True, slots=True)
class _Reached:
    """Whom an event reaches, by LFDI.

    Attributes:
        change: As of which change of what is known.
        until: How long it is good, monotonic s: how hubs stand changes by time, too.
        homes: All that see it.
        told: Those of them to whom there were words to tell it, and whose contract lets it.
    """

    change: int
    until: float
    homes: Sequence[str]
    told: frozenset[str]


class Tallies:
    """Counts answers.

    Args:
        book: Homes and events.
        ask: Runs queries.
        monotonic: Seconds that never step.
    """

    def __init__(self, book: Book, ask: Ask, monotonic: Callable[[], float]) -> None:
        self._book = book
        self._ask = ask
        self._monotonic = monotonic
        self._known: OrderedDict[str, _Reached] = OrderedDict()

    async def of(self, event: Event) -> Tally:
        """Return how the homes of an event stand.

        Raises:
            BusyError: The database cannot serve.
        """
        codes = await self._ask(lambda connection: last_codes(connection, event.mrid))
        sent = await self._ask(lambda connection: notified(connection, event.mrid))
        reached = self._reached(event)
        told = max(len(reached.told), sum(codes.values()))  # who answered was told
        return Tally(told + len(reached.homes) - len(reached.told), told, sent, codes)

    async def silent(self, event: Event, after: str, most: int) -> Sequence[str]:
        """Return homes that were told and have not answered, by LFDI, behind one of them.

        Raises:
            BusyError: The database cannot serve.
        """
        reached = self._reached(event)
        rest = [o for o in reached.homes[bisect_right(reached.homes, after) :] if o in reached.told]
        found: list[str] = []
        for start in range(0, len(rest), _CHUNK):
            part = rest[start : start + _CHUNK]
            heard = await self._ask(partial(_answered, event.mrid, part))
            found += [lfdi for lfdi in part if lfdi not in heard]
            if len(found) >= most:
                break
        return found[:most]

    def program(self, event: Event) -> Program:
        """Return the programme of an event."""
        return event.programme if isinstance(event, Named) else self._book.programs[event.program]

    def homes(self, event: Event) -> Sequence[str]:
        """Return the homes that see an event, by LFDI."""
        return self._reached(event).homes

    def told(self, event: Event, lfdi: str) -> bool:
        """Return whether an event could be told to a home; a home that is gone may have been."""
        return lfdi in self._reached(event).told or self._book.home(lfdi) is None

    def _reached(self, event: Event) -> _Reached:
        begun, change = self._monotonic(), self._book.change
        known = self._known.get(event.mrid)
        if known is not None and known.change == change and begun < known.until:
            return known
        homes = sorted(self._homes(event), key=lambda home: home.lfdi)
        told = frozenset(home.lfdi for home in homes if self._tellable(event, home))
        took_s = self._monotonic() - begun
        until = begun + max(_FRESH_S, _TIMES * took_s)
        found = _Reached(change, until, [home.lfdi for home in homes], told)
        self._known[event.mrid] = found
        self._known.move_to_end(event.mrid)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return found

    def _homes(self, event: Event) -> Sequence[Home]:
        if not isinstance(event, Named):
            return self._book.reached_by(self.program(event))
        known = map(self._book.home, event.homes)
        return [home for home in known if home is not None]

    def _tellable(self, event: Event, home: Home) -> bool:
        return (
            event.modes <= EXPRESSIBLE[home.edition]
            and Access.EVENTS in self._book.served(home.lfdi)
            and not self._book.contracts.bars(event, home.lfdi)
        )


def _answered(event: str, lfdis: Sequence[str], connection: Connection) -> frozenset[str]:
    return answered_of(connection, event, lfdis)
