"""Several EndDevices behind one certificate: found, made, checked, driven and answered each."""

import ssl
import time
from dataclasses import replace
from functools import partial

import pytest

from hems.sep2 import resources as res
from hems.sep2.enddevice.enrolment import MemberSettings, Standing
from hems.sep2.enddevice.readings import MirrorSpec, Sample
from hems.sep2.enddevice.reports import DerReport, Report
from tests.hems.sep2.client_home import METER, MODE, Home
from tests.hems.sep2.controls_made import control
from tests.hems.sep2.fleet import Fleet, identity, lfdi_of
from tests.hems.sep2.utility import PIN, serving

pytestmark = [pytest.mark.requirement("PRO-2030.5"), pytest.mark.requirement("PRO-IP")]

PV = MemberSettings(identity("pv"), name="Roof")
BATTERY = MemberSettings(identity("battery"), name="Cellar")


def fleet(home: Home, *names: str, poll_s: int = 1) -> Fleet:
    made = Fleet(home.lfdi, home.sfdi, default_poll_s=poll_s)
    for name in names:
        made.enrol(lfdi_of(name))
    return made


def now() -> int:
    return int(time.time())


async def test_each_device_runs_and_answers_its_own_programmes(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home)
    controls = utility.programmes("/derp/pv", "A2")
    utility.enrol(lfdi_of("pv"), lists=("/derp/pv",))
    utility.append("/derp/1/derc", control("E1", now() - 5, 600, limit_w=1500))
    utility.append(controls, control("E2", now() - 5, 600, limit_w=700))
    async with (
        serving(utility, context),
        home.client(utility.base + "/dcap", others=(PV,)) as client,
    ):
        await utility.until(lambda: len(utility.told) == 4)
        shown = [m.engine.schedule.active[MODE].value for m in client.members]
    assert shown == [1500, 700]
    assert sorted(utility.told) == sorted(
        (lfdi, event, code)
        for lfdi, event in ((home.lfdi, "E1"), (lfdi_of("pv"), "E2"))
        for code in (1, 2)
    )
    assert home.members == {1}, "what the other device is asked was told with its index"


async def test_a_shared_list_is_read_once_and_given_to_each(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home, "pv", "battery")
    utility.append("/derp/1/derc", control("E1", now() - 5, 600))
    async with (
        serving(utility, context),
        home.client(utility.base + "/dcap", others=(PV, BATTERY)) as client,
    ):
        await utility.until(lambda: len(utility.told) == 6)
        assert all(MODE in m.engine.schedule.active for m in client.members)
        for listed in ("/derp", "/derp/1/derc"):
            reads = utility.asked.count(f"GET {listed}")
            polls = utility.asked.count("GET /dcap")
            await utility.until(partial(_polled, utility, polls + 3))
            assert utility.asked.count(f"GET {listed}") - reads <= 4, "once a poll, not for each"
        utility.change("/derp/1/derc", der_control=(), all=0)
        await utility.until(lambda: len([t for t in utility.told if t[2] == 6]) == 3)
    assert {t[0] for t in utility.told if t[2] == 6} == {
        home.lfdi,
        lfdi_of("pv"),
        lfdi_of("battery"),
    }


def _polled(utility: Fleet, times: int) -> bool:
    return utility.asked.count("GET /dcap") >= times


async def test_who_joins_a_shared_list_later_is_given_it_too(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home, poll_s=900)
    utility.change("/edev", poll_rate=1)
    utility.append("/derp/1/derc", control("E1", now() - 5, 600))
    settled = replace(BATTERY, registers=False)
    async with (
        serving(utility, context),
        home.client(utility.base + "/dcap", others=(settled,)) as client,
    ):
        await utility.until(lambda: len(utility.told) == 2)
        utility.enrol(lfdi_of("battery"))
        await utility.until(lambda: len(utility.told) == 4)
        assert MODE in client.members[1].engine.schedule.active


async def test_a_missing_device_is_made_where_that_was_agreed(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home)
    utility.append("/derp/1/derc", control("E1", now() - 5, 600))
    never = replace(BATTERY, registers=False)
    async with (
        serving(utility, context),
        home.client(utility.base + "/dcap", others=(PV, never)) as client,
    ):
        await utility.until(lambda: len(utility.told) == 4)
        await home.until(lambda: home.alarms)
        (made,) = utility.posted("/edev", res.EndDevice)
        assert (made.lfdi, made.sfdi) == (PV.identity.lfdi, PV.identity.sfdi)
        assert client.members[2].standing is Standing.UNKNOWN
    assert [a for a in home.alarms if lfdi_of("battery") in a]


