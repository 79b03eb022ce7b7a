"""Export and generation limits, connection and reports, on the devices: a home in the sun."""

import asyncio
import time
from collections.abc import Callable

import pytest

from tests.conformance.home import Home, PowerSample
from tests.conformance.scenario import AUS, CSIP, EVERY, Profile, scenario
from tests.conformance.steps import (
    Good,
    exporting_at_most,
    generating_at_most,
    kept_by_default,
    obeyed,
    subscribed,
)
from tests.interop.grid.markup import Element
from tests.interop.grid.words import CANCELLED, amount_of, number_of, text_of

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),
    pytest.mark.requirement("PRO-2030.5", "BUC-11"),
]

OLD = (Profile.Y2018, *CSIP)
"""Profiles with the status elements of 2018."""
LIMITS = {
    "opModExpLimW": (500.0, exporting_at_most(500.0)),
    "opModGenLimW": (1000.0, generating_at_most(1000.0)),
}
SILENT = generating_at_most(0.0)
PV_W = 3500.0


async def feeding(home: Home) -> None:
    """Wait until the sun feeds the grid again, after what an earlier scenario took."""
    await home.comes_to(lambda s: s.meter_w < -2800.0, "the home feeds the grid", 90.0)


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        pytest.param(
            "opModExpLimW", False, marks=scenario("GEN-01", "CTL", "Export limit, polled", AUS)
        ),
        pytest.param(
            "opModGenLimW", False, marks=scenario("GEN-02", "CTL", "Generation limit, polled", AUS)
        ),
        pytest.param(
            "opModExpLimW",
            True,
            marks=[scenario("GEN-05", "CTL", "Export limit, notified", AUS), pytest.mark.deep],
        ),
        pytest.param(
            "opModGenLimW",
            True,
            marks=[scenario("GEN-06", "CTL", "Generation limit, notified", AUS), pytest.mark.deep],
        ),
    ],
)
async def test_an_active_limit(noon: Home, mode: str, told: bool) -> None:
    await feeding(noon)
    programme = noon.grid.add_programme(subscribable=1 if told else None)
    if told:
        await subscribed(noon, programme)
    watts, good = LIMITS[mode]
    await obeyed(noon, programme, good, {mode: watts}, told=told)


@pytest.mark.parametrize(
    ("mode", "watts", "good"),
    [
        pytest.param(
            *("opModExpLimW", 500.0, exporting_at_most(500.0)),
            marks=scenario("GEN-03", "CTL", "Default export limit, polled", AUS),
        ),
        pytest.param(
            *("opModGenLimW", 1000.0, generating_at_most(1000.0)),
            marks=[
                scenario("GEN-04", "CTL", "Default generation limit, polled", AUS),
                pytest.mark.deep,
            ],
        ),
    ],
)
async def test_a_default_limit(noon: Home, mode: str, watts: float, good: Good) -> None:
    await feeding(noon)
    programme = noon.grid.add_programme()
    await kept_by_default(noon, programme, good, {mode: watts})


@scenario("GEN-09", "DER", "A cancelled export limit lets the devices go", AUS)
async def test_a_cancelled_export_limit(noon: Home) -> None:
    await feeding(noon)
    programme = noon.grid.add_programme()
    good = exporting_at_most(500.0)
    mrid = programme.add(0, 300, opModExpLimW=500.0)
    await noon.comes_to(good, "limited")
    await noon.grid.answered(mrid, [1, 2])
    programme.restate(mrid, CANCELLED)
    await noon.comes_to(lambda sample: not good(sample), "free again", 30.0)
    await noon.grid.answered(mrid, [1, 2, 6])


@scenario("GEN-10", "DER", "Export limits of two programmes: the lower primacy rules", AUS)
@pytest.mark.deep
async def test_primacy_of_export_limits(noon: Home) -> None:
    await feeding(noon)
    strong, weak = noon.grid.add_programme(1), noon.grid.add_programme(5)
    over = weak.add(0, 60, opModExpLimW=500.0)
    await noon.comes_to(exporting_at_most(500.0), "the weaker programme alone")
    ruling = strong.add(0, 8, opModExpLimW=1500.0)
    ends = time.time() + 8
    good = exporting_at_most(1500.0)
    await noon.comes_to(
        lambda s: good(s) and not exporting_at_most(500.0)(s), "the stronger programme's limit"
    )
    await noon.holds(good, ends - 1.0, "the stronger programme's limit")
    await noon.grid.answered(ruling, [1, 2, 3])
    assert noon.grid.codes(over)[:2] == [1, 2]


