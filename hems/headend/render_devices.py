"""Devices and the tree above them as resources: pure functions from records."""

from dataclasses import dataclass

from certs.identity import sfdi
from hems.headend import hrefs
from hems.headend.paging import Page
from hems.headend.polling import Rates
from hems.headend.profiles import OFFERED, FunctionSet
from hems.headend.records import Home, SubscriptionRecord
from hems.headend.render_events import derived_mrid
from hems.sep2.resources import (
    DER,
    DERList,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignments,
    FunctionSetAssignmentsList,
    Link,
    Registration,
    ResponseSet,
    ResponseSetList,
    Subscription,
    SubscriptionList,
    Time,
)

_NTP_QUALITY = 3
"""Time quality: from an external authoritative source such as NTP."""
_XML_ENCODING = 0


def device_capability(devices: int, points: int, rates: Rates) -> DeviceCapability:
    """Write the entry point; who is not registered is shown only where to register.

    Args:
        devices: How many EndDevices are there for who asks; 0 if it is not registered.
        points: How many usage points it mirrors.
        rates: For the poll rate.
    """
    common = Link(href=hrefs.DEVICES, all=devices)
    if not devices:
        return DeviceCapability(
            href=hrefs.DCAP,
            poll_rate=rates.dcap_poll_s,
            time_link=Link(href=hrefs.TIME),
            end_device_list_link=common,
        )
    return DeviceCapability(
        href=hrefs.DCAP,
        poll_rate=rates.dcap_poll_s,
        response_set_list_link=Link(href=hrefs.RESPONSE_SETS, all=1),
        time_link=Link(href=hrefs.TIME),
        end_device_list_link=common,
        mirror_usage_point_list_link=Link(href=hrefs.POINTS, all=points),
    )


def time_resource(now: float, tz_offset_s: int, rates: Rates) -> Time:
    """Write the server's clock; daylight saving is not told, its times are those of no change."""
    return Time(
        href=hrefs.TIME,
        poll_rate=rates.time_poll_s,
        current_time=int(now),
        dst_end_time=0,
        dst_offset=0,
        dst_start_time=0,
        local_time=int(now) + tz_offset_s,
        quality=_NTP_QUALITY,
        tz_offset=tz_offset_s,
    )


@dataclass(frozen=True, slots=True)
class Counts:
    """How many items are in the lists of a home.

    Attributes:
        subscriptions: Its subscriptions.
        logs: Its LogEvents.
        requests: Its flow reservation requests.
        grants: What it was granted, as far as it is shown.
        sheds: Its entries of load that it could shed.
    """

    subscriptions: int
    logs: int
    requests: int
    grants: int
    sheds: int


def end_device(home: Home, counts: Counts, rates: Rates) -> EndDevice:
    """Write a home's EndDevice with the lengths of its lists."""
    href, offered = hrefs.device(home.id), OFFERED[home.edition]
    reserves, sheds = FunctionSet.FLOW_RESERVATION in offered, FunctionSet.DRLC in offered
    requests = Link(href=hrefs.requests(home.id), all=counts.requests) if reserves else None
    grants = Link(href=hrefs.grants(home.id), all=counts.grants) if reserves else None
    shed = Link(href=hrefs.sheds(home.id), all=counts.sheds) if sheds else None
    placed = FunctionSet.CONNECTION_POINT in offered
    return EndDevice(
        href=href,
        subscribable=0,
        der_list_link=Link(href=f"{href}/der", all=1),
        device_information_link=Link(href=f"{href}/di"),
        device_status_link=Link(href=f"{href}/ds"),
        lfdi=home.lfdi,
        load_shed_availability_list_link=shed,
        log_event_list_link=Link(href=f"{href}/lel", all=counts.logs),
        sfdi=sfdi(home.lfdi),
        changed_time=int(home.registered_at),
        enabled=True,
        flow_reservation_request_list_link=requests,
        flow_reservation_response_list_link=grants,
        function_set_assignments_list_link=Link(href=f"{href}/fsa", all=1),
        post_rate=rates.post_rate_s,
        registration_link=Link(href=f"{href}/rg"),
        subscription_list_link=Link(href=f"{href}/sub", all=counts.subscriptions),
        connection_point_link=Link(href=f"{href}/cp") if placed else None,
    )


def end_device_list(part: Page[EndDevice], rates: Rates) -> EndDeviceList:
    """Write the devices that the caller may see."""
    return EndDeviceList(
        href=hrefs.DEVICES,
        subscribable=0,
        all=part.all,
        results=len(part.items),
        poll_rate=rates.list_poll_s,
        end_device=tuple(part.items),
    )


