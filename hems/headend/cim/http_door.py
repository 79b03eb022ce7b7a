"""Messages over HTTP: who sends them, what they get back; and who wants to be told."""

from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, Field

from certs.verify import peer_lfdi
from hems.headend.bodies import TOO_LONG, BodyError, octets_of
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.journal import Journal
from hems.headend.cim.letters import Letters, refusal
from hems.headend.cim.nouns import PUBLISHED, Noun, Right
from hems.headend.cim.peers import Peer, Peers
from hems.headend.cim.service import Sent, Service
from hems.headend.cim.subscriptions import Subscription, Subscriptions
from hems.headend.cim.wire import MEDIA_TYPE, MEDIA_TYPES
from hems.headend.errors import BusyError, RequestError, UnknownItemError
from hems.headend.exchange import BODY_WITHIN_S, RETRY_AFTER_S
from hems.headend.operator_asks import In
from hems.headend.operator_door import json_answer, number_in, read_model
from hems.headend.operator_door import refusal as json_refusal
from hems.sep2.xml import MAX_BODY

MESSAGES: Final = "/cim"
SUBSCRIPTIONS: Final = "/cim/subscriptions"
TRAIL: Final = "/cim/messages"

_MOST_ROWS: Final = 10_000
_PEER: Final = web.RequestKey("peer", Peer)


class SubscriptionIn(In):
    """A wish to be told."""

    noun: Noun
    address: str = Field(max_length=255)


class SubscriptionOut(BaseModel):
    """A wish that is kept."""

    id: int
    noun: str
    address: str

    @classmethod
    def of(cls, item: Subscription) -> "SubscriptionOut":
        """Take a wish over."""
        return cls(id=item.id, noun=item.noun, address=item.address)


class SubscriptionsOut(BaseModel):
    """All wishes of a peer."""

    subscriptions: list[SubscriptionOut]


class CimEntryOut(BaseModel):
    """A row of the trail."""

    number: int
    at: float
    direction: str
    carrier: str
    peer: str
    source: str
    message_id: str
    correlation_id: str
    verb: str
    noun: str
    pattern: str
    digest: str
    octets: int
    result: str
    code: str
    reason: str


class CimTrailOut(BaseModel):
    """The trail, the latest first."""

    messages: list[CimEntryOut]