async def test_a_wrong_pin_stops_that_device_only(home: Home, context: ssl.SSLContext) -> None:
    utility = fleet(home, "pv")
    path = utility.enrol(lfdi_of("battery"), pin=PIN + 1)
    utility.append("/derp/1/derc", control("E1", now() - 5, 600))
    async with (
        serving(utility, context),
        home.client(utility.base + "/dcap", others=(PV, BATTERY)) as client,
    ):
        client.publish(Report(DerReport(status=res.DERStatus(reading_time=now()))), member=2)
        await utility.until(lambda: len(utility.told) == 4)
        await home.until(lambda: home.alarms)
        polls = utility.asked.count("GET /edev")
        await utility.until(lambda: utility.asked.count("GET /edev") > polls + 2)
        assert client.members[2].standing is Standing.REFUSED
        assert client.state.state == "connected"
    assert [a for a in home.alarms if "Cellar has another registration PIN" in a]
    theirs = [a for a in utility.asked if a.split()[1].startswith(path)]
    assert theirs == [f"GET {path}/rg"], "nothing else was sent for it"
    assert lfdi_of("battery") not in {t[0] for t in utility.told}


async def test_without_the_homes_pin_nothing_is_sent_for_others(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home, "pv")
    utility.change("/edev/1/rg", pin=PIN + 1)
    async with (
        serving(utility, context),
        home.client(utility.base + "/dcap", others=(PV, BATTERY)),
    ):
        await home.until(lambda: home.state == "refused")
        assert utility.asked == ["GET /dcap", "GET /edev", "GET /edev/1/rg"]
    assert not utility.got


@pytest.mark.requirement("TIME-SERVER")
async def test_each_device_runs_on_the_clock_that_its_assignments_name(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home)
    ahead = now() + 5000
    time_there = res.Time(
        href="/tm2",
        current_time=ahead,
        dst_end_time=0,
        dst_offset=0,
        dst_start_time=0,
        quality=4,
        tz_offset=0,
    )
    utility.resources["/tm2"] = time_there
    utility.enrol(lfdi_of("pv"), clock="/tm2")
    async with (
        serving(utility, context),
        home.client(utility.base + "/dcap", others=(PV,)) as client,
    ):
        await utility.until(lambda: "GET /tm2" in utility.asked)
        await utility.until(lambda: client.members[1].engine.offset_s > 1000)
        assert client.members[1].engine.offset_s == pytest.approx(5000, abs=5)
        assert client.engine.offset_s == pytest.approx(0, abs=2)
    assert home.ledger.offsets["utility"] == pytest.approx(0, abs=2)


async def test_reports_and_readings_go_where_each_device_is(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home, "pv")
    mirrored = replace(PV, mirrors=(MirrorSpec("3B", "roof", [replace(METER, mrid="5F")]),))
    async with (
        serving(utility, context),
        home.client(
            utility.base + "/dcap",
            others=(mirrored,),
            mirrors=(MirrorSpec("3A", "home", [METER]),),
        ) as client,
    ):
        status = Report(DerReport(status=res.DERStatus(reading_time=now())))
        client.publish(status)
        client.publish(status, member=1)
        client.add_sample(Sample("5E", now(), 1, 1.0))
        client.add_sample(Sample("5F", now(), 1, 2.0))
        await utility.until(lambda: len(utility.posted("/mup")) == 2)
        puts = {"/edev/1/der/1/ders", "/edev/2/der/1/ders"}
        await utility.until(lambda: puts <= {p for m, p, _ in utility.got if m == "PUT"})
    points = {p.mrid: p.device_lfdi for p in utility.posted("/mup")}
    assert points == {"3A": home.lfdi, "3B": lfdi_of("pv")}


async def test_an_aggregators_home_subscribes_where_the_certificate_is_registered(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home, "behind")
    async with (
        serving(utility, context),
        home.client(
            utility.base + "/dcap", identity=identity("behind"), certificate=home.lfdi
        ) as client,
    ):
        await utility.until(lambda: utility.posted("/edev/1/sub"))
        await home.until(lambda: client.state.state == "connected")
    assert "GET /edev/1/fsa" not in utility.asked, "the certificate's own device is no member"


async def test_what_was_kept_when_there_was_one_device_is_the_homes_own(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = fleet(home)
    utility.append("/derp/1/derc", control("E1", now() - 5, 600))
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(lambda: len(utility.told) == 2)
    home.ledger.rows = {
        key: replace(row, lfdi="") if row.mrid == "E1" else row
        for key, row in home.ledger.rows.items()
    }
    async with home.client(utility.base + "/dcap", others=(PV,)) as client:
        await home.until(lambda: home.members == {1})
        assert [e.event.mrid for e in client.engine.events] == ["E1"]
        assert not client.members[1].engine.events


@pytest.mark.deep
async def test_ours_are_found_among_thousands(home: Home, context: ssl.SSLContext) -> None:
    utility = fleet(home, poll_s=900)
    others = tuple(
        res.EndDevice(href=f"/edev/{n}", lfdi=lfdi_of(str(n)), sfdi=n, changed_time=0)
        for n in range(100, 3100)
    )
    devices = utility.resources["/edev"]
    assert isinstance(devices, res.EndDeviceList)
    utility.change("/edev", end_device=(*others, *devices.end_device), all=len(others) + 1)
    utility.append("/derp/1/derc", control("E1", now() - 5, 600))
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.until(lambda: utility.codes == [("E1", 1), ("E1", 2)], within_s=30)
    assert utility.asked.count("GET /edev") == -(-3001 // 50), "each page of it once"
