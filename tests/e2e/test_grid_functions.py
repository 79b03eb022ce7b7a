"""Volt-VAR and fixed reactive power on the whole line: utility, hub, inverter, feeder, meter."""

import asyncio
import os
import signal
import time

import pytest

from tests.e2e.conftest import Opener
from tests.e2e.rig import Home, Rig, Truth
from tests.e2e.test_main_job import responses, subscribed
from tests.waiting import until

pytestmark = [pytest.mark.timeout(150)]

SUNNY = (
    *("--fixed-load", "300", "--pv-w", "2500", "--battery-soc", "1.0"),
    *("--ev-soc", "1.0", "--tank-temp", "60", "--room-temp", "22"),
    *("--pv-style", "full"),
)
"""A sunny house, its PV inverter with curves; it feeds 2.2 kW into the grid."""
CURVE = {
    "points": [[0.92, 44], [0.98, 0], [1.02, 0], [1.08, -44]],
    "of": "max_va",
    "open_loop_s": 5,
}
"""IEEE 1547's default Volt-VAR of category B; the utility counts what is injected positive."""
HIGH_V = 248.0
WITHIN_S = 15.0


async def sunny(rig: Rig) -> None:
    """Wait until the house feeds in and its utility can reach it at once."""

    def ready(home: Home) -> bool:
        return home.utility.state == "connected" and (home.net_w or 0.0) < -2000

    await until(rig.home, ready, 20.0, "connected and feeding in")
    await subscribed(rig)


def absorbing(truth: Truth) -> bool:
    """Return whether the inverter takes reactive power in earnest, as the meter has it."""
    return truth.meter.reactive_var > 500


@pytest.mark.requirement("BUC-4")
async def test_volt_var_brings_a_high_voltage_down_and_ends_with_its_event(opened: Opener) -> None:
    async with opened(house=SUNNY) as rig:
        await sunny(rig)
        await rig.feeder(HIGH_V)
        await until(rig.truth, lambda t: t.voltage_v > HIGH_V, 5.0, "high voltage")
        before = await rig.truth()
        event = await rig.dispatch(volt_var=CURVE, seconds=25)
        await until(rig.truth, absorbing, WITHIN_S, "reactive power absorbed")
        after = await rig.truth()
        assert after.voltage_v < before.voltage_v - 1.0
        assert after.pv.power_w == pytest.approx(before.pv.power_w, abs=50)  # no energy is lost
        home = await until(
            rig.home, lambda home: bool(home.tile("pv").functions), 10.0, "shown on the page"
        )
        assert "Volt-VAR" in home.tile("pv").functions[0]
        card = home.card(event.id)
        assert card is not None
        assert "Volt-VAR" in card.title
        await responses(rig, event.id, [1, 2, 3], 35.0)
        await until(rig.truth, lambda t: abs(t.meter.reactive_var) < 1, 15.0, "var gone")
        assert any("StopFunction" in w.what or "Ena" in w.values for w in await rig.writes())
        assert not (await rig.home()).tile("pv").functions


@pytest.mark.deep
@pytest.mark.requirement("BUC-4", "BUC-11")
async def test_volt_var_under_an_export_limit(opened: Opener) -> None:
    async with opened(house=SUNNY) as rig:
        await sunny(rig)
        await rig.feeder(HIGH_V)
        await rig.dispatch(volt_var=CURVE, seconds=40)
        await until(rig.truth, absorbing, WITHIN_S, "reactive power absorbed")
        await rig.dispatch(limit_export_w=500.0, seconds=15)
        held = await until(
            rig.truth, lambda t: t.meter.power_w >= -500.0, WITHIN_S, "500 W at most"
        )
        assert absorbing(held)
        await asyncio.sleep(3)
        held = await rig.truth()
        assert held.meter.power_w >= -500.0
        assert absorbing(held)


@pytest.mark.requirement("BUC-4", "BUC-12")
async def test_the_owner_leaves_a_voluntary_set_point_of_reactive_power(opened: Opener) -> None:
    async with opened(house=SUNNY) as rig:
        await sunny(rig)
        event = await rig.dispatch(target_var=-1000.0, seconds=60)

        def held(truth: Truth) -> bool:
            return truth.meter.reactive_var == pytest.approx(1000.0, abs=20)

        await until(rig.truth, held, WITHIN_S, "1 kvar absorbed")
        assert await rig.post_page(f"/api/events/{event.id}/opt-out") < 300
        await until(rig.truth, lambda t: abs(t.meter.reactive_var) < 1, WITHIN_S, "var gone")
        assert 4 in await rig.statuses(event.id)


