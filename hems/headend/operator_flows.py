"""The operator's door for flow reservations."""

from collections.abc import Sequence

from aiohttp import web
from pydantic import BaseModel

from hems.headend.errors import UnknownItemError
from hems.headend.flow_book import FlowBook, record_of
from hems.headend.flows import CANCELLED, FlowRequest, Grant, GrantOrder
from hems.headend.operator_asks import Finite, In
from hems.headend.operator_door import json_answer, read_model
from hems.headend.operator_prices import state_words
from hems.headend.operator_view import MEANINGS
from hems.headend.records import ResponseRecord
from hems.headend.store import Store


class GrantIn(In):
    """What is granted; what is left out is as asked. Negative is discharging."""

    power_w: Finite | None = None
    energy_wh: Finite | None = None
    start: Finite | None = None
    minutes: Finite | None = None
    raw: bool = False

    def order(self) -> GrantOrder:
        """Return it, still to be judged."""
        duration_s = None if self.minutes is None else self.minutes * 60.0
        return GrantOrder(self.power_w, self.energy_wh, self.start, duration_s, self.raw)


class GrantAnswerOut(BaseModel):
    """What the home answered to a grant."""

    status: int
    meaning: str
    at: int


class GrantOut(BaseModel):
    """A grant, and how it stands."""

    id: str
    start: int
    duration_s: int
    power_w: float
    energy_wh: float
    state: str
    responses: list[GrantAnswerOut]


class RequestOut(BaseModel):
    """A request with what was granted for it; charging positive."""

    id: str
    lfdi: str
    description: str
    state: str
    """"open", "granted" or "taken back"."""
    received_at: float
    start: int
    duration_s: int
    takes_s: int | None
    power_w: float
    energy_wh: float
    grants: list[GrantOut]


class RequestsOut(BaseModel):
    """All requests, the latest first."""

    reservations: list[RequestOut]


class FlowDoor:
    """Flow reservations.

    Args:
        flows: Requests and grants.
        store: What homes answered.
    """

    def __init__(self, flows: FlowBook, store: Store) -> None:
        self._flows = flows
        self._store = store

    def routes(self) -> list[web.RouteDef]:
        """Return where these stand."""
        return [
            web.get("/reservations", self.get_requests),
            web.get("/reservations/{id}", self.get_request),
            web.post("/reservations/{id}/grant", self.post_grant),
            web.post("/reservations/{id}/cancel", self.post_cancel),
        ]

    async def get_requests(self, _request: web.Request) -> web.Response:
        """Answer all requests with their grants."""
        found = [await self._out(request) for request in self._flows.requests]
        return json_answer(RequestsOut(reservations=found))

    async def get_request(self, request: web.Request) -> web.Response:
        """Answer one request."""
        return json_answer(await self._out(self._flows.of_mrid(request.match_info["id"])))

    async def post_grant(self, request: web.Request) -> web.Response:
        """Grant a request; it is durable and on its way when this answers."""
        wanted = self._flows.of_mrid(request.match_info["id"])
        wish = await read_model(request, GrantIn) if request.body_exists else GrantIn()
        await self._flows.grant(wanted, wish.order())
        return json_answer(await self._out(wanted), 201)

    async def post_cancel(self, request: web.Request) -> web.Response:
        """Cancel one grant, or all that was granted for a request."""
        mrid = request.match_info["id"]
        if self._flows.grants.find(mrid) is not None:
            grant = await self._flows.cancel_grant(mrid)
            return json_answer(await self._out(self._flows.answered_by(grant)))
        wanted = self._flows.of_mrid(mrid)
        if not await self._flows.cancel(wanted):
            raise UnknownItemError(f"nothing is granted for reservation {wanted.mrid}")
        return json_answer(await self._out(wanted))

    async def _out(self, request: FlowRequest) -> RequestOut:
        asked = record_of(request)
        grants = [g for g in self._flows.grants.of(request.lfdi) if g.request == request.mrid]
        taken_back = asked.request_status.request_status == CANCELLED
        state = "granted" if self._flows.open_of(request) else "open"
        return RequestOut(
            id=request.mrid,
            lfdi=request.lfdi,
            description=asked.description or "",
            state="taken back" if taken_back else state,
            received_at=request.received_at,
            start=asked.interval_requested.start,
            duration_s=asked.interval_requested.duration,
            takes_s=asked.duration_requested,
            power_w=asked.power_requested.watts,
            energy_wh=asked.energy_requested.watt_hours,
            grants=[
                self._grant(g, await self._store.responses(subject=g.span.mrid)) for g in grants
            ],
        )

    def _grant(self, grant: Grant, responses: Sequence[ResponseRecord]) -> GrantOut:
        return GrantOut(
            id=grant.span.mrid,
            start=grant.span.start,
            duration_s=grant.span.duration_s,
            power_w=grant.power_w,
            energy_wh=grant.energy_wh,
            state=state_words(self._flows.grants.state(grant)),
            responses=[
                GrantAnswerOut(
                    status=item.status,
                    meaning=MEANINGS.get(item.status, "unknown"),
                    at=item.created,
                )
                for item in responses
            ],
        )
