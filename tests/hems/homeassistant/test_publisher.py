"""The home in Home Assistant over a real broker: states, commands, a broker that goes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiomqtt
import pytest

from hems.homeassistant.publisher import publishing
from hems.homeassistant.settings import HomeAssistantSettings, TrustError
from tests.mqtt.broker import Mosquitto, mosquitto
from tests.waiting import until
from tests.web.surface import ScriptedClock, ScriptedHome

pytestmark = pytest.mark.requirement("ROLE-UI", "L1-OWNER")

HUB = "0123456789ab"
BASE = f"hems/{HUB}"
WITHIN_S = 20.0


@dataclass
class Assistant:
    """Home Assistant's side: all retained and live messages, as it would see them."""

    broker: Mosquitto
    seen: dict[str, str] = field(default_factory=dict)

    async def run(self) -> None:
        while True:
            try:
                async with self.broker.client() as client:
                    await client.subscribe([("homeassistant/#", 1), (f"{BASE}/#", 1)])
                    async for message in client.messages:
                        assert isinstance(message.payload, bytes)
                        self.seen[message.topic.value] = message.payload.decode()
            except aiomqtt.MqttError:
                await asyncio.sleep(0.1)

    async def sees(self, topic: str, wanted: Callable[[str | None], bool]) -> str | None:
        async def look() -> str | None:
            return self.seen.get(topic)

        return await until(look, wanted, WITHIN_S, topic)

    async def state(self, thing: str, state: str) -> None:
        await self.sees(f"{BASE}/{thing}", lambda now: now == state)

    async def ask(self, thing: str, payload: str, *, retain: bool = False) -> None:
        await self.broker.say(f"{BASE}/{thing}/set", payload, retain=retain)


@asynccontextmanager
async def watched(broker: Mosquitto) -> AsyncIterator[Assistant]:
    assistant = Assistant(broker)
    task = asyncio.create_task(assistant.run())
    try:
        yield assistant
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with mosquitto(tmp_path) as running:
        yield running


def settings(broker: Mosquitto) -> HomeAssistantSettings:
    return HomeAssistantSettings(HUB, "Home", broker.settings.host, broker.settings.port)


def scripted() -> ScriptedHome:
    """Return the scripted home with devices that can be wished something of."""
    home = ScriptedHome()
    controls = {"evse": ("ceiling", 0.0, 7400.0), "water_heater": ("switch", 0.0, 3000.0)}
    devices = []
    for device in home.now.devices:
        control, low, high = controls.get(device.kind, ("none", 0.0, 0.0))
        devices.append(replace(device, control=control, min_w=low, max_w=high))
    home.now = replace(home.now, devices=devices)
    return home


def id_of(home: ScriptedHome, kind: str) -> str:
    return next(d.id for d in home.now.devices if d.kind == kind)


async def test_the_home_is_announced_and_followed(broker: Mosquitto) -> None:
    home = scripted()
    async with watched(broker) as assistant:
        async with publishing(home, settings(broker), ScriptedClock()):
            await assistant.state("available", "online")
            config = await assistant.sees(
                f"homeassistant/sensor/hems_{HUB}/home_net_power/config", bool
            )
            assert config is not None
            announced = json.loads(config)
            assert announced["state_topic"] == f"{BASE}/home/net_power"
            await home.play(net_w=4321.0)
            await assistant.state("home/net_power", "4321")
            car = home.device(id_of(home, "evse"))
            await home.change_device(replace(car, power_w=None, quality="lost"))
            await assistant.state(f"device-{car.id}/power", "None")
        await assistant.state("available", "offline")