@pytest.mark.parametrize(
    ("mode", "values", "measure"),
    [
        pytest.param(
            *("opModExpLimW", (2500.0, 500.0, 1500.0), exporting_at_most),
            marks=[
                scenario("GEN-11", "DER", "Export limits that follow one another", AUS),
                pytest.mark.deep,
            ],
        ),
        pytest.param(
            *("opModGenLimW", (2500.0, 500.0, 1500.0), generating_at_most),
            marks=[
                scenario("GEN-12", "DER", "Generation limits that follow one another", AUS),
                pytest.mark.deep,
            ],
        ),
    ],
)
async def test_limits_that_follow_one_another(
    noon: Home, mode: str, values: tuple[float, ...], measure: Callable[[float], Good]
) -> None:
    await feeding(noon)
    programme = noon.grid.add_programme()
    begin = time.time()
    made = [programme.add(4 * n, 4, {mode: watts}) for n, watts in enumerate(values)]
    await noon.comes_to(measure(values[0]), "the first")
    await asyncio.sleep(max(0.0, begin + 4 - time.time()))
    await noon.comes_to(measure(values[1]), "the second", 3.0)
    await asyncio.sleep(max(0.0, begin + 8 - time.time()))
    await noon.comes_to(lambda s: not measure(values[1])(s), "the third lets more", 4.0)
    for mrid in made:
        await noon.grid.answered(mrid, [1, 2, 3], 15.0)


@scenario("GEN-13", "DER", "An export limit is tracked while the load changes", AUS)
@pytest.mark.deep
async def test_an_export_limit_tracks_the_load(noon: Home) -> None:
    await feeding(noon)
    programme = noon.grid.add_programme()
    good = exporting_at_most(500.0)
    mrid = programme.add(0, 14, opModExpLimW=500.0)
    await noon.comes_to(good, "limited")
    try:
        await noon.load(base_w=2000.0)
        await noon.comes_to(
            lambda s: good(s) and s.generation_w > 1700.0, "the sun serves the load", 5.0
        )
        await noon.load(base_w=300.0)
        await noon.comes_to(good, "limited again", 3.0)
    finally:
        await noon.load(base_w=300.0)
    await noon.grid.answered(mrid, [1, 2, 3], 20.0)


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param(
            "opModEnergize",
            marks=scenario("ALL-26", "DER", "De-energised: generation and storage cease"),
        ),
        pytest.param(
            "opModConnect",
            marks=[
                scenario("ALL-27", "DER", "Disconnected: generation and storage cease"),
                pytest.mark.deep,
            ],
        ),
    ],
)
async def test_generation_ceases(noon: Home, mode: str) -> None:
    await feeding(noon)
    await obeyed(noon, noon.grid.add_programme(), SILENT, {mode: False})


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        pytest.param(
            *("opModEnergize", False),
            marks=scenario("ALL-11", "CTL", "Default de-energise and energise, polled", CSIP),
        ),
        pytest.param(
            *("opModConnect", False),
            marks=[
                scenario("ALL-12", "CTL", "Default disconnect and connect, polled", CSIP),
                pytest.mark.deep,
            ],
        ),
    ],
)
async def test_default_connection(noon: Home, mode: str, told: bool) -> None:
    await feeding(noon)
    await kept_by_default(noon, noon.grid.add_programme(), SILENT, {mode: False}, told=told)


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param(
            "opModEnergize",
            marks=[scenario("ALL-15", "CTL", "De-energise, notified", CSIP), pytest.mark.deep],
        ),
        pytest.param(
            "opModConnect",
            marks=[scenario("ALL-16", "CTL", "Disconnect, notified", CSIP), pytest.mark.deep],
        ),
    ],
)
async def test_generation_ceases_when_notified(noon: Home, mode: str) -> None:
    await feeding(noon)
    programme = noon.grid.add_programme(subscribable=1)
    await subscribed(noon, programme)
    await obeyed(noon, programme, SILENT, {mode: False}, told=True)


