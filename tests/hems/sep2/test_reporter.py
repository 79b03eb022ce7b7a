"""What a device says of itself reaches the server: each part once, again when it is news."""

import ssl
from dataclasses import replace

import pytest

from certs.pki import Pki
from hems.sep2 import resources as res
from hems.sep2.enddevice.reporter import Cadence, Reporter
from hems.sep2.enddevice.reports import DerReport, Report
from hems.sep2.rules.dialect import Dialect
from hems.sep2.transport.http import Transport
from hems.sep2.transport.troubles import Troubles
from tests.hems.sep2.kept_up import LFDI, RNG, assert_valid, running, transport_to
from tests.hems.sep2.utility import Utility

pytestmark = [pytest.mark.requirement("PRO-2030.5"), pytest.mark.requirement("ROLE-EMG")]

ALL = ("dercap", "derg", "ders", "dera")


def der(number: int) -> res.DER:
    base = f"/edev/1/der/{number}"
    return res.DER(
        href=base,
        der_capability_link=res.Link(href=f"{base}/dercap"),
        der_settings_link=res.Link(href=f"{base}/derg"),
        der_status_link=res.Link(href=f"{base}/ders"),
        der_availability_link=res.Link(href=f"{base}/dera"),
    )


def a_utility(ders: int = 1) -> Utility:
    utility = Utility(LFDI, 1)
    listed = tuple(der(i + 1) for i in range(ders))
    utility.change("/edev/1/der", der=listed, all=len(listed))
    utility.resources["/edev/1/lsl"] = res.LoadShedAvailabilityList(all=0, results=0)
    return utility


def device(**changes: object) -> res.EndDevice:
    full = res.EndDevice(
        href="/edev/1",
        lfdi=LFDI,
        sfdi=1,
        changed_time=0,
        post_rate=300,
        der_list_link=res.Link(href="/edev/1/der", all=1),
        device_information_link=res.Link(href="/edev/1/di"),
        device_status_link=res.Link(href="/edev/1/dstat"),
        power_status_link=res.Link(href="/edev/1/ps"),
        configuration_link=res.Link(href="/edev/1/cfg"),
        connection_point_link=res.Link(href="/edev/1/cp"),
        load_shed_availability_list_link=res.Link(href="/edev/1/lsl", all=0),
    )
    return replace(full, **changes)  # type: ignore[arg-type]


def der_report(kind: int = 83, watts: float = 5000.0, state: int = 2, soc: int = 0) -> DerReport:
    return DerReport(
        capability=res.DERCapability(
            modes_supported=1,
            rtg_max_w=res.ActivePower.of(watts),
            type=kind,
            doe_modes_supported=15,
        ),
        settings=res.DERSettings(
            set_grad_w=0,
            set_max_w=res.ActivePower.of(watts),
            updated_time=10,
            doe_modes_enabled=15,
        ),
        status=res.DERStatus(
            reading_time=10,
            operational_mode_status=res.OperationalModeStatusType(date_time=10, value=state),
            state_of_charge_status=res.StateOfChargeStatusType(date_time=10, value=soc),
        ),
        availability=res.DERAvailability(reading_time=10, stat_w_avail=res.ActivePower.of(soc)),
    )


def whole(**changes: object) -> Report:
    report = Report(
        der=der_report(),
        information=res.DeviceInformation(
            lfdi=LFDI,
            mf_date=0,
            mf_hw_ver="1",
            mf_id=0,
            mf_model="Hub",
            mf_ser_num="1",
            primary_power=1,
            secondary_power=0,
            sw_act_time=0,
            sw_ver="1",
        ),
        status=res.DeviceStatus(changed_time=10, op_state=2),
        power=res.PowerStatus(battery_status=4, changed_time=10, current_power_source=1),
        load_shed=(res.LoadShedAvailability(sheddable_power=res.ActivePower.of(900)),),
        configuration=res.Configuration(current_locale="en", user_device_name="Home"),
        connection_point=res.ConnectionPoint(connection_point_id="NMI1"),
    )
    return replace(report, **changes)  # type: ignore[arg-type]


def a_reporter(transport: Transport, post_s: float = 300.0, check_s: float = 900.0) -> Reporter:
    return Reporter(
        transport,
        RNG,
        Troubles(),
        cadence=Cadence(least_s=0.0, post_s=post_s, check_s=check_s),
    )


def puts(utility: Utility) -> list[str]:
    return [path for method, path, _ in utility.got if method == "PUT"]


EVERY = {
    *(f"/edev/1/der/1/{name}" for name in ALL),
    *(f"/edev/1/{name}" for name in ("di", "dstat", "ps", "cfg", "cp")),
}