# The same order to the whole home: tests/scenarios/beyond_nameplate.toml.
@pytest.mark.deep
@pytest.mark.requirement("BUC-12")
async def test_a_set_point_beyond_the_nameplate_is_refused_and_said(opened: Opener) -> None:
    async with opened(house=SUNNY) as rig:
        await sunny(rig)
        event = await rig.dispatch(target_var=-9000.0, seconds=30)
        await responses(rig, event.id, [252], 15.0)
        home = await until(
            rig.home, lambda home: home.card(event.id) is not None, 5.0, "shown to the owner"
        )
        card = home.card(event.id)
        assert card is not None
        assert card.state == "rejected"
        assert "the most here is" in card.effect
        assert (await rig.truth()).meter.reactive_var == 0


@pytest.mark.deep
@pytest.mark.requirement("BUC-4")
async def test_a_restarted_hub_takes_its_function_up_again_and_ends_it(opened: Opener) -> None:
    async with opened(house=SUNNY) as rig:
        await sunny(rig)
        await rig.feeder(HIGH_V)
        event = await rig.dispatch(volt_var=CURVE, seconds=45)
        await until(rig.truth, absorbing, WITHIN_S, "reactive power absorbed")
        await rig.stage.hub.kill()
        await rig.stage.start_hub()

        def taken_up(home: Home) -> bool:
            tile = next((t for t in home.devices if t.id == "pv"), None)
            return tile is not None and bool(tile.functions)

        await until(rig.home, taken_up, 30.0, "taken up again")
        assert absorbing(await rig.truth())
        left_s = event.start + event.duration_s + 8 - time.time()
        await until(rig.truth, lambda t: abs(t.meter.reactive_var) < 1, left_s, "ended")
        await responses(rig, event.id, [1, 2, 3], 20.0)


# The same order over the same line: tests/faults/test_bad_orders.py.
@pytest.mark.deep
@pytest.mark.requirement("BUC-4")
async def test_a_curve_with_crossing_points_is_refused_and_said(opened: Opener) -> None:
    async with opened(house=SUNNY) as rig:
        await sunny(rig)
        await rig.feeder(HIGH_V)
        crossing = {**CURVE, "points": [[0.92, 44], [1.02, 0], [0.98, 0], [1.08, -44]]}
        event = await rig.dispatch(volt_var=crossing, raw=True, seconds=30)
        await responses(rig, event.id, [253], 15.0)
        home = await rig.home()
        card = home.card(event.id)
        assert card is not None
        assert card.state == "rejected"
        assert "goes back along its x axis" in card.effect
        assert (await rig.truth()).meter.reactive_var == 0


@pytest.mark.deep
@pytest.mark.requirement("BUC-4")
async def test_a_curve_that_no_inverter_takes_is_told_to_the_utility_and_the_owner(
    opened: Opener,
) -> None:
    async with opened(house=(*SUNNY, "--curve-adoption", "fails")) as rig:
        await sunny(rig)
        await rig.feeder(HIGH_V)
        event = await rig.dispatch(volt_var=CURVE, seconds=60)
        await responses(rig, event.id, [1, 2, 252], 25.0)
        home = await rig.home()
        card = home.card(event.id)
        assert card is not None
        assert card.state == "rejected"
        assert "pv" in card.effect


@pytest.mark.requirement("BUC-4")
async def test_a_hub_that_dies_leaves_no_function_behind(opened: Opener) -> None:
    async with opened(house=SUNNY) as rig:
        await sunny(rig)
        await rig.feeder(HIGH_V)
        event = await rig.dispatch(volt_var=CURVE, seconds=20)
        await until(rig.truth, absorbing, WITHIN_S, "reactive power absorbed")
        os.kill(rig.stage.hub.pid, signal.SIGKILL)
        ends = event.start + event.duration_s
        await asyncio.sleep(max(0.0, ends - 3 - time.time()))
        assert absorbing(await rig.truth())  # until then it goes on by itself
        left_s = ends + 15 - time.time()
        await until(rig.truth, lambda t: abs(t.meter.reactive_var) < 1, left_s, "it reverts")
