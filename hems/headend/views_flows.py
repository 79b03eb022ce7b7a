"""Views of a home's flow reservations: what it asks for, what it is granted."""

from collections.abc import Iterable
from dataclasses import replace

from aiohttp import web

from hems.headend import hrefs
from hems.headend.book import Book
from hems.headend.errors import ForbiddenError, UnknownItemError
from hems.headend.exchange import (
    SMALL_BODY,
    answer,
    body_of,
    changed,
    created,
    number_of,
    own,
)
from hems.headend.feeds import Sight
from hems.headend.flow_book import FlowBook, record_of
from hems.headend.flows import FlowRequest, Grant
from hems.headend.paging import Page, Query, page, parse_query
from hems.headend.records import Home
from hems.headend.render_events import event_status
from hems.headend.settings import HeadEndSettings
from hems.headend.status import EventState
from hems.sep2.resources import (
    ActivePower,
    DateTimeInterval,
    FlowReservationRequest,
    FlowReservationRequestList,
    FlowReservationResponse,
    FlowReservationResponseList,
    SignedRealEnergy,
)
from hems.sep2.xml import parse

_SUBSCRIBABLE = 1
_RESPONSES_WANTED = 0b111

ShownGrant = tuple[Grant, EventState]


class FlowViews:
    """Requests and grants of the caller.

    Args:
        flows: What they are.
        book: Homes.
        settings: Rates.
    """

    def __init__(self, flows: FlowBook, book: Book, settings: HeadEndSettings) -> None:
        self._flows = flows
        self._book = book
        self._settings = settings

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        asked = f"{hrefs.DEVICES}/{{home}}/frq"
        granted = f"{hrefs.DEVICES}/{{home}}/frp"
        return [
            web.get(asked, self.get_requests),
            web.post(asked, self.post_request),
            web.get(f"{asked}/{{request}}", self.get_request),
            web.put(f"{asked}/{{request}}", self.put_request),
            web.delete(f"{asked}/{{request}}", self.delete_request),
            web.get(granted, self.get_grants),
            web.get(f"{granted}/{{mrid}}", self.get_grant),
        ]

    # Feed

    def resources(self) -> Iterable[str]:
        """Return the paths of the lists of all homes that were granted anything."""
        for lfdi in self._flows.grants.owners:
            home = self._book.home(lfdi)
            if home is not None:
                yield hrefs.grants(home.id)

    def sight(self, resource: str, home: Home) -> Sight | None:
        """Return the list of its own grants as a home sees it."""
        if resource != hrefs.grants(home.id):
            return None
        shown = self._flows.grants.shown(home.lfdi, home.edition)
        poll_s = self._settings.rates(home.edition).list_poll_s
        return Sight(
            tuple((grant.span.mrid, int(state.status)) for grant, state in shown),
            not shown,
            lambda limit: _grant_list(home, page(shown, Query(limit=limit)), poll_s),
        )

    def next_change(self) -> float | None:
        """Return when a state changes next, epoch s; None: never."""
        return self._flows.grants.next_change()

    # Views

    async def get_requests(self, request: web.Request) -> web.Response:
        """Answer the caller's requests, the latest first."""
        home = own(request)
        part = page(self._flows.of(home.lfdi), parse_query(request.query))
        items = FlowReservationRequestList(
            href=hrefs.requests(home.id),
            all=part.all,
            results=len(part.items),
            poll_rate=self._settings.rates(home.edition).list_poll_s,
            flow_reservation_request=tuple(_request(home, item) for item in part.items),
        )
        return answer(request, items)

    async def post_request(self, request: web.Request) -> web.Response:
        """Keep a request (201); one whose mRID the caller posted before is updated (204)."""
        home = own(request)
        posted = parse(await body_of(request, SMALL_BODY), FlowReservationRequest)
        made, new = await self._flows.post(home.lfdi, posted)
        href = f"{hrefs.requests(home.id)}/{made.number}"
        return created(href) if new else changed(href)

    async def get_request(self, request: web.Request) -> web.Response:
        """Answer one request of the caller."""
        return answer(request, _request(own(request), self._one(request)))

    async def put_request(self, request: web.Request) -> web.Response:
        """Change a request of the caller; one taken back ends what was granted for it."""
        home, known = own(request), self._one(request)
        posted = parse(await body_of(request, SMALL_BODY), FlowReservationRequest)
        if posted.mrid.upper() != known.mrid:
            raise ForbiddenError(f"the mRID here is {known.mrid}, not {posted.mrid}")
        await self._flows.post(home.lfdi, posted)
        return changed()

    async def delete_request(self, request: web.Request) -> web.Response:
        """Forget a request of the caller; what was granted for it ends."""
        await self._flows.remove(self._one(request))
        return changed()

    async def get_grants(self, request: web.Request) -> web.Response:
        """Answer what the caller is granted, by start."""
        home = own(request)
        shown = self._flows.grants.shown(home.lfdi, home.edition)
        part = page(shown, parse_query(request.query), lambda item: item[0].span.start)
        return answer(
            request, _grant_list(home, part, self._settings.rates(home.edition).list_poll_s)
        )

    async def get_grant(self, request: web.Request) -> web.Response:
        """Answer one grant of the caller."""
        home, mrid = own(request), request.match_info["mrid"].upper()
        for grant, state in self._flows.grants.shown(home.lfdi, home.edition):
            if grant.span.mrid == mrid:
                return answer(request, _grant(home, grant, state))
        raise UnknownItemError(f"there is no grant at {request.path[:80]}")

    def _one(self, request: web.Request) -> FlowRequest:
        found = self._flows.request(own(request).lfdi, number_of(request, "request"))
        if found is None:
            raise UnknownItemError(f"there is no request at {request.path[:80]}")
        return found


def _request(home: Home, item: FlowRequest) -> FlowReservationRequest:
    return replace(record_of(item), href=f"{hrefs.requests(home.id)}/{item.number}")


def _grant(home: Home, grant: Grant, state: EventState) -> FlowReservationResponse:
    span, edition = grant.span, home.edition
    return FlowReservationResponse(
        href=f"{hrefs.grants(home.id)}/{span.mrid}",
        reply_to=hrefs.RESPONSES,
        response_required=_RESPONSES_WANTED,
        subscribable=0,
        mrid=span.mrid,
        creation_time=span.created,
        event_status=event_status(state, edition),
        interval=DateTimeInterval(duration=span.duration_s, start=span.start),
        energy_available=SignedRealEnergy.of(grant.energy_wh),
        power_available=ActivePower.of(grant.power_w),
        subject=grant.request,
    )


def _grant_list(home: Home, part: Page[ShownGrant], poll_s: int) -> FlowReservationResponseList:
    return FlowReservationResponseList(
        href=hrefs.grants(home.id),
        subscribable=_SUBSCRIBABLE,
        all=part.all,
        results=len(part.items),
        poll_rate=poll_s,
        flow_reservation_response=tuple(_grant(home, g, s) for g, s in part.items),
    )
