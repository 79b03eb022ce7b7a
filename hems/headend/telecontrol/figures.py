"""What the head-end knows of groups, looked up for control centres."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import Connection

from hems.clock import Clock
from hems.headend.book import Book
from hems.headend.errors import BusyError, UnknownItemError
from hems.headend.records import Event
from hems.headend.settle.abilities import Abilities
from hems.headend.settle.availability import Availability, Away, Way
from hems.headend.settle.chunk import Ask
from hems.headend.settle.counts import Count, Counts
from hems.headend.settle.door import measured
from hems.headend.settle.power import LEAST_KNOWN
from hems.headend.settle.power_store import latest_power
from hems.headend.settle.settings import SettlementSettings
from hems.headend.settle.tallies import Tallies
from hems.headend.status import Status
from hems.headend.telecontrol.asdu import Quality
from hems.headend.telecontrol.ordering import Groups
from hems.headend.telecontrol.points import Quantity, Table
from hems.headend.telecontrol.reporting import Figure

Known = Mapping[tuple[str | None, Quantity], Figure]
_CHUNK: Final = 100
_WAYS: Final[Mapping[Quantity, Callable[[Availability], Way]]] = {
    Quantity.COULD_SHED: lambda found: found.shed,
    Quantity.COULD_GENERATE: lambda found: found.generate,
    Quantity.COULD_ABSORB: lambda found: found.absorb,
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where figures come from.

    Attributes:
        book: Homes and events.
        groups: Who is in which group.
        abilities: What groups could do.
        tallies: Who answered what.
        counts: What events bring.
        ask: Runs queries.
        rules: For how long what homes told counts.
    """

    book: Book
    groups: Groups
    abilities: Abilities
    tallies: Tallies
    counts: Counts
    ask: Ask
    rules: SettlementSettings


