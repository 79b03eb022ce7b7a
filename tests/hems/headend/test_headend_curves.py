"""Curves, set-points and default controls, from the operator's door to schema-valid XML."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.headend.curves import CurveOrder, curve_resource, make_curve
from hems.headend.modes import Mode
from hems.headend.records import Edition
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.sep2.book.curves import curve_of
from hems.sep2.resources import (
    DefaultDERControl,
    DERControl,
    DERControlBase,
    DERControlList,
    DERCurve,
    DERCurveList,
    DERProgram,
    EndDeviceControlList,
)
from hems.sep2.xml import parse, serialize
from tests.hems.headend.conftest import Home, MakeHome, Operator, schema

pytestmark = pytest.mark.requirement("PRO-2030.5", "BUC-4")

VOLT_VAR = {"points": [[0.92, 44], [0.98, 0], [1.02, 0], [1.08, -44]]}
ALL_CURVES: Mapping[str, Mapping[str, Any]] = {
    "volt_var": VOLT_VAR,
    "volt_watt": {"points": [[1.06, 100], [1.1, 20]], "open_loop_s": 10},
    "watt_var": {"points": [[20, 0], [50, 0], [100, -44]]},
    "watt_pf": {"points": [[50, 1], [100, 0.95]]},
    "freq_watt": {"points": [[50.25, 100], [52, 0]], "ramp_up": 0.28},
}


_UNIT: Mapping[Mode, tuple[float, float, float]] = {
    Mode.VOLT_VAR: (0.0, 1.5, 100.0),
    Mode.VOLT_WATT: (0.0, 1.5, 100.0),
    Mode.WATT_VAR: (-100.0, 100.0, 1.0),
    Mode.FREQ_WATT: (40.0, 70.0, 1.0),
}


@given(data=st.data(), mode=st.sampled_from(sorted(_UNIT)))
def test_points_survive_the_wire(data: st.DataObject, mode: Mode) -> None:
    least, most, unit = _UNIT[mode]
    xs = data.draw(st.lists(st.floats(least, most), min_size=1, max_size=10))
    low = 0.0 if mode is Mode.VOLT_WATT else -100.0  # our client sees no sense in less
    ys = data.draw(st.lists(st.floats(low, 100.0), min_size=len(xs), max_size=len(xs)))
    points = tuple(zip(sorted(xs), ys, strict=True))
    made = make_curve(mode, CurveOrder(points), 1, 1_800_000_000.0, "A" * 32)
    sent = parse(serialize(curve_resource(made, "/derp/1/dc/A")), DERCurve)
    read = curve_of(sent, "/derp/1/dc/A")
    assert read.mode == "opMod" + mode.value.title().replace("_", "")
    for (x, y), (ordered_x, ordered_y) in zip(read.points, points, strict=True):
        assert x == pytest.approx(ordered_x * unit, abs=1e-4)
        assert y == pytest.approx(ordered_y, abs=1e-4)


async def base_of(home: Home, mrid: str) -> DERControlBase:
    return (await home.get(f"/derp/1/derc/{mrid}", DERControl)).der_control_base


@pytest.mark.parametrize("edition", list(Edition))
async def test_every_curve_is_linked_listed_and_read_by_our_client(
    make_home: MakeHome, operator: Operator, edition: Edition
) -> None:
    home = make_home("home-a")
    await operator.enter(home, edition)
    event = await operator.event(minutes=10, ramp_s=5, **ALL_CURVES)
    base = await base_of(home, event["id"])
    assert base.ramp_tms == 500
    program = await home.get("/derp/1", DERProgram)
    assert program.der_curve_list_link is not None
    assert program.der_curve_list_link.all == 5
    listed = await home.get(program.der_curve_list_link.href + "?l=9", DERCurveList)
    assert {curve.href for curve in listed.der_curve} == {
        link.href
        for link in (
            base.op_mod_volt_var,
            base.op_mod_volt_watt,
            base.op_mod_watt_var,
            base.op_mod_watt_pf,
            base.op_mod_freq_watt,
        )
        if link is not None
    }
    pages = [(await home.get(f"/derp/1/dc?s={at}&l=2", DERCurveList)).der_curve for at in (0, 2, 4)]
    assert [c.mrid for part in pages for c in part] == [c.mrid for c in listed.der_curve]

    read = {}
    for curve in listed.der_curve:
        assert curve.href is not None
        found = curve_of(await home.get(curve.href, DERCurve), curve.href)
        read[found.mode] = found
    assert read["opModVoltVar"].points == ((92.0, 44.0), (98.0, 0.0), (102.0, 0.0), (108.0, -44.0))
    assert read["opModVoltVar"].y_ref == 2
    assert read["opModVoltWatt"].open_loop_s == 10
    assert read["opModWattPF"].points == ((50.0, 1.0), (100.0, 0.95))
    assert read["opModFreqWatt"].points == ((50.25, 100.0), (52.0, 0.0))
    assert read["opModFreqWatt"].ramp_up == 0.28


async def test_a_curve_is_made_once_named_by_events_and_removed(
    home: Home, operator: Operator
) -> None:
    status, made = await operator.ask("POST", "/curves", {"mode": "volt_var", **VOLT_VAR})
    assert status == 201
    assert (await operator.ask("POST", "/curves", {"mode": "volt_var", **VOLT_VAR}))[1] == made
    event = await operator.event(volt_var=made["id"], minutes=5)
    assert event["asks"] == {"volt_var": made["id"]}
    base = await base_of(home, event["id"])
    assert base.op_mod_volt_var is not None
    assert base.op_mod_volt_var.href == f"/derp/1/dc/{made['id']}"

    status, answer = await operator.ask("DELETE", f"/curves/{made['id']}")
    assert status == 409
    assert "named by an event" in answer["error"]
    _, spare = await operator.ask("POST", "/curves", {"mode": "watt_var", "points": [[0, 0]]})
    status, answer = await operator.ask("POST", "/events", {"volt_var": spare["id"], "minutes": 1})
    assert status == 422
    assert "is for watt_var" in answer["error"]
    assert (await operator.ask("DELETE", f"/curves/{spare['id']}"))[0] == 200
    assert [c["id"] for c in (await operator.ask("GET", "/curves"))[1]["curves"]] == [made["id"]]
    assert (await home.ask("GET", f"/derp/1/dc/{spare['id']}")).status == 404


@pytest.mark.parametrize("edition", list(Edition))
async def test_set_points_are_on_the_wire_as_ordered(
    make_home: MakeHome, operator: Operator, edition: Edition
) -> None:
    home = make_home("home-a")
    await operator.enter(home, edition)
    event = await operator.event(
        seconds=60,
        fixed_var=-20.5,
        power_factor_inject={"power_factor": 0.95, "vars": "absorb"},
        power_factor_absorb={"power_factor": 0.9876, "vars": "inject"},
        target_w=-3000,
        target_var=1250.5,
        fixed_w_percent=-50,
        limit_generation_percent=60.25,
        connect=False,
        energize=True,
        freq_droop={"dead_band_hz": 0.036, "droop": 0.05, "open_loop_s": 0.5},
    )
    base = await base_of(home, event["id"])
    assert base.op_mod_fixed_var is not None
    assert (base.op_mod_fixed_var.ref_type, base.op_mod_fixed_var.value) == (2, -2050)
    inject, absorb = base.op_mod_fixed_pf_inject_w, base.op_mod_fixed_pf_absorb_w
    assert inject is not None
    assert absorb is not None
    assert (inject.displacement, inject.multiplier, inject.excitation) == (950, -3, True)
    assert (absorb.displacement, absorb.multiplier, absorb.excitation) == (9876, -4, False)
    assert base.op_mod_target_w is not None
    assert base.op_mod_target_w.watts == -3000
    assert base.op_mod_target_var is not None
    assert base.op_mod_target_var.vars == 1250.5
    assert (base.op_mod_fixed_w, base.op_mod_max_lim_w) == (-5000, 6025)
    assert (base.op_mod_connect, base.op_mod_energize) == (False, True)
    droop = base.op_mod_freq_droop
    assert droop is not None
    assert (droop.dbof, droop.dbuf, droop.kof, droop.kuf, droop.open_loop_tms) == (
        36, 36, 50, 50, 50,
    )  # fmt: skip


async def test_each_edition_hears_what_it_has_words_for(
    home: Home, other: Home, operator: Operator
) -> None:
    home.validator = schema("csipaus-core-v1.3-beta_storage.xsd")
    storage = await operator.event(storage_target_w=-2500, minutes=5)
    base = await base_of(home, storage["id"])
    assert base.op_mod_storage_target_w is not None
    assert base.op_mod_storage_target_w.watts == -2500
    assert (await other.get("/derp/1/derc?l=5", DERControlList)).all == 0
    both = await operator.event(storage_target_w=-2500, limit_import_w=3000, minutes=5)
    base = await base_of(home, both["id"])  # the schema with storage has its own name for limits
    assert base.op_mod_imp_lim_w is not None
    assert base.op_mod_imp_lim_w.watts == 3000
    assert (await home.get("/derp/1/derc?l=5", DERControlList)).all == 2

    envelope = await operator.event(
        limit_import_w=2000, limit_export_w=1000, limit_absorb_var=500, limit_inject_var=300,
        island_permit=True, minutes=5,
    )  # fmt: skip
    base = await base_of(other, envelope["id"])
    assert base.op_mod_max_lim_w_absorb is not None
    assert base.op_mod_max_lim_w_absorb.watts == 2000
    assert base.op_mod_max_lim_var_inject is not None
    assert base.op_mod_max_lim_var_inject.vars == 300
    assert base.op_mod_island_permit is True
    assert (await home.ask("GET", f"/derp/1/derc/{envelope['id']}")).status == 404
    told = {side["lfdi"]: side["told"] for side in envelope["homes"]}
    assert told == {home.lfdi: False, other.lfdi: True}


async def test_reductions_of_every_kind(home: Home, operator: Operator) -> None:
    await operator.event(
        minutes=5, shed_w=800, duty_cycle_percent=40, cooling_offset_k=1.5, heating_offset_k=2,
        load_offset_percent=25, program="Energy Support",
    )  # fmt: skip
    (control,) = (await home.get("/drp/3/edc?l=2", EndDeviceControlList)).end_device_control
    assert control.duty_cycle is not None
    assert control.duty_cycle.normal_value == 40
    assert control.offset is not None
    assert control.offset.cooling_offset == 15
    assert control.offset.heating_offset == 20
    assert control.offset.load_adjustment_percentage_offset == 2500


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"volt_var": {"points": []}}, "1 to 10 points"),
        ({"volt_var": {"points": [[1, 0]] * 11}}, "1 to 10 points"),
        ({"volt_var": {"points": [[92, 44], [98, 0]]}}, "point 1: x 92 is outside 0 to 1.5"),
        ({"volt_var": {"points": [[0.9, 144], [1, 0]]}}, "y 144"),
        ({"volt_var": {"points": [[1.0, 44], [0.9, 0]]}}, "point 2 goes back"),
        ({"volt_watt": {**VOLT_VAR, "of": "max_var"}}, "cannot be of 'max_var'"),
        ({"volt_var": {**VOLT_VAR, "of": "moon"}}, "moon"),
        ({"freq_watt": {"points": [[5, 0]]}}, "Hz"),
        ({"freq_watt": {"points": [[50, 0]], "v_ref_percent": 99}}, "reference voltage"),
        ({"volt_var": {**VOLT_VAR, "open_loop_s": 700}}, "open_loop_s"),
        ({"volt_var": "F" * 32}, "no such curve"),
        ({"volt_var": {"points": [[1, "NaN"]]}}, "volt_var"),
        ({"freq_droop": {"droop": 0.05}}, "dead_band_over_hz is missing"),
        ({"freq_droop": {"dead_band_hz": 0.1, "droop": 7}}, "droop_over"),
        ({"fixed_var": 101}, "fixed_var 101"),
        ({"fixed_var": {"percent": 10, "of": "voltage"}}, "reference"),
        ({"power_factor_inject": {"power_factor": 1.2, "vars": "inject"}}, "power_factor_inject"),
        ({"power_factor_inject": {"power_factor": 0, "vars": "inject"}}, "nothing but vars"),
        ({"power_factor_inject": {"power_factor": 0.9, "vars": "up"}}, "vars"),
        ({"connect": 1}, "connect"),
        ({"limit_generation_percent": 101}, "limit_generation_percent"),
        ({"target_w": 1e10}, "target_w"),
        ({"target_w": 1, "ramp_s": 700}, "ramp_s"),
        ({"target_w": 1, "ramp_s": -1}, "ramp_s"),
        ({"target_w": 1, "duty_cycle_percent": 5}, "together"),
        ({"cooling_offset_k": 11}, "cooling_offset_k"),
        ({"watt_pf": {"points": [[50, 1], [100, 0]]}}, "point 2: 0 is no power factor"),
        ({"volt_var": {**VOLT_VAR, "v_ref_percent": 0}}, "v_ref_percent 0"),
        ({"shed_w": 7e7}, "shed_w"),
        ({"reduce_energy_wh": 7e7}, "reduce_energy_wh"),
    ],
)
async def test_nonsense_is_refused_in_one_sentence(
    operator: Operator, wish: Mapping[str, object], said: str
) -> None:
    status, answer = await operator.ask("POST", "/events", {"minutes": 1, **wish})
    assert status == 422, answer
    assert said in answer["error"]
    assert "\n" not in answer["error"]
    assert (await operator.ask("GET", "/events"))[1] == {"events": []}


@pytest.mark.parametrize("edition", [Edition.CSIP_AUS, Edition.Y2023])
async def test_a_raw_order_sends_what_makes_no_sense_yet_is_well_formed(
    make_home: MakeHome, operator: Operator, edition: Edition
) -> None:
    home = make_home("home-a")
    await operator.enter(home, edition)
    crossing = {"points": [[1.0, 44], [0.9, 400], [1.1, -400]]}
    event = await operator.event(
        raw=True, minutes=1, volt_var=crossing, fixed_w_percent=300, target_w=9e8, fixed_var=250
    )
    base = await base_of(home, event["id"])
    assert base.op_mod_fixed_w == 30000
    assert base.op_mod_target_w is not None
    assert base.op_mod_target_w.watts == 9e8
    assert base.op_mod_volt_var is not None
    curve = await home.get(base.op_mod_volt_var.href, DERCurve)
    with pytest.raises(ValueError, match="goes back"):
        curve_of(curve, "/c")
    status, answer = await operator.ask(
        "POST", "/events", {"raw": True, "minutes": 1, "fixed_w_percent": 400}
    )
    assert status == 422, "no raw order goes beyond the type"
    assert "fixed_w_percent" in answer["error"]


@pytest.mark.parametrize("edition", [Edition.CSIP_AUS, Edition.Y2023])
async def test_the_operator_sets_the_default_control(
    make_home: MakeHome, operator: Operator, edition: Edition
) -> None:
    home = make_home("home-a")
    await operator.enter(home, edition)
    path = "/programs/peak%20saver/default"
    wish = {"limit_export_w": 5000, "volt_var": VOLT_VAR, "set_grad_w": 0.27, "ramp_s": 2}
    status, answer = await operator.ask("PUT", path, wish)
    assert (status, answer["set_grad_w"]) == (200, 0.27)
    assert (await operator.ask("GET", path))[1] == answer
    default = await home.get("/derp/1/dderc", DefaultDERControl)
    assert default.set_grad_w == 27
    assert default.der_control_base.ramp_tms == 200
    assert default.der_control_base.op_mod_volt_var is not None
    curve = answer["asks"]["volt_var"]
    assert (await operator.ask("DELETE", f"/curves/{curve}"))[0] == 409

    assert (await operator.ask("PUT", path, {"shed_w": 1}))[0] == 422
    assert (await operator.ask("PUT", path, {"set_grad_w": 700}))[0] == 422
    assert (await operator.ask("PUT", "/programs/grid%20emergency/default", {}))[0] == 404
    assert (await operator.ask("PUT", path, {}))[0] == 200
    base = (await home.get("/derp/1/dderc", DefaultDERControl)).der_control_base
    assert base == DERControlBase()


async def test_no_event_names_a_curve_that_is_removed_at_the_same_time(operator: Operator) -> None:
    for i in range(8):
        shape = {"points": [[0.9, 10 + i], [1.1, 0]]}
        _, made = await operator.ask("POST", "/curves", {"mode": "volt_var", **shape})
        wish = {"volt_var": made["id"], "minutes": 1, "start": f"+{i + 1}h"}
        (sent, _), (removed, _) = await asyncio.gather(
            operator.ask("POST", "/events", wish), operator.ask("DELETE", f"/curves/{made['id']}")
        )
        assert (sent, removed) in {(201, 409), (422, 200)}


async def test_a_restart_loses_no_curve_and_no_default(settings: HeadEndSettings) -> None:
    async with HeadEnd(settings) as first:
        operator = Operator(first)
        event = await operator.event(
            volt_var=VOLT_VAR, freq_droop={"dead_band_hz": 0.1, "droop": 0.04}, minutes=5, ramp_s=3
        )
        path = "/programs/peak%20saver/default"
        _, default = await operator.ask("PUT", path, {"freq_watt": ALL_CURVES["freq_watt"]})
        _, curves = await operator.ask("GET", "/curves")
        await operator.aclose()
    async with HeadEnd(settings) as second:
        operator = Operator(second)
        _, again = await operator.ask("GET", f"/events/{event['id']}")
        assert (again["asks"], again["ramp_s"]) == (event["asks"], 3)
        assert (await operator.ask("GET", path))[1] == default
        assert (await operator.ask("GET", "/curves"))[1] == curves
        await operator.aclose()