async def test_each_part_goes_where_its_link_leads_once(context: ssl.SSLContext, pki: Pki) -> None:
    utility = a_utility()
    async with transport_to(utility, context, pki) as transport:
        reporter = a_reporter(transport)
        reporter.use(device())
        reporter.publish(whole())
        wait_s = await reporter.put()
        assert sorted(puts(utility)) == sorted(EVERY)
        (shed,) = utility.posted("/edev/1/lsl")
        assert shed.sheddable_power.watts == 900
        assert wait_s is not None
        assert 290 < wait_s <= 300
        before = len(utility.asked)
        await reporter.put()
        assert len(utility.asked) == before, "nothing is news"
    assert_valid(utility, Dialect.CSIP_AUS)


async def test_nothing_goes_to_links_that_are_missing(context: ssl.SSLContext, pki: Pki) -> None:
    utility = a_utility()
    bare = res.EndDevice(href="/edev/1", sfdi=1, changed_time=0)
    async with transport_to(utility, context, pki) as transport:
        reporter = a_reporter(transport)
        reporter.use(bare)
        reporter.publish(whole())
        assert await reporter.put() is None
        assert utility.asked == []


async def test_one_refusal_stops_no_other_part(context: ssl.SSLContext, pki: Pki) -> None:
    utility = a_utility()
    utility.faults["PUT /edev/1/di"] = [405] * 9
    utility.faults["PUT /edev/1/der/1/dercap"] = [405] * 9
    async with transport_to(utility, context, pki) as transport:
        reporter = a_reporter(transport)
        reporter.use(device())
        reporter.publish(whole())
        await reporter.put()
        assert set(puts(utility)) == EVERY - {"/edev/1/di", "/edev/1/der/1/dercap"}


async def test_a_state_that_changes_is_told_at_once_and_amounts_at_the_post_rate(
    context: ssl.SSLContext, pki: Pki
) -> None:
    utility = a_utility()
    async with transport_to(utility, context, pki) as transport:
        reporter = a_reporter(transport)
        reporter.use(device())
        reporter.publish(whole())
        await reporter.put()
        utility.got.clear()
        reporter.publish(whole(der=der_report(soc=100)))
        await reporter.put()
        assert puts(utility) == [], "it drifts"
        reporter.publish(whole(der=der_report(soc=101, state=1)))
        await reporter.put()
        assert puts(utility) == ["/edev/1/der/1/ders"]
        reporter.publish(whole(der=der_report(watts=4000, soc=101, state=1)))
        await reporter.put()
        assert puts(utility)[1:] == ["/edev/1/der/1/dercap", "/edev/1/der/1/derg"]


async def test_status_is_told_again_at_the_servers_post_rate(
    context: ssl.SSLContext, pki: Pki
) -> None:
    utility = a_utility()
    async with transport_to(utility, context, pki) as transport:
        reporter = a_reporter(transport)
        reporter.use(device(post_rate=1))
        reporter.publish(whole())
        async with running(reporter.run()):
            await utility.until(lambda: puts(utility).count("/edev/1/der/1/ders") == 3)
    assert puts(utility).count("/edev/1/der/1/dera") >= 2
    assert puts(utility).count("/edev/1/der/1/dercap") == 1
    assert puts(utility).count("/edev/1/cp") == 1


async def test_what_a_server_lost_is_put_again(context: ssl.SSLContext, pki: Pki) -> None:
    utility = a_utility()
    async with transport_to(utility, context, pki) as transport:
        reporter = a_reporter(transport, check_s=0.05)
        reporter.use(device())
        reporter.publish(whole())
        async with running(reporter.run()):
            await utility.until(lambda: set(puts(utility)) == EVERY)
            del utility.resources["/edev/1/der/1/dercap"]
            utility.resources["/edev/1/der/1/derg"] = res.DERSettings(
                set_grad_w=0, set_max_w=res.ActivePower.of(1), updated_time=0
            )
            await utility.until(
                lambda: (
                    puts(utility).count("/edev/1/der/1/dercap") == 2
                    and puts(utility).count("/edev/1/der/1/derg") == 2
                )
            )
    assert puts(utility).count("/edev/1/cp") == 1, "it was still there"


async def test_a_der_that_moved_is_found_again(context: ssl.SSLContext, pki: Pki) -> None:
    utility = a_utility()
    async with transport_to(utility, context, pki) as transport:
        reporter = a_reporter(transport)
        reporter.use(device())
        reporter.publish(whole())
        await reporter.put()
        utility.change("/edev/1/der", der=(der(7),))
        utility.faults["PUT /edev/1/der/1/ders"] = [404]
        reporter.publish(whole(der=der_report(state=1)))
        await reporter.put()
        await reporter.put()
    assert {f"/edev/1/der/7/{name}" for name in ALL} <= set(puts(utility))


