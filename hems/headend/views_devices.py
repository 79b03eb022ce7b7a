"""DeviceCapability, Time, EndDevice, Registration, FunctionSetAssignments, DER and log views."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from aiohttp import web

from certs.identity import make_pin, sfdi
from hems.clock import Clock
from hems.headend import hrefs, render_devices
from hems.headend.aggregators.desk import Aggregators
from hems.headend.belongings import Belongings, belongings, belongings_of
from hems.headend.book import Book
from hems.headend.errors import ForbiddenError, RequestError, UnknownItemError
from hems.headend.exchange import (
    MANY,
    SMALL_BODY,
    answer,
    body_of,
    caller,
    changed,
    created,
    number_of,
    own,
    read,
)
from hems.headend.flow_book import FlowBook
from hems.headend.keeping import kept_form
from hems.headend.mirror_store import MirrorStore
from hems.headend.paging import Page, page, parse_query
from hems.headend.polling import Rates
from hems.headend.price_book import PriceBook
from hems.headend.records import Home, ProgramKind
from hems.headend.render_devices import Counts
from hems.headend.settings import HeadEndSettings
from hems.headend.store import Store
from hems.headend.views_shed import KIND as SHED
from hems.sep2.resources import (
    ConnectionPoint,
    DERAvailability,
    DERCapability,
    DERSettings,
    DERStatus,
    DeviceInformation,
    DeviceStatus,
    EndDevice,
    FunctionSetAssignments,
    LogEvent,
    LogEventList,
    Resource,
)
from hems.sep2.xml import parse

DER_DOCUMENTS: Mapping[str, type[Resource]] = {
    "dercap": DERCapability,
    "derg": DERSettings,
    "ders": DERStatus,
    "dera": DERAvailability,
}
DEVICE_DOCUMENTS: Mapping[str, type[Resource]] = {
    "cp": ConnectionPoint,
    "di": DeviceInformation,
    "ds": DeviceStatus,
}

_DOCUMENTS = {**DER_DOCUMENTS, **DEVICE_DOCUMENTS}


class Views(Protocol):
    """A group of resources."""

    def routes(self) -> list[web.RouteDef]:
        """Return where its resources stand."""
        ...


class DeviceViews:
    """The tree from DeviceCapability down to what a home says of itself.

    Args:
        book: Homes.
        flows: For the number of reservations.
        prices: For the number of tariffs.
        store: What they put.
        mirrors: For the number of usage points.
        aggregators: Who enters homes of others.
        settings: Rates and rules.
        clock: The utility's time.
    """

    def __init__(
        self,
        book: Book,
        flows: FlowBook,
        prices: PriceBook,
        store: Store,
        mirrors: MirrorStore,
        *,
        aggregators: Aggregators,
        settings: HeadEndSettings,
        clock: Clock,
    ) -> None:
        self._book = book
        self._flows = flows
        self._prices = prices
        self._store = store
        self._mirrors = mirrors
        self._aggregators = aggregators
        self._settings = settings
        self._clock = clock
        self._anchor = book.programmes.configured[0].mrid

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        home = f"{hrefs.DEVICES}/{{home}}"
        routes = [
            web.get(hrefs.DCAP, self.get_capability),
            web.get(hrefs.TIME, self.get_time),
            web.get(hrefs.DEVICES, self.get_devices),
            web.post(hrefs.DEVICES, self.post_device),
            web.get(home, self.get_device),
            web.delete(home, self.delete_device),
            web.get(f"{home}/rg", self.get_registration),
            web.get(f"{home}/fsa", self.get_assignments_list),
            web.get(f"{home}/fsa/1", self.get_assignments),
            web.get(f"{home}/der", self.get_ders),
            web.get(f"{home}/der/1", self.get_der),
            web.get(f"{home}/lel", self.get_logs),
            web.post(f"{home}/lel", self.post_log),
            web.get(f"{home}/lel/{{log}}", self.get_log),
        ]
        for stem, kinds in ((f"{home}/der/1", DER_DOCUMENTS), (home, DEVICE_DOCUMENTS)):
            pattern = f"{stem}/{{kind:{'|'.join(kinds)}}}"
            routes += [
                web.get(pattern, self.get_document),
                web.put(pattern, self.put_document),
            ]
        return routes

    async def get_capability(self, request: web.Request) -> web.Response:
        """Answer the entry point."""
        who = caller(request)
        home, devices, points = who.home, 0, 0
        if home is not None:
            devices = who.behind.count(home.lfdi)
            points = await self._mirrors.count(home.lfdi, who.agent)
        return answer(
            request, render_devices.device_capability(devices, points, self._rates(request))
        )

    async def get_time(self, request: web.Request) -> web.Response:
        """Answer the server's clock, to strangers too: they need it to check certificates."""
        return answer(
            request,
            render_devices.time_resource(
                self._clock.now(), self._settings.tz_offset_s, self._rates(request)
            ),
        )

    async def get_devices(self, request: web.Request) -> web.Response:
        """Answer the caller's own device, and those that it speaks for; empty for a stranger."""
        home, query = caller(request).home, parse_query(request.query)
        part: Page[Home] = Page((), 0) if home is None else self._book.rolls.part(home, query)
        devices = await self._end_devices(part.items)
        return answer(
            request, render_devices.end_device_list(Page(devices, part.all), self._rates(request))
        )

    async def post_device(self, request: web.Request) -> web.Response:
        """Register the caller itself, where it is entered or newcomers are allowed.

        An aggregator registers homes that it is to speak for, where it may.
        """
        who = caller(request)
        posted = await read(request, EndDevice)
        lfdi = who.lfdi if posted.lfdi is None else posted.lfdi.upper()
        if lfdi != who.lfdi and who.agent is None:
            raise ForbiddenError(f"the certificate is of {who.lfdi}, not of {lfdi}")
        if posted.sfdi != sfdi(lfdi):
            raise RequestError(f"sFDI {posted.sfdi} does not belong to LFDI {lfdi}")
        home = who.home
        if lfdi != who.lfdi:
            home = await self._aggregators.register(who.lfdi, lfdi)
        if home is None:
            if not self._settings.allow_registration:
                raise ForbiddenError(f"device {who.lfdi} has not been entered by the utility")
            home = await self._book.register(
                who.lfdi, int(make_pin()), self._settings.edition, in_band=True
            )
        return created(hrefs.device(home.id))

    async def get_device(self, request: web.Request) -> web.Response:
        """Answer an EndDevice of the caller's."""
        (device,) = await self._end_devices([own(request)])
        return answer(request, device)

    async def delete_device(self, request: web.Request) -> web.Response:
        """Forget a home that the caller, an aggregator, has entered itself."""
        home, who = own(request), caller(request)
        if home.lfdi == who.lfdi:
            raise web.HTTPMethodNotAllowed(request.method, ("GET", "HEAD"))
        await self._aggregators.remove(who.lfdi, home)
        return changed()

    async def get_registration(self, request: web.Request) -> web.Response:
        """Answer the caller's PIN."""
        return answer(request, render_devices.registration(own(request), self._rates(request)))

    async def get_assignments_list(self, request: web.Request) -> web.Response:
        """Answer the list of the caller's one assignment."""
        home = own(request)
        item = self._assignments(home)
        part = page([item], parse_query(request.query))
        return answer(request, render_devices.assignments_list(home, part, self._rates(request)))

    async def get_assignments(self, request: web.Request) -> web.Response:
        """Answer the caller's assignment."""
        item = self._assignments(own(request))
        return answer(request, item)

    async def get_ders(self, request: web.Request) -> web.Response:
        """Answer the list of the caller's one DER."""
        home = own(request)
        part = page([render_devices.der(home)], parse_query(request.query))
        return answer(request, render_devices.der_list(home, part, self._rates(request)))

    async def get_der(self, request: web.Request) -> web.Response:
        """Answer the caller's DER."""
        return answer(request, render_devices.der(own(request)))

    async def get_document(self, request: web.Request) -> web.Response:
        """Answer what the caller last put here."""
        home, kind = own(request), request.match_info["kind"]
        body = await self._store.document(home.lfdi, kind)
        if body is None:
            raise UnknownItemError(f"nothing was put to {request.path} yet")
        record = parse(body, _document_type(kind))
        return answer(request, replace(record, href=request.path))

    async def put_document(self, request: web.Request) -> web.Response:
        """Keep what the caller says of itself."""
        home, kind = own(request), request.match_info["kind"]
        record = await read(request, _document_type(kind))
        if isinstance(record, DeviceInformation) and record.lfdi != home.lfdi:
            raise ForbiddenError(f"the EndDevice is of {home.lfdi}, not of {record.lfdi}")
        await self._store.save_document(home.lfdi, kind, kept_form(record), self._clock.now())
        return changed()

    async def get_logs(self, request: web.Request) -> web.Response:
        """Answer the caller's log, latest first."""
        home = own(request)
        part = await self._store.logs(home.lfdi, parse_query(request.query))
        items = LogEventList(
            href=request.path,
            subscribable=0,
            all=part.all,
            results=len(part.items),
            poll_rate=self._rates(request).list_poll_s,
            log_event=tuple(_log(home, number, body) for number, body in part.items),
        )
        return answer(request, items)

    async def post_log(self, request: web.Request) -> web.Response:
        """Keep a LogEvent."""
        home = own(request)
        log = parse(await body_of(request, SMALL_BODY), LogEvent)
        number = await self._store.add_log(home.lfdi, log.created_date_time, kept_form(log))
        return created(f"{request.path}/{number}")

    async def get_log(self, request: web.Request) -> web.Response:
        """Answer one LogEvent of the caller."""
        home, wanted = own(request), number_of(request, "log", MANY)
        body = await self._store.log(home.lfdi, wanted)
        if body is None:
            raise UnknownItemError(f"there is no log event at {request.path}")
        return answer(request, _log(home, wanted, body))

    async def _end_devices(self, homes: Sequence[Home]) -> Sequence[EndDevice]:
        if len(homes) == 1:  # as nearly always
            one = await self._store.inquire(lambda c: belongings(c, homes[0].lfdi))
            return [self._end_device(homes[0], one)]
        lfdis = [home.lfdi for home in homes]
        found = await self._store.inquire(lambda c: belongings_of(c, lfdis)) if lfdis else {}
        return [self._end_device(home, found[home.lfdi]) for home in homes]

    def _end_device(self, home: Home, has: Belongings) -> EndDevice:
        counts = Counts(
            subscriptions=has.subscriptions,
            logs=has.logs,
            requests=len(self._flows.of(home.lfdi)),
            grants=len(self._flows.grants.shown(home.lfdi, home.edition)),
            sheds=sum(1 for kind in has.kinds if kind.startswith(SHED)),
        )
        return render_devices.end_device(home, counts, self._settings.rates(home.edition))

    def _rates(self, request: web.Request) -> Rates:
        return self._settings.rates(caller(request).edition)

    def _assignments(self, home: Home) -> FunctionSetAssignments:
        kinds = [program.kind for program in self._book.programs_of(home.lfdi)]
        return render_devices.assignments(
            home,
            self._anchor,
            der=kinds.count(ProgramKind.DER),
            drlc=kinds.count(ProgramKind.DRLC),
            tariffs=len(self._prices.tariffs),
        )


def _document_type(kind: str) -> type[Resource]:
    return _DOCUMENTS[kind]


def _log(home: Home, number: int, body: bytes) -> LogEvent:
    return replace(parse(body, LogEvent), href=f"{hrefs.device(home.id)}/lel/{number}")
