"""Flow reservations, load that could be shed, messages: doors, wire and what outlives a restart."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hems.clock import SystemClock
from hems.headend.errors import DispatchError, UnknownItemError
from hems.headend.flow_book import FlowBook
from hems.headend.flows import FlowRequest, Grant, GrantOrder
from hems.headend.operator_homes import self_report
from hems.headend.records import Edition
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.headend.shelf import Shelf
from hems.headend.spans import Calendar
from hems.headend.store import Store
from hems.sep2.resources import (
    ActivePower,
    DateTimeInterval,
    DERAvailability,
    DERCapability,
    DERSettings,
    EndDevice,
    FlowReservationRequest,
    FlowReservationRequestList,
    FlowReservationResponse,
    FlowReservationResponseList,
    FlowReservationResponseResponse,
    FunctionSetAssignments,
    Link,
    LoadShedAvailability,
    LoadShedAvailabilityList,
    MessagingProgramList,
    RequestStatus,
    SignedRealEnergy,
    TextMessage,
    TextMessageList,
)
from hems.sep2.xml import serialize
from tests.hems.headend.conftest import WHOLE, Home, MakeHome, Operator

pytestmark = pytest.mark.requirement("PRO-2030.5", "BUC-8", "BUC-9")
NOW = int(time.time())


def request(
    letter: str = "A", *, power_w: float = -2000, energy_wh: float = -4000, status: int = 0
) -> FlowReservationRequest:
    return FlowReservationRequest(
        mrid=letter * 32,
        description="battery",
        creation_time=NOW,
        energy_requested=SignedRealEnergy.of(energy_wh),
        interval_requested=DateTimeInterval(start=NOW, duration=7200),
        power_requested=ActivePower.of(power_w),
        request_status=RequestStatus(date_time=NOW, request_status=status),
    )


@pytest.mark.parametrize("edition", WHOLE)
async def test_a_request_is_posted_listed_and_granted_by_links(
    make_home: MakeHome, operator: Operator, edition: Edition
) -> None:
    home = make_home("home-a")
    await operator.enter(home, edition)
    device = await home.get("/edev/1", EndDevice)
    asked = device.flow_reservation_request_list_link
    granted = device.flow_reservation_response_list_link
    assert asked is not None
    assert granted is not None
    assert (asked.all, granted.all) == (0, 0)
    first = await home.ask("POST", asked.href, request("A"))
    assert first.status == 201
    again = await home.ask("POST", asked.href, request("A"))
    assert (again.status, again.location) == (204, first.location)
    assert (await home.ask("POST", asked.href, request("B"))).status == 201
    back = await home.get(first.location, FlowReservationRequest)
    assert (back.mrid, back.power_requested.watts) == ("A" * 32, -2000)
    listed = await home.get(f"{asked.href}?l=9", FlowReservationRequestList)
    assert [r.mrid[0] for r in listed.flow_reservation_request] == ["B", "A"]

    _, whole = await operator.ask("POST", f"/reservations/{'A' * 32}/grant")
    assert [(g["power_w"], g["energy_wh"], g["state"]) for g in whole["grants"]] == [
        (-2000.0, -4000.0, "active")
    ]
    later = {"start": NOW + 3600, "minutes": 30, "energy_wh": -500}
    await operator.ask("POST", f"/reservations/{'A' * 32}/grant", later)
    shown = await home.get(f"{granted.href}?l=9", FlowReservationResponseList)
    states = [g.event_status.current_status for g in shown.flow_reservation_response]
    assert states == [2, 0], "what is granted for the same time takes the other's place"
    grant = shown.flow_reservation_response[1]
    assert (grant.subject, grant.energy_available.watt_hours) == ("A" * 32, -500)
    assert grant.href is not None
    assert await home.get(grant.href, FlowReservationResponse) == grant

    answer = FlowReservationResponseResponse(
        created_date_time=NOW, end_device_lfdi=home.lfdi, status=1, subject=grant.mrid
    )
    assert grant.reply_to is not None
    assert (await home.ask("POST", grant.reply_to, answer)).status == 201
    _, found = await operator.ask("GET", f"/reservations/{'A' * 32}")
    assert [[r["meaning"] for r in g["responses"]] for g in found["grants"]] == [[], ["received"]]

    status, found = await operator.ask("POST", f"/reservations/{grant.mrid}/cancel")
    assert (status, found["state"]) == (200, "open")
    assert (await operator.ask("POST", f"/reservations/{grant.mrid}/cancel"))[0] == 409
    assert (await operator.ask("POST", f"/reservations/{'A' * 32}/cancel"))[0] == 404


async def test_a_request_that_is_taken_back_meanwhile_is_not_granted(tmp_path: Path) -> None:
    store, clock = await Store.open(tmp_path / "headend.db"), SystemClock()
    calendar = Calendar(Shelf(store, "grant", Grant), clock, "grant")
    book = FlowBook(Shelf(store, "request", FlowRequest), calendar, clock, 0)
    first, _ = await book.post("AB" * 20, request())
    await book.post("AB" * 20, request(status=1))
    with pytest.raises(DispatchError, match="taken"):
        await book.grant(first, GrantOrder())
    await book.remove(first)
    with pytest.raises(UnknownItemError, match="no more"):
        await book.grant(first, GrantOrder())
    await store.close()


async def test_what_is_meant_for_one_home_goes_to_no_other_of_the_same_mrid(
    home: Home, other: Home, operator: Operator
) -> None:
    await home.ask("POST", "/edev/1/frq", request(power_w=-2000))
    status, found = await operator.ask("POST", f"/reservations/{'A' * 32}/grant")
    assert status == 201
    await other.ask("POST", "/edev/2/frq", request(power_w=-9000))
    status, refused = await operator.ask("POST", f"/reservations/{'A' * 32}/grant")
    assert (status, "the same mRID" in refused["error"]) == (409, True)
    place = f"/reservations/{found['grants'][0]['id']}/cancel"
    status, cancelled = await operator.ask("POST", place)
    assert (status, cancelled["lfdi"], cancelled["power_w"]) == (200, home.lfdi, -2000)


def test_load_of_a_programme_that_is_no_more_is_told_of_no_other() -> None:
    body = serialize(LoadShedAvailability(sheddable_power=ActivePower.of(800)))
    told = self_report({"lsa0": body, "lsa7": body}, {})
    assert [shed.program for shed in told.load_shed] == [None]


async def test_what_a_home_takes_back_is_not_granted_any_more(
    home: Home, operator: Operator
) -> None:
    place = (await home.ask("POST", "/edev/1/frq", request())).location
    await operator.ask("POST", f"/reservations/{'A' * 32}/grant")
    assert (await home.ask("PUT", place, request("B", status=1))).status == 403
    assert (await home.ask("PUT", place, request(status=1))).status == 204
    _, found = await operator.ask("GET", f"/reservations/{'A' * 32}")
    assert (found["state"], found["grants"][0]["state"]) == ("taken back", "cancelled")
    status, refused = await operator.ask("POST", f"/reservations/{'A' * 32}/grant")
    assert status == 422
    assert "taken" in refused["error"]
    assert (await home.ask("DELETE", place)).status == 204
    assert (await home.ask("GET", place)).status == 404
    assert (await operator.ask("GET", "/reservations"))[1] == {"reservations": []}


async def test_homes_see_their_own_only(home: Home, other: Home, operator: Operator) -> None:
    await home.ask("POST", "/edev/1/frq", request())
    await operator.ask("POST", f"/reservations/{'A' * 32}/grant")
    for path in ("/edev/1/frq", "/edev/1/frq/1", "/edev/1/frp", "/edev/1/lsl"):
        assert (await other.ask("GET", path)).status == 403
    assert (await other.ask("POST", "/edev/1/frq", request("C"))).status == 403
    assert (await other.get("/edev/2/frp", FlowReservationResponseList)).all == 0
    (grant,) = (
        await home.get("/edev/1/frp", FlowReservationResponseList)
    ).flow_reservation_response
    answer = FlowReservationResponseResponse(
        created_date_time=NOW, end_device_lfdi=other.lfdi, status=1, subject=grant.mrid
    )
    assert (await other.ask("POST", "/rsps/1/r", answer)).status == 400


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"power_w": -3000}, "not within what was asked"),
        ({"power_w": 500}, "not within what was asked"),
        ({"energy_wh": -5000}, "not within what was asked"),
        ({"minutes": 0}, "duration"),
        ({"minutes": 600}, "the home asks for"),
        ({"start": 1}, "the home asks for"),
        ({"start": NOW + 9000}, "over before it began"),
        ({"start": NOW - 60, "minutes": 90}, "the home asks for"),
        ({"power": 5}, "power"),
        ({"power_w": "NaN"}, "power_w"),
    ],
)
async def test_more_than_was_asked_is_refused_unless_raw(
    home: Home, operator: Operator, wish: Mapping[str, Any], said: str
) -> None:
    await home.ask("POST", "/edev/1/frq", request())
    path = f"/reservations/{'A' * 32}/grant"
    status, answer = await operator.ask("POST", path, wish)
    assert status == 422
    assert said in answer["error"]
    assert (await operator.ask("GET", f"/reservations/{'A' * 32}"))[1]["grants"] == []
    status, _ = await operator.ask("POST", path, {"power_w": 99999, "raw": True})
    assert status == 201
    assert (await operator.ask("POST", "/reservations/00/grant"))[0] == 404


@pytest.mark.parametrize("edition", WHOLE)
async def test_what_a_home_could_do_reaches_the_operator(
    make_home: MakeHome, operator: Operator, edition: Edition
) -> None:
    home = make_home("home-a")
    await operator.enter(home, edition)
    sheds = (await home.get("/edev/1", EndDevice)).load_shed_availability_list_link
    assert sheds is not None
    watts = ActivePower.of
    whole = LoadShedAvailability(sheddable_percent=2550, sheddable_power=watts(1200))
    made = await home.ask("POST", sheds.href, whole)
    assert made.status == 201
    one = LoadShedAvailability(
        availability_duration=900,
        demand_response_program_link=Link(href="/drp/2"),
        sheddable_power=watts(800),
    )
    assert (await home.ask("POST", sheds.href, one)).status == 201
    again = await home.ask("POST", sheds.href, one)
    assert again.status == 204
    less = LoadShedAvailability(sheddable_percent=1000, sheddable_power=watts(500))
    assert (await home.ask("PUT", made.location, less)).status == 204
    assert (await home.ask("PUT", made.location, one)).status == 400
    lost = LoadShedAvailability(demand_response_program_link=Link(href="/drp/9"))
    assert (await home.ask("POST", sheds.href, lost)).status == 400
    listed = await home.get(f"{sheds.href}?l=9", LoadShedAvailabilityList)
    assert [e.sheddable_power for e in listed.load_shed_availability] == [watts(500), watts(800)]

    bits = 1 << 23
    capability = DERCapability(
        modes_supported=bits, rtg_max_w=watts(5000), rtg_max_charge_rate_w=watts(4000), type=83
    )
    settings = DERSettings(set_grad_w=28, set_max_w=watts(4500), updated_time=NOW)
    ready = DERAvailability(
        reading_time=NOW, availability_duration=3600, reserve_percent=2000, stat_w_avail=watts(3000)
    )
    for kind, record in (("dercap", capability), ("derg", settings), ("dera", ready)):
        assert (await home.ask("PUT", f"/edev/1/der/1/{kind}", record)).status == 204
    _, answer = await operator.ask("GET", f"/homes/{home.lfdi}")
    assert answer["load_shed"] == [
        {"program": None, "power_w": 500.0, "percent": 10.0, "duration_s": None},
        {"program": "Grid Emergency", "power_w": 800.0, "percent": None, "duration_s": 900},
    ]
    assert answer["der_capability"]["modes"] == "00800000"
    assert answer["der_capability"]["max_charge_w"] == 4000.0
    assert (answer["der_settings"]["max_w"], answer["der_settings"]["grad_w"]) == (4500.0, 0.28)
    assert answer["der_availability"]["give_w"] == 3000.0
    assert answer["der_availability"]["reserve_percent"] == 20.0
    assert answer["der_status"] is None


@pytest.mark.parametrize("edition", WHOLE)
async def test_a_message_is_reached_by_links(
    make_home: MakeHome, operator: Operator, edition: Edition
) -> None:
    home = make_home("home-a")
    await operator.enter(home, edition)
    functions = await home.get("/edev/1/fsa/1", FunctionSetAssignments)
    assert functions.messaging_program_list_link is not None
    programs = await home.get(functions.messaging_program_list_link.href, MessagingProgramList)
    (program,) = programs.messaging_program
    assert program.locale == "en"
    assert program.text_message_list_link is not None
    assert (await home.get(program.text_message_list_link.href, TextMessageList)).all == 0
    wish = {"text": "Grüße\nvom Netz", "priority": "critical", "minutes": 30, "start": "+5m"}
    status, sent = await operator.ask("POST", "/messages", wish)
    assert (status, sent["state"]) == (201, "scheduled")
    (message,) = (
        await home.get(f"{program.text_message_list_link.href}?l=9", TextMessageList)
    ).text_message
    assert (message.text_message, message.priority) == ("Grüße\nvom Netz", 3)
    assert message.href is not None
    assert await home.get(message.href, TextMessage) == message
    assert (await operator.ask("POST", f"/messages/{sent['id']}/cancel"))[0] == 200
    assert (await operator.ask("POST", f"/messages/{sent['id']}/cancel"))[0] == 409
    assert (await home.get(message.href, TextMessage)).event_status.current_status == 2


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"text": " "}, "says nothing"),
        ({"text": "x" * 1001}, "1000 octets"),
        ({"text": "a\x00b"}, "the character NUL"),
        ({"text": "a\x01b"}, "cannot be shown"),
        ({"text": "a", "originator": "x" * 21}, "originator"),
        ({"text": "a", "priority": "urgent"}, "priority"),
        ({"text": "a", "minutes": 0}, "duration"),
        ({"text": "a", "start": "soon"}, "start"),
        ({}, "text"),
    ],
)
async def test_messages_that_cannot_be_shown_are_refused(
    operator: Operator, wish: Mapping[str, Any], said: str
) -> None:
    status, answer = await operator.ask("POST", "/messages", wish)
    assert status == 422
    assert said in answer["error"]
    assert (await operator.ask("GET", "/messages"))[1] == {"messages": []}


async def test_a_restart_loses_no_reservation_and_no_message(
    settings: HeadEndSettings, home: Home, head_end: HeadEnd, operator: Operator
) -> None:
    await home.ask("POST", "/edev/1/frq", request())
    await operator.ask("POST", f"/reservations/{'A' * 32}/grant", {"energy_wh": -1000})
    await operator.ask("POST", "/messages", {"text": "hello"})
    before = [(await operator.ask("GET", path))[1] for path in ("/reservations", "/messages")]
    await head_end.__aexit__(None, None, None)
    async with HeadEnd(settings) as second:
        again = Operator(second)
        after = [(await again.ask("GET", path))[1] for path in ("/reservations", "/messages")]
        assert after == before
        assert after[0]["reservations"][0]["grants"][0]["energy_wh"] == -1000
        await again.aclose()
