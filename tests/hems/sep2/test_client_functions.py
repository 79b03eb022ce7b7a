"""Messages, prices, flow reservations and curves, from the server's lists to the home's engine."""

import ssl
import time
from dataclasses import replace

import pytest

from hems.sep2 import resources as res
from hems.sep2.book.messages import Priority
from hems.sep2.book.requests import Wish
from hems.sep2.rules.lifecycle import Phase
from hems.sep2.rules.tariff import Flow, Use, chosen, price_at
from tests.hems.sep2.client_home import Home
from tests.hems.sep2.controls_made import control
from tests.hems.sep2.kinds_made import curve, grant, message, tariff_interval
from tests.hems.sep2.offering import (
    assign,
    offer_flow,
    offer_messages,
    offer_prices,
    set_price,
)
from tests.hems.sep2.utility import serving

pytestmark = pytest.mark.requirement("PRO-2030.5")


async def test_a_message_is_shown_and_acknowledged(home: Home, context: ssl.SSLContext) -> None:
    async with serving(home.utility(), context) as utility:
        now = int(time.time())
        offer_messages(
            utility,
            message("E1", now - 1, 600, text="Storm tonight", priority=3),
            message("E2", now + 3600, 600),
        )
        async with home.client(utility.base + "/dcap") as client:
            await utility.until(lambda: ("E1", 2) in utility.codes)
            urgent, later = client.engine.messages
            assert (urgent.text, urgent.priority, urgent.shown) == (
                "Storm tonight",
                Priority.CRITICAL,
                True,
            )
            assert (urgent.originator, urgent.program) == ("The utility", "News")
            assert (later.mrid, later.shown, later.wants_answer) == ("E2", False, True)
            await client.engine.acknowledge("E1")
            await utility.until(lambda: ("E1", 11) in utility.codes)
            assert client.engine.messages[0].acknowledged
            assert utility.posted("/rsp", res.TextResponse)[-1].status == 11
            offer_messages(utility)
            await utility.until(lambda: ("E1", 6) in utility.codes)


async def test_a_tariff_is_read_whole_and_followed(home: Home, context: ssl.SSLContext) -> None:
    async with serving(home.utility(), context) as utility:
        now = int(time.time())
        first, second = tariff_interval("E1", now - 1, 600), tariff_interval("E2", now + 600, 600)
        offer_prices(utility, first, second)
        set_price(utility, "E1", 3150)
        async with home.client(utility.base + "/dcap") as client:

            def price(at: float) -> float | None:
                tariff = chosen(client.engine.tariffs, at)
                found = price_at(tariff, Use(Flow.IMPORT), at) if tariff else None
                return None if found is None else found.per_kwh

            await utility.until(lambda: price(now + 10) is not None)
            assert price(now + 10) == pytest.approx(0.315)
            assert price(now + 610) is None, "its blocks cannot be had yet"
            set_price(utility, "E2", 1000)
            await utility.until(lambda: price(now + 610) is not None)
            assert price(now + 610) == pytest.approx(0.1)
            set_price(utility, "E1", 4000)
            await utility.until(lambda: price(now + 10) == pytest.approx(0.4))
            asked = utility.asked.count("GET /tp/cti/E2")
            await utility.until(lambda: utility.asked.count("GET /tp/cti/E1") > asked + 3)
            assert utility.asked.count("GET /tp/cti/E2") == asked, "known, and not yet in force"
            assert ("E1", 2) in utility.codes
            (tariff,) = client.engine.tariffs
            assert [c.mrid for c in tariff.components] == ["D1"], "D2's ReadingType is missing"