class Figures:
    """Looks up what the rows of a table want.

    Args:
        table: The rows.
        sources: Where it comes from.
        clock: The utility's time.
    """

    def __init__(self, table: Table, sources: Sources, clock: Clock) -> None:
        self._from = sources
        self._clock = clock
        self._wanted: dict[str | None, set[Quantity]] = {}
        for seen in table.seen.values():
            self._wanted.setdefault(seen.group, set()).add(seen.quantity)
        self._known: dict[tuple[str | None, Quantity], Figure] = {}
        self._unknown: set[str] = set()

    @property
    def known(self) -> Known:
        """What was found last."""
        return self._known

    def running(self) -> Sequence[Event]:
        """Return the events that are under way for homes of everybody or of groups."""
        book = self._from.book
        return [event for event in book.events if book.state(event).status is Status.ACTIVE]

    async def look(self) -> None:
        """Look everything up; what cannot be now stays as it was, marked as not topical."""
        for group, wanted in self._wanted.items():
            try:
                found = await self._group(group, wanted)
            except BusyError as error:
                _log.warning("figures of %s are old: %s", group or "everybody", error)
                found = self._aged(group, wanted)
            except UnknownItemError:
                if group is not None and group not in self._unknown:
                    self._unknown.add(group)
                    _log.warning("telecontrol's table names a group that is not there: %s", group)
                found = dict.fromkeys(wanted, self._figure(0.0, Quality.INVALID))
            for quantity, figure in found.items():
                self._known[group, quantity] = figure

    def _aged(self, group: str | None, wanted: Iterable[Quantity]) -> dict[Quantity, Figure]:
        found = {}
        for quantity in wanted:
            before = self._known.get((group, quantity))
            if before is None:
                found[quantity] = self._figure(0.0, Quality.INVALID)
            else:
                quality = before.quality | Quality.NOT_TOPICAL
                found[quantity] = Figure(before.value, quality, before.at)
        return found

    def _figure(self, value: float, quality: Quality = Quality.GOOD) -> Figure:
        return Figure(value, quality, self._clock.now())

    async def _group(self, group: str | None, wanted: set[Quantity]) -> dict[Quantity, Figure]:
        homes = self._homes(group)
        own = [event for event in self.running() if self._group_of(event) == group]
        found: dict[Quantity, Figure] = {}
        if wanted & {*_WAYS, Quantity.REACHED}:
            able = await self._from.abilities.of(group, None, None)
            found[Quantity.REACHED] = Figure(able.reached, Quality.GOOD, able.at)
            for quantity, way in _WAYS.items():
                found[quantity] = _way(way(able), able)
        if Quantity.HOMES in wanted:
            found[Quantity.HOMES] = self._figure(len(homes))
        if Quantity.POWER in wanted:
            found[Quantity.POWER] = await self._power(homes)
        if Quantity.DELIVERED in wanted:
            found[Quantity.DELIVERED] = await self._delivered(own)
        if Quantity.ANSWERING in wanted:
            answered = [(await self._from.tallies.of(event)).answered for event in own]
            found[Quantity.ANSWERING] = self._figure(max(answered, default=0))
        if Quantity.RUNNING in wanted:
            found[Quantity.RUNNING] = self._figure(float(self._runs(group, homes)))
        return {quantity: figure for quantity, figure in found.items() if quantity in wanted}

    def _homes(self, group: str | None) -> Sequence[str]:
        book, groups = self._from.book, self._from.groups
        if group is None:
            return [home.lfdi for home in book.homes]
        groups.depth(group)
        return [lfdi for lfdi in groups.homes_in(group) if book.home(lfdi) is not None]

    def _group_of(self, event: Event) -> str | None:
        return self._from.book.programs[event.program].group

    def _runs(self, group: str | None, homes: Sequence[str]) -> bool:
        book, now = self._from.book, self._clock.now()
        for event in self.running():
            program = book.programs[event.program]
            if program.group in {None, group} or any(book.assigned(program, h) for h in homes):
                return True
        ours = frozenset(homes)
        return any(
            item.event.earliest_start <= now < item.event.latest_end
            and item.event.cancelled_at is None
            and not ours.isdisjoint(item.homes)
            for item in book.own.running
        )

    async def _power(self, homes: Sequence[str]) -> Figure:
        now = self._clock.now()
        since, total, heard, at = now - self._from.rules.read_s, 0.0, 0, now
        for start in range(0, len(homes), _CHUNK):
            some = homes[start : start + _CHUNK]
            told = await self._from.ask(partial(_latest, some, since))
            heard += len(told)
            total += sum(power for _, power in told.values())
            at = min(at, *(when for when, _ in told.values())) if told else at
        if homes and not heard:
            return self._figure(0.0, Quality.INVALID)
        few = heard < LEAST_KNOWN * len(homes)
        return Figure(total, Quality.NOT_TOPICAL if few else Quality.GOOD, at)

    async def _delivered(self, events: Sequence[Event]) -> Figure:
        total, quality, at = 0.0, Quality.GOOD, self._clock.now()
        for event in events:
            count = await self._from.counts.of(event) if measured(event) else None
            each = self._latest(count)
            total += each.value
            quality |= each.quality
            at = min(at, each.at)
        return Figure(0.0 if quality & Quality.INVALID else total, quality, at)

    def _latest(self, count: Count | None) -> Figure:
        """Return the last interval of an event of which anything is known."""
        step_s = self._from.rules.interval_s
        for each in reversed(() if count is None else count.total.intervals):
            if each.delivered_w is None:
                continue
            end = each.start + step_s
            few = each.homes < LEAST_KNOWN * (each.homes + each.missing)
            old = self._clock.now() - end > 2 * step_s
            quality = Quality.NOT_TOPICAL if few or old else Quality.GOOD
            return Figure(each.delivered_w, quality, min(end, self._clock.now()))
        return self._figure(0.0, Quality.INVALID)


def _way(way: Way, able: Availability) -> Figure:
    """Return what homes could do one way; not known where that is known of none of them."""
    known = way.homes + way.none
    invalid = not known and bool(way.unknown.total() or able.away[Away.UNHEARD])
    return Figure(way.power_w, Quality.INVALID if invalid else Quality.GOOD, able.at)


def _latest(
    lfdis: Sequence[str], since: float, connection: Connection
) -> Mapping[str, tuple[float, float]]:
    return latest_power(connection, lfdis, since)
