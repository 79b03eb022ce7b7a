"""Responses of a device to events, and the sets they are posted to."""

from typing import Annotated

from hems.sep2.resources.base import IdentifiedObject, Link, List, Resource
from hems.sep2.resources.drlc import (
    ApplianceLoadReduction,
    AppliedTargetReduction,
    DutyCycle,
    Offset,
    SetPoint,
)
from hems.sep2.resources.wire import (
    Attribute,
    Bits32,
    Hex128,
    Hex160,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    record,
)

__all__ = [
    "DERControlResponse",
    "DefaultDERControlResponse",
    "DrResponse",
    "FlowReservationResponseResponse",
    "PriceResponse",
    "Response",
    "ResponseList",
    "ResponseSet",
    "ResponseSetList",
    "TextResponse",
]


@record
class Response(Resource):
    """A device's answer to an event; `subject` is the event's mRID, `status` the code."""

    created_date_time: Annotated[Int64 | None, "createdDateTime"] = None
    end_device_lfdi: Annotated[Hex160, "endDeviceLFDI"]
    status: Annotated[UInt8 | None, "status"] = None
    subject: Annotated[Hex128, "subject"]


@record
class DERControlResponse(Response):
    """An answer to a DERControl; the bitmaps (2023) say for which modes."""

    modes_responded: Annotated[Bits32 | None, "modesResponded"] = None
    modes_responded2: Annotated[Bits32 | None, "modesResponded2"] = None


@record
class DefaultDERControlResponse(Response):
    """An answer to a DefaultDERControl (2023); bitmaps of its settings and modes."""

    defaults_responded: Annotated[Bits32, "defaultsResponded"]
    modes_responded: Annotated[Bits32, "modesResponded"]
    modes_responded2: Annotated[Bits32, "modesResponded2"]


@record
class DrResponse(Response):
    """An answer to an EndDeviceControl, with what was applied."""

    appliance_load_reduction: Annotated[ApplianceLoadReduction | None, "ApplianceLoadReduction"] = (
        None
    )
    applied_target_reduction: Annotated[AppliedTargetReduction | None, "AppliedTargetReduction"] = (
        None
    )
    duty_cycle: Annotated[DutyCycle | None, "DutyCycle"] = None
    offset: Annotated[Offset | None, "Offset"] = None
    override_duration: Annotated[UInt16 | None, "overrideDuration"] = None
    set_point: Annotated[SetPoint | None, "SetPoint"] = None


@record
class TextResponse(Response):
    """An answer to a TextMessage."""


@record
class PriceResponse(Response):
    """An answer to a TimeTariffInterval."""


@record
class FlowReservationResponseResponse(Response):
    """An answer to a FlowReservationResponse."""


@record
class ResponseList(List):
    """The responses of a set; each of the class that its xsi:type names."""

    response: Annotated[tuple[Response, ...], "Response"] = ()


@record
class ResponseSet(IdentifiedObject):
    """A collection to which responses are posted."""

    response_list_link: Annotated[Link | None, "ResponseListLink"] = None


@record
class ResponseSetList(List):
    """The response sets of a server."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    response_set: Annotated[tuple[ResponseSet, ...], "ResponseSet"] = ()
