"""DeviceCapability, Time, EndDevice, Registration, FunctionSetAssignments, DER and log views."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from aiohttp import web

from certs.identity import make_pin, sfdi
from hems.clock import Clock
from hems.headend import hrefs, render_devices
from hems.headend.belongings import belongings
from hems.headend.book import Book
from hems.headend.errors import ForbiddenError, RequestError, UnknownItemError
from hems.headend.exchange import (
    SMALL_BODY,
    answer,
    body_of,
    caller,
    changed,
    created,
    number_of,
    read,
)
from hems.headend.flow_book import FlowBook
from hems.headend.keeping import kept_form
from hems.headend.mirror_store import MirrorStore
from hems.headend.paging import page, parse_query
from hems.headend.price_book import PriceBook
from hems.headend.records import Home, ProgramKind
from hems.headend.render_devices import Counts
from hems.headend.settings import HeadEndSettings
from hems.headend.store import Store
from hems.headend.views_shed import KIND as SHED
from hems.sep2.resources import (
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
DEVICE_DOCUMENTS: Mapping[str, type[Resource]] = {"di": DeviceInformation, "ds": DeviceStatus}

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
        settings: HeadEndSettings,
        clock: Clock,
    ) -> None:
        self._book = book
        self._flows = flows
        self._prices = prices
        self._store = store
        self._mirrors = mirrors
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
        home = caller(request).home
        points = 0 if home is None else await self._mirrors.count(home.lfdi)
        return answer(request, render_devices.device_capability(home, points, self._settings))

    async def get_time(self, request: web.Request) -> web.Response:
        """Answer the server's clock, to strangers too: they need it to check certificates."""
        return answer(request, render_devices.time_resource(self._clock.now(), self._settings))

    async def get_devices(self, request: web.Request) -> web.Response:
        """Answer the list of the caller's own device; empty if it is not registered."""
        home = caller(request).home
        own = [] if home is None else [await self._end_device(home)]
        part = page(own, parse_query(request.query))
        return answer(request, render_devices.end_device_list(part, self._settings))

    async def post_device(self, request: web.Request) -> web.Response:
        """Register the caller itself, where it is entered or newcomers are allowed."""
        who = caller(request)
        posted = await read(request, EndDevice)
        if posted.lfdi is not None and posted.lfdi != who.lfdi:
            raise ForbiddenError(f"the certificate is of {who.lfdi}, not of {posted.lfdi}")
        if posted.sfdi != sfdi(who.lfdi):
            raise RequestError(f"sFDI {posted.sfdi} does not belong to LFDI {who.lfdi}")
        home = who.home
        if home is None:
            if not self._settings.allow_registration:
                raise ForbiddenError(f"device {who.lfdi} has not been entered by the utility")
            home = await self._book.register(
                who.lfdi, int(make_pin()), self._settings.edition, in_band=True
            )
        return created(hrefs.device(home.id))

    async def get_device(self, request: web.Request) -> web.Response:
        """Answer the caller's EndDevice."""
        return answer(request, await self._end_device(_own(request)))

    async def get_registration(self, request: web.Request) -> web.Response:
        """Answer the caller's PIN."""
        return answer(request, render_devices.registration(_own(request), self._settings))

    async def get_assignments_list(self, request: web.Request) -> web.Response:
        """Answer the list of the caller's one assignment."""
        home = _own(request)
        item = self._assignments(home)
        part = page([item], parse_query(request.query))
        return answer(request, render_devices.assignments_list(home, part, self._settings))

    async def get_assignments(self, request: web.Request) -> web.Response:
        """Answer the caller's assignment."""
        item = self._assignments(_own(request))
        return answer(request, item)

    async def get_ders(self, request: web.Request) -> web.Response:
        """Answer the list of the caller's one DER."""
        home = _own(request)
        part = page([render_devices.der(home)], parse_query(request.query))
        return answer(request, render_devices.der_list(home, part, self._settings))

    async def get_der(self, request: web.Request) -> web.Response:
        """Answer the caller's DER."""
        return answer(request, render_devices.der(_own(request)))

    async def get_document(self, request: web.Request) -> web.Response:
        """Answer what the caller last put here."""
        home, kind = _own(request), request.match_info["kind"]
        body = await self._store.document(home.lfdi, kind)
        if body is None:
            raise UnknownItemError(f"nothing was put to {request.path} yet")
        record = parse(body, _document_type(kind))
        return answer(request, replace(record, href=request.path))

    async def put_document(self, request: web.Request) -> web.Response:
        """Keep what the caller says of itself."""
        home, kind = _own(request), request.match_info["kind"]
        record = await read(request, _document_type(kind))
        if isinstance(record, DeviceInformation) and record.lfdi != home.lfdi:
            raise ForbiddenError(f"the certificate is of {home.lfdi}, not of {record.lfdi}")
        await self._store.save_document(home.lfdi, kind, kept_form(record), self._clock.now())
        return changed()

    async def get_logs(self, request: web.Request) -> web.Response:
        """Answer the caller's log, latest first."""
        home = _own(request)
        part = await self._store.logs(home.lfdi, parse_query(request.query))
        items = LogEventList(
            href=request.path,
            subscribable=0,
            all=part.all,
            results=len(part.items),
            poll_rate=self._settings.list_poll_s,
            log_event=tuple(_log(home, number, body) for number, body in part.items),
        )
        return answer(request, items)

    async def post_log(self, request: web.Request) -> web.Response:
        """Keep a LogEvent."""
        home = _own(request)
        log = parse(await body_of(request, SMALL_BODY), LogEvent)
        number = await self._store.add_log(home.lfdi, log.created_date_time, kept_form(log))
        return created(f"{request.path}/{number}")

    async def get_log(self, request: web.Request) -> web.Response:
        """Answer one LogEvent of the caller."""
        home, wanted = _own(request), number_of(request, "log")
        body = await self._store.log(home.lfdi, wanted)
        if body is None:
            raise UnknownItemError(f"there is no log event at {request.path}")
        return answer(request, _log(home, wanted, body))

    async def _end_device(self, home: Home) -> EndDevice:
        own = await self._store.inquire(lambda connection: belongings(connection, home.lfdi))
        counts = Counts(
            subscriptions=own.subscriptions,
            logs=own.logs,
            requests=len(self._flows.of(home.lfdi)),
            grants=len(self._flows.grants.shown(home.lfdi, home.edition)),
            sheds=sum(1 for kind in own.kinds if kind.startswith(SHED)),
        )
        return render_devices.end_device(home, counts, self._settings)

    def _assignments(self, home: Home) -> FunctionSetAssignments:
        kinds = [program.kind for program in self._book.programs_of(home.lfdi)]
        return render_devices.assignments(
            home,
            self._anchor,
            der=kinds.count(ProgramKind.DER),
            drlc=kinds.count(ProgramKind.DRLC),
            tariffs=len(self._prices.tariffs),
        )


def _own(request: web.Request) -> Home:
    return caller(request).owned(request.match_info["home"])


def _document_type(kind: str) -> type[Resource]:
    return _DOCUMENTS[kind]


def _log(home: Home, number: int, body: bytes) -> LogEvent:
    return replace(parse(body, LogEvent), href=f"{hrefs.device(home.id)}/lel/{number}")