class CimDoor:
    """Where messages come to.

    Args:
        service: Takes them.
        peers: Who may send any.
        subscriptions: Who is told of what.
        letters: Writes refusals.
    """

    def __init__(
        self, service: Service, peers: Peers, subscriptions: Subscriptions, letters: Letters
    ) -> None:
        self._service = service
        self._peers = peers
        self._subscriptions = subscriptions
        self._letters = letters

    def app(self) -> web.Application:
        """Return the web application."""
        app = web.Application(middlewares=[self._middleware], client_max_size=MAX_BODY)
        app.add_routes(
            [
                web.post(MESSAGES, self.post_message),
                web.get(SUBSCRIPTIONS, self.get_subscriptions),
                web.post(SUBSCRIPTIONS, self.post_subscription),
                web.delete(SUBSCRIPTIONS + "/{id}", self.delete_subscription),
            ]
        )
        return app

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            request[_PEER] = self._identify(request)
            return await handler(request)
        except CimError as error:
            return self._refusal(error)
        except BusyError as error:
            return self._refusal(CimError(Fault.BUSY, str(error)))
        except RequestError as error:
            return json_refusal(error.status, str(error))
        except web.HTTPMethodNotAllowed as error:
            allowed = ", ".join(sorted(error.allowed_methods))
            message = f"{request.method} is not for {request.path[:80]}; {allowed} is"
            return json_refusal(error.status, message, {"Allow": allowed})
        except web.HTTPNotFound:
            return json_refusal(HTTPStatus.NOT_FOUND, f"there is nothing at {request.path[:80]!r}")

    def _identify(self, request: web.Request) -> Peer:
        """Return who asks, by token or by certificate; where both are shown, they must agree."""
        shown = request.headers.get("Authorization")
        transport = request.transport
        connection = None if transport is None else transport.get_extra_info("ssl_object")
        certified = None if connection is None else self._peers.by_lfdi(peer_lfdi(connection))
        if shown is None:
            found = certified
        else:
            found = self._peers.by_token(shown)
            if found is not None and found.lfdi and found is not certified:
                found = None
        if found is None:
            raise CimError(Fault.STRANGER, "neither token nor certificate is known here")
        return found

    async def post_message(self, request: web.Request) -> web.Response:
        """Take a message."""
        if request.content_type not in MEDIA_TYPES:
            reason = f"a message is {MEDIA_TYPE}, not {ascii(request.content_type)[:80]}"
            raise CimError(Fault.MEDIA, reason)
        try:
            body = await octets_of(request, MAX_BODY, BODY_WITHIN_S)
        except BodyError as error:
            if error.status != TOO_LONG:
                raise
            raise CimError(Fault.TOO_MANY, str(error)) from error
        outcome = await self._service.take(Sent(body, request[_PEER], "http"))
        headers = {} if outcome.final else {"Retry-After": str(RETRY_AFTER_S)}
        if not outcome.body:
            return web.Response(status=outcome.status)
        return web.Response(
            body=outcome.body, status=outcome.status, content_type=MEDIA_TYPE, headers=headers
        )

    async def get_subscriptions(self, request: web.Request) -> web.Response:
        """Answer what the caller wants to be told of."""
        found = await self._subscriptions.of_peer(request[_PEER].name)
        return json_answer(SubscriptionsOut(subscriptions=[SubscriptionOut.of(s) for s in found]))

    async def post_subscription(self, request: web.Request) -> web.Response:
        """Keep a wish of the caller's."""
        peer, wish = request[_PEER], await read_model(request, SubscriptionIn)
        if Right.QUERY not in peer.may:
            raise CimError(Fault.FORBIDDEN, f"{peer.name} has no right {Right.QUERY}")
        if wish.noun not in PUBLISHED:
            known = ", ".join(sorted(PUBLISHED))
            raise CimError(Fault.NOUN, f"{wish.noun} is not told of; there are {known}")
        peer.check_address(wish.address)
        kept = await self._subscriptions.add(peer.name, wish.noun, wish.address)
        location = f"{SUBSCRIPTIONS}/{kept.id}"
        return json_answer(SubscriptionOut.of(kept), HTTPStatus.CREATED, {"Location": location})

    async def delete_subscription(self, request: web.Request) -> web.Response:
        """Forget a wish of the caller's."""
        number = request.match_info["id"]
        known = number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS
        if not known or not await self._subscriptions.remove(request[_PEER].name, int(number)):
            raise UnknownItemError(f"there is no subscription {number[:40]!r} of yours")
        return web.Response(status=HTTPStatus.NO_CONTENT)

    def _refusal(self, error: CimError) -> web.Response:
        headers = {}
        if error.fault is Fault.STRANGER:
            headers["WWW-Authenticate"] = "Bearer"
        if not error.fault.final:
            headers["Retry-After"] = str(RETRY_AFTER_S)
        return web.Response(
            body=self._letters.reply(None, refusal(error)),
            status=error.fault.status,
            content_type=MEDIA_TYPE,
            headers=headers,
        )


_MOST_DIGITS: Final = 15


class TrailDoor:
    """The trail, at the operator's door.

    Args:
        journal: The trail.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def routes(self) -> list[web.RouteDef]:
        """Return where it stands."""
        return [web.get(TRAIL, self.get_trail)]

    async def get_trail(self, request: web.Request) -> web.Response:
        """Answer the trail since a time, the latest first."""
        since = number_in(request, "since", 0.0)
        limit = min(int(number_in(request, "limit", 1000.0)), _MOST_ROWS)
        rows = await self._journal.entries(since=since, limit=limit)
        return json_answer(CimTrailOut(messages=[CimEntryOut.model_validate(row) for row in rows]))
