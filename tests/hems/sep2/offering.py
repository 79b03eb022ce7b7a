"""What a scripted utility offers beyond controls: messages, prices, flow reservations."""

from dataclasses import replace
from typing import Any

from hems.sep2 import resources as res
from tests.hems.sep2.utility import Utility

FSA = "/edev/1/fsa"


def assign(utility: Utility, **links: Any) -> None:
    """Add links to the home's assignments."""
    listed = utility.resources[FSA]
    assert isinstance(listed, res.FunctionSetAssignmentsList)
    (assigned,) = listed.function_set_assignments
    utility.change(FSA, function_set_assignments=(replace(assigned, **links),))


def offer_messages(utility: Utility, *messages: res.TextMessage) -> None:
    assign(utility, messaging_program_list_link=res.Link(href="/msg", all=1))
    program = res.MessagingProgram(
        href="/msg/1",
        mrid="B1",
        description="News",
        locale="en",
        primacy=1,
        text_message_list_link=res.Link(href="/msg/1/txt", all=len(messages)),
    )
    utility.resources["/msg"] = res.MessagingProgramList(
        href="/msg", all=1, results=1, poll_rate=1, messaging_program=(program,)
    )
    utility.resources["/msg/1/txt"] = res.TextMessageList(
        href="/msg/1/txt", all=len(messages), results=len(messages), text_message=messages
    )


def offer_prices(utility: Utility, *intervals: res.TimeTariffInterval) -> None:
    """Offer a tariff in AUD, prices in hundredths of a cent per kWh."""
    assign(utility, tariff_profile_list_link=res.Link(href="/tp", all=1))
    utility.resources["/tp"] = res.TariffProfileList(
        href="/tp",
        all=1,
        results=1,
        poll_rate=1,
        tariff_profile=(
            res.TariffProfile(
                href="/tp/1",
                mrid="C1",
                description="Time of use",
                currency=36,
                price_power_of_ten_multiplier=-4,
                primacy=1,
                service_category_kind=0,
                rate_component_list_link=res.Link(href="/tp/1/rc", all=1),
            ),
        ),
    )
    utility.resources["/tp/1/rc"] = res.RateComponentList(
        href="/tp/1/rc",
        all=2,
        results=2,
        rate_component=tuple(
            res.RateComponent(
                href=f"/tp/1/rc/{n}",
                mrid=f"D{n}",
                reading_type_link=res.Link(href=f"/rt/{n}"),
                role_flags=2,
                time_tariff_interval_list_link=res.Link(href=f"/tp/1/rc/{n}/tti", all=1),
            )
            for n in (1, 2)
        ),
    )
    utility.resources["/rt/1"] = res.ReadingType(
        href="/rt/1", commodity=1, flow_direction=1, power_of_ten_multiplier=3, uom=72
    )
    utility.resources["/tp/1/rc/1/tti"] = res.TimeTariffIntervalList(
        href="/tp/1/rc/1/tti",
        all=len(intervals),
        results=len(intervals),
        time_tariff_interval=intervals,
    )


def set_price(utility: Utility, mrid: str, price: int) -> None:
    href = f"/tp/cti/{mrid}"
    utility.resources[href] = res.ConsumptionTariffIntervalList(
        href=href,
        all=1,
        results=1,
        consumption_tariff_interval=(
            res.ConsumptionTariffInterval(
                href=href + "/1", consumption_block=1, price=price, start_value=0
            ),
        ),
    )


def offer_flow(utility: Utility) -> None:
    listed = utility.resources["/edev"]
    assert isinstance(listed, res.EndDeviceList)
    (device,) = listed.end_device
    device = replace(
        device,
        flow_reservation_request_list_link=res.Link(href="/edev/1/frq", all=0),
        flow_reservation_response_list_link=res.Link(href="/edev/1/frp", all=0),
    )
    utility.change("/edev", end_device=(device,))
    utility.resources["/edev/1/frq"] = res.FlowReservationRequestList(
        href="/edev/1/frq", all=0, results=0, poll_rate=1
    )
    utility.resources["/edev/1/frp"] = res.FlowReservationResponseList(
        href="/edev/1/frp", all=0, results=0, poll_rate=1
    )
