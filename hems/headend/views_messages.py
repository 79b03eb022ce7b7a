"""Views of the messaging programme and its messages."""

from collections.abc import Iterable

from aiohttp import web

from hems.headend import hrefs
from hems.headend.errors import UnknownItemError
from hems.headend.exchange import answer, caller
from hems.headend.feeds import Sight
from hems.headend.messages import (
    ALL,
    MessageBook,
    message_list,
    message_program,
    program_list,
    text_message,
)
from hems.headend.modes import Edition
from hems.headend.paging import Query, page, parse_query
from hems.headend.records import Home
from hems.headend.settings import HeadEndSettings
from hems.sep2.resources import MessagingProgram


class MessageViews:
    """Messages; the same for all homes.

    Args:
        book: What they are.
        settings: Rates and language.
        anchor: mRID that the programme's own is derived from.
    """

    def __init__(self, book: MessageBook, settings: HeadEndSettings, anchor: str) -> None:
        self._messages = book.messages
        self._settings = settings
        self._anchor = anchor

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        return [
            web.get(hrefs.MESSAGE_PROGRAMS, self.get_programs),
            web.get(hrefs.MESSAGE_PROGRAM, self.get_program),
            web.get(hrefs.MESSAGES, self.get_messages),
            web.get(f"{hrefs.MESSAGES}/{{mrid}}", self.get_message),
        ]

    # Feed

    def resources(self) -> Iterable[str]:
        """Return the path of the list of messages."""
        return (hrefs.MESSAGES,)

    def sight(self, resource: str, home: Home) -> Sight | None:
        """Return the messages as a home of its edition sees them."""
        if resource != hrefs.MESSAGES:
            return None
        edition = home.edition
        shown = self._messages.shown(ALL, edition)
        return Sight(
            tuple((message.span.mrid, int(state.status)) for message, state in shown),
            not shown,
            lambda limit: message_list(page(shown, Query(limit=limit)), edition),
        )

    def next_change(self) -> float | None:
        """Return when a state changes next, epoch s; None: never."""
        return self._messages.next_change()

    # Views

    async def get_programs(self, request: web.Request) -> web.Response:
        """Answer the list of the one programme."""
        edition = _edition(request)
        part = page([self._program(edition)], parse_query(request.query))
        return answer(request, program_list(part, self._settings.rates(edition).list_poll_s))

    async def get_program(self, request: web.Request) -> web.Response:
        """Answer the one programme."""
        return answer(request, self._program(_edition(request)))

    async def get_messages(self, request: web.Request) -> web.Response:
        """Answer the messages, by start."""
        edition = _edition(request)
        shown = self._messages.shown(ALL, edition)
        part = page(shown, parse_query(request.query), lambda item: item[0].span.start)
        return answer(request, message_list(part, edition))

    async def get_message(self, request: web.Request) -> web.Response:
        """Answer one message."""
        edition, mrid = _edition(request), request.match_info["mrid"].upper()
        for message, state in self._messages.shown(ALL, edition):
            if message.span.mrid == mrid:
                return answer(request, text_message(message, state, edition))
        raise UnknownItemError(f"there is no message at {request.path[:80]}")

    def _program(self, edition: Edition) -> MessagingProgram:
        count = len(self._messages.shown(ALL, edition))
        return message_program(self._anchor, self._settings.locale, count)


def _edition(request: web.Request) -> Edition:
    return caller(request).registered().edition
