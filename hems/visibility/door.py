"""Where recipients ask: HTTPS with their own certificate, on a port of its own.

| ask | get | grant |
|---|---|---|
| GET /visibility | what may be seen | any |
| GET /visibility/now | the last reading | live |
| GET /visibility/stream | each reading as it comes, one JSON object a line | live |
| GET /visibility/intervals?start=&end= | means, voltages, registers by five minutes | power, \
voltage or energy, each showing its part |
| GET /visibility/events?start=&end= | what happened to the supply | events |

Who has no certificate of the trusted roots does not get past the handshake. Each access is on the
disk before its answer leaves; a withdrawn grant ends the streams that live by it.
"""

import asyncio
import logging
import math
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from hems.clock import Clock
from hems.sep2.transport.http import peer_lfdi
from hems.store.errors import StoreError
from hems.visibility import words
from hems.visibility.grants import Data
from hems.visibility.visibility import DeniedError, Visibility

_log = logging.getLogger(__name__)

MOST_A_MINUTE: Final = 60
"""Requests of one recipient."""
MOST_OF_STRANGERS: Final = 6
"""The same of one to whom nothing is granted: each of its refusals is written down."""
MOST_STREAMS: Final = 2
"""Streams of one recipient at a time."""
LONGEST_S: Final = 31 * 86_400.0
"""The longest time that one question may be about."""
_GRACE_S: Final = 1.0
_STALLED_S: Final = 10.0
"""A reader who takes no line for so long is left."""
_JSON: Final = "application/json"
_LINES: Final = "application/x-ndjson"