@scenario("BASIC-009", "BASIC", "Connect and disconnect by control", CSIP)
@pytest.mark.deep
async def test_disconnect_by_control(noon: Home) -> None:
    await feeding(noon)
    await obeyed(noon, noon.grid.add_programme(), SILENT, {"opModConnect": False})


@scenario("BASIC-010", "BASIC", "Generation limited to a percentage of its rating")
async def test_generation_limited_by_percentage(noon: Home) -> None:
    await feeding(noon)
    rated_w = amount_of(noon.grid.put("ratings")[-1], "rtgMaxW")
    assert rated_w is not None
    good = generating_at_most(0.1 * rated_w)
    await obeyed(noon, noon.grid.add_programme(), good, {"opModMaxLimW": 1000})


@scenario("CORE-014", "CORE", "Capability, settings, status and availability are put")
async def test_what_the_home_says_of_itself(noon: Home) -> None:
    grid = noon.grid
    await grid.until(
        lambda: all(grid.put(kind) for kind in ("ratings", "setup", "state", "offer")),
        20.0,
        "all four put",
    )
    ratings, setup = grid.put("ratings")[-1], grid.put("setup")[-1]
    assert amount_of(ratings, "rtgMaxW") == 9000.0  # 4 kW of PV and 5 kW of storage
    assert (amount_of(setup, "setMaxW") or 0.0) <= 9000.0
    assert number_of(ratings, "type") == 83
    assert text_of(ratings, "modesSupported") is not None


@scenario("ALL-03", "REG", "The connection point is put, as the operator names it", AUS)
async def test_the_connection_point_is_put(noon: Home) -> None:
    grid = noon.grid
    await grid.until(lambda: grid.put("cp"), 20.0, "ConnectionPoint put")
    assert "4102001234" in {e.text for e in grid.put("cp")[-1].iter()}


@scenario("ALL-09", "MON", "Capability and settings name the limits of CSIP-AUS", AUS)
async def test_doe_modes_are_named(noon: Home) -> None:
    grid = noon.grid
    await grid.until(lambda: grid.put("ratings") and grid.put("setup"), 20.0, "both put")
    assert int(str(text_of(grid.put("ratings")[-1], "doeModesSupported")), 16) == 0b1111
    assert int(str(text_of(grid.put("setup")[-1], "doeModesEnabled")), 16) == 0b1111


def _bits(status: Element, path: str) -> int:
    text = text_of(status, f"{path}/value")
    return -1 if text is None else int(text, 16)


@scenario("BASIC-028", "BASIC", "Status of inverter and storage is put", OLD)
async def test_status_is_put(noon: Home) -> None:
    grid = noon.grid
    await grid.until(lambda: grid.put("state"), 20.0, "status put")
    status = grid.put("state")[-1]
    assert _bits(status, "genConnectStatus") & 0b111 == 0b111
    assert number_of(status, "operationalModeStatus/value") == 2
    soc = number_of(status, "stateOfChargeStatus/value")
    assert soc is not None
    assert 9500 <= soc <= 10_000
    assert abs((number_of(status, "readingTime") or 0) - grid.now()) < 120


@scenario("ALL-07", "MON", "Connection status follows a disconnection of the devices", CSIP)
@pytest.mark.deep
async def test_connection_status_follows(noon: Home) -> None:
    await feeding(noon)
    grid = noon.grid
    mrid = grid.add_programme().add(0, 70, opModConnect=False)
    await noon.comes_to(SILENT, "disconnected")
    await grid.answered(mrid, [1, 2])
    told = len(grid.put("state"))
    await grid.until(lambda: len(grid.put("state")) > told, 65.0, "the next status")
    # Bit 0 is Connected, bit 2 Operating.
    assert _bits(grid.put("state")[-1], "genConnectStatus") & 0b101 == 0


@scenario("ALL-08", "MON", "Operational mode: operational while the sun shines")
async def test_operational_mode(noon: Home) -> None:
    grid = noon.grid
    await grid.until(  # the first may be put before the sun was measured
        lambda: (
            grid.put("state")
            and number_of(grid.put("state")[-1], "operationalModeStatus/value") == 2
        ),
        45.0,
        "operational mode put",
    )


