"""Who answered what to an event, counted in the database; and who said nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import Connection

from hems.headend.book import Book
from hems.headend.records import EXPRESSIBLE, Event
from hems.headend.settle.chunk import Ask
from hems.headend.settle.facts import answered_of, last_codes, notified
from hems.headend.settle.taking_part import STANDS, Stand

_CHUNK: Final = 500


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


class Tallies:
    """Counts answers.

    Args:
        book: Homes and events.
        ask: Runs queries.
    """

    def __init__(self, book: Book, ask: Ask) -> None:
        self._book = book
        self._ask = ask
        self._reached: dict[int, Sequence[str]] = {}
        self._change = -1

    async def of(self, event: Event) -> Tally:
        """Return how the homes of an event stand.

        Raises:
            BusyError: The database cannot serve.
        """
        codes = await self._ask(lambda connection: last_codes(connection, event.mrid))
        sent = await self._ask(lambda connection: notified(connection, event.mrid))
        reached = self.reached(event)
        seen = sum(1 for lfdi in reached if self.told(event, lfdi))
        told = max(seen, sum(codes.values()))  # who answered was told, whatever it sees now
        return Tally(told + len(reached) - seen, told, sent, codes)

    async def silent(self, event: Event, after: str, most: int) -> Sequence[str]:
        """Return homes that were told and have not answered, by LFDI, behind one of them.

        Raises:
            BusyError: The database cannot serve.
        """
        rest = [o for o in self.reached(event) if o > after and self.told(event, o)]
        found: list[str] = []
        for start in range(0, len(rest), _CHUNK):
            part = rest[start : start + _CHUNK]
            heard = await self._ask(partial(_answered, event.mrid, part))
            found += [lfdi for lfdi in part if lfdi not in heard]
            if len(found) >= most:
                break
        return found[:most]

    def reached(self, event: Event) -> Sequence[str]:
        """Return the homes that see an event, by LFDI."""
        change = self._book.change
        if change != self._change:
            self._reached, self._change = {}, change
        known = self._reached.get(event.program)
        if known is None:
            program = self._book.programs[event.program]
            known = sorted(home.lfdi for home in self._book.reached_by(program))
            self._reached[event.program] = known
        return known

    def told(self, event: Event, lfdi: str) -> bool:
        """Return whether there were words to tell a home of an event."""
        home = self._book.home(lfdi)
        return home is None or event.modes <= EXPRESSIBLE[home.edition]


def _answered(event: str, lfdis: Sequence[str], connection: Connection) -> frozenset[str]:
    return answered_of(connection, event, lfdis)
