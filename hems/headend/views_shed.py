"""Views of the load that a home could shed: one entry a programme, or one for all."""

from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web

from hems.clock import Clock
from hems.headend import hrefs
from hems.headend.book import Book
from hems.headend.errors import RequestError, UnknownItemError
from hems.headend.exchange import (
    SMALL_BODY,
    answer,
    body_of,
    changed,
    created,
    number_of,
    own,
)
from hems.headend.keeping import kept_form
from hems.headend.modes import ProgramKind
from hems.headend.paging import page, parse_query
from hems.headend.programmes import of_kind
from hems.headend.records import Home
from hems.headend.settings import HeadEndSettings
from hems.headend.store import Store
from hems.sep2.resources import LoadShedAvailability, LoadShedAvailabilityList
from hems.sep2.xml import parse

KIND = "lsa"
"""What the kept documents begin with; the number of the entry follows."""

_FOR_ALL = 0


class ShedViews:
    """What the caller could shed.

    Args:
        book: Programmes.
        store: Where it is kept.
        settings: Rates.
        clock: The utility's time.
    """

    def __init__(self, book: Book, store: Store, settings: HeadEndSettings, clock: Clock) -> None:
        self._book = book
        self._store = store
        self._settings = settings
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        entries = f"{hrefs.DEVICES}/{{home}}/lsl"
        return [
            web.get(entries, self.get_list),
            web.post(entries, self.post),
            web.get(f"{entries}/{{entry}}", self.get),
            web.put(f"{entries}/{{entry}}", self.put),
        ]

    async def get_list(self, request: web.Request) -> web.Response:
        """Answer the caller's entries."""
        home = own(request)
        part = page(await self._entries(home), parse_query(request.query))
        items = LoadShedAvailabilityList(
            href=hrefs.sheds(home.id),
            all=part.all,
            results=len(part.items),
            poll_rate=self._settings.rates(home.edition).list_poll_s,
            load_shed_availability=tuple(part.items),
        )
        return answer(request, items)

    async def post(self, request: web.Request) -> web.Response:
        """Keep an entry; a programme has one, which a second post replaces (204)."""
        home = own(request)
        posted = parse(await body_of(request, SMALL_BODY), LoadShedAvailability)
        number = self._number(home, posted)
        known = await self._store.document(home.lfdi, f"{KIND}{number}")
        await self._save(home, number, posted)
        href = f"{hrefs.sheds(home.id)}/{number}"
        return created(href) if known is None else changed(href)

    async def get(self, request: web.Request) -> web.Response:
        """Answer one entry of the caller."""
        return answer(request, await self._one(request))

    async def put(self, request: web.Request) -> web.Response:
        """Change an entry of the caller."""
        home, known = own(request), await self._one(request)
        posted = parse(await body_of(request, SMALL_BODY), LoadShedAvailability)
        number = self._number(home, posted)
        if number != self._number(home, known):
            raise RequestError("LoadShedAvailability/DemandResponseProgramLink: of another entry")
        await self._save(home, number, posted)
        return changed()

    async def _one(self, request: web.Request) -> LoadShedAvailability:
        home, number = own(request), number_of(request, "entry")
        body = await self._store.document(home.lfdi, f"{KIND}{number}")
        if body is None:
            raise UnknownItemError(f"there is no entry at {request.path}")
        return _entry(home, number, body)

    async def _entries(self, home: Home) -> Sequence[LoadShedAvailability]:
        documents = await self._store.documents(home.lfdi)
        numbers = sorted(
            int(kind.removeprefix(KIND)) for kind in documents if kind.startswith(KIND)
        )
        return [_entry(home, number, documents[f"{KIND}{number}"]) for number in numbers]

    async def _save(self, home: Home, number: int, posted: LoadShedAvailability) -> None:
        kind = f"{KIND}{number}"
        await self._store.save_document(home.lfdi, kind, kept_form(posted), self._clock.now())

    def _number(self, home: Home, entry: LoadShedAvailability) -> int:
        link = entry.demand_response_program_link
        if link is None:
            return _FOR_ALL
        mine, shown = self._book.programs_of(home.lfdi), self._book.spoken_of(home)
        for program in of_kind((*mine, *shown), ProgramKind.DRLC):
            if hrefs.dr_program(program.index) == link.href:
                return program.root
        raise RequestError(
            f"LoadShedAvailability/DemandResponseProgramLink: no programme at {link.href[:80]}"
        )


def _entry(home: Home, number: int, body: bytes) -> LoadShedAvailability:
    href = f"{hrefs.sheds(home.id)}/{number}"
    return replace(parse(body, LoadShedAvailability), href=href)
