"""Each request gets an id, under which all that it brings about is found in the log."""

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from hems.correlation import correlated, fresh

ID_HEADER: Final = "X-Request-Id"


@web.middleware
async def marked(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Have what a request brings about go by an id of its own, and tell it who asked."""
    mark = fresh()
    with correlated(mark):
        answer = await handler(request)
    if not answer.prepared:
        answer.headers[ID_HEADER] = mark
    return answer
