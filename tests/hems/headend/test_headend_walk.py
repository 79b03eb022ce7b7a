"""The tree as a home walks it, over mutual TLS, each answer valid against the schemas."""

import pytest

from hems.headend.records import Edition
from hems.sep2.resources import (
    DefaultDERControl,
    DemandResponseProgramList,
    DERControlList,
    DERList,
    DERProgramList,
    DERStatus,
    DeviceCapability,
    EndDevice,
    EndDeviceControlList,
    EndDeviceList,
    FunctionSetAssignmentsList,
    Link,
    LogEventList,
    MirrorUsagePointList,
    Registration,
    ResponseSetList,
    StateOfChargeStatusType,
    SubscriptionList,
    Time,
)
from tests.hems.headend.conftest import PIN, WHOLE, Home, MakeHome, Operator

pytestmark = pytest.mark.requirement("PRO-2030.5")


def href(link: Link | None) -> str:
    assert link is not None
    return link.href


@pytest.mark.parametrize("edition", WHOLE)
async def test_all_is_reached_by_links(
    make_home: MakeHome, operator: Operator, edition: Edition
) -> None:
    home = make_home("home-a")
    await operator.enter(home, edition)
    await operator.event(limit_import_w=1500, minutes=10, program="Peak Saver")
    await operator.event(limit_export_w=1e6, minutes=10, start="+1h", randomize_start_s=60)
    await operator.event(shed_w=2000, minutes=10, program="Grid Emergency")

    capability = await home.get("/dcap", DeviceCapability)
    assert capability.poll_rate == 60
    time = await home.get(href(capability.time_link), Time)
    assert time.quality == 3
    devices = await home.get(href(capability.end_device_list_link) + "?l=10", EndDeviceList)
    (device,) = devices.end_device
    assert (device.lfdi, device.sfdi) == (home.lfdi, home.sfdi)
    registration = await home.get(href(device.registration_link), Registration)
    assert registration.pin == int(PIN)
    assigned = await home.get(
        href(device.function_set_assignments_list_link), FunctionSetAssignmentsList
    )
    (functions,) = assigned.function_set_assignments

    programs = await home.get(href(functions.der_program_list_link) + "?l=5", DERProgramList)
    (program,) = programs.der_program
    assert (program.description, program.primacy) == ("Peak Saver", 10)
    await home.get(href(program.default_der_control_link), DefaultDERControl)
    controls = await home.get(href(program.der_control_list_link) + "?l=5", DERControlList)
    assert controls.all == (0 if edition is Edition.Y2018 else 2)

    loads = await home.get(
        href(functions.demand_response_program_list_link) + "?l=5", DemandResponseProgramList
    )
    assert [p.description for p in loads.demand_response_program] == [
        "Grid Emergency",
        "Energy Support",
    ]
    first = loads.demand_response_program[0]
    sheds = await home.get(href(first.end_device_control_list_link), EndDeviceControlList)
    (shed,) = sheds.end_device_control
    assert shed.dr_program_mandatory
    assert shed.reply_to is not None
    assert shed.response_required == 7
    assert shed.target_reduction is not None
    assert (shed.target_reduction.type, shed.target_reduction.value) == (2, 2000)

    await home.get(href(functions.response_set_list_link), ResponseSetList)
    await home.get(href(capability.mirror_usage_point_list_link), MirrorUsagePointList)
    await home.get(href(device.subscription_list_link), SubscriptionList)
    await home.get(href(device.der_list_link), DERList)
    await home.get(href(device.log_event_list_link), LogEventList)


async def test_each_edition_gets_its_own_words(home: Home, other: Home, operator: Operator) -> None:
    await operator.event(limit_import_w=1500.5, limit_export_w=40000, minutes=10)
    aus = (await home.get("/derp/1/derc", DERControlList)).der_control[0]
    new = (await other.get("/derp/1/derc", DERControlList)).der_control[0]

    base = aus.der_control_base
    assert base.op_mod_imp_lim_w is not None
    assert base.op_mod_imp_lim_w.watts == 1500.5
    assert base.op_mod_exp_lim_w is not None
    assert base.op_mod_exp_lim_w.watts == 40000
    assert base.op_mod_max_lim_w_absorb is None
    assert not aus.event_status.potentially_superseded

    base = new.der_control_base
    assert base.op_mod_max_lim_w_absorb is not None
    assert base.op_mod_max_lim_w_absorb.watts == 1500.5
    assert base.op_mod_max_lim_w_inject is not None
    assert base.op_mod_max_lim_w_inject.watts == 40000
    assert base.op_mod_imp_lim_w is None
    assert new.event_status.potentially_superseded
    assert new.mrid == aus.mrid


async def test_a_home_says_what_it_is_and_is_told_so(home: Home, operator: Operator) -> None:
    device = (await home.get("/edev", EndDeviceList)).end_device[0]
    ders = await home.get(href(device.der_list_link), DERList)
    path = href(ders.der[0].der_status_link)
    assert (await home.ask("GET", path)).status == 404

    status = DERStatus(
        reading_time=1_800_000_000,
        state_of_charge_status=StateOfChargeStatusType(date_time=1_800_000_000, value=4250),
    )
    assert (await home.ask("PUT", path, status)).status == 204
    back = await home.get(path, DERStatus)
    assert back.href == path
    assert back.state_of_charge_status == status.state_of_charge_status

    _, answer = await operator.ask("GET", "/homes")
    (seen,) = answer["homes"]
    assert seen["der_status"]["soc"] == 0.425
    assert seen["last_contact"] is not None
    assert seen["pin"] == PIN


async def test_a_stranger_sees_where_to_register_and_nothing_else(stranger: Home) -> None:
    capability = await stranger.get("/dcap", DeviceCapability)
    assert capability.mirror_usage_point_list_link is None
    assert (await stranger.get("/edev?l=9", EndDeviceList)).all == 0
    device = EndDevice(lfdi=stranger.lfdi, sfdi=stranger.sfdi, changed_time=0)
    answer = await stranger.ask("POST", "/edev", device)
    assert answer.status == 403
    assert stranger.lfdi in answer.text
    for path in ("/derp", "/derp/1/derc", "/mup", "/rsps/1/r", "/edev/1"):
        assert (await stranger.ask("GET", path)).status == 403


async def test_an_entered_home_may_register_itself_again(home: Home) -> None:
    device = EndDevice(lfdi=home.lfdi, sfdi=home.sfdi, changed_time=0)
    answer = await home.ask("POST", "/edev", device)
    assert answer.status == 201
    assert (await home.get(answer.location, EndDevice)).lfdi == home.lfdi
    forged = EndDevice(lfdi="0" * 40, sfdi=home.sfdi, changed_time=0)
    assert (await home.ask("POST", "/edev", forged)).status == 403
    wrong = EndDevice(lfdi=home.lfdi, sfdi=home.sfdi + 10, changed_time=0)
    assert (await home.ask("POST", "/edev", wrong)).status == 400
