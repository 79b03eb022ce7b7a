"""Who is there and what is offered to whom: device capability, end devices, assignments, time."""

from typing import Annotated

from hems.sep2.resources.base import Link, Resource, SubscribableList, SubscribableResource
from hems.sep2.resources.wire import (
    Attribute,
    Bits32,
    Extension,
    Hex128,
    Hex160,
    Int32,
    Int64,
    String32,
    UInt8,
    UInt16,
    UInt32,
    UInt48,
    record,
)

__all__ = [
    "AbstractDevice",
    "DeviceCapability",
    "EndDevice",
    "EndDeviceList",
    "ExternalDevice",
    "FunctionSetAssignments",
    "FunctionSetAssignmentsBase",
    "FunctionSetAssignmentsList",
    "Registration",
    "SelfDevice",
    "Time",
]


@record
class FunctionSetAssignmentsBase(Resource):
    """Links to the function sets that a server offers."""

    customer_account_list_link: Annotated[Link | None, "CustomerAccountListLink"] = None
    demand_response_program_list_link: Annotated[Link | None, "DemandResponseProgramListLink"] = (
        None
    )
    der_program_list_link: Annotated[Link | None, "DERProgramListLink"] = None
    file_list_link: Annotated[Link | None, "FileListLink"] = None
    messaging_program_list_link: Annotated[Link | None, "MessagingProgramListLink"] = None
    prepayment_list_link: Annotated[Link | None, "PrepaymentListLink"] = None
    response_set_list_link: Annotated[Link | None, "ResponseSetListLink"] = None
    tariff_profile_list_link: Annotated[Link | None, "TariffProfileListLink"] = None
    time_link: Annotated[Link | None, "TimeLink"] = None
    usage_point_list_link: Annotated[Link | None, "UsagePointListLink"] = None


@record
class DeviceCapability(FunctionSetAssignmentsBase):
    """The entry point: links to all else. `poll_rate` in s, 900 if not given."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    end_device_list_link: Annotated[Link | None, "EndDeviceListLink"] = None
    mirror_usage_point_list_link: Annotated[Link | None, "MirrorUsagePointListLink"] = None
    self_device_link: Annotated[Link | None, "SelfDeviceLink"] = None


@record
class FunctionSetAssignments(FunctionSetAssignmentsBase):
    """The function sets meant for one device, with the time they run on."""

    subscribable: Annotated[UInt8 | None, Attribute("subscribable")] = None
    mrid: Annotated[Hex128, "mRID"]
    description: Annotated[String32 | None, "description"] = None
    version: Annotated[UInt16 | None, "version"] = None


@record
class FunctionSetAssignmentsList(SubscribableList):
    """The assignments of one device."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    function_set_assignments: Annotated[
        tuple[FunctionSetAssignments, ...], "FunctionSetAssignments"
    ] = ()


@record
class AbstractDevice(SubscribableResource):
    """What every device has: identity (LFDI, SFDI), category bitmap and links to its parts."""

    aggregated_device_list_link: Annotated[Link | None, "AggregatedDeviceListLink"] = None
    aggregation_priority_link: Annotated[Link | None, "AggregationPriorityLink"] = None
    configuration_link: Annotated[Link | None, "ConfigurationLink"] = None
    der_list_link: Annotated[Link | None, "DERListLink"] = None
    device_category: Annotated[Bits32 | None, "deviceCategory"] = None
    device_information_link: Annotated[Link | None, "DeviceInformationLink"] = None
    device_status_link: Annotated[Link | None, "DeviceStatusLink"] = None
    distribution: Annotated[UInt8 | None, "distribution"] = None
    file_status_link: Annotated[Link | None, "FileStatusLink"] = None
    ip_interface_list_link: Annotated[Link | None, "IPInterfaceListLink"] = None
    lfdi: Annotated[Hex160 | None, "lFDI"] = None
    load_shed_availability_list_link: Annotated[Link | None, "LoadShedAvailabilityListLink"] = None
    log_event_list_link: Annotated[Link | None, "LogEventListLink"] = None
    phase: Annotated[UInt8 | None, "phase"] = None
    power_status_link: Annotated[Link | None, "PowerStatusLink"] = None
    sfdi: Annotated[UInt48, "sFDI"]


@record
class SelfDevice(AbstractDevice):
    """The server as a device."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    proxied_device_list_link: Annotated[Link | None, "ProxiedDeviceListLink"] = None


@record
class ExternalDevice(AbstractDevice):
    """A device other than the server; `changed_time` UTC epoch s, `post_rate` s."""

    changed_time: Annotated[Int64, "changedTime"]
    enabled: Annotated[bool | None, "enabled"] = None
    flow_reservation_request_list_link: Annotated[Link | None, "FlowReservationRequestListLink"] = (
        None
    )
    flow_reservation_response_list_link: Annotated[
        Link | None, "FlowReservationResponseListLink"
    ] = None
    function_set_assignments_list_link: Annotated[Link | None, "FunctionSetAssignmentsListLink"] = (
        None
    )
    post_rate: Annotated[UInt32 | None, "postRate"] = None
    registration_link: Annotated[Link | None, "RegistrationLink"] = None


@record
class EndDevice(ExternalDevice):
    """A client as the server knows it; CSIP-AUS links its connection point."""

    proxied_device_list_link: Annotated[Link | None, "ProxiedDeviceListLink"] = None
    subscription_list_link: Annotated[Link | None, "SubscriptionListLink"] = None
    connection_point_link: Annotated[Link | None, Extension("ConnectionPointLink")] = None


@record
class EndDeviceList(SubscribableList):
    """The end devices that this client may see."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    end_device: Annotated[tuple[EndDevice, ...], "EndDevice"] = ()


@record
class Registration(Resource):
    """When the device was registered, and the PIN that proves it is the right server."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    date_time_registered: Annotated[Int64, "dateTimeRegistered"]
    pin: Annotated[UInt32, "pIN"]


@record
class Time(Resource):
    """The server's clock: UTC epoch seconds, offsets in s; `quality` 3 (NTP) to 7 (unsynced)."""

    poll_rate: Annotated[UInt32 | None, Attribute("pollRate")] = None
    current_time: Annotated[Int64, "currentTime"]
    dst_end_time: Annotated[Int64, "dstEndTime"]
    dst_offset: Annotated[Int32, "dstOffset"]
    dst_start_time: Annotated[Int64, "dstStartTime"]
    local_time: Annotated[Int64 | None, "localTime"] = None
    quality: Annotated[UInt8, "quality"]
    tz_offset: Annotated[Int32, "tzOffset"]
