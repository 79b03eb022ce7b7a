"""Where operators' orders become events: weighed, confirmed by two where large, dispatched.

All of it happens under the one lock for what operators order, so that of two workers only one
confirms a proposal, and what was weighed is what goes out. An order that is sent again under its
name (`hems.headend.orders.repeats`) is found under it, too.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from hems.clock import Clock
from hems.headend.books import Books
from hems.headend.db.database import Database
from hems.headend.dispatch import find_program, start_of
from hems.headend.errors import ConflictError, ForbiddenError, UnknownItemError
from hems.headend.fleet.memory import FleetMemory
from hems.headend.operator_models import EventIn
from hems.headend.operators.roles import Identity
from hems.headend.orders.contracts import Contracts
from hems.headend.orders.four_eyes import Proposal, ProposalState, why_not_confirm
from hems.headend.orders.repeats import Made, Named, Repeats
from hems.headend.orders.settings import FourEyesSettings
from hems.headend.orders.weighing import Scales, Weighed
from hems.headend.records import Event, Home

KEPT_S = 30 * 86_400.0
"""How long a proposal is shown after it was decided, or lapsed."""
_MINUTE_S = 60.0


class OrderDesk:
    """Takes orders.

    Args:
        database: Where events and proposals are.
        books: Events, homes, curves and proposals.
        fleet: Groups.
        contracts: Whom an order does not reach.
        settings: What needs two people.
        clock: The utility's time.
    """

    def __init__(
        self,
        database: Database,
        books: Books,
        fleet: FleetMemory,
        *,
        contracts: Contracts,
        settings: FourEyesSettings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._book = books.book
        self._curves = books.curves
        self._fleet = fleet
        self._contracts = contracts
        self._scales = Scales(books.book, fleet, contracts, settings)
        self._settings = settings
        self._clock = clock
        self._shelf = books.proposals
        self._repeats = Repeats(database, clock)

    @property
    def proposals(self) -> Sequence[Proposal]:
        """All remembered proposals, the latest first."""
        return tuple(self._shelf.items)[::-1]

    def proposal(self, number: str) -> Proposal:
        """Return a proposal.

        Raises:
            UnknownItemError: There is none of this id.
        """
        found = self._shelf.find(number)
        if found is None:
            raise UnknownItemError(f"no proposal {number[:40]!r}")
        return found

    def state(self, proposal: Proposal) -> ProposalState:
        """Return how a proposal stands now."""
        return proposal.state(self._clock.now())

    async def preview(self, wish: EventIn) -> Weighed:
        """Return what an order would do; nothing is ordered.

        Raises:
            DispatchError: It makes no sense.
            UnknownItemError: There is no such group.
            BusyError: The database cannot serve now.
        """
        with _undone():
            async with self._database.changing():
                weighed = self._scales.weigh(wish)
                await self._dispatch(wish)
                raise _UndoneError
        return weighed

    async def order(
        self, wish: EventIn, by: Identity, name: Named | None = None, *, alone: bool = False
    ) -> Made[Event | Proposal]:
        """Dispatch an event, or propose it where a second person must agree.

        Args:
            wish: What is ordered.
            by: Who orders it.
            name: By which it is known if it comes again.
            alone: Whether it is refused, not proposed, where a second person must agree.

        Raises:
            DispatchError: It makes no sense, or another order has this name.
            UnknownItemError: There is no such group.
            ForbiddenError: A second person must agree, and nobody could be asked.
            BusyError: The database cannot take it; whether it happened, a named one can be asked
                by giving it again.
        """
        async with self._database.changing():
            before = await self._repeats.made(name)
            if before is not None:
                return self._made(before)
            why_two = self._scales.weigh(wish).why_two
            if why_two is None:
                event = await self._dispatch(wish)
                await self._repeats.keep(name, event.mrid)
                return Made(event)
        if alone:
            raise ForbiddenError(
                f"{why_two}: an operator must order it, and another one confirm it"
            )
        await self.preview(wish)  # what makes no sense is not proposed
        return await self._propose(wish, by, name)

    async def cancel(
        self, mrid: str, name: Named | None = None, *, randomized: bool
    ) -> Made[Event]:
        """Cancel an event.

        Raises:
            UnknownItemError: There is no such event.
            ConflictError: It is over, or cancelled already.
            DispatchError: Another order has this name.
            BusyError: As for an order.
        """
        async with self._database.changing():
            before = await self._repeats.made(name)
            if before is not None:
                return Made(self._book.event(before), again=True)
            event = await self._book.cancel(mrid, randomized=randomized)
            await self._repeats.keep(name, event.mrid)
        return Made(event)

    async def confirm(self, number: str, by: Identity, name: Named | None = None) -> Made[Event]:
        """Dispatch what somebody else has proposed.

        Raises:
            UnknownItemError: There is no such proposal.
            ForbiddenError: It is one's own, or nobody in particular confirms it.
            ConflictError: It was decided already, or has lapsed.
            DispatchError: It makes no sense any more, or another order has this name.
            BusyError: As for an order.
        """
        async with self._database.changing():
            before = await self._repeats.made(name)
            if before is not None:
                return Made(self._book.event(before), again=True)
            proposal, now = self.proposal(number), self._clock.now()
            why = why_not_confirm(proposal, by.person, now)
            if why is not None:
                open_ = proposal.state(now) is ProposalState.PROPOSED
                raise ForbiddenError(why) if open_ else ConflictError(why)
            event = await self._dispatch(EventIn.model_validate_json(proposal.order))
            await self._keep(
                replace(proposal, decided_by=by.name, decided_at=now, event=event.mrid)
            )
            await self._repeats.keep(name, event.mrid)
        return Made(event)

    async def withdraw(
        self, number: str, reason: str, by: Identity, name: Named | None = None
    ) -> Made[Proposal]:
        """Take a proposal back, one's own or another's.

        Raises:
            UnknownItemError: There is no such proposal.
            ConflictError: It was decided already, or has lapsed.
            DispatchError: Another order has this name.
            BusyError: As for an order.
        """
        async with self._database.changing():
            before = await self._repeats.made(name)
            if before is not None:
                return Made(self.proposal(before), again=True)
            proposal, now = self.proposal(number), self._clock.now()
            state = proposal.state(now)
            if state is not ProposalState.PROPOSED:
                raise ConflictError(f"it is {state.value} already")
            kept = replace(proposal, decided_by=by.name, decided_at=now, reason=reason)
            await self._keep(kept)
            await self._repeats.keep(name, kept.id)
        return Made(kept)

    def special(self, home: Home) -> bool:
        """Return whether there is anything that does not reach a home at present."""
        return self._contracts.special(home.lfdi)

    def barred(self, event: Event, homes: Iterable[Home]) -> Mapping[str, str]:
        """Return which homes an event is for and does not reach, by LFDI, and why."""
        program = self._book.programs[event.program]
        own = (home for home in homes if self._book.assigned(program, home.lfdi))
        return self._contracts.barred(event.values, event.duration_s, own)

    async def forget_old(self) -> None:
        """Let go of proposals that were decided, or lapsed, long ago, and of old orders' names.

        Raises:
            BusyError: The database cannot do it now.
        """
        old = self._clock.now() - KEPT_S
        await self._shelf.drop(
            *(p.id for p in self._shelf.items if max(p.decided_at, p.lapses_at) < old)
        )
        await self._repeats.forget_old()

    def _made(self, number: str) -> Made[Event | Proposal]:
        """Return what came of an order before, as it is now."""
        return Made(self._shelf.find(number) or self._book.event(number), again=True)

    async def _propose(
        self, wish: EventIn, by: Identity, name: Named | None
    ) -> Made[Event | Proposal]:
        async with self._database.changing():
            before = await self._repeats.made(name)
            if before is not None:  # it came to another worker as well, since we looked
                return self._made(before)
            now, weighed = self._clock.now(), self._scales.weigh(wish)
            # An order for now goes out when it is confirmed; one for later must be by then.
            at = float(start_of(wish.start, now))
            begins = at if at > now else None
            lapses_at = begins or now + self._settings.waits_minutes * _MINUTE_S
            proposal = Proposal(
                secrets.token_hex(6),
                wish.model_copy(update={"start": begins}).model_dump_json(exclude_defaults=True),
                by.name,
                by.person,
                now,
                lapses_at,
                weighed.why_two or "",
                weighed.moves_w,
                weighed.homes,
                weighed.reached,
            )
            await self._keep(proposal)
            await self._repeats.keep(name, proposal.id)
        return Made(proposal)

    async def _keep(self, proposal: Proposal) -> None:
        await self._shelf.put((proposal.id, proposal.proposer, proposal))

    async def _dispatch(self, wish: EventIn) -> Event:
        """Dispatch, in the transaction that is open."""
        order = wish.order()
        if wish.group is not None:
            programmes = self._book.programmes
            base = find_program(order, programmes.configured)
            depth = self._fleet.depth(wish.group)
            program = await programmes.narrowed(base, wish.group, depth)
            order = replace(order, program=program.mrid)
        return await self._book.dispatch(await self._curves.resolve(order))


class _UndoneError(Exception):
    """What a block did is to be undone: it was done to see whether it can be."""


@contextmanager
def _undone() -> Iterator[None]:
    try:
        yield
    except _UndoneError:
        return