async def test_a_reservation_is_asked_for_granted_and_taken_back(
    home: Home, context: ssl.SSLContext
) -> None:
    async with serving(home.utility(), context) as utility:
        offer_flow(utility)
        now = int(time.time())
        async with home.client(utility.base + "/dcap") as client:
            await utility.until(lambda: "GET /edev/1/frp" in utility.asked)
            mrid = await client.engine.reserve(Wish(7000, 3500, now, now + 7200, description="car"))
            await utility.until(lambda: utility.posted("/edev/1/frq"))
            utility.append("/edev/1/frp", grant("E1", mrid, now - 1, 3600, watts=2000))
            await utility.until(lambda: ("E1", 2) in utility.codes)
            (reservation,) = client.engine.reservations
            assert (reservation.power_w, reservation.energy_wh) == (2000.0, 2000.0)
            assert reservation.granted is not None
            assert reservation.granted.phase is Phase.STARTED
            await client.engine.cancel_reservation(mrid)
            await utility.until(lambda: [m for m, _, _ in utility.got if m == "PUT"])
            ((_, path, told),) = [each for each in utility.got if each[0] == "PUT"]
            assert path == reservation.request.resource.href
            assert isinstance(told, res.FlowReservationRequest)
            assert told.request_status.request_status == 1
            utility.change("/edev/1/frp", flow_reservation_response=(), all=0)
            await utility.until(lambda: ("E1", 6) in utility.codes)
        assert len(utility.posted("/edev/1/frq")) == 1


async def test_a_request_whose_answer_was_lost_is_not_posted_again(
    home: Home, context: ssl.SSLContext
) -> None:
    async with serving(home.utility(), context) as utility:
        offer_flow(utility)
        utility.cut.add("/edev/1/frq")
        now = int(time.time())
        async with home.client(utility.base + "/dcap") as client:
            await client.engine.reserve(Wish(7000, 3500, now, now + 7200))
            await utility.until(lambda: utility.posted("/edev/1/frq"))
            await utility.until(lambda: not client.engine.owed_requests)
        assert len(utility.posted("/edev/1/frq")) == 1


VOLT_VAR = res.DERControlBase(op_mod_volt_var=res.Link(href="/derp/1/dc/1"))


async def test_a_control_names_a_curve_and_the_schedule_has_it(
    home: Home, context: ssl.SSLContext
) -> None:
    async with serving(home.utility(), context) as utility:
        now = int(time.time())
        utility.resources["/derp/1/dc/1"] = curve("/derp/1/dc/1", (92, 44), (108, -44))
        utility.append("/derp/1/derc", control("E1", now - 1, 600, base=VOLT_VAR))
        gone = res.DERControlBase(op_mod_volt_watt=res.Link(href="/derp/1/dc/9"))
        utility.append("/derp/1/derc", control("E2", now - 1, 600, base=gone))
        async with home.client(utility.base + "/dcap") as client:
            await utility.until(lambda: {("E1", 2), ("E2", 253)} <= {*utility.codes})
            known = client.engine.schedule.curves["/derp/1/dc/1"]
            assert known.points == ((92.0, 44.0), (108.0, -44.0))
            assert utility.asked.count("GET /derp/1/dc/1") == 1
            (why,) = [e.reason for e in client.engine.events if e.event.mrid == "E2"]
            assert why == "curve /derp/1/dc/9 is not to be found"
        assert ("E2", 1) not in utility.codes


async def test_a_curve_that_cannot_be_had_now_holds_up_only_what_names_it(
    home: Home, context: ssl.SSLContext
) -> None:
    async with serving(home.utility(), context) as utility:
        now = int(time.time())
        utility.resources["/derp/1/dc/1"] = curve("/derp/1/dc/1", (92, 44), (108, -44))
        utility.faults["GET /derp/1/dc/1"] = [503] * 3
        utility.append("/derp/1/derc", control("E1", now - 1, 600, base=VOLT_VAR))
        utility.append("/derp/1/derc", control("E2", now - 1, 600))
        async with home.client(utility.base + "/dcap"):
            await utility.until(lambda: ("E1", 2) in utility.codes)
        codes = utility.codes
        assert codes.index(("E2", 2)) < codes.index(("E1", 1))
        assert {c for e, c in codes if e == "E1"} == {1, 2}


