"""How a message wants to be answered: the seven exchange patterns, told by the header (pure)."""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from hems.headend.cim.envelope import Header, Kind, Verb
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.nouns import Noun


class Pattern(StrEnum):
    """The seven."""

    REQUEST = "request/response"
    """An order, done and answered at once."""
    PUBLISH = "publish/subscribe"
    """Ours only: what happened, to all who want to know."""
    SEND = "send/receive"
    """Acknowledged at once, done then, answered to an address."""
    QUERY = "query/response"
    """A question."""
    CHANGE = "create/update/delete"
    """An object is made, changed or deleted, and that is confirmed."""
    EVENT = "event/action"
    """Somebody tells what has happened, and we act upon it."""
    FORGET = "fire/forget"
    """An order whose sender does not wait."""


class Answer(Enum):
    """When a message is answered."""

    NOW = auto()
    LATER = auto()
    """To its reply address; now it is acknowledged only."""
    NEVER = auto()


@dataclass(frozen=True, slots=True)
class Manner:
    """How a message is dealt with."""

    pattern: Pattern
    answer: Answer


def manner_of(kind: Kind, header: Header, *, answers: bool = True) -> Manner:
    """Return how a message is dealt with.

    Args:
        kind: Its root element.
        header: Its header.
        answers: Whether the carrier can bring an answer back at once.

    Raises:
        CimError: It wants an answer, and there is no way for it.
    """
    later = header.async_reply is True or (not answers and header.reply_address is not None)
    if later:
        if header.reply_address is None:
            raise CimError(Fault.HEADER, "an asynchronous reply needs a ReplyAddress", "Header")
        if header.ack_required is False and header.async_reply is True:
            reason = "AsyncReplyFlag wants a reply, and AckRequired says that none is wanted"
            raise CimError(Fault.RELATION, reason, "Header")
    if kind is Kind.EVENT:
        wanted = header.ack_required is True
        now = Answer.NOW if answers else Answer.NEVER
        return Manner(Pattern.EVENT, Answer.LATER if later else now if wanted else Answer.NEVER)
    if later:
        return Manner(Pattern.SEND, Answer.LATER)
    if header.verb is Verb.GET:
        if not answers:
            reason = "a question needs a ReplyAddress on this way"
            raise CimError(Fault.HEADER, reason, "Header/ReplyAddress")
        return Manner(Pattern.QUERY, Answer.NOW)
    if header.ack_required is False or not answers:
        return Manner(Pattern.FORGET, Answer.NEVER)
    pattern = Pattern.CHANGE if header.noun == Noun.GROUPS else Pattern.REQUEST
    return Manner(pattern, Answer.NOW)
