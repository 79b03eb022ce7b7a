"""Bills, configuration, files and the log, from the server's links to what the home has of them."""

import ssl
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from hems.sep2 import resources as res
from hems.sep2.client import Client
from hems.sep2.enddevice.billing import Agreement, BilledReading
from hems.sep2.enddevice.configuration import PriceResponse
from hems.sep2.enddevice.download import Store
from hems.sep2.enddevice.files import Target
from hems.sep2.enddevice.loader import FileWish, Loaded
from hems.sep2.enddevice.logevents import DER, Happening
from hems.sep2.enddevice.services import Services
from tests.hems.sep2.client_home import Home
from tests.hems.sep2.utility import Utility, serving

pytestmark = [pytest.mark.requirement("PRO-2030.5")]

DAY = 86400
AUD = 36


def link(href: str) -> res.Link:
    return res.Link(href=href)


def put(utility: Utility, path: str, listed: type[res.Record], name: str, *items: object) -> None:
    fields = {name: items, "all": len(items), "results": len(items)}
    utility.resources[path] = listed(href=path, **fields)


def add_bills(utility: Utility) -> None:
    (assigned,) = utility.resources["/edev/1/fsa"].function_set_assignments  # type: ignore[attr-defined]
    changed = replace(assigned, customer_account_list_link=link("/bill"))
    utility.change("/edev/1/fsa", function_set_assignments=(changed,))
    account = res.CustomerAccount(
        mrid="C1",
        currency=AUD,
        price_power_of_ten_multiplier=-2,
        customer_agreement_list_link=link("/bill/ca"),
    )
    put(utility, "/bill", res.CustomerAccountList, "customer_account", account)
    utility.change("/bill", poll_rate=1)
    agreement = res.CustomerAgreement(
        mrid="CA01",
        description="Electricity",
        service_location="1 Sunny Street",
        billing_period_list_link=link("/bill/bp"),
        historical_reading_list_link=link("/bill/hr"),
        projection_reading_list_link=link("/bill/gone"),
    )
    put(utility, "/bill/ca", res.CustomerAgreementList, "customer_agreement", agreement)
    periods = [
        res.BillingPeriod(
            bill_to_date=cents,
            bill_last_period=None,
            interval=res.DateTimeInterval(start=month * 30 * DAY, duration=30 * DAY),
            status_time_stamp=5,
        )
        for month, cents in ((1, 1234), (0, -50))
    ]
    put(utility, "/bill/bp", res.BillingPeriodList, "billing_period", *periods)
    series = res.HistoricalReading(
        mrid="A1",
        description="Used",
        reading_type_link=link("/bill/rt"),
        billing_reading_set_list_link=link("/bill/brs"),
    )
    put(utility, "/bill/hr", res.HistoricalReadingList, "historical_reading", series)
    utility.resources["/bill/rt"] = res.ReadingType(uom=72, power_of_ten_multiplier=3)
    span = res.DateTimeInterval(start=0, duration=DAY)
    of_day = res.BillingReadingSet(
        mrid="A2", time_period=span, billing_reading_list_link=link("/bill/br")
    )
    put(utility, "/bill/brs", res.BillingReadingSetList, "billing_reading_set", of_day)
    reading = res.BillingReading(
        value=12, charge=(res.Charge(description="Peak", value=345), res.Charge(value=5))
    )
    put(utility, "/bill/br", res.BillingReadingList, "billing_reading", reading)


def services(client: Client) -> Services:
    return client.members[0].services


