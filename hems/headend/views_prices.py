"""Views of tariffs: profiles, components, intervals and their one block each."""

from collections.abc import Iterable, Sequence

from aiohttp import web

from hems.headend import hrefs, render_prices
from hems.headend.errors import UnknownItemError
from hems.headend.exchange import answer, caller, number_of
from hems.headend.feeds import Sight
from hems.headend.modes import Edition
from hems.headend.paging import Query, page, parse_query
from hems.headend.price_book import PriceBook
from hems.headend.prices import Flow, Tariff, owner
from hems.headend.records import Home
from hems.headend.render_prices import NUMBERS, ShownPrice
from hems.headend.settings import HeadEndSettings
from hems.sep2.resources import RateComponent

_FLOWS = {number: flow for flow, number in NUMBERS.items()}


class PriceViews:
    """Tariffs and their prices; the same for all homes.

    Args:
        book: What they are.
        settings: Rates.
    """

    def __init__(self, book: PriceBook, settings: HeadEndSettings) -> None:
        self._book = book
        self._settings = settings

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        tariff = f"{hrefs.TARIFFS}/{{tariff}}"
        component = f"{tariff}/rc/{{component}}"
        interval = f"{component}/tti/{{mrid}}"
        return [
            web.get(hrefs.TARIFFS, self.get_tariffs),
            web.get(tariff, self.get_tariff),
            web.get(f"{tariff}/rc", self.get_components),
            web.get(component, self.get_component),
            web.get(f"{component}/rt", self.get_reading_type),
            web.get(f"{component}/tti", self.get_intervals),
            web.get(interval, self.get_interval),
            web.get(f"{interval}/cti", self.get_blocks),
            web.get(f"{interval}/cti/1", self.get_block),
        ]

    # Feed

    def resources(self) -> Iterable[str]:
        """Return the paths of all lists of prices."""
        for tariff in self._book.tariffs:
            for flow in tariff.flows:
                yield render_prices.intervals_href(tariff, flow)

    def sight(self, resource: str, home: Home) -> Sight | None:
        """Return a list as a home of its edition sees it."""
        if resource == hrefs.TARIFFS:
            tariffs, poll_s = self._book.tariffs, self._poll_s(home.edition)
            return Sight(
                tuple(tariffs),
                not tariffs,
                lambda limit: render_prices.tariff_list(page(tariffs, Query(limit=limit)), poll_s),
            )
        for tariff in self._book.tariffs:
            for flow in tariff.flows:
                if resource == render_prices.intervals_href(tariff, flow):
                    return self._prices_sight(tariff, flow, home.edition)
        return None

    def next_change(self) -> float | None:
        """Return when a state changes next, epoch s; None: never."""
        return self._book.prices.next_change()

    def _poll_s(self, edition: Edition) -> int:
        return self._settings.rates(edition).list_poll_s

    def _prices_sight(self, tariff: Tariff, flow: Flow, edition: Edition) -> Sight:
        shown = self._shown(tariff, flow, edition)
        return Sight(
            tuple((price.span.mrid, int(state.status)) for price, state in shown),
            not shown,
            lambda limit: render_prices.interval_list(
                tariff, flow, page(shown, Query(limit=limit)), edition
            ),
        )

    # Views

    async def get_tariffs(self, request: web.Request) -> web.Response:
        """Answer the tariffs, by primacy, then mRID descending."""
        poll_s = self._poll_s(caller(request).registered().edition)
        part = page(self._book.tariffs, parse_query(request.query))
        return answer(request, render_prices.tariff_list(part, poll_s))

    async def get_tariff(self, request: web.Request) -> web.Response:
        """Answer one tariff."""
        return answer(request, render_prices.tariff_profile(self._tariff(request)))

    async def get_components(self, request: web.Request) -> web.Response:
        """Answer what a tariff has prices of, by mRID descending."""
        tariff, edition = self._tariff(request), _edition(request)
        items = [self._component_of(tariff, flow, edition) for flow in tariff.flows]
        items.sort(key=lambda item: item.mrid, reverse=True)
        part = page(items, parse_query(request.query))
        return answer(request, render_prices.component_list(tariff, part))

    async def get_component(self, request: web.Request) -> web.Response:
        """Answer one component."""
        tariff, flow = self._component(request)
        return answer(request, self._component_of(tariff, flow, _edition(request)))

    async def get_reading_type(self, request: web.Request) -> web.Response:
        """Answer what a component's prices are of."""
        return answer(request, render_prices.reading_type(*self._component(request)))

    async def get_intervals(self, request: web.Request) -> web.Response:
        """Answer the prices of a component, by start."""
        tariff, flow = self._component(request)
        edition = _edition(request)
        shown = self._shown(tariff, flow, edition)
        part = page(shown, parse_query(request.query), lambda item: item[0].span.start)
        return answer(request, render_prices.interval_list(tariff, flow, part, edition))

    async def get_interval(self, request: web.Request) -> web.Response:
        """Answer when one price holds."""
        tariff, (price, state) = self._price(request)
        return answer(request, render_prices.interval(tariff, price, state, _edition(request)))

    async def get_blocks(self, request: web.Request) -> web.Response:
        """Answer the one block of a price."""
        _, (price, _) = self._price(request)
        items = render_prices.blocks(price, request.path)
        part = page(items, parse_query(request.query))
        return answer(request, render_prices.block_list(request.path, part))

    async def get_block(self, request: web.Request) -> web.Response:
        """Answer the block itself."""
        _, (price, _) = self._price(request)
        return answer(request, render_prices.blocks(price, request.path.removesuffix("/1"))[0])

    def _tariff(self, request: web.Request) -> Tariff:
        caller(request).registered()
        tariff = self._book.tariff(number_of(request, "tariff"))
        if tariff is None:
            raise UnknownItemError(f"there is no tariff at {request.path[:80]}")
        return tariff

    def _component(self, request: web.Request) -> tuple[Tariff, Flow]:
        tariff, flow = self._tariff(request), _FLOWS.get(number_of(request, "component"))
        if flow is None or flow not in tariff.flows:
            raise UnknownItemError(f"there is no rate component at {request.path[:80]}")
        return tariff, flow

    def _component_of(self, tariff: Tariff, flow: Flow, edition: Edition) -> RateComponent:
        return render_prices.component(tariff, flow, len(self._shown(tariff, flow, edition)))

    def _price(self, request: web.Request) -> tuple[Tariff, ShownPrice]:
        tariff, flow = self._component(request)
        mrid = request.match_info["mrid"].upper()
        for price, state in self._shown(tariff, flow, _edition(request)):
            if price.span.mrid == mrid:
                return tariff, (price, state)
        raise UnknownItemError(f"there is no price at {request.path[:80]}")

    def _shown(self, tariff: Tariff, flow: Flow, edition: Edition) -> Sequence[ShownPrice]:
        return self._book.prices.shown(owner(tariff.mrid, flow), edition)


def _edition(request: web.Request) -> Edition:
    return caller(request).registered().edition