async def test_a_curve_that_changes_in_its_list_changes_what_is_in_force(
    home: Home, context: ssl.SSLContext
) -> None:
    async with serving(home.utility(), context) as utility:
        now = int(time.time())
        first = curve("/derp/1/dc/1", (92, 44), (108, -44))
        utility.resources["/derp/1/dc/1"] = first
        utility.resources["/derp/1/dc"] = res.DERCurveList(
            href="/derp/1/dc", all=1, results=1, der_curve=(first,)
        )
        programs = utility.resources["/derp"]
        assert isinstance(programs, res.DERProgramList)
        (program,) = programs.der_program
        program = replace(program, der_curve_list_link=res.Link(href="/derp/1/dc", all=1))
        utility.change("/derp", der_program=(program,))
        utility.append("/derp/1/derc", control("E1", now - 1, 600, base=VOLT_VAR))
        async with home.client(utility.base + "/dcap") as client:
            await home.until(lambda: "/derp/1/dc/1" in client.engine.schedule.curves)
            second = curve("/derp/1/dc/1", (95, 44), (105, -44))
            utility.change("/derp/1/dc", der_curve=(second,))
            await home.until(
                lambda: client.engine.schedule.curves["/derp/1/dc/1"].points[0] == (95.0, 44.0)
            )


async def test_a_request_that_the_server_refuses_is_dropped_and_told(
    home: Home, context: ssl.SSLContext
) -> None:
    async with serving(home.utility(), context) as utility:
        offer_flow(utility)
        utility.faults["POST /edev/1/frq"] = [400]
        now = int(time.time())
        async with home.client(utility.base + "/dcap") as client:
            await client.engine.reserve(Wish(7000, 3500, now, now + 7200))
            await home.until(lambda: any("/edev/1/frq" in a for a in home.alarms))
            assert client.engine.reservations == ()
        assert utility.posted("/edev/1/frq") == []
        assert [r.phase for r in home.ledger.rows.values() if "Request" in r.kind] == ["cancelled"]


async def test_a_request_is_deleted_where_it_cannot_be_changed(
    home: Home, context: ssl.SSLContext
) -> None:
    async with serving(home.utility(), context) as utility:
        offer_flow(utility)
        now = int(time.time())
        async with home.client(utility.base + "/dcap") as client:
            mrid = await client.engine.reserve(Wish(7000, 3500, now, now + 7200))
            await utility.until(lambda: not client.engine.owed_requests)
            (reservation,) = client.engine.reservations
            href = reservation.request.resource.href
            utility.faults[f"PUT {href}"] = [405]
            await client.engine.cancel_reservation(mrid)
            await utility.until(lambda: f"DELETE {href}" in utility.asked)
            await utility.until(lambda: client.engine.reservations == ())


async def test_a_request_taken_back_before_it_was_told_is_never_told(
    home: Home, context: ssl.SSLContext
) -> None:
    async with serving(home.utility(), context) as utility:
        now = int(time.time())
        async with home.client(utility.base + "/dcap") as client:
            mrid = await client.engine.reserve(Wish(7000, 3500, now, now + 7200))
            await client.engine.cancel_reservation(mrid)
            offer_flow(utility)
            await utility.until(lambda: "GET /edev/1/frq" in utility.asked)
            await utility.until(lambda: client.engine.reservations == ())
        assert utility.posted("/edev/1/frq") == []


async def test_what_is_assigned_no_more_is_gone(home: Home, context: ssl.SSLContext) -> None:
    async with serving(home.utility(), context) as utility:
        now = int(time.time())
        offer_messages(utility, message("E1", now - 1, 600))
        offer_prices(utility, tariff_interval("E2", now - 1, 600))
        set_price(utility, "E2", 3150)
        async with home.client(utility.base + "/dcap"):
            await utility.until(lambda: {("E1", 2), ("E2", 2)} <= {*utility.codes})
            assign(utility, messaging_program_list_link=None, tariff_profile_list_link=None)
            await utility.until(lambda: {("E1", 6), ("E2", 6)} <= {*utility.codes})


async def test_one_restart_later_message_and_choices_are_known(
    home: Home, context: ssl.SSLContext
) -> None:
    async with serving(home.utility(), context) as utility:
        now = int(time.time())
        offer_messages(utility, message("E1", now - 1, 600))
        async with home.client(utility.base + "/dcap") as client:
            await utility.until(lambda: ("E1", 2) in utility.codes)
            await client.engine.acknowledge("E1")
            await utility.until(lambda: ("E1", 11) in utility.codes)
        async with home.client(None) as client:
            await home.until(lambda: client.engine.messages)
            (kept,) = client.engine.messages
            assert (kept.acknowledged, kept.shown, kept.program) == (True, True, "News")