async def test_the_bill_is_read_with_what_it_is_made_of(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    add_bills(utility)
    async with serving(utility, context), home.client(utility.base + "/dcap") as client:
        await utility.until(lambda: services(client).billing.agreements)
        (agreement,) = services(client).billing.agreements
        assert isinstance(agreement, Agreement)
        assert (agreement.name, agreement.place) == ("Electricity", "1 Sunny Street")
        assert agreement.currency == AUD
        assert [p.cost for p in agreement.periods] == [Decimal("-0.50"), Decimal("12.34")]
        now = agreement.current(31 * DAY)
        assert now is not None
        assert (now.start, now.cost) == (30 * DAY, Decimal("12.34"))
        assert agreement.current(99 * DAY) is None
        (series,) = agreement.history
        assert (series.name, series.uom) == ("Used", 72)
        charges = [("Peak", Decimal("3.45")), ("", Decimal("0.05"))]
        assert series.readings == [BilledReading(0, DAY, 12000.0, charges)]
        assert agreement.projection == [], "a list that is gone costs the rest nothing"
        changes: list[str] = []
        services(client).billing.on_change = lambda: changes.append("")
        put(utility, "/bill/bp", res.BillingPeriodList, "billing_period")
        await utility.until(lambda: changes)
        assert services(client).billing.agreements[0].periods == []


async def test_the_servers_configuration_is_taken_over_and_followed(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = home.utility()
    (device,) = utility.resources["/edev"].end_device  # type: ignore[attr-defined]
    utility.change("/edev", end_device=(replace(device, configuration_link=link("/cfg")),))
    utility.resources["/cfg"] = res.Configuration(
        poll_rate=1,
        current_locale="en-AU",
        user_device_name="Home",
        time_configuration=res.TimeConfiguration(
            dst_end_rule=0, dst_offset=3600, dst_start_rule=0, tz_offset=36000
        ),
        price_response_cfg_list_link=link("/cfg/prc"),
    )
    rule = res.PriceResponseCfg(
        consume_threshold=10, max_reduction_threshold=50, rate_component_link=link("/rc/1")
    )
    put(utility, "/cfg/prc", res.PriceResponseCfgList, "price_response_cfg", rule)
    async with serving(utility, context), home.client(utility.base + "/dcap") as client:
        await utility.until(lambda: services(client).configured)
        found = services(client).configured
        assert found is not None
        assert (found.name, found.locale) == ("Home", "en-AU")
        assert (found.tz_offset_s, found.dst_offset_s) == (36000, 3600)
        assert found.prices == {"/rc/1": PriceResponse(10, 50)}
        utility.change("/cfg", user_device_name="Ours", price_response_cfg_list_link=None)
        await utility.until(
            lambda: (now := services(client).configured) is not None and now.name == "Ours"
        )
    assert not [path for method, path, _ in utility.got if path == "/cfg" and method == "PUT"]


async def test_a_file_meant_for_the_home_is_loaded(
    home: Home, context: ssl.SSLContext, tmp_path: Path
) -> None:
    utility = home.utility()
    utility.change("/dcap", file_list_link=link("/file"))
    (device,) = utility.resources["/edev"].end_device  # type: ignore[attr-defined]
    utility.change("/edev", end_device=(replace(device, file_status_link=link("/fs")),))
    utility.files["/blob"] = b"new software"
    meant = res.File(
        href="/file/2", file_uri="/blob", mf_id=7, mf_model="Hub", mf_ver="2", size=12, type=0
    )
    other = replace(meant, href="/file/1", mf_model="Other")
    put(utility, "/file", res.FileList, "file", other, meant)
    loaded: list[Loaded] = []

    checked: list[str] = []

    async def good(_path: Path, file: res.File) -> None:
        checked.append(file.mf_ver)

    wish = FileWish(
        Target(home.lfdi, 7, "Hub", "S", "H", "1"), Store(tmp_path), good, loaded.append
    )
    async with serving(utility, context), home.client(utility.base + "/dcap") as client:
        services(client).files = wish
        await utility.until(lambda: loaded)
    assert loaded[0].path.read_bytes() == b"new software"
    assert checked == ["2"]
    statuses = [r.status for _, path, r in utility.got if path == "/fs"]  # type: ignore[attr-defined]
    assert statuses == [1, 1, 3, 5]


async def test_what_happens_is_posted_to_the_log(home: Home, context: ssl.SSLContext) -> None:
    utility = home.utility()
    async with serving(utility, context), home.client(utility.base + "/dcap") as client:
        client.log(Happening(100.0, DER, 2))
        await utility.until(lambda: utility.posted("/edev/1/lel"))
    (event,) = utility.posted("/edev/1/lel")
    assert (event.function_set, event.log_event_code) == (11, 2)
