"""Frequency regulation on the whole line: utility, signal, loop, house; and without the utility."""

import json
import time
from pathlib import Path

import aiohttp
import pytest

from hems.commands.scene import Scene
from hems.commands.stage import Stage
from tests.e2e.rig import Part, Rig
from tests.e2e.test_main_job import responses, subscribed
from tests.mqtt.broker import mosquitto
from tests.waiting import until

pytestmark = [pytest.mark.timeout(240)]

HOUSE = (
    *("--fixed-load", "500", "--pv-w", "0", "--battery-kwh", "10", "--battery-soc", "0.5"),
    *("--ev-arrive-hour", "7.4", "--ev-leave-hour", "7.5", "--tank-temp", "60"),
    *("--room-temp", "25"),
)
TOPIC = "regulation/home"
NEAR_W = 20.0
WITHIN_S = 15.0


class _Standing(Part):
    active: bool
    words: str


class _Programme(Part):
    id: str
    standing: _Standing


class _Programmes(Part):
    programmes: list[_Programme]


def agreed(port: int) -> tuple[str, ...]:
    """Return what the owner agreed to, as lines of the configuration."""
    return (
        "[regulation]",
        "consent = true",
        'device = "battery"',
        'capacity = "2 kW"',
        'by = "hub"',
        'dead_band = "20 mHz"',
        "droop = 0.01",
        'program = "Peak Saver"',
        'stop_after = "3 s"',
        'fade = "2 s"',
        "[regulation.signal]",
        'host = "127.0.0.1"',
        f"port = {port}",
        f'topic = "{TOPIC}"',
    )


async def frequency(rig: Rig, hz: float) -> None:
    """Have the grid run at a frequency."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{rig.stage.control}/frequency", json={"values": [hz]}) as response,
    ):
        assert response.ok


async def battery_at(rig: Rig, power_w: float, within_s: float = WITHIN_S) -> None:
    """Wait until the house's battery is at a power: what is left of the meter is its load."""

    async def look() -> float:
        trace = await rig.trace(time.time() - 1.0)
        return trace[-1].meter_w - 500.0

    await until(look, lambda w: abs(w - power_w) <= NEAR_W, within_s, f"battery at {power_w:g} W")


async def standing(rig: Rig, programme: str) -> _Standing:
    """Return how a programme stands, as the page shows it."""
    told = _Programmes.model_validate_json(await rig.get_page("/api/programmes"))
    return next(p.standing for p in told.programmes if p.id == programme)


@pytest.mark.requirement("BUC-3")
async def test_a_commitment_is_armed_by_an_event_followed_and_recorded(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        scene = Scene(page_port=0, house=HOUSE, economy=agreed(broker.port))
        async with Rig(Stage(tmp_path / "stage", scene)) as rig, broker.client() as aggregator:

            async def send(seq: int, value: float) -> None:
                words = {"seq": seq, "at": time.time(), "value": value}
                await aggregator.publish(TOPIC, json.dumps(words), retain=True)

            await frequency(rig, 50.0)
            await battery_at(rig, -500.0, 60.0)
            await subscribed(rig)
            event = await rig.dispatch(storage_target_w=-300.0, seconds=40, program="Peak Saver")
            await battery_at(rig, 300.0, 30.0)  # its base: 300 W of charging
            await until(
                lambda: standing(rig, "regulation"), lambda s: s.active, WITHIN_S, "following"
            )
            await send(1, 0.5)
            await battery_at(rig, 300.0 - 1000.0)
            await send(2, -0.5)
            await battery_at(rig, 300.0 + 1000.0)
            await battery_at(rig, 300.0)  # nothing more came
            assert "stopped" in " ".join((await rig.home()).alarms)
            await responses(rig, event.id, [1, 2, 3], 60.0)
            await battery_at(rig, -500.0)
            assert not (await standing(rig, "regulation")).active


# The same in virtual time: tests/scenarios/frequency_comms_loss.toml.
@pytest.mark.deep
@pytest.mark.requirement("BUC-3")
async def test_without_the_utility_the_frequency_is_answered_within_its_limits(
    tmp_path: Path,
) -> None:
    """The utility falls silent in an event; the home goes on to respond, and keeps its limit."""
    scene = Scene(page_port=0, house=HOUSE, economy=agreed(1)[:7])
    async with Rig(Stage(tmp_path / "stage", scene)) as rig:
        await frequency(rig, 50.0)
        await battery_at(rig, -500.0, 60.0)
        await subscribed(rig)
        await until(lambda: standing(rig, "frequency"), lambda s: s.active, WITHIN_S, "responding")
        await frequency(rig, 49.5)
        await battery_at(rig, -2420.0)
        await rig.dispatch(limit_export_w=1000.0, seconds=600)
        await battery_at(rig, -1450.0)  # 1 kW less the margin, and the house's own 500 W
        await rig.stage.headend.kill()
        await frequency(rig, 50.3)
        await battery_at(rig, -500.0 + 1120.0)
        asked_at = time.time()
        await frequency(rig, 49.5)
        await battery_at(rig, -1450.0)
        assert min(s.meter_w for s in await rig.trace(asked_at)) >= -1000.0


@pytest.mark.deep
@pytest.mark.requirement("BUC-3")
async def test_an_inverter_that_has_the_function_responds_by_itself(tmp_path: Path) -> None:
    """Full discharge; the grid is too fast, and the inverter gives less without being asked to."""
    house = (*HOUSE, "--battery-style", "full", "--fixed-load", "4000")
    lines = [line for line in agreed(1)[:7] if not line.startswith("by")]
    scene = Scene(page_port=0, house=house, economy=lines)
    async with Rig(Stage(tmp_path / "stage", scene)) as rig:
        await frequency(rig, 50.0)
        await until(
            lambda: standing(rig, "frequency"),
            lambda s: s.active and "by itself" in s.words,
            60.0,
            "the inverter responds",
        )
        # 2 kW of its 5 kW over 1 % are all of them over 2.5 %.
        told = await until(
            rig.writes,
            lambda writes: any("KOf=0.025" in w.values for w in writes if w.device == "battery"),
            30.0,
            "the droop is written",
        )
        assert any("WSet=4000" in w.values for w in told)
        await frequency(rig, 50.3)

        async def meter_w() -> float:
            return (await rig.trace(time.time() - 1.0))[-1].meter_w

        await until(meter_w, lambda w: w > 1000.0, WITHIN_S, "less is given")
