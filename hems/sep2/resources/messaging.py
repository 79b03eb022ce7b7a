"""Messages of a utility, for the home's people to read."""

from typing import Annotated

from hems.sep2.resources.base import Event, Link, SubscribableIdentifiedObject, SubscribableList
from hems.sep2.resources.wire import Attribute, String, String20, String42, UInt8, UInt32, record

__all__ = ["MessagingProgram", "MessagingProgramList", "TextMessage", "TextMessageList"]


@record
class MessagingProgram(SubscribableIdentifiedObject):
    """A source of messages in one language; the lower `primacy` goes first."""

    active_text_message_list_link: Annotated[Link | None, "ActiveTextMessageListLink"] = None
    locale: Annotated[String42, "locale"]
    primacy: Annotated[UInt8, "primacy"]
    text_message_list_link: Annotated[Link | None, "TextMessageListLink"] = None


@record
class MessagingProgramList(SubscribableList):
    """The messaging programmes meant for a device; `poll_rate` in s."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    messaging_program: Annotated[tuple[MessagingProgram, ...], "MessagingProgram"] = ()


@record
class TextMessage(Event):
    """A message to be shown in its interval; `priority` 0 low, 1 normal, 2 high, 3 critical."""

    originator: Annotated[String20 | None, "originator"] = None
    priority: Annotated[UInt8, "priority"]
    text_message: Annotated[String, "textMessage"]


@record
class TextMessageList(SubscribableList):
    """The messages of a programme."""

    text_message: Annotated[tuple[TextMessage, ...], "TextMessage"] = ()
