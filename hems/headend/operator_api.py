"""The operator's door: dispatch and look, as JSON over loopback HTTP with a bearer token."""

import hmac
import math
import os
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from hems.headend.book import Book
from hems.headend.curve_book import CurveBook
from hems.headend.dispatch import Order, find_program
from hems.headend.errors import BusyError, RequestError, SettingsError, UnknownItemError
from hems.headend.exchange import RETRY_AFTER_S
from hems.headend.fleet.memory import FleetMemory
from hems.headend.mirror_store import MirrorStore
from hems.headend.notifier import Sent
from hems.headend.operator_door import json_answer, number_in, read_model, refusal
from hems.headend.operator_homes import self_report
from hems.headend.operator_models import (
    CancelIn,
    EventIn,
    EventOut,
    EventsOut,
    HomeIn,
    HomeOut,
    HomesOut,
    ReadingOut,
    ReadingsOut,
)
from hems.headend.operator_view import event_out, home_out
from hems.headend.records import Edition, Event, Home, ReadingRecord, ResponseRecord
from hems.headend.store import Store
from hems.headend.subscriptions import Subscriptions

MAX_BODY = 256 * 1024
"""Of the operator's requests, octets: the longest series of prices fits."""
_MAX_READINGS = 10_000


def operator_token(path: Path) -> str:
    """Return the operator's token; on first use make it, readable by its owner only.

    Raises:
        SettingsError: The file cannot be made or read, is empty, or others may read it.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise SettingsError(f"{path}: the token cannot be made: {error.strerror}") from error
    else:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    try:
        if path.stat().st_mode & 0o077:
            raise SettingsError(f"{path}: others than its owner may read the token; chmod 600 it")
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: the token cannot be read: {error}") from error
    if not token:
        raise SettingsError(f"{path}: the token file is empty; remove it and start again")
    return token


class Door(Protocol):
    """A part of the operator's door."""

    def routes(self) -> list[web.RouteDef]:
        """Return where its resources stand."""
        ...


