"""Availability, progress and settlement put together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection

from hems.clock import Clock
from hems.headend.book import Book
from hems.headend.fleet.memory import FleetMemory
from hems.headend.settings import HeadEndSettings
from hems.headend.settle.abilities import Abilities
from hems.headend.settle.chunk import Ask
from hems.headend.settle.counting import Counting, ProgramTerms
from hems.headend.settle.counts import Counts
from hems.headend.settle.delivery import Pay
from hems.headend.settle.door import SettleDoor
from hems.headend.settle.door_files import FileDoor
from hems.headend.settle.door_kept import KeptDoor
from hems.headend.settle.kept import KeptSettlements
from hems.headend.settle.tallies import Tallies
from hems.headend.store import Store

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Settlement:
    """All of it.

    Attributes:
        doors: What the operator may ask.
        counts: Events over all their homes; to be closed at the end.
        abilities: What groups could do.
        tallies: Who answered what.
        ask: Runs queries for them.
    """

    doors: tuple[SettleDoor, FileDoor, KeptDoor]
    counts: Counts
    abilities: Abilities
    tallies: Tallies
    ask: Ask


def assemble_settlement(
    store: Store,
    book: Book,
    fleet: FleetMemory,
    settings: HeadEndSettings,
    clock: Clock,
) -> Settlement:
    """Put it together.

    Args:
        store: What homes told.
        book: Homes and events.
        fleet: Groups of homes.
        settings: How events are settled.
        clock: The utility's time.
    """

    async def ask(work: Callable[[Connection], R], /) -> R:
        # Not by `inquire`: with SQLite that is one thread, which homes' polls need.
        async with store.reading() as connection:
            return await connection.run_sync(work)

    rules = settings.settlement
    tallies = Tallies(book, ask, clock.monotonic)
    counting = Counting(book, ask, tallies, rules, terms=_terms(settings), clock=clock)
    counts = Counts(counting, clock)
    abilities = Abilities(book, fleet, ask, rules, clock)
    door = SettleDoor(book, abilities, tallies, counting, counts, settings=rules, clock=clock)
    kept = KeptDoor(counting, KeptSettlements(store), door.why_not_final, clock)
    return Settlement((door, FileDoor(counting), kept), counts, abilities, tallies, ask)


def _terms(settings: HeadEndSettings) -> Mapping[str, ProgramTerms]:
    """Return by what events are settled, by the name of the programme."""
    return {
        program.name: ProgramTerms(
            None if program.baseline is None else program.baseline.record(),
            None if program.baseline is None else program.baseline.at,
            Pay(program.pay_per_kwh, program.pay_most),
        )
        for program in settings.programs
    }