def registration(home: Home, rates: Rates) -> Registration:
    """Write when a home was entered, and its PIN."""
    return Registration(
        href=f"{hrefs.device(home.id)}/rg",
        poll_rate=rates.list_poll_s,
        date_time_registered=int(home.registered_at),
        pin=home.pin,
    )


def assignments(
    home: Home, anchor: str, *, der: int, drlc: int, tariffs: int
) -> FunctionSetAssignments:
    """Write what is meant for a home: all programmes of its profile, on this server's time.

    Who speaks for itself has its programmes where all have theirs; who is spoken for has lists of
    its own, since the caller's would be its aggregator's.

    Args:
        home: The home.
        anchor: mRID that the assignment's own is derived from.
        der: How many der programmes there are.
        drlc: How many drlc programmes there are.
        tariffs: How many tariffs there are.
    """
    der_list, drlc_list = hrefs.DER_PROGRAMS, hrefs.DR_PROGRAMS
    if home.aggregator:
        der_list, drlc_list = hrefs.der_programs(home.id), hrefs.dr_programs(home.id)
    offered = OFFERED[home.edition]
    reduces = drlc and FunctionSet.DRLC in offered
    drlc_link = Link(href=drlc_list, all=drlc) if reduces else None
    told = FunctionSet.MESSAGING in offered
    messages = Link(href=hrefs.MESSAGE_PROGRAMS, all=1) if told else None
    charged = FunctionSet.PRICING in offered
    priced = Link(href=hrefs.TARIFFS, all=tariffs) if charged else None
    return FunctionSetAssignments(
        href=f"{hrefs.device(home.id)}/fsa/1",
        demand_response_program_list_link=drlc_link,
        der_program_list_link=Link(href=der_list, all=der) if der else None,
        messaging_program_list_link=messages,
        response_set_list_link=Link(href=hrefs.RESPONSE_SETS, all=1),
        tariff_profile_list_link=priced,
        time_link=Link(href=hrefs.TIME),
        subscribable=0,
        mrid=derived_mrid(anchor, "function set assignments"),
        description="Default",
    )


def assignments_list(
    home: Home, part: Page[FunctionSetAssignments], rates: Rates
) -> FunctionSetAssignmentsList:
    """Write the assignments of a home."""
    return FunctionSetAssignmentsList(
        href=f"{hrefs.device(home.id)}/fsa",
        subscribable=0,
        all=part.all,
        results=len(part.items),
        poll_rate=rates.list_poll_s,
        function_set_assignments=tuple(part.items),
    )


def der(home: Home) -> DER:
    """Write the one DER that a home is to the utility."""
    href = hrefs.der(home.id)
    return DER(
        href=href,
        subscribable=0,
        der_availability_link=Link(href=f"{href}/dera"),
        der_capability_link=Link(href=f"{href}/dercap"),
        der_settings_link=Link(href=f"{href}/derg"),
        der_status_link=Link(href=f"{href}/ders"),
    )


def der_list(home: Home, part: Page[DER], rates: Rates) -> DERList:
    """Write the DERs of a home."""
    return DERList(
        href=f"{hrefs.device(home.id)}/der",
        all=part.all,
        results=len(part.items),
        poll_rate=rates.list_poll_s,
        der=tuple(part.items),
    )


def subscription(home: Home, item: SubscriptionRecord) -> Subscription:
    """Write a subscription."""
    return Subscription(
        href=hrefs.subscription(home.id, item.id),
        subscribed_resource=item.resource,
        encoding=_XML_ENCODING,
        level=item.level,
        limit=item.limit,
        notification_uri=item.uri,
    )


def subscription_list(home: Home, part: Page[SubscriptionRecord], rates: Rates) -> SubscriptionList:
    """Write the subscriptions of a home."""
    return SubscriptionList(
        href=f"{hrefs.device(home.id)}/sub",
        all=part.all,
        results=len(part.items),
        poll_rate=rates.list_poll_s,
        subscription=tuple(subscription(home, item) for item in part.items),
    )


def response_set(anchor: str, responses: int) -> ResponseSet:
    """Write the one set that all responses go to; each home sees its own in it.

    Args:
        anchor: mRID that the set's own is derived from.
        responses: How many the caller has posted.
    """
    return ResponseSet(
        href=hrefs.RESPONSE_SET,
        mrid=derived_mrid(anchor, "response set"),
        description="Responses",
        response_list_link=Link(href=hrefs.RESPONSES, all=responses),
    )


def response_set_list(part: Page[ResponseSet], poll_s: int) -> ResponseSetList:
    """Write the response sets."""
    return ResponseSetList(
        href=hrefs.RESPONSE_SETS,
        all=part.all,
        results=len(part.items),
        poll_rate=poll_s,
        response_set=tuple(part.items),
    )
