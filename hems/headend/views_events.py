"""Views of programmes, their events, and the responses that homes post to them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from aiohttp import web

from hems.clock import Clock
from hems.headend import hrefs, render_devices, render_events
from hems.headend.book import Book
from hems.headend.curve_book import CurveBook
from hems.headend.default_book import DefaultBook
from hems.headend.errors import RequestError, UnknownItemError
from hems.headend.exchange import (
    MANY,
    SMALL_BODY,
    answer,
    answer_form,
    body_of,
    caller,
    created,
    number_of,
    own,
)
from hems.headend.fleet.access import Access
from hems.headend.flows import Grant
from hems.headend.forms import Alike
from hems.headend.keeping import kept_form
from hems.headend.paging import page, parse_query
from hems.headend.profiles import OFFERED, FunctionSet
from hems.headend.programmes import of_kind
from hems.headend.records import (
    EXPRESSIBLE,
    Edition,
    Home,
    Program,
    ProgramKind,
    ResponseRecord,
)
from hems.headend.render_events import Shown
from hems.headend.response_posts import ResponsePost, ResponsePosts
from hems.headend.settings import HeadEndSettings
from hems.headend.spans import AnyCalendar
from hems.headend.store import Store
from hems.sep2.resources import DERControlResponse, Response, ResponseList, ResponseSet
from hems.sep2.xml import parse

MAX_RESPONSES = 500
"""Responses of one home to one event."""


class EventViews:
    """Der and drlc programmes and the response set.

    Args:
        book: Programmes and events.
        curves: Curves of der programmes.
        defaults: Default controls of der programmes.
        store: Responses.
        calendars: What else may be answered, by what offers it: prices, messages, grants.
        settings: Rates.
        clock: The utility's time.
    """

    def __init__(
        self,
        book: Book,
        curves: CurveBook,
        defaults: DefaultBook,
        store: Store,
        *,
        calendars: Mapping[FunctionSet, AnyCalendar],
        settings: HeadEndSettings,
        clock: Clock,
    ) -> None:
        self._book = book
        self._curves = curves
        self._defaults = defaults
        self._calendars = calendars
        self._store = store
        self._settings = settings
        self._clock = clock
        self._anchor = book.programmes.configured[0].mrid
        self._lists = Alike()
        self._responses = ResponsePosts(store)

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        der, drlc = f"{hrefs.DER_PROGRAMS}/{{program}}", f"{hrefs.DR_PROGRAMS}/{{program}}"
        return [
            web.get(hrefs.DER_PROGRAMS, self.get_der_programs),
            web.get(f"{hrefs.DEVICES}/{{home}}/derp", self.get_der_programs),
            web.get(der, self.get_der_program),
            web.get(f"{der}/dderc", self.get_default_control),
            web.get(f"{der}/dc", self.get_curves),
            web.get(f"{der}/dc/{{mrid}}", self.get_curve),
            web.get(f"{der}/derc", self.get_der_controls),
            web.get(f"{der}/derc/{{mrid}}", self.get_der_control),
            web.get(hrefs.DR_PROGRAMS, self.get_dr_programs),
            web.get(f"{hrefs.DEVICES}/{{home}}/drp", self.get_dr_programs),
            web.get(drlc, self.get_dr_program),
            web.get(f"{drlc}/edc", self.get_dr_controls),
            web.get(f"{drlc}/edc/{{mrid}}", self.get_dr_control),
            web.get(hrefs.RESPONSE_SETS, self.get_response_sets),
            web.get(hrefs.RESPONSE_SET, self.get_response_set),
            web.get(hrefs.RESPONSES, self.get_responses),
            web.post(hrefs.RESPONSES, self.post_response),
            web.get(f"{hrefs.RESPONSES}/{{response}}", self.get_response),
        ]

    async def get_der_programs(self, request: web.Request) -> web.Response:
        """Answer a home's der programmes, by primacy, then mRID descending."""
        items = [
            render_events.der_program(program, events, len(self._curves.of(program.root)))
            for program, events in self._programs(request, ProgramKind.DER)
        ]
        part, poll_s = page(items, parse_query(request.query)), _poll_s(request, self._settings)
        return answer(request, render_events.der_program_list(request.path, part, poll_s))

    async def get_der_program(self, request: web.Request) -> web.Response:
        """Answer one der programme."""
        program = self._program(request, ProgramKind.DER)
        events, curves = self._shown(request, program), self._curves.of(program.root)
        return answer(request, render_events.der_program(program, len(events), len(curves)))

    async def get_default_control(self, request: web.Request) -> web.Response:
        """Answer what holds while no event does."""
        program = self._program(request, ProgramKind.DER)
        default = self._defaults.of(program.root)
        return answer(request, render_events.default_control(program, default, _edition(request)))

    async def get_curves(self, request: web.Request) -> web.Response:
        """Answer the curves of a der programme, the latest first."""
        program = self._program(request, ProgramKind.DER)
        curves = [replace(each, program=program.index) for each in self._curves.of(program.root)]
        part = page(curves, parse_query(request.query))
        return answer(request, render_events.curve_list(program, part))

    async def get_curve(self, request: web.Request) -> web.Response:
        """Answer one curve of a der programme."""
        program = self._program(request, ProgramKind.DER)
        curve = self._curves.curve(request.match_info["mrid"])
        if curve.program != program.root:
            raise UnknownItemError(f"there is no curve at {request.path[:80]}")
        return answer(request, render_events.curve(replace(curve, program=program.index)))

    async def get_der_controls(self, request: web.Request) -> web.Response:
        """Answer the events of a der programme."""
        return self._controls(request, ProgramKind.DER)

    async def get_der_control(self, request: web.Request) -> web.Response:
        """Answer one event of a der programme."""
        program = self._program(request, ProgramKind.DER)
        edition = _edition(request)
        event, state = self._one(request, program)
        return answer(request, render_events.der_control(event, state, edition))

    async def get_dr_programs(self, request: web.Request) -> web.Response:
        """Answer a home's drlc programmes, by primacy, then mRID descending."""
        items = [
            render_events.dr_program(program, events)
            for program, events in self._programs(request, ProgramKind.DRLC)
        ]
        part, poll_s = page(items, parse_query(request.query)), _poll_s(request, self._settings)
        return answer(request, render_events.dr_program_list(request.path, part, poll_s))

    async def get_dr_program(self, request: web.Request) -> web.Response:
        """Answer one drlc programme."""
        program = self._program(request, ProgramKind.DRLC)
        events = len(self._shown(request, program))
        return answer(request, render_events.dr_program(program, events))

    async def get_dr_controls(self, request: web.Request) -> web.Response:
        """Answer the events of a drlc programme."""
        return self._controls(request, ProgramKind.DRLC)

    async def get_dr_control(self, request: web.Request) -> web.Response:
        """Answer one event of a drlc programme."""
        program = self._program(request, ProgramKind.DRLC)
        edition = _edition(request)
        event, state = self._one(request, program)
        return answer(request, render_events.end_device_control(event, state, program, edition))

    async def get_response_sets(self, request: web.Request) -> web.Response:
        """Answer the list of the one response set."""
        part = page([await self._response_set(request)], parse_query(request.query))
        items = render_devices.response_set_list(part, _poll_s(request, self._settings))
        return answer(request, items)

    async def get_response_set(self, request: web.Request) -> web.Response:
        """Answer the response set."""
        return answer(request, await self._response_set(request))

    async def get_responses(self, request: web.Request) -> web.Response:
        """Answer the responses that the caller posted, those for others as well."""
        who, query = caller(request), parse_query(request.query)
        part = await self._store.responses_of(who.registered().lfdi, query, who.agent)
        items = ResponseList(
            href=hrefs.RESPONSES,
            all=part.all,
            results=len(part.items),
            response=tuple(_response(item) for item in part.items),
        )
        return answer(request, items)

    async def get_response(self, request: web.Request) -> web.Response:
        """Answer one response of the caller."""
        who, number = caller(request), number_of(request, "response", MANY)
        item = await self._store.response(who.registered().lfdi, number, who.agent)
        if item is None:
            raise UnknownItemError(f"there is no response at {request.path}")
        return answer(request, _response(item))

    async def post_response(self, request: web.Request) -> web.Response:
        """Keep a response; the same one posted again gets the same address."""
        who = caller(request)
        posted = parse(await body_of(request, SMALL_BODY), Response)
        home = who.named(posted.end_device_lfdi, Access.EVENTS)
        if posted.status is None:
            raise RequestError("Response/status: missing, it would say nothing")
        subject = self._subject(home, posted.subject)
        record = ResponseRecord(
            0,
            home.lfdi,
            subject,
            posted.status,
            _modes(posted),
            posted.created_date_time or 0,
            self._clock.now(),
            type(posted).__name__,
            kept_form(posted),
            who.behind.agent_of(home),
        )
        number = await self._responses.add(ResponsePost(record, MAX_RESPONSES))
        return created(f"{hrefs.RESPONSES}/{number}")

    def _subject(self, home: Home, mrid: str) -> str:
        """Return the mRID of what a response is about.

        Raises:
            RequestError: Nothing of this mRID was ever sent to the home.
        """
        for part, calendar in self._calendars.items():
            item = calendar.find(mrid) if part in OFFERED[home.edition] else None
            if item is not None and (not isinstance(item, Grant) or item.lfdi == home.lfdi):
                return item.span.mrid
        single = self._book.own.find(mrid)
        if single is not None and home.lfdi in single.homes:
            return single.event.mrid
        try:
            event = self._book.event(mrid)
        except UnknownItemError as error:
            raise RequestError(f"Response/subject: {error}") from error
        known = event.modes <= EXPRESSIBLE[home.edition]
        if not known or not self._book.assigned(self._book.programs[event.program], home.lfdi):
            # As one that does not exist.
            raise RequestError(f"Response/subject: no event {mrid[:40]!r}")
        return event.mrid

    def _controls(self, request: web.Request, kind: ProgramKind) -> web.Response:
        program = self._program(request, kind)
        edition = _edition(request)
        shown = self._shown(request, program)
        query = parse_query(request.query)
        part = page(shown, query, lambda item: item[0].start)
        if program.home is not None:  # nobody gets the same
            return answer(request, render_events.control_list(program, part, edition))
        form = self._lists.form(
            (program.index, query),
            (part.all, tuple(part.items)),
            edition,
            lambda: render_events.control_list(program, part, edition),
        )
        return answer_form(request, form)

    def _one(self, request: web.Request, program: Program) -> Shown:
        mrid = request.match_info["mrid"].upper()
        for event, state in self._shown(request, program):
            if event.mrid == mrid:
                return event, state
        raise UnknownItemError(f"there is no event at {request.path[:80]}")

    def _shown(self, request: web.Request, program: Program) -> list[Shown]:
        """Return a programme's events; to who is served none its list is empty."""
        who = caller(request)
        if Access.EVENTS not in who.access or not self._book.sees(program, who.lfdi):
            return []
        edition = _edition(request)
        shown = self._book.spared(self._book.shown(program, edition), who.lfdi)
        return list(render_events.visible(shown, edition))

    def _program(self, request: web.Request, kind: ProgramKind) -> Program:
        home = caller(request).registered()
        program = self._book.program(number_of(request, "program", MANY))
        # Another group's programme and one that does not exist get the same answer.
        if (
            program is None
            or program.kind is not kind
            or not self._book.sees(program, home.lfdi, Access.DEFAULTS)
        ):
            raise UnknownItemError(f"there is no programme at {request.path[:80]}")
        return program

    def _programs(
        self, request: web.Request, kind: ProgramKind
    ) -> Iterator[tuple[Program, int | None]]:
        """Yield a home's programmes, and how many events each shows.

        Of a home that another one speaks for it is None while it is served no events itself: the
        list is there for its neighbours.
        """
        who = caller(request)
        home = own(request) if "home" in request.match_info else who.registered()
        spoken_for = home.lfdi != who.lfdi
        hidden = spoken_for and Access.EVENTS not in who.behind.served(home)
        book = self._book
        programs = book.spoken_of(home) if spoken_for else book.programs_of(home.lfdi)
        for program in of_kind(programs, kind):
            yield program, None if hidden else len(self._shown(request, program))

    async def _response_set(self, request: web.Request) -> ResponseSet:
        who = caller(request)
        count = await self._store.response_count(who.registered().lfdi, who.agent)
        return render_devices.response_set(self._anchor, count)


def _poll_s(request: web.Request, settings: HeadEndSettings) -> int:
    return settings.rates(caller(request).edition).list_poll_s


def _edition(request: web.Request) -> Edition:
    return caller(request).registered().edition


def _response(item: ResponseRecord) -> Response:
    return replace(parse(item.body, Response), href=f"{hrefs.RESPONSES}/{item.id}")


def _modes(posted: Response) -> str:
    """Return the modes a response speaks of as text: hex of both bitmaps, or empty."""
    if not isinstance(posted, DERControlResponse):
        return ""
    if posted.modes_responded is None and posted.modes_responded2 is None:
        return ""
    return f"{posted.modes_responded or 0:08X}:{posted.modes_responded2 or 0:08X}"
