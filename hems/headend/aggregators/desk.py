"""Aggregators and their homes: who may speak for whom, judged under the one lock of all workers."""

from collections.abc import Sequence
from functools import partial

from certs.identity import make_pin
from hems.headend.aggregators.records import Aggregator, Wanted
from hems.headend.belongings import belongings, forget
from hems.headend.book import Book
from hems.headend.db.database import Database
from hems.headend.errors import ConflictError, ForbiddenError, UnknownItemError
from hems.headend.fleet.access import Access
from hems.headend.flow_book import FlowBook
from hems.headend.homes import set_agent
from hems.headend.records import Edition, Home
from hems.headend.shelf import Shelf


class Aggregators:
    """All of them. `Database.load` reads them.

    Args:
        database: The database.
        book: Homes.
        flows: Their reservations.
    """

    def __init__(self, database: Database, book: Book, flows: FlowBook) -> None:
        self._database = database
        self._book = book
        self._flows = flows
        self._shelf = Shelf(database, "aggregator", Aggregator)

    @property
    def all(self) -> Sequence[Aggregator]:
        """All aggregators, in the order they came."""
        return tuple(self._shelf.items)

    def find(self, lfdi: str) -> Aggregator | None:
        """Return an aggregator; None if a device is none."""
        return self._shelf.find(lfdi)

    def of(self, lfdi: str) -> Aggregator:
        """Return an aggregator.

        Raises:
            UnknownItemError: There is none of this LFDI.
        """
        found = self.find(lfdi)
        if found is None:
            raise UnknownItemError(f"no aggregator {lfdi[:40]!r}")
        return found

    async def enter(self, item: Aggregator, pin: int, edition: Edition) -> None:
        """Enter an aggregator, with an EndDevice of its own; one that has one keeps that.

        Args:
            item: The aggregator.
            pin: Registration PIN of its own EndDevice.
            edition: What it speaks, for its homes as well.

        Raises:
            ConflictError: It is one already, another speaks for it, or it speaks another edition.
            BusyError: The database cannot take it.
        """
        async with self._database.changing() as draft:
            known = self._book.home(item.lfdi)
            if self.find(item.lfdi) is not None:
                raise ConflictError(f"{item.lfdi} is an aggregator already")
            if known is None:
                await self._book.register(item.lfdi, pin, edition, in_band=False)
            elif known.aggregator:
                raise ConflictError(f"aggregator {known.aggregator} speaks for home {item.lfdi}")
            elif known.edition is not edition:
                raise ConflictError(f"home {item.lfdi} speaks {known.edition}, not {edition}")
            await set_agent(draft.connection, [item.lfdi], item.lfdi)
            await self._shelf.put((item.lfdi, item.lfdi, item))

    async def change(self, item: Aggregator) -> None:
        """Change what an aggregator may do.

        Raises:
            UnknownItemError: There is none of this LFDI.
            ConflictError: It speaks for more homes than it is to have.
            BusyError: The database cannot take it.
        """
        async with self._database.changing():
            self.of(item.lfdi)
            known = len(self._book.rolls.managed(item.lfdi))
            if known > item.most:
                raise ConflictError(f"aggregator {item.lfdi} speaks for {known} homes already")
            await self._shelf.put((item.lfdi, item.lfdi, item))

    async def drop(self, lfdi: str) -> None:
        """Have an aggregator be a home like any other.

        Raises:
            UnknownItemError: There is none of this LFDI.
            ConflictError: It speaks for homes.
            BusyError: The database cannot do it now.
        """
        async with self._database.changing() as draft:
            self.of(lfdi)
            known = len(self._book.rolls.managed(lfdi))
            if known:
                raise ConflictError(f"aggregator {lfdi} speaks for {known} homes; release them")
            await set_agent(draft.connection, [lfdi], None)
            await self._shelf.drop(lfdi)

    async def give(self, lfdi: str, wanted: Sequence[Wanted]) -> None:
        """Have an aggregator speak for homes, all or none; those that are not there are entered.

        One that it speaks for already stays as it is, so that this may be said again.

        Raises:
            UnknownItemError: There is no such aggregator.
            ConflictError: A home is an aggregator, another's, or speaks another edition; or they
                are too many.
            BusyError: The database cannot take it.
        """
        async with self._database.changing():
            edition = self._edition_of(self.of(lfdi))
            fresh = {w.lfdi: w for w in wanted if self._is_fresh(lfdi, w.lfdi, edition)}
            self._check_room(lfdi, len(fresh))
            known = [home for each in fresh if (home := self._book.home(each)) is not None]
            await self._book.hand_over(known, lfdi)
            there = {home.lfdi for home in known}
            new = [(w.lfdi, w.pin, edition) for w in fresh.values() if w.lfdi not in there]
            drawn = [(of, int(make_pin()) if pin is None else pin, e) for of, pin, e in new]
            await self._book.register_all(drawn, lfdi)

    async def release(self, lfdi: str, home: str) -> None:
        """Have a home speak for itself again.

        Raises:
            UnknownItemError: The aggregator does not speak for it.
            BusyError: The database cannot take it.
        """
        async with self._database.changing():
            known = self._book.home(home)
            if known is None or known.aggregator != lfdi:
                raise UnknownItemError(f"aggregator {lfdi[:40]} speaks for no home {home[:40]!r}")
            await self._book.hand_over([known], "")

    async def register(self, lfdi: str, home: str) -> Home:
        """Enter a home that an aggregator has posted; one that it speaks for is returned.

        Raises:
            ForbiddenError: It may not, the home is registered to somebody else, or was and has left
                something here, the fleet does not serve it, or there are too many.
            BusyError: The database cannot take it.
        """
        async with self._database.changing() as draft:
            known = self._book.home(home)
            if known is not None and known.aggregator == lfdi:
                return known
            item = self.find(lfdi)
            if item is None or not item.may_register:
                raise ForbiddenError(f"device {home} has not been entered by the utility")
            if known is not None:
                raise ForbiddenError(f"device {home} is not one that {lfdi} may speak for")
            if Access.OWN not in self._book.served(home):
                raise ForbiddenError(f"device {home} is not served as its hub stands")
            left = await draft.connection.run_sync(partial(belongings, lfdi=home))
            if left.logs or left.kinds or self._flows.of(home):
                raise ForbiddenError(f"device {home} was somebody's before; the utility gives it")
            try:
                self._check_room(lfdi, 1)
            except ConflictError as error:
                raise ForbiddenError(str(error)) from error
            edition, pin = self._edition_of(item), int(make_pin())
            return await self._book.register(home, pin, edition, in_band=True, aggregator=lfdi)

    async def remove(self, lfdi: str, home: Home) -> None:
        """Forget a home that an aggregator has entered itself, and what it said there.

        Its readings and its answers to events stay, for whoever settles them; nobody reads them by
        this server any more.

        Raises:
            ForbiddenError: It may not.
            BusyError: The database cannot do it now.
        """
        async with self._database.changing() as draft:
            item, known = self.find(lfdi), self._book.home(home.lfdi)
            mine = known is not None and known.aggregator == lfdi and known.in_band
            if item is None or not item.may_register or not mine:
                raise ForbiddenError(f"device {home.lfdi} was entered by the utility, and stays")
            for request in self._flows.of(home.lfdi):
                await self._flows.remove(request)
            await draft.connection.run_sync(partial(forget, lfdi=home.lfdi))
            await self._book.retire(home.lfdi)

    def _is_fresh(self, lfdi: str, home: str, edition: Edition) -> bool:
        """Whether an aggregator does not speak for a home yet, and may.

        Raises:
            ConflictError: It may not.
        """
        if self.find(home) is not None:
            raise ConflictError(f"{home} is an aggregator itself")
        known = self._book.home(home)
        if known is None:
            return True
        if known.aggregator not in {"", lfdi}:
            raise ConflictError(f"aggregator {known.aggregator} speaks for home {home}")
        if known.edition is not edition:
            raise ConflictError(f"home {home} speaks {known.edition}, its aggregator {edition}")
        return not known.aggregator

    def _check_room(self, lfdi: str, more: int) -> None:
        most = self.of(lfdi).most
        if len(self._book.rolls.managed(lfdi)) + more > most:
            raise ConflictError(f"aggregator {lfdi} may speak for {most} homes at most")

    def _edition_of(self, item: Aggregator) -> Edition:
        home = self._book.home(item.lfdi)
        if home is None:
            raise ConflictError(f"aggregator {item.lfdi} has no EndDevice any more")
        return home.edition
