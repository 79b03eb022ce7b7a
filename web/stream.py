"""Server-sent events: one `snapshot` message for each new state of the home.

Each reader pulls from the home at its own pace: while its socket is full it asks for nothing, and
then gets the newest state, so a slow reader skips and never makes the hub queue.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from http import HTTPStatus

from aiohttp import web

from der.sentence import say
from hems.access.rights import Right
from hems.surface import HomeSurface, Snapshot, for_guests
from web.answers import error_answer
from web.models import HomeAnswer
from web.operation import Operation, still
from web.packed import Message, Packing
from web.settings import WebSettings
from web.words import LANGUAGE

_RETRY = Message(b"retry: 1000\n\n")
_HEARTBEAT = Message(b": alive\n\n")
_HIGH_WATER_BYTES = 16_384
"""Unsent bytes above which a reader counts as slow: a few snapshots, not a minute of them."""
_LOOK_S = 0.5
"""How often a silent stream looks whether its reader is there still, s."""


class Streams:
    """All streams being served, and the one word that ends them."""

    def __init__(self, surface: HomeSurface, settings: WebSettings) -> None:
        self._surface = surface
        self._settings = settings
        self._closing = asyncio.Event()
        self._open = 0
        self._told: dict[tuple[str, bool], tuple[Snapshot, Message]] = {}

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return the stream itself."""
        return [
            Operation("GET", "/api/stream", cls.serve, Right.SEE, media_type="text/event-stream")
        ]

    def close(self) -> None:
        """End all streams; each finishes the message it is writing."""
        self._closing.set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Tell each new snapshot as a server-sent event, until the reader leaves.

        A reader that comes back (Last-Event-ID) needs no replay: the first message is the whole
        present state.
        """
        if self._open >= self._settings.max_streams or self._closing.is_set():
            return error_answer(
                HTTPStatus.SERVICE_UNAVAILABLE,
                say("The hub serves no more live pages at the moment."),
            )
        self._open += 1
        try:
            return await self._serve(request)
        finally:
            self._open -= 1

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        packing = Packing() if "gzip" in request.headers.get("Accept-Encoding", "") else None
        if packing is not None:
            response.headers["Content-Encoding"] = "gzip"
        try:
            await response.prepare(request)
            if request.transport is not None:
                request.transport.set_write_buffer_limits(high=_HIGH_WATER_BYTES)
            async with aclosing(self._messages(request)) as messages:
                async for each in messages:
                    who = await still(request, Right.SEE)
                    if who is None:
                        break  # logged out, or not allowed any more, since it began
                    message = self._message(each, whole=who.may(Right.STEER))
                    sent = message.plain if packing is None else packing.add(message)
                    await self._write(response, sent)
            if packing is not None:
                await self._write(response, packing.end())
        except (ConnectionError, TimeoutError):
            # The reader left, or has taken nothing for too long: it will ask again.
            if request.transport is not None:
                request.transport.abort()
        return response

    async def _write(self, response: web.StreamResponse, message: bytes) -> None:
        async with asyncio.timeout(self._settings.write_timeout_s):
            await response.write(message)

    async def _messages(self, request: web.Request) -> AsyncGenerator[Message | Snapshot, None]:
        changes = self._surface.changes()
        closing = asyncio.create_task(self._closing.wait())
        upcoming = asyncio.create_task(_next(changes))
        try:
            yield _RETRY
            while True:
                await self._something(request, upcoming, closing)
                if closing.done() or _gone(request):
                    return
                if not upcoming.done():
                    yield _HEARTBEAT
                    continue
                snapshot = upcoming.result()
                if snapshot is None:
                    return
                yield snapshot
                upcoming = asyncio.create_task(_next(changes))
        finally:
            for task in (upcoming, closing):
                task.cancel()
            await asyncio.gather(upcoming, closing, return_exceptions=True)
            if isinstance(changes, AsyncGenerator):
                await changes.aclose()

    async def _something(self, request: web.Request, *awaited: asyncio.Task[object]) -> None:
        """Wait until something has come, the reader has left or is to hear a heartbeat.

        Writing alone would find out only by the second heartbeat that a reader has left, and its
        place would be kept from others until then.
        """
        silent_at = asyncio.get_running_loop().time() + self._settings.heartbeat_s
        done: set[asyncio.Task[object]] = set()
        while not done and not _gone(request):
            left = silent_at - asyncio.get_running_loop().time()
            if left <= 0:
                return
            done, _ = await asyncio.wait(
                awaited, timeout=min(left, _LOOK_S), return_when=asyncio.FIRST_COMPLETED
            )

    def _message(self, snapshot: Snapshot | Message, *, whole: bool) -> Message:
        """Return a snapshot as a message, made once for all readers of a language and right."""
        if isinstance(snapshot, Message):
            return snapshot
        kept = (LANGUAGE.get(), whole)
        told = self._told.get(kept)
        if told is None or told[0] is not snapshot:
            shown = snapshot if whole else for_guests(snapshot)
            data = HomeAnswer.model_validate(shown).model_dump_json()
            text = f"id: {snapshot.seq}\nevent: snapshot\ndata: {data}\n\n"
            told = self._told[kept] = (snapshot, Message(text.encode()))
        return told[1]


def _gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


async def _next(changes: AsyncIterator[Snapshot]) -> Snapshot | None:
    return await anext(changes, None)
