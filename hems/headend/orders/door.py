"""The operator's door for events and proposals."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from hems.headend.book import Book
from hems.headend.errors import RequestError
from hems.headend.notifier import Sent
from hems.headend.operator_door import json_answer, read_model
from hems.headend.operator_models import CancelIn, EventIn, EventOut, EventsOut
from hems.headend.operator_view import event_out
from hems.headend.operators.roles import asker
from hems.headend.orders.contracts import counted
from hems.headend.orders.desk import OrderDesk
from hems.headend.orders.four_eyes import Proposal, ProposalState
from hems.headend.orders.models import (
    PreviewOut,
    ProposalOut,
    ProposalsOut,
    WithdrawIn,
    barred_out,
)
from hems.headend.orders.repeats import AGAIN, KEY, Made, Named, named
from hems.headend.records import Event, Home, ResponseRecord
from hems.headend.status import Status
from hems.headend.store import Store
from hems.headend.subscriptions import Subscriptions


class EventDoor:
    """Events and proposals.

    Args:
        desk: Takes orders.
        book: Homes and events.
        store: What homes answered.
        subscriptions: When they were notified.
    """

    def __init__(
        self, desk: OrderDesk, book: Book, store: Store, subscriptions: Subscriptions
    ) -> None:
        self._desk = desk
        self._book = book
        self._store = store
        self._subscriptions = subscriptions

    def routes(self) -> list[web.RouteDef]:
        """Return where these resources stand."""
        return [
            web.post("/events", self.post_event),
            web.post("/events/preview", self.post_preview),
            web.get("/events", self.get_events),
            web.get("/events/{id}", self.get_event),
            web.post("/events/{id}/cancel", self.post_cancel),
            web.get("/proposals", self.get_proposals),
            web.get("/proposals/{id}", self.get_proposal),
            web.post("/proposals/{id}/confirm", self.post_confirmation),
            web.post("/proposals/{id}/withdraw", self.post_withdrawal),
        ]

    async def post_event(self, request: web.Request) -> web.Response:
        """Dispatch an event, on its way when this answers 201; 202 where a second must confirm."""
        wish = await read_model(request, EventIn)
        made = await self._desk.order(wish, asker(request), _named(request, wish))
        item = made.item
        if isinstance(item, Event):
            return self._ordered(item, _again(made))
        place = {"Location": f"/proposals/{item.id}"}
        return json_answer(self._proposal(item), 202, place | _again(made))

    async def post_preview(self, request: web.Request) -> web.Response:
        """Say what an order would do, and order nothing."""
        weighed = await self._desk.preview(await read_model(request, EventIn))
        return json_answer(PreviewOut.of(weighed))

    async def get_events(self, _request: web.Request) -> web.Response:
        """Answer all remembered events, latest first, and those that others have just ordered."""
        await self._store.catch_up()  # who got no answer looks here before he orders again
        answers: dict[str, list[ResponseRecord]] = {}
        known = self._book.events
        since = min((event.accepted_at for event in known), default=math.inf)
        for item in await self._store.responses(since=since) if known else ():
            answers.setdefault(item.subject, []).append(item)
        sent = await self._subscriptions.sent([event.mrid for event in known]) if known else {}
        special = [home for home in self._book.homes if self._desk.special(home)]
        events = [
            self._event(e, answers.get(e.mrid, ()), sent.get(e.mrid, {}), special) for e in known
        ]
        return json_answer(EventsOut(events=events))

    async def get_event(self, request: web.Request) -> web.Response:
        """Answer an event with what each home answered."""
        event = self._book.event(request.match_info["id"])
        return json_answer(await self._answered(event))

    async def post_cancel(self, request: web.Request) -> web.Response:
        """Cancel an event."""
        wish = await read_model(request, CancelIn) if request.body_exists else CancelIn()
        number, name = request.match_info["id"], _named(request, wish)
        made = await self._desk.cancel(number, name, randomized=wish.randomize)
        return json_answer(await self._answered(made.item), headers=_again(made))

    async def get_proposals(self, request: web.Request) -> web.Response:
        """Answer proposals, the latest first; `state` narrows them."""
        wanted = _state_in(request)
        found = [self._proposal(each) for each in self._desk.proposals]
        if wanted is not None:
            found = [each for each in found if each.state is wanted]
        return json_answer(ProposalsOut(proposals=found))

    async def get_proposal(self, request: web.Request) -> web.Response:
        """Answer a proposal."""
        return json_answer(self._proposal(self._desk.proposal(request.match_info["id"])))

    async def post_confirmation(self, request: web.Request) -> web.Response:
        """Dispatch what somebody else has proposed."""
        number, name = request.match_info["id"], _named(request)
        made = await self._desk.confirm(number, asker(request), name)
        return self._ordered(made.item, _again(made))

    async def post_withdrawal(self, request: web.Request) -> web.Response:
        """Take a proposal back, one's own or another's."""
        wish = await read_model(request, WithdrawIn) if request.body_exists else WithdrawIn()
        number, name = request.match_info["id"], _named(request, wish)
        made = await self._desk.withdraw(number, wish.reason, asker(request), name)
        return json_answer(self._proposal(made.item), headers=_again(made))

    def _ordered(self, event: Event, headers: Mapping[str, str]) -> web.Response:
        told = self._event(event, (), {}, self._book.homes)
        return json_answer(told, 201, {"Location": f"/events/{event.mrid}", **headers})

    def _proposal(self, proposal: Proposal) -> ProposalOut:
        return ProposalOut.of(proposal, self._desk.state(proposal))

    async def _answered(self, event: Event) -> EventOut:
        responses = await self._store.responses(subject=event.mrid)
        sent = await self._subscriptions.sent([event.mrid])
        return self._event(event, responses, sent.get(event.mrid, {}), self._book.homes)

    def _event(
        self,
        event: Event,
        responses: Sequence[ResponseRecord],
        sent: Sent,
        special: Sequence[Home],
    ) -> EventOut:
        """Return an event with what came of it.

        Args:
            event: It.
            responses: To it.
            sent: When who was notified.
            special: At least those homes that it may not reach.
        """
        program, state = self._book.programs[event.program], self._book.state(event)
        barred: Mapping[str, str] = {}
        if event.cancelled_at is None and state.status is not Status.COMPLETED:
            answered = {item.lfdi for item in responses}
            open_ = [home for home in special if home.lfdi not in answered]
            barred = self._desk.barred(event, open_)
        homes = [home for home in self._book.reached_by(program) if home.lfdi not in barred]
        told = event_out(event, program, state, homes=homes, responses=responses, sent=sent)
        return told.model_copy(update={"barred": barred_out(counted(barred))})


def _named(request: web.Request, wish: BaseModel | None = None) -> Named | None:
    return named(request.headers.getall(KEY, ()), asker(request), request.path, wish)


def _again(made: Made[Any]) -> dict[str, str]:
    """Return the headers of an answer that tell whether it was given before."""
    return {AGAIN: "true"} if made.again else {}


def _state_in(request: web.Request) -> ProposalState | None:
    name = request.query.get("state")
    try:
        return None if name is None else ProposalState(name)
    except ValueError:
        known = ", ".join(ProposalState)
        raise RequestError(f"query parameter state is none of {known}") from None
