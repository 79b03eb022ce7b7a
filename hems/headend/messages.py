"""Messages for the people of the homes: judged, kept, written as resources."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from hems.clock import Clock
from hems.headend import hrefs
from hems.headend.dispatch import MAX_DURATION_S, make_mrid, start_of
from hems.headend.errors import DispatchError
from hems.headend.modes import Edition
from hems.headend.paging import Page
from hems.headend.render_events import derived_mrid, event_status
from hems.headend.spans import Calendar, Span
from hems.headend.status import EventState
from hems.sep2.resources import (
    DateTimeInterval,
    Link,
    MessagingProgram,
    MessagingProgramList,
    TextMessage,
    TextMessageList,
)

MAX_OCTETS = 1000
"""Of a message; a home shows it on a small page."""

ALL = "all"
"""Key of the one list of messages."""

PROGRAM_NAME = "Messages"
_ORIGINATOR_OCTETS = 20
_PRIMACY = 10
_SUBSCRIBABLE = 1
_RESPONSES_WANTED = 0b111


class Priority(IntEnum):
    """How urgent a message is."""

    LOW = 0
    NORMAL = 1
    HIGH = 2
    CRITICAL = 3


@dataclass(frozen=True, slots=True)
class Message:
    """A message.

    Attributes:
        span: When it is to be shown.
        text: What it says.
        priority: How urgent it is.
        originator: Who signs it; None for nobody.
    """

    span: Span
    text: str
    priority: Priority
    originator: str | None

    @property
    def owner(self) -> str:
        """Key of its list."""
        return ALL


@dataclass(frozen=True, slots=True)
class MessageOrder:
    """A message as an operator gives it, before it is judged.

    Attributes:
        text: What it says.
        priority: How urgent it is.
        duration_s: How long it is to be shown.
        start: Epoch seconds, an offset such as "+5m", or None for now.
        originator: Who signs it.
    """

    text: str
    priority: Priority = Priority.NORMAL
    duration_s: float = 3600.0
    start: float | str | None = None
    originator: str | None = None


ShownMessage = tuple[Message, EventState]


class MessageBook:
    """Messages for all homes.

    Args:
        messages: Where they are kept.
        clock: The utility's time.
        pen: Private enterprise number for the mRIDs made here.

    Attributes:
        on_change: Called with the mRID of a message that has just changed.
    """

    def __init__(self, messages: Calendar[Message], clock: Clock, pen: int) -> None:
        self.messages = messages
        self._clock = clock
        self._pen = pen
        self.on_change: Callable[[str], None] = _nobody
        messages.on_change = self._tell

    async def send(self, order: MessageOrder) -> Message:
        """Send a message.

        Raises:
            DispatchError: It makes no sense.
            BusyError: The database cannot take it; nothing was sent.
        """
        now = self._clock.now()
        message = make_message(order, now, make_mrid(now, self._pen))
        await self.messages.keep(message)
        return message

    async def cancel(self, mrid: str) -> Message:
        """Take a message back.

        Raises:
            UnknownItemError: There is none of this mRID.
            ConflictError: It is over, or cancelled already.
            BusyError: The database cannot do it; nothing changed.
        """
        async with self.messages.changing():
            message = self.messages.get(mrid)
            self.messages.check_open(message)
            ended = replace(message, span=message.span.cancelled(self._clock.now()))
            await self.messages.keep(ended)
        return ended

    def _tell(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self.on_change(message.span.mrid)


def make_message(order: MessageOrder, now: float, mrid: str) -> Message:
    """Judge a message.

    Args:
        order: The message.
        now: Epoch s.
        mrid: Its mRID.

    Raises:
        DispatchError: It makes no sense; the message says why.
    """
    if not order.text.strip():
        raise DispatchError("the message says nothing")
    if len(order.text.encode()) > MAX_OCTETS:
        raise DispatchError(f"the message is longer than {MAX_OCTETS} octets")
    if not all(char.isprintable() or char == "\n" for char in order.text):
        raise DispatchError("the message holds characters that cannot be shown")
    signed = order.originator
    if signed is not None and not (
        signed.isprintable() and 0 < len(signed.encode()) <= _ORIGINATOR_OCTETS
    ):
        raise DispatchError(f"originator {signed[:40]!r} is not 1 to {_ORIGINATOR_OCTETS} octets")
    if not 1 <= order.duration_s <= MAX_DURATION_S:
        raise DispatchError(f"a duration of {order.duration_s} s is outside 1 s to 7 days")
    start = start_of(order.start, now)
    span = Span(mrid, start, round(order.duration_s), now)
    return Message(span, order.text, order.priority, signed)


def message_program(anchor: str, locale: str, messages: int) -> MessagingProgram:
    """Write the one messaging programme.

    Args:
        anchor: mRID that the programme's own is derived from.
        locale: Language tag of what is written.
        messages: How many it shows.
    """
    return MessagingProgram(
        href=hrefs.MESSAGE_PROGRAM,
        subscribable=0,
        mrid=derived_mrid(anchor, "messages"),
        description=PROGRAM_NAME,
        locale=locale,
        primacy=_PRIMACY,
        text_message_list_link=Link(href=hrefs.MESSAGES, all=messages),
    )


def program_list(part: Page[MessagingProgram], poll_s: int) -> MessagingProgramList:
    """Write the messaging programmes."""
    return MessagingProgramList(
        href=hrefs.MESSAGE_PROGRAMS,
        subscribable=0,
        all=part.all,
        results=len(part.items),
        poll_rate=poll_s,
        messaging_program=tuple(part.items),
    )


def text_message(message: Message, state: EventState, edition: Edition) -> TextMessage:
    """Write a message."""
    span = message.span
    return TextMessage(
        href=f"{hrefs.MESSAGES}/{span.mrid}",
        reply_to=hrefs.RESPONSES,
        response_required=_RESPONSES_WANTED,
        subscribable=0,
        mrid=span.mrid,
        creation_time=span.created,
        event_status=event_status(state, edition),
        interval=DateTimeInterval(duration=span.duration_s, start=span.start),
        originator=message.originator,
        priority=int(message.priority),
        text_message=message.text,
    )


def message_list(part: Page[ShownMessage], edition: Edition) -> TextMessageList:
    """Write a part of the messages."""
    items: Sequence[ShownMessage] = part.items
    return TextMessageList(
        href=hrefs.MESSAGES,
        subscribable=_SUBSCRIBABLE,
        all=part.all,
        results=len(items),
        text_message=tuple(text_message(m, s, edition) for m, s in items),
    )


def _nobody(_mrid: str) -> None:
    """Stand in until someone listens."""
