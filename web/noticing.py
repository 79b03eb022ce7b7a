"""Takes note of requests that nobody of the house makes, and keeps out who made too many."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from der.sentence import say
from hems.clock import Clock
from hems.emg.threats.barrier import Barrier
from hems.emg.threats.origin import origin
from hems.security_event import EventKind, Note, SecurityEvent, unheard
from hems.surface import SurfaceError
from web.answers import error_answer
from web.handler import Handler
from web.operation import DOOR


@dataclass(frozen=True, slots=True)
class Sentinel:
    """What stands beside the door.

    Attributes:
        note: Told of what is refused.
        barrier: Who may ask nothing for a while; None for nobody.
        clock: Where the time comes from.
    """

    clock: Clock
    note: Note = unheard
    barrier: Barrier | None = None


SENTINEL = web.AppKey("sentinel", Sentinel)
_LONGEST_PATH: Final = 120
_KINDS: Final[Mapping[int, EventKind]] = {
    HTTPStatus.BAD_REQUEST: EventKind.REQUEST_MALFORMED,
    HTTPStatus.UNAUTHORIZED: EventKind.REQUEST_REFUSED,
    HTTPStatus.FORBIDDEN: EventKind.REQUEST_REFUSED,
    HTTPStatus.NOT_FOUND: EventKind.REQUEST_MALFORMED,
    HTTPStatus.METHOD_NOT_ALLOWED: EventKind.REQUEST_MALFORMED,
    HTTPStatus.REQUEST_TIMEOUT: EventKind.REQUEST_MALFORMED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: EventKind.REQUEST_MALFORMED,
    HTTPStatus.MISDIRECTED_REQUEST: EventKind.REQUEST_REFUSED,
    HTTPStatus.TOO_MANY_REQUESTS: EventKind.REQUEST_REFUSED,
}


@web.middleware
async def noticed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep out who is barred, but for browsers of this home; take note of what is refused."""
    sentinel = request.app[SENTINEL]
    barred = await _barred(request, sentinel)
    if barred is not None:
        return barred
    answer = await handler(request)
    kind = _KINDS.get(answer.status)
    if kind is not None:
        did = f"{request.method} {request.path[:_LONGEST_PATH]}"
        text = say(
            "A request was refused with status {status}: {did}.", status=answer.status, did=did
        )
        sentinel.note(SecurityEvent(kind, text, did, origin(request.remote or "")))
    return answer


if TYPE_CHECKING:
    _Adapter = logging.LoggerAdapter[logging.Logger]
else:
    _Adapter = logging.LoggerAdapter


class Clerk(_Adapter):
    """What the server writes its log by: what is no request comes past no middleware.

    It gets one line, where the server's own way is a page of traceback each, and is taken note of.

    Args:
        sentinel: Whose note it is.
    """

    def __init__(self, sentinel: Sentinel) -> None:
        super().__init__(logging.getLogger(__name__))
        self._sentinel = sentinel

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Write a line."""
        error = kwargs.get("exc_info")
        if isinstance(error, web.RequestPayloadError):
            # What was left of a request that has been refused, and noted, already.
            self.logger.warning("the rest of a request cannot be read: %s", type(error).__name__)
            return
        if not isinstance(error, HttpProcessingError):
            super().log(level, msg, *args, **kwargs)
            return
        source, *_ = args or ("",)
        why = " ".join(error.message.split())[:_LONGEST_PATH]
        self.logger.warning("from %s came what is no request: %s", source, why)
        text = say("Something was sent to the page that is no request: {why}.", why=why)
        self._sentinel.note(
            SecurityEvent(EventKind.REQUEST_MALFORMED, text, source=origin(str(source or "")))
        )


async def _barred(request: web.Request, sentinel: Sentinel) -> web.Response | None:
    if sentinel.barrier is None:
        return None
    source = origin(request.remote or "")
    wait_s = sentinel.barrier.wait_s(source, sentinel.clock.monotonic())
    if wait_s <= 0 or await _familiar(request):
        return None
    answer = error_answer(
        HTTPStatus.TOO_MANY_REQUESTS,
        say(
            "Too much was tried from your address. Try again in {minutes} min.",
            minutes=ceil(wait_s / 60),
        ),
    )
    answer.headers["Retry-After"] = f"{wait_s:.0f}"
    return answer


async def _familiar(request: web.Request) -> bool:
    try:
        return await request.app[DOOR].familiar(request)
    except SurfaceError:  # accounts cannot be read now: nobody is known
        return False
