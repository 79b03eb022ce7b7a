"""The envelope of a message (IEC 61968-100): header, request, reply; the payload is kept apart."""

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Annotated, Final

from hems.headend.cim.binding import At, Place
from hems.headend.cim.scalars import Instant

REVISION: Final = "2.0"
"""Of the envelope that is spoken here."""


class Verb(StrEnum):
    """What is to be done, or was done, with what the noun names."""

    CREATE = "create"
    CHANGE = "change"
    CANCEL = "cancel"
    CLOSE = "close"
    DELETE = "delete"
    EXECUTE = "execute"
    GET = "get"
    REPLY = "reply"
    CREATED = "created"
    CHANGED = "changed"
    CANCELED = "canceled"
    CLOSED = "closed"
    DELETED = "deleted"
    EXECUTED = "executed"


DONE: Final = {
    Verb.CREATED: Verb.CREATE,
    Verb.CHANGED: Verb.CHANGE,
    Verb.CANCELED: Verb.CANCEL,
    Verb.CLOSED: Verb.CLOSE,
    Verb.DELETED: Verb.DELETE,
    Verb.EXECUTED: Verb.EXECUTE,
}
"""Verbs that tell what has happened, and those that ask for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayDetection:
    """What one sender adds against replays; the message id and the time do that here."""

    nonce: Annotated[str, At("Nonce")]
    created: Annotated[float, Instant(), At("Created")]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """For whom a message is sent."""

    user_id: Annotated[str, At("UserID")]
    organization: Annotated[str | None, At("Organization")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """A header field of somebody's own."""

    name: Annotated[str, At("Name")]
    value: Annotated[str | None, At("Value")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a message is about, from whom, and how it wants to be answered."""

    verb: Annotated[Verb, At("Verb")]
    noun: Annotated[str, At("Noun")]
    revision: Annotated[str | None, At("Revision")] = None
    replay_detection: Annotated[ReplayDetection | None, At("ReplayDetection")] = None
    context: Annotated[str | None, At("Context")] = None
    timestamp: Annotated[float | None, Instant(), At("Timestamp")] = None
    source: Annotated[str | None, At("Source")] = None
    async_reply: Annotated[bool | None, At("AsyncReplyFlag")] = None
    reply_address: Annotated[str | None, At("ReplyAddress")] = None
    ack_required: Annotated[bool | None, At("AckRequired")] = None
    user: Annotated[User | None, At("User")] = None
    message_id: Annotated[str | None, At("MessageID")] = None
    correlation_id: Annotated[str | None, At("CorrelationID")] = None
    comment: Annotated[str | None, At("Comment")] = None
    properties: Annotated[tuple[Property, ...], At("Property")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """An object by its id; `kind` says which id of it (mRID where nothing is said)."""

    value: Annotated[str, At(place=Place.TEXT)]
    id_type: Annotated[str | None, At("idType", Place.ATTRIBUTE)] = None
    id_authority: Annotated[str | None, At("idAuthority", Place.ATTRIBUTE)] = None
    kind: Annotated[str | None, At("kind", Place.ATTRIBUTE)] = None
    object_type: Annotated[str | None, At("objectType", Place.ATTRIBUTE)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A further qualifier of a request."""

    name: Annotated[str, At("name")]
    value: Annotated[str | None, At("value")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a request is narrowed by: epoch s, qualifiers, ids."""

    start: Annotated[float | None, Instant(), At("StartTime")] = None
    end: Annotated[float | None, Instant(), At("EndTime")] = None
    options: Annotated[tuple[Option, ...], At("Option")] = ()
    ids: Annotated[tuple[Identity, ...], At("ID")] = ()


class Result(StrEnum):
    """What came of a request."""

    OK = "OK"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"


class Level(StrEnum):
    """How bad a problem is."""

    INFORM = "INFORM"
    WARNING = "WARNING"
    FATAL = "FATAL"
    CATASTROPHIC = "CATASTROPHIC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One entry of a reply: a code, and in one sentence why."""

    code: Annotated[str, At("code")]
    level: Annotated[Level | None, At("level")] = None
    reason: Annotated[str | None, At("reason")] = None
    details: Annotated[str | None, At("details")] = None
    xpath: Annotated[str | None, At("xpath")] = None
    ids: Annotated[tuple[Identity, ...], At("ID")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of a request; ids are those of what was made."""

    result: Annotated[Result, At("Result")]
    problems: Annotated[tuple[Problem, ...], At("Error")] = ()
    ids: Annotated[tuple[Identity, ...], At("ID")] = ()


class Kind(Enum):
    """Root element of a message."""

    REQUEST = "RequestMessage"
    RESPONSE = "ResponseMessage"
    EVENT = "EventMessage"
    FAULT = "FaultMessage"


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message.

    Attributes:
        kind: Its root element.
        header: None in a fault only.
        request: What it is narrowed by.
        reply: What came of it.
        payload: One of the records of `hems.headend.cim.nouns`.
        query: Such a record that stands in the request part.
    """

    kind: Kind
    header: Header | None = None
    request: Request | None = None
    reply: Reply | None = field(default=None)
    payload: object | None = None
    query: object | None = None
