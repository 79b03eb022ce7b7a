"""Subscriptions and the notifications they bring."""

from typing import Annotated

from hems.sep2.resources.base import List, Resource
from hems.sep2.resources.wire import (
    Attribute,
    Int48,
    Int64,
    Record,
    String16,
    UInt8,
    UInt32,
    Uri,
    record,
)

__all__ = [
    "Condition",
    "Notification",
    "NotificationList",
    "Subscription",
    "SubscriptionBase",
    "SubscriptionList",
]


@record
class Condition(Record):
    """Thresholds at which a conditional subscription notifies."""

    attribute_identifier: Annotated[UInt8, "attributeIdentifier"]
    lower_threshold: Annotated[Int48, "lowerThreshold"]
    upper_threshold: Annotated[Int48, "upperThreshold"]


@record
class SubscriptionBase(Resource):
    """What subscriptions and notifications share: the resource they are about."""

    subscribed_resource: Annotated[Uri, "subscribedResource"]


@record
class Subscription(SubscriptionBase):
    """A wish to be told of changes at `notification_uri`; `encoding` 0 is XML, 1 EXI."""

    condition: Annotated[Condition | None, "Condition"] = None
    encoding: Annotated[UInt8, "encoding"]
    level: Annotated[String16, "level"]
    limit: Annotated[UInt32, "limit"]
    notification_uri: Annotated[Uri, "notificationURI"]


@record
class SubscriptionList(List):
    """The subscriptions of a device."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    subscription: Annotated[tuple[Subscription, ...], "Subscription"] = ()


@record
class Notification(SubscriptionBase):
    """A change of a subscribed resource.

    `status`: 0 an ordinary change; 1 to 4 the subscription ended (cancelled, moved, redefined,
    deleted). `resource` is the changed resource itself, if the server sent it along; its class
    is the one that xsi:type names.
    """

    created_date_time: Annotated[Int64 | None, "createdDateTime"] = None
    new_resource_uri: Annotated[Uri | None, "newResourceURI"] = None
    resource: Annotated[Resource | None, "Resource"] = None
    status: Annotated[UInt8, "status"]
    subscription_uri: Annotated[Uri, "subscriptionURI"]


@record
class NotificationList(List):
    """Notifications that wait for a client."""

    notification: Annotated[tuple[Notification, ...], "Notification"] = ()
