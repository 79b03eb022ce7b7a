"""All that the utility knows, in memory, and wired to who is told of changes."""

from dataclasses import dataclass
from typing import Self

from hems.clock import Clock
from hems.headend import hrefs
from hems.headend.aggregators.desk import Aggregators
from hems.headend.book import Book
from hems.headend.curve_book import CurveBook
from hems.headend.curves import Curve
from hems.headend.default_book import DefaultBook
from hems.headend.feeds import list_of
from hems.headend.flow_book import FlowBook
from hems.headend.flows import FlowRequest, Grant
from hems.headend.messages import Message, MessageBook
from hems.headend.orders.four_eyes import Proposal
from hems.headend.own.records import OwnEvent
from hems.headend.price_book import PriceBook
from hems.headend.prices import Flow, Price, Tariff
from hems.headend.programmes import Programmes
from hems.headend.records import Default, Event, Program
from hems.headend.render_prices import intervals_href
from hems.headend.settings import HeadEndSettings
from hems.headend.shelf import Shelf
from hems.headend.spans import CANCELLED_S, Calendar
from hems.headend.store import Store
from hems.headend.ticker import Ticker

PRICES_RECALLED_S = 2 * CANCELLED_S
"""How long replaced prices are remembered: a tariff that changes every few minutes leaves many."""


@dataclass(frozen=True, slots=True)
class Books:
    """What the utility knows. Use `Books.of`; `Store.load` reads it.

    Attributes:
        book: Homes, events and subscriptions.
        curves: Curves of der programmes.
        defaults: Default controls of der programmes.
        prices: Tariffs and prices.
        flows: Flow reservations.
        messages: Messages.
        aggregators: Aggregators, and whom they speak for.
        proposals: Orders that wait for a second person.
    """

    book: Book
    curves: CurveBook
    defaults: DefaultBook
    prices: PriceBook
    flows: FlowBook
    messages: MessageBook
    aggregators: Aggregators
    proposals: Shelf[Proposal]

    @classmethod
    def of(cls, store: Store, settings: HeadEndSettings, clock: Clock) -> Self:
        """Return the books of a database, empty until it loads."""
        pen = settings.pen
        programmes = Programmes(store, settings.program_records(), clock, pen)
        primacy = None if settings.upstream is None else settings.upstream.primacy
        book = Book(store, programmes, clock, pen, primacy)
        curves = CurveBook(Shelf(store, "curve", Curve), programmes, clock, pen)
        defaults = DefaultBook(Shelf(store, "default", Default), programmes, curves)
        priced = Calendar(Shelf(store, "price", Price), clock, "price", PRICES_RECALLED_S)
        prices = PriceBook(Shelf(store, "tariff", Tariff), priced, clock, pen)
        granted = Calendar(Shelf(store, "grant", Grant), clock, "grant")
        flows = FlowBook(Shelf(store, "request", FlowRequest), granted, clock, pen)
        texts = Calendar(Shelf(store, "message", Message), clock, "message")
        messages = MessageBook(texts, clock, pen)
        speakers, proposals = Aggregators(store, book, flows), Shelf(store, "proposal", Proposal)
        return cls(book, curves, defaults, prices, flows, messages, speakers, proposals)

    def tell(self, ticker: Ticker) -> None:
        """Have every change announced by a ticker."""

        def event(changed: Event) -> None:
            ticker.changed(list_of(self.book.programs[changed.program]), changed.mrid)

        def own(changed: OwnEvent) -> None:
            for program in self.book.own.programmes_of(changed):
                ticker.changed(list_of(program), changed.event.mrid)

        def default(program: Program) -> None:
            ticker.changed(hrefs.default_control(program.index))

        def prices(tariff: Tariff, flow: Flow) -> None:
            ticker.changed(intervals_href(tariff, flow))

        def grant(lfdi: str, mrid: str) -> None:
            home = self.book.home(lfdi)
            if home is not None:
                ticker.changed(hrefs.grants(home.id), mrid)

        def message(mrid: str) -> None:
            ticker.changed(hrefs.MESSAGES, mrid)

        self.book.on_dispatch = event
        self.book.own.on_change = own
        self.defaults.on_change = default
        self.prices.on_tariffs = lambda: ticker.changed(hrefs.TARIFFS)
        self.prices.on_prices = prices
        self.flows.on_grants = grant
        self.messages.on_change = message

    async def forget_old(self) -> None:
        """Let go of what ended long ago.

        Raises:
            BusyError: The database cannot do it now.
        """
        self.book.forget_old()
        await self.book.own.forget_old()
        await self.prices.prices.forget_old()
        await self.flows.grants.forget_old()
        await self.flows.forget_old()
        await self.messages.messages.forget_old()