async def test_commands_reach_the_home_and_the_state_follows(broker: Mosquitto) -> None:
    home, clock = scripted(), ScriptedClock()
    car, tank = id_of(home, "evse"), id_of(home, "water_heater")
    async with watched(broker) as assistant, publishing(home, settings(broker), clock):
        await assistant.state(f"device-{car}/pause", "OFF")
        await assistant.ask(f"device-{car}/duration", "4 h")
        await assistant.ask(f"device-{car}/limit", "3000")
        await assistant.state(f"device-{car}/limit", "3000")
        assert home.device(car).wish_until == clock.at + 4 * 3600
        await assistant.ask(f"device-{tank}/pause", "ON")
        await assistant.state(f"device-{tank}/pause", "ON")
        assert home.device(tank).wish_until == clock.at + 3600
        await assistant.ask(f"device-{tank}/pause", "OFF")
        await assistant.state(f"device-{tank}/pause", "OFF")
        assert home.wishes == [("wish", car), ("wish", tank), ("end wish", tank)]


async def test_nonsense_asks_nothing(broker: Mosquitto, caplog: pytest.LogCaptureFixture) -> None:
    home = scripted()
    car = id_of(home, "evse")
    await broker.say(f"{BASE}/device-{car}/limit/set", "1000", retain=True)
    async with watched(broker) as assistant, publishing(home, settings(broker), ScriptedClock()):
        await assistant.state(f"device-{car}/pause", "OFF")
        for payload in ("nan", "9e99", "-5", "99999", "x" * 100_000, "\0"):
            await assistant.ask(f"device-{car}/limit", payload)
        await assistant.ask("device-boat/limit", "1")
        await assistant.ask(f"device-{car}/limit", "3000")
        await assistant.state(f"device-{car}/limit", "3000")
        assert home.wishes == [("wish", car)]
    said = [m for m in caplog.messages if BASE in m]
    assert len(said) == 4, "two of nonsense and two of what is refused, however much comes"


async def test_what_is_no_more_is_taken_back_even_after_a_restart(broker: Mosquitto) -> None:
    home = scripted()
    async with watched(broker) as assistant:
        gone = f"homeassistant/switch/hems_{HUB}/event_OLD_part/config"
        await broker.say(gone, '{"name": "of a run before"}', retain=True)
        async with publishing(home, settings(broker), ScriptedClock()):
            await assistant.state("available", "online")
            await home.play()
            await assistant.sees(gone, lambda now: not now)


async def test_a_broker_that_goes_disturbs_nothing_and_is_told_all_anew(
    broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    home = scripted()
    async with watched(broker) as assistant, publishing(home, settings(broker), ScriptedClock()):
        await assistant.state("available", "online")
        await broker.kill()
        assistant.seen.clear()
        for _ in range(3):
            await home.play()
        await broker.start()
        await assistant.state("available", "online")
        await home.play(net_w=77.0)
        await assistant.state("home/net_power", "77")
        assert f"homeassistant/sensor/hems_{HUB}/home_price/config" in assistant.seen
    assert 1 <= len([m for m in caplog.messages if "is away" in m]) <= 2


async def test_home_assistant_that_starts_anew_is_told_all_anew(broker: Mosquitto) -> None:
    home = scripted()
    async with watched(broker) as assistant, publishing(home, settings(broker), ScriptedClock()):
        await assistant.state("available", "online")
        await assistant.sees(f"{BASE}/home/net_power", bool)
        assistant.seen.clear()
        await broker.say("homeassistant/status", "online")

        async def moved() -> str | None:
            await home.play()
            return assistant.seen.get(f"{BASE}/home/net_power")

        await until(moved, bool, WITHIN_S, "told anew")


async def test_no_broker_at_all_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    away = HomeAssistantSettings(HUB, "Home", port=9)
    async with publishing(scripted(), away, ScriptedClock()):
        await asyncio.sleep(1.2)
    assert len([m for m in caplog.messages if "is away" in m]) == 1


def test_a_trust_file_that_is_not_there_is_one_error(tmp_path: Path) -> None:
    bad = HomeAssistantSettings(HUB, "Home", trust=tmp_path / "nowhere.pem")

    async def start() -> None:
        async with publishing(scripted(), bad, ScriptedClock()):
            pass

    with pytest.raises(TrustError, match=r"nowhere\.pem"):
        asyncio.run(start())