@scenario("ALL-13", "CTL", "A default ramp is taken up and echoed in the settings", CSIP)
async def test_default_ramp_is_echoed(noon: Home) -> None:
    grid = noon.grid
    programme = grid.add_programme()
    programme.fall_back(grad_w=27, opModExpLimW=5000.0)
    await grid.until(
        lambda: grid.put("setup") and number_of(grid.put("setup")[-1], "setGradW") == 27,
        75.0,
        "setGradW echoed",
    )


@scenario("BASIC-007", "BASIC", "A default ramp slows what the devices do", CSIP)
async def test_default_ramp_slows_the_devices(noon: Home) -> None:
    await feeding(noon)
    programme = noon.grid.add_programme()
    programme.fall_back(grad_w=50)  # half a per cent of 9 kW a second: 45 W/s
    await noon.grid.polled(programme.default_href, 2)
    programme.add(0, 25, opModMaxLimW=1000)
    await asyncio.sleep(6.0)
    after = await noon.power()
    # From 3.5 kW it may have come down by some 300 W, and not to 900 W at once.
    assert after.generation_w > PV_W - 800.0
    await noon.comes_to(lambda s: s.generation_w < PV_W - 600.0, "ramping down", 20.0)


@scenario("ALL-25", "CTL", "A control's ramp time slows what the devices do", CSIP)
@pytest.mark.deep
async def test_a_ramp_time_is_kept(noon: Home) -> None:
    await feeding(noon)
    programme = noon.grid.add_programme()
    programme.add(0, 25, opModExpLimW=0.0, rampTms=2000)  # 20 s
    await asyncio.sleep(6.0)
    half_way = await noon.power()
    assert not exporting_at_most(1500.0)(half_way), half_way
    await noon.comes_to(exporting_at_most(0.0), "down after the ramp", 20.0)


@scenario("ALL-23", "CTL", "Comms loss: the default holds, and control resumes after it", EVERY)
async def test_comms_loss_and_recovery(noon: Home) -> None:
    await feeding(noon)
    grid = noon.grid
    programme = grid.add_programme()
    programme.fall_back(opModMaxLimW=2000)
    mrid = programme.add(0, 14, opModMaxLimW=500)
    limited = generating_at_most(450.0)
    await noon.comes_to(limited, "the control")
    await grid.answered(mrid, [1, 2])
    grid.silent = True
    ends = time.time() + 10
    try:
        await noon.holds(limited, ends - 1.0, "the control in force goes on")
        good = generating_at_most(1800.0)
        await noon.comes_to(lambda s: good(s) and not limited(s), "the default", 10.0)
        await noon.holds(good, time.time() + 3.0, "the default, without contact")
    finally:
        grid.silent = False
    await grid.answered(mrid, [1, 2, 3], 30.0)
    await noon.connected()
    await grid.polled(programme.events_href, 1, 60.0)  # what failed so long is asked again later
    later = programme.add(0, 12, opModMaxLimW=500)
    await noon.comes_to(limited, "the next control", 8.0)
    await grid.answered(later, [1, 2, 3], 20.0)


def _alarms(home: Home) -> list[Element]:
    return [e.element() for e in home.grid.asked("POST", f"{home.grid.home.href}/journal")]


@scenario("BASIC-027", "BASIC", "An alarm of a device becomes a LogEvent, and its end another")
async def test_alarms_become_log_events(noon: Home) -> None:
    await noon.fault("pv", "silence", 12.0)
    await noon.grid.until(lambda: _alarms(noon), 30.0, "a LogEvent")
    assert all(number_of(alarm, "functionSet") == 11 for alarm in _alarms(noon))
    await noon.grid.until(lambda: len(_alarms(noon)) >= 2, 30.0, "its return to normal")


def _dark(sample: PowerSample) -> bool:
    return sample.generation_w < 100.0


@scenario("ALL-30", "DER", "A limit in force outlives a restart of the hub", EVERY)
@pytest.mark.deep
async def test_a_limit_outlives_a_restart(noon: Home) -> None:
    await feeding(noon)
    programme = noon.grid.add_programme()
    mrid = programme.add(0, 25, opModMaxLimW=0)
    await noon.comes_to(_dark, "limited")
    await noon.grid.answered(mrid, [1, 2])
    await noon.stage.hub.kill()
    await noon.stage.start_hub()
    await noon.comes_to(_dark, "limited after the restart")
    await noon.grid.answered(mrid, [1, 2, 3], 40.0)
