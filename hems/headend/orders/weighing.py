"""What an order would do: whom it is for, whom it reaches, how much that moves, who must agree."""

from collections.abc import Sequence
from dataclasses import dataclass

from hems.headend.book import Book
from hems.headend.dispatch import Order, find_program
from hems.headend.fleet.memory import FleetMemory
from hems.headend.operator_models import EventIn
from hems.headend.orders.contracts import Barring, Contracts, counted
from hems.headend.orders.four_eyes import judged
from hems.headend.orders.settings import FourEyesSettings
from hems.headend.records import Home, Program


@dataclass(frozen=True, slots=True)
class Weighed:
    """What an order would do.

    Attributes:
        program: The programme that carries it: of the configuration, also where it is for a group.
        group: Id of the group that it is for; None for everybody.
        homes: How many homes it is for.
        reached: How many of them it reaches.
        barred: Why it does not reach the others.
        moves_w: How much power those reached would move at most, W, as far as that can be told.
        why_two: Why a second person must confirm it; None where that is not needed.
    """

    program: Program
    group: str | None
    homes: int
    reached: int
    barred: Sequence[Barring]
    moves_w: float
    why_two: str | None


class Scales:
    """Weighs orders by what is in memory.

    Args:
        book: Homes and programmes.
        fleet: Groups.
        contracts: Whom an order does not reach.
        settings: What needs two people.
    """

    def __init__(
        self, book: Book, fleet: FleetMemory, contracts: Contracts, settings: FourEyesSettings
    ) -> None:
        self._book = book
        self._fleet = fleet
        self._contracts = contracts
        self._settings = settings

    def weigh(self, wish: EventIn) -> Weighed:
        """Return what an order would do.

        Raises:
            DispatchError: No programme carries it.
            UnknownItemError: There is no such group.
        """
        order = wish.order()
        program, homes = self._reach(order, wish.group)
        barred = self._contracts.barred(order.values, order.duration_s, homes)
        reached = len(homes) - len(barred)
        moves_w, why = judged(self._settings, program, order, reached)
        return Weighed(
            program,
            wish.group or program.group,
            len(homes),
            reached,
            counted(barred),
            moves_w,
            why,
        )

    def _reach(self, order: Order, group: str | None) -> tuple[Program, Sequence[Home]]:
        """Return the programme that would carry an order, and the homes that it is for."""
        programmes, book = self._book.programmes, self._book
        if group is None:
            program = find_program(order, programmes.known)
            return program, book.reached_by(program)
        self._fleet.depth(group)  # there is such a group
        program = find_program(order, programmes.configured)
        return program, [home for home in book.homes if group in book.groups_of(home.lfdi)]
