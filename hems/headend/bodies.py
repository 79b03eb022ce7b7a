"""The body of a request: whole, within a length and a time, or in one sentence why not."""

import asyncio
from typing import Final

from aiohttp import hdrs, web

from hems.headend.errors import RequestError

TOO_LONG: Final = 413
_BROKEN: Final = 400
_SLOW: Final = 408
_UNSUPPORTED: Final = 415
_CODINGS: Final = frozenset({"identity", "gzip", "deflate"})
"""Content codings that are undone on the way in."""
_CHUNK: Final = 1 << 16


class BodyError(RequestError):
    """A body that did not come as a whole; `status` says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def octets_of(request: web.Request, most: int, within_s: float) -> bytes:
    """Return the body of a request.

    Args:
        request: The request.
        most: Its greatest length when unpacked, octets; nothing behind that is read.
        within_s: In which it must have come, s.

    Raises:
        BodyError: It is too long (413), does not come (408), is in a coding that is not known
            (415), breaks off or cannot be unpacked (400).
    """
    coding = request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower()
    if coding not in _CODINGS:
        raise BodyError(_UNSUPPORTED, f"the body's coding {coding[:40]!a} is not known")
    body = bytearray()
    try:
        async with asyncio.timeout(within_s):
            async for chunk in request.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > most:
                    raise BodyError(TOO_LONG, f"the body is longer than {most} octets")
    except TimeoutError as error:
        raise BodyError(_SLOW, f"the body did not come within {within_s:g} s") from error
    except (ConnectionError, web.RequestPayloadError) as error:
        raise broken(request, error) from error
    return bytes(body)


def broken(request: web.Request, error: ConnectionError | web.RequestPayloadError) -> BodyError:
    """Return why a body cannot be read; what stands behind it is no request, and not looked at.

    Args:
        request: Whose body it is.
        error: What reading it has raised.
    """
    if isinstance(error, ConnectionError):
        return BodyError(_BROKEN, "the connection ended within the body")
    request.content.feed_eof()
    request.protocol.close()
    return BodyError(_BROKEN, "the body is not in the form that its headers say")
