"""What each request goes through first: it gets an id, is counted, and leaves its facts."""

import asyncio
import logging
import time
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from hems.correlation import correlate, forget, fresh, sound
from hems.headend.exchange import CALLER
from hems.headend.listening import PEER
from hems.headend.monitor.facts import Gathering
from hems.headend.monitor.metrics import Metrics

ID_HEADER: Final = "X-Request-Id"
OPERATOR: Final = "operator"
HOMES: Final = "homes"
_GONE: Final = "gone"
_LOGGED: Final = 200

_log = logging.getLogger(__name__)


def observed(door: str, metrics: Metrics, gathering: Gathering) -> Middleware:
    """Return the middleware of a door.

    Args:
        door: Its name.
        metrics: What is counted.
        gathering: Where facts about homes go.
    """
    tells, of_homes = door == OPERATOR, door == HOMES

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        begun = time.perf_counter()
        mark = sound(request.headers.get(ID_HEADER)) if tells else fresh()
        token = correlate(mark)
        status: int | str = 500
        try:
            answer = await handler(request)
            status = answer.status
            if tells:
                answer.headers[ID_HEADER] = mark
        except web.HTTPException as error:
            status = error.status
            raise
        except asyncio.CancelledError:
            status = _GONE
            raise
        finally:
            took_s = time.perf_counter() - begun
            resource = request.match_info.route.resource
            template = "" if resource is None else resource.canonical
            metrics.request(door, template, request.method, status, took_s)
            if of_homes and isinstance(status, int) and CALLER in request:
                who = request[CALLER]
                known = who.home is not None
                gathering.request(who.lfdi, PEER.get(), status, request.path, known=known)
            if _log.isEnabledFor(logging.DEBUG):
                _tell(request, door, status, took_s)
            forget(token)
        return answer

    return middleware


def _tell(request: web.Request, door: str, status: int | str, took_s: float) -> None:
    path = request.raw_path.partition("?")[0][:_LOGGED]
    _log.debug("%s: %s %r: %s in %.1f ms", door, request.method, path, status, took_s * 1e3)
