"""The operator's door for messages."""

from typing import Literal

from aiohttp import web
from pydantic import BaseModel

from hems.headend.messages import ALL, Message, MessageBook, MessageOrder, Priority
from hems.headend.operator_asks import Finite, In
from hems.headend.operator_door import json_answer, read_model
from hems.headend.operator_prices import state_words
from hems.headend.operator_view import MEANINGS
from hems.headend.store import Store

_Word = Literal["low", "normal", "high", "critical"]


class MessageIn(In):
    """A message for all homes."""

    text: str
    priority: _Word = "normal"
    minutes: Finite = 60.0
    start: Finite | str | None = None
    """Epoch seconds, or an offset such as "+5m"; now if not given."""
    originator: str | None = None

    def order(self) -> MessageOrder:
        """Return it, still to be judged."""
        return MessageOrder(
            self.text,
            Priority[self.priority.upper()],
            self.minutes * 60.0,
            self.start,
            self.originator,
        )


class ReadOut(BaseModel):
    """What a home answered to a message."""

    lfdi: str
    status: int
    meaning: str
    at: int


class MessageOut(BaseModel):
    """A message, and how it stands."""

    id: str
    text: str
    priority: str
    originator: str | None
    start: int
    duration_s: int
    state: str
    responses: list[ReadOut]


class MessagesOut(BaseModel):
    """All remembered messages, by start."""

    messages: list[MessageOut]


class MessageDoor:
    """Messages.

    Args:
        book: Where they are kept.
        store: What homes answered.
    """

    def __init__(self, book: MessageBook, store: Store) -> None:
        self._book = book
        self._store = store

    def routes(self) -> list[web.RouteDef]:
        """Return where these stand."""
        return [
            web.get("/messages", self.get_messages),
            web.post("/messages", self.post_message),
            web.post("/messages/{id}/cancel", self.post_cancel),
        ]

    async def get_messages(self, _request: web.Request) -> web.Response:
        """Answer all remembered messages."""
        found = [await self._out(message) for message in self._book.messages.of(ALL)]
        return json_answer(MessagesOut(messages=found))

    async def post_message(self, request: web.Request) -> web.Response:
        """Send a message; it is durable and on its way when this answers."""
        message = await self._book.send((await read_model(request, MessageIn)).order())
        return json_answer(await self._out(message), 201)

    async def post_cancel(self, request: web.Request) -> web.Response:
        """Take a message back."""
        return json_answer(await self._out(await self._book.cancel(request.match_info["id"])))

    async def _out(self, message: Message) -> MessageOut:
        span = message.span
        return MessageOut(
            id=span.mrid,
            text=message.text,
            priority=message.priority.name.lower(),
            originator=message.originator,
            start=span.start,
            duration_s=span.duration_s,
            state=state_words(self._book.messages.state(message)),
            responses=[
                ReadOut(
                    lfdi=item.lfdi,
                    status=item.status,
                    meaning=MEANINGS.get(item.status, "unknown"),
                    at=item.created,
                )
                for item in await self._store.responses(subject=span.mrid)
            ],
        )
