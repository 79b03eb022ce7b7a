"""Flow reservations: a device asks for energy by a time and is told when it may draw it."""

from typing import Annotated

from hems.sep2.resources.base import (
    DateTimeInterval,
    Event,
    IdentifiedObject,
    List,
    SubscribableList,
)
from hems.sep2.resources.quantities import ActivePower, SignedRealEnergy
from hems.sep2.resources.wire import Attribute, Hex128, Int64, Record, UInt8, UInt16, UInt32, record

__all__ = [
    "FlowReservationRequest",
    "FlowReservationRequestList",
    "FlowReservationResponse",
    "FlowReservationResponseList",
    "RequestStatus",
]


@record
class RequestStatus(Record):
    """Whether a reservation is requested (0) or cancelled (1), and since when (epoch seconds)."""

    date_time: Annotated[Int64, "dateTime"]
    request_status: Annotated[UInt8, "requestStatus"]


@record
class FlowReservationRequest(IdentifiedObject):
    """Energy wanted within an interval, at a power, taking at least `duration_requested` seconds.

    Charging is positive here and discharging negative, unlike in the DER function set.
    """

    creation_time: Annotated[Int64, "creationTime"]
    duration_requested: Annotated[UInt16 | None, "durationRequested"] = None
    energy_requested: Annotated[SignedRealEnergy, "energyRequested"]
    interval_requested: Annotated[DateTimeInterval, "intervalRequested"]
    power_requested: Annotated[ActivePower, "powerRequested"]
    request_status: Annotated[RequestStatus, "RequestStatus"]


@record
class FlowReservationRequestList(List):
    """The reservations that a device asked for; `poll_rate` in s."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    flow_reservation_request: Annotated[
        tuple[FlowReservationRequest, ...], "FlowReservationRequest"
    ] = ()


@record
class FlowReservationResponse(Event):
    """Energy and power granted in an interval; charging is positive, discharging negative.

    `subject` is the mRID of the request that it answers.
    """

    energy_available: Annotated[SignedRealEnergy, "energyAvailable"]
    power_available: Annotated[ActivePower, "powerAvailable"]
    subject: Annotated[Hex128, "subject"]


@record
class FlowReservationResponseList(SubscribableList):
    """The reservations granted to a device; `poll_rate` in s."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    flow_reservation_response: Annotated[
        tuple[FlowReservationResponse, ...], "FlowReservationResponse"
    ] = ()