class OperatorApi:
    """Dispatch, homes and readings for the operator.

    Args:
        book: Homes and events.
        curves: Curves that events name.
        store: Responses and documents.
        mirrors: Readings.
        subscriptions: For these, and the times of notification.
        fleet: Groups that events are for.
        token: What callers must show.
        edition: Dialect of a home entered without one.
        doors: What else the operator may do.
    """

    def __init__(
        self,
        book: Book,
        curves: CurveBook,
        store: Store,
        mirrors: MirrorStore,
        subscriptions: Subscriptions,
        *,
        fleet: FleetMemory,
        token: str,
        edition: Edition,
        doors: Sequence[Door] = (),
    ) -> None:
        self._book = book
        self._curves = curves
        self._doors = doors
        self._store = store
        self._mirrors = mirrors
        self._subscriptions = subscriptions
        self._fleet = fleet
        self._token = token
        self._edition = edition

    def app(self) -> web.Application:
        """Return the web application."""
        app = web.Application(middlewares=[self._middleware], client_max_size=MAX_BODY)
        app.add_routes(
            [
                web.post("/events", self.post_event),
                web.get("/events", self.get_events),
                web.get("/events/{id}", self.get_event),
                web.post("/events/{id}/cancel", self.post_cancel),
                web.get("/homes", self.get_homes),
                web.post("/homes", self.post_home),
                web.get("/homes/{lfdi}", self.get_home),
                web.get("/homes/{lfdi}/readings", self.get_home_readings),
                web.get("/readings", self.get_readings),
            ]
        )
        for door in self._doors:
            app.add_routes(door.routes())
        return app

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        shown = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(shown, f"Bearer {self._token}".encode()):
            return refusal(401, "the operator's bearer token is missing or wrong")
        try:
            return await handler(request)
        except RequestError as error:
            return refusal(error.status, str(error))
        except BusyError as error:
            return refusal(503, str(error), {"Retry-After": str(RETRY_AFTER_S)})
        except web.HTTPRequestEntityTooLarge:
            return refusal(413, f"the body is longer than {MAX_BODY} octets")
        except web.HTTPMethodNotAllowed as error:
            allowed = ", ".join(sorted(error.allowed_methods))
            message = f"{request.method} is not for {request.path}; {allowed} is"
            return refusal(405, message, {"Allow": allowed})
        except web.HTTPNotFound:
            return refusal(404, f"there is nothing at {request.path[:80]}")

    async def post_event(self, request: web.Request) -> web.Response:
        """Dispatch an event; it is durable and on its way when this answers 201."""
        wish = await read_model(request, EventIn)
        order = wish.order()
        async with self._store.changing():
            if wish.group is not None:
                order = await self._narrow(order, wish.group)
            event = await self._book.dispatch(await self._curves.resolve(order))
        return json_answer(self._event(event, (), {}), 201, {"Location": f"/events/{event.mrid}"})

    async def _narrow(self, order: Order, group: str) -> Order:
        """Return an order for the homes of a group."""
        programmes = self._book.programmes
        base = find_program(order, programmes.configured)
        depth = self._fleet.depth(group)
        program = await programmes.narrowed(base, group, depth)
        return replace(order, program=program.mrid)

    async def get_events(self, _request: web.Request) -> web.Response:
        """Answer all remembered events, latest first."""
        answers: dict[str, list[ResponseRecord]] = {}
        known = self._book.events
        since = min((event.accepted_at for event in known), default=math.inf)
        for item in await self._store.responses(since=since) if known else ():
            answers.setdefault(item.subject, []).append(item)
        sent = await self._subscriptions.sent([event.mrid for event in known]) if known else {}
        events = [self._event(e, answers.get(e.mrid, ()), sent.get(e.mrid, {})) for e in known]
        return json_answer(EventsOut(events=events))

    async def get_event(self, request: web.Request) -> web.Response:
        """Answer an event with what each home answered."""
        event = self._book.event(request.match_info["id"])
        return json_answer(await self._answered(event))

    async def post_cancel(self, request: web.Request) -> web.Response:
        """Cancel an event."""
        wish = await read_model(request, CancelIn) if request.can_read_body else CancelIn()
        event = await self._book.cancel(request.match_info["id"], randomized=wish.randomize)
        return json_answer(await self._answered(event))

    async def get_homes(self, _request: web.Request) -> web.Response:
        """Answer all homes."""
        latest = await self._mirrors.latest()
        return json_answer(
            HomesOut(homes=[await self._home(home, latest) for home in self._book.homes])
        )

    async def post_home(self, request: web.Request) -> web.Response:
        """Enter a home, so that it may connect."""
        wish = await read_model(request, HomeIn)
        home = await self._book.register(
            wish.lfdi.upper(), int(wish.pin), wish.edition or self._edition, in_band=False
        )
        return json_answer(await self._home(home, []), 201, {"Location": f"/homes/{home.lfdi}"})

    async def get_home(self, request: web.Request) -> web.Response:
        """Answer one home."""
        return json_answer(await self._home(self._known(request), await self._mirrors.latest()))

    async def get_home_readings(self, request: web.Request) -> web.Response:
        """Answer a home's readings, latest first."""
        return await self._readings(request, self._known(request).lfdi)

    async def get_readings(self, request: web.Request) -> web.Response:
        """Answer all homes' readings, latest first."""
        return await self._readings(request, None)

    async def _readings(self, request: web.Request, lfdi: str | None) -> web.Response:
        since = number_in(request, "since", 0.0)
        limit = min(int(number_in(request, "limit", 1000.0)), _MAX_READINGS)
        found = await self._mirrors.readings(lfdi=lfdi, since=since, limit=limit)
        return json_answer(ReadingsOut(readings=[ReadingOut.of(item) for item in found]))

    def _known(self, request: web.Request) -> Home:
        lfdi = request.match_info["lfdi"].upper()
        home = self._book.home(lfdi)
        if home is None:
            raise UnknownItemError(f"no home {lfdi[:40]!r}")
        return home

    async def _answered(self, event: Event) -> EventOut:
        responses = await self._store.responses(subject=event.mrid)
        sent = await self._subscriptions.sent([event.mrid])
        return self._event(event, responses, sent.get(event.mrid, {}))

    def _event(self, event: Event, responses: Sequence[ResponseRecord], sent: Sent) -> EventOut:
        program = self._book.programs[event.program]
        return event_out(
            event,
            program,
            self._book.state(event),
            homes=self._book.reached_by(program),
            responses=responses,
            sent=sent,
        )

    async def _home(self, home: Home, latest: Sequence[ReadingRecord]) -> HomeOut:
        documents = await self._store.documents(home.lfdi)
        return home_out(
            home,
            (await self._book.contacts.of(home.lfdi)).get(home.lfdi),
            await self._subscriptions.of(home.lfdi),
            self_report(documents, self._book.programs),
            latest,
        )
