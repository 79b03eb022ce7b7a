"""Base types that resources share: addresses, lists, identity, events (common objects)."""

from typing import Annotated

from hems.sep2.resources.wire import (
    Attribute,
    Bits8,
    Hex128,
    Int16,
    Int64,
    Record,
    String32,
    String192,
    UInt8,
    UInt16,
    UInt32,
    Uri,
    record,
)

__all__ = [
    "DateTimeInterval",
    "Error",
    "Event",
    "EventStatus",
    "IdentifiedObject",
    "Link",
    "List",
    "RandomizableEvent",
    "Resource",
    "RespondableIdentifiedObject",
    "RespondableResource",
    "RespondableSubscribableIdentifiedObject",
    "SubscribableIdentifiedObject",
    "SubscribableList",
    "SubscribableResource",
]


@record
class Link(Record):
    """Where another resource is; `all` counts the items if that is a list."""

    href: Annotated[Uri, Attribute("href")]
    all: Annotated[UInt32 | None, Attribute("all")] = None


@record
class Resource(Record):
    """An addressable thing; `href` is its address on the server that gave it."""

    href: Annotated[Uri | None, Attribute("href")] = None


@record
class SubscribableResource(Resource):
    """A resource; `subscribable` is 0 no, 1 plain, 2 conditional, 3 both."""

    subscribable: Annotated[UInt8 | None, Attribute("subscribable")] = None


@record
class List(Resource):
    """A page of a list: `all` items exist, `results` of them are here."""

    all: Annotated[UInt32, Attribute("all")]
    results: Annotated[UInt32, Attribute("results")]


@record
class SubscribableList(SubscribableResource):
    """A page of a list that may be subscribed to."""

    all: Annotated[UInt32, Attribute("all")]
    results: Annotated[UInt32, Attribute("results")]


@record
class IdentifiedObject(Resource):
    """A resource with an identity; `mrid` is at most 32 upper-case hex digits."""

    mrid: Annotated[Hex128, "mRID"]
    description: Annotated[String32 | None, "description"] = None
    version: Annotated[UInt16 | None, "version"] = None


@record
class SubscribableIdentifiedObject(SubscribableResource):
    """An identified resource that may be subscribed to."""

    mrid: Annotated[Hex128, "mRID"]
    description: Annotated[String32 | None, "description"] = None
    version: Annotated[UInt16 | None, "version"] = None


@record
class RespondableResource(Resource):
    """A resource that may want answers.

    `response_required` is a bitmap: 0 received, 1 specific (started, completed ...), 2 the
    customer's choice. Answers are posted to `reply_to`.
    """

    reply_to: Annotated[Uri | None, Attribute("replyTo")] = None
    response_required: Annotated[Bits8 | None, Attribute("responseRequired")] = None


@record
class RespondableIdentifiedObject(RespondableResource):
    """An identified resource that may want answers."""

    mrid: Annotated[Hex128, "mRID"]
    description: Annotated[String32 | None, "description"] = None
    version: Annotated[UInt16 | None, "version"] = None


@record
class RespondableSubscribableIdentifiedObject(RespondableResource):
    """An identified resource that may want answers and be subscribed to."""

    subscribable: Annotated[UInt8 | None, Attribute("subscribable")] = None
    mrid: Annotated[Hex128, "mRID"]
    description: Annotated[String32 | None, "description"] = None
    version: Annotated[UInt16 | None, "version"] = None


@record
class DateTimeInterval(Record):
    """A span of server time: `start` in UTC epoch seconds, `duration` in seconds."""

    duration: Annotated[UInt32, "duration"]
    start: Annotated[Int64, "start"]


@record
class EventStatus(Record):
    """Where an event stands on the server.

    `current_status`: 0 scheduled, 1 active, 2 cancelled, 3 cancelled with randomisation,
    4 superseded, 5 completed (2023). Times are UTC epoch seconds.
    """

    current_status: Annotated[UInt8, "currentStatus"]
    date_time: Annotated[Int64, "dateTime"]
    potentially_superseded: Annotated[bool, "potentiallySuperseded"]
    potentially_superseded_time: Annotated[Int64 | None, "potentiallySupersededTime"] = None
    reason: Annotated[String192 | None, "reason"] = None


@record
class Event(RespondableSubscribableIdentifiedObject):
    """Something that happens in `interval`; of equal primacy the later `creation_time` wins."""

    creation_time: Annotated[Int64, "creationTime"]
    event_status: Annotated[EventStatus, "EventStatus"]
    interval: Annotated[DateTimeInterval, "interval"]


@record
class RandomizableEvent(Event):
    """An event whose start and duration (s, -3600 to 3600) are drawn by each device."""

    randomize_duration: Annotated[Int16 | None, "randomizeDuration"] = None
    randomize_start: Annotated[Int16 | None, "randomizeStart"] = None


@record
class Error(Record):
    """Why a request failed, in the body of a 4xx or 5xx answer."""

    max_retry_duration: Annotated[UInt16 | None, "maxRetryDuration"] = None
    reason_code: Annotated[UInt16, "reasonCode"]