class Door:
    """The server for recipients.

    Args:
        visibility: What may be seen, and by whom.
        context: The server side of mutual TLS.
        clock: Where the time comes from.
        clock_error_s: Returns the home's time less the utility's; None while that is not known.
    """

    def __init__(
        self,
        visibility: Visibility,
        context: ssl.SSLContext,
        clock: Clock,
        clock_error_s: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._visibility = visibility
        self._context = context
        self._clock = clock
        self._clock_error_s = clock_error_s
        self._asked: dict[str, deque[float]] = {}
        self._streams: dict[str, int] = {}
        self._ending = asyncio.Event()

    async def serve(self, host: str, port: int, opened: Callable[[int], None]) -> None:
        """Serve until cancelled.

        Args:
            host: Address to listen on.
            port: Port; 0 for any free one.
            opened: Told the port that was taken.

        Raises:
            OSError: The port is taken or the address is not ours.
        """
        app = web.Application(client_max_size=1024)
        routes = {
            "/visibility": self._granted,
            "/visibility/now": self._now,
            "/visibility/stream": self._stream,
            "/visibility/intervals": self._intervals,
            "/visibility/events": self._events,
        }
        for path, handler in routes.items():
            app.router.add_get(path, self._guarded(handler), allow_head=False)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, ssl_context=self._context).start()
            opened(int(runner.addresses[0][1]))
            await asyncio.Event().wait()
        finally:
            self._ending.set()
            await runner.cleanup()

    def _guarded(
        self, handler: Callable[[web.Request, str], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            connection = request.get_extra_info("ssl_object")
            recipient = None if connection is None else peer_lfdi(connection)
            if recipient is None:
                return _refused(403, "a certificate is needed here")
            recipient = recipient.upper()
            try:
                known = bool(await self._visibility.may(recipient))
                most = MOST_A_MINUTE if known else min(MOST_OF_STRANGERS, MOST_A_MINUTE)
                if not self._in_time(recipient, most):
                    return _refused(429, f"at most {most} requests a minute")
                return await handler(request, recipient)
            except DeniedError as error:
                return _refused(403, str(error))
            except StoreError as error:
                _log.warning("nothing is shown to %s: %s", recipient, error)
                return _refused(503, "accesses cannot be written down now, so nothing is shown")
            except _QueryError as error:
                return _refused(400, str(error))

        return guarded

    def _in_time(self, recipient: str, most: int) -> bool:
        now = self._clock.monotonic()
        asked = self._asked.setdefault(recipient, deque())
        while asked and asked[0] < now - 60.0:
            asked.popleft()
        if len(asked) >= most:
            return False
        asked.append(now)
        return True

    async def _granted(self, request: web.Request, recipient: str) -> web.Response:
        del request
        return _answer(words.allowed(await self._visibility.may(recipient)))

    async def _now(self, request: web.Request, recipient: str) -> web.Response:
        del request
        await self._visibility.admit(recipient, Data.LIVE, "now")
        image = self._visibility.image
        if image is None:
            return _refused(503, "nothing has been measured yet")
        return _answer(words.now(image, self._clock_error_s()))

    async def _intervals(self, request: web.Request, recipient: str) -> web.Response:
        start, end = _span(request)
        may = await self._visibility.may(recipient) & words.SERIES
        asked = f"intervals from {start:.0f} to {end:.0f}"
        for data in sorted(may) or [Data.POWER]:
            await self._visibility.admit(recipient, data, f"{data.value} {asked}")
        found, more = await self._visibility.measured(start, end)
        return _answer(await asyncio.to_thread(words.series, found, may, more=more))

    async def _events(self, request: web.Request, recipient: str) -> web.Response:
        start, end = _span(request)
        await self._visibility.admit(recipient, Data.EVENTS, f"from {start:.0f} to {end:.0f}")
        found, more = await self._visibility.happened(start, end)
        return _answer(await asyncio.to_thread(words.happened, found, more=more))

    async def _stream(self, request: web.Request, recipient: str) -> web.StreamResponse:
        await self._visibility.admit(recipient, Data.LIVE, "stream")
        if self._streams.get(recipient, 0) >= MOST_STREAMS:
            return _refused(429, f"at most {MOST_STREAMS} streams at a time")
        self._streams[recipient] = self._streams.get(recipient, 0) + 1
        response = web.StreamResponse(headers={"Content-Type": _LINES, "Cache-Control": "no-store"})
        lines = _Count()
        ending = asyncio.create_task(self._ending.wait())
        telling = asyncio.create_task(self._tell(request, response, recipient, lines))
        try:
            await asyncio.wait((ending, telling), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ending.cancel()
            telling.cancel()
            await asyncio.gather(ending, telling, return_exceptions=True)
            self._streams[recipient] -= 1
            await self._note_end(recipient, lines.told)
        return response

    async def _note_end(self, recipient: str, lines: int) -> None:
        try:
            await self._visibility.note(recipient, f"stream ended after {lines} readings")
        except StoreError as error:  # its begin stands in the log; no second answer may follow
            _log.warning("the end of a stream to %s is not written down: %s", recipient, error)

    async def _tell(
        self,
        request: web.Request,
        response: web.StreamResponse,
        recipient: str,
        lines: "_Count",
    ) -> None:
        """Write each reading as a line, as long as the grant holds and somebody takes it."""
        await response.prepare(request)
        async for image in self._visibility.images():
            may = await self._visibility.may(recipient)
            try:
                async with asyncio.timeout(_STALLED_S):
                    if Data.LIVE not in may:
                        await response.write(words.refusal("the grant has ended"))
                        await response.write_eof()
                        return
                    await response.write(words.now(image, self._clock_error_s()))
                    lines.told += 1
            except (TimeoutError, ConnectionError):
                return


@dataclass(slots=True)
class _Count:
    """How many readings a stream has told."""

    told: int = 0


class _QueryError(Exception):
    """A question that makes no sense; `str()` is one sentence."""


def _span(request: web.Request) -> tuple[float, float]:
    """Return the time that is asked about, UTC epoch seconds."""
    try:
        start, end = (float(request.query[name]) for name in ("start", "end"))
    except (KeyError, ValueError):
        raise _QueryError("start and end are needed, in UTC epoch seconds") from None
    if not (math.isfinite(start) and math.isfinite(end) and 0 <= start < end):
        raise _QueryError("end must be after start, in UTC epoch seconds")
    if end - start > LONGEST_S:
        raise _QueryError(f"at most {LONGEST_S / 86400:.0f} days at a time")
    return start, end


def _answer(body: bytes) -> web.Response:
    return web.Response(body=body, content_type=_JSON, headers={"Cache-Control": "no-store"})


def _refused(status: int, why: str) -> web.Response:
    return web.Response(status=status, body=words.refusal(why), content_type=_JSON)