async def test_a_device_the_server_dropped_and_took_back_is_told_all_again(
    context: ssl.SSLContext, pki: Pki
) -> None:
    utility = a_utility()
    async with transport_to(utility, context, pki) as transport:
        reporter = a_reporter(transport)
        reporter.publish(whole())
        for found in (device(), None, device()):
            reporter.use(found)
            await reporter.put()
    assert puts(utility).count("/edev/1/cp") == 2
    assert puts(utility).count("/edev/1/der/1/dercap") == 2


async def test_the_servers_own_configuration_stands(context: ssl.SSLContext, pki: Pki) -> None:
    utility = a_utility()
    utility.resources["/edev/1/cfg"] = res.Configuration(
        current_locale="de", user_device_name="Haus"
    )
    async with transport_to(utility, context, pki) as transport:
        reporter = a_reporter(transport)
        reporter.use(device())
        reporter.publish(whole())
        await reporter.put()
    assert "/edev/1/cfg" not in puts(utility)


async def test_a_shed_entry_that_is_there_is_put_and_not_posted(
    context: ssl.SSLContext, pki: Pki
) -> None:
    utility = a_utility()
    entry = res.LoadShedAvailability(href="/edev/1/lsl/4")
    utility.resources["/edev/1/lsl"] = res.LoadShedAvailabilityList(
        all=1, results=1, load_shed_availability=(entry,)
    )
    async with transport_to(utility, context, pki) as transport:
        reporter = a_reporter(transport)
        reporter.use(device())
        reporter.publish(whole())
        await reporter.put()
    assert "/edev/1/lsl/4" in puts(utility)
    assert not utility.posted("/edev/1/lsl")


async def test_load_that_is_told_by_programme_is_no_longer_told_for_all(
    context: ssl.SSLContext, pki: Pki
) -> None:
    """A home knows its programmes only after its first report: nothing may count twice then."""
    utility = a_utility()
    (first,) = whole().load_shed
    async with transport_to(utility, context, pki) as transport:
        reporter = a_reporter(transport)
        reporter.use(device())
        reporter.publish(whole())
        await reporter.put()
        utility.resources["/edev/1/lsl"] = res.LoadShedAvailabilityList(
            all=1,
            results=1,
            load_shed_availability=(replace(first, href="/edev/1/lsl/0"),),
        )
        named = replace(first, demand_response_program_link=res.Link(href="/drp/1"))
        reporter.publish(replace(whole(), load_shed=(named,)))
        await reporter.put()
    assert [e.demand_response_program_link for e in utility.posted("/edev/1/lsl")] == [
        None,
        res.Link(href="/drp/1"),
    ]
    (withdrawn,) = (
        entry for method, path, entry in utility.got if (method, path) == ("PUT", "/edev/1/lsl/0")
    )
    assert isinstance(withdrawn, res.LoadShedAvailability)
    assert withdrawn.sheddable_power is not None
    assert (withdrawn.sheddable_power.watts, withdrawn.sheddable_percent) == (0, 0)


@pytest.mark.parametrize(
    ("shown", "watts"),
    [
        ((None, None), (1.0, 2.0)),
        ((4, 80), (2.0, 1.0)),
        ((None, 80), (2.0, 1.0)),
        ((77, 80), (2.0, 1.0)),
        ((80, 4), (1.0, 2.0)),
    ],
)
async def test_several_der_are_told_apart_by_what_they_are_then_by_order(
    context: ssl.SSLContext,
    pki: Pki,
    shown: tuple[int | None, int | None],
    watts: tuple[float, float],
) -> None:
    utility = a_utility(ders=2)
    for number, kind in enumerate(shown, 1):
        if kind is not None:
            utility.resources[f"/edev/1/der/{number}/dercap"] = res.DERCapability(
                modes_supported=0, rtg_max_w=res.ActivePower.of(9), type=kind
            )
    ours = (der_report(kind=80, watts=1.0), der_report(kind=4, watts=2.0))
    async with transport_to(utility, context, pki) as transport:
        reporter = a_reporter(transport)
        reporter.use(device())
        reporter.publish(whole(ders=ours))
        await reporter.put()
    told = {p: r for m, p, r in utility.got if m == "PUT" and isinstance(r, res.DERCapability)}
    assert [told[f"/edev/1/der/{i}/dercap"].rtg_max_w.watts for i in (1, 2)] == list(watts)


async def test_an_empty_der_list_costs_the_other_parts_nothing(
    context: ssl.SSLContext, pki: Pki, caplog: pytest.LogCaptureFixture
) -> None:
    utility = a_utility(ders=0)
    async with transport_to(utility, context, pki) as transport:
        reporter = a_reporter(transport)
        reporter.use(device())
        reporter.publish(whole())
        await reporter.put()
        await reporter.put()
    assert "/edev/1/di" in puts(utility)
    assert caplog.text.count("no DER for this device") == 1
