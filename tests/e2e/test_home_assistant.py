"""Home Assistant's side of the main job: a plug on MQTT is shed, its switch leaves the event."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.conftest import EVENING, Opener
from tests.e2e.rig import Rig
from tests.e2e.test_main_job import LIMIT_W, responses, settled, subscribed
from tests.mqtt.broker import Mosquitto, mosquitto
from tests.waiting import until

pytestmark = pytest.mark.timeout(240)

WITHIN_S = 40.0


@dataclass
class Assistant:
    """What Home Assistant knows of the home: its switches, sensors and their states."""

    broker: Mosquitto
    seen: dict[str, str] = field(default_factory=dict)

    async def run(self) -> None:
        async with self.broker.client() as client:
            await client.subscribe([("homeassistant/#", 1), ("hems/#", 1)])
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                self.seen[message.topic.value] = message.payload.decode()

    def entity(self, name: str) -> dict[str, object] | None:
        """Return the configuration of an entity by the end of its unique id."""
        for topic, payload in self.seen.items():
            if topic.endswith(f"{name}/config") and payload:
                found = json.loads(payload)
                assert isinstance(found, dict)
                return found
        return None

    def state(self, name: str) -> str | None:
        found = self.entity(name)
        return None if found is None else self.seen.get(str(found["state_topic"]))

    async def shows(self, name: str, state: str) -> None:
        async def look() -> str | None:
            return self.state(name)

        await until(look, lambda now: now == state, WITHIN_S, f"{name} is {state}")

    async def ask(self, name: str, payload: str) -> None:
        found = self.entity(name)
        assert found is not None
        await self.broker.say(str(found["command_topic"]), payload)


@asynccontextmanager
async def watched(broker: Mosquitto) -> AsyncIterator[Assistant]:
    assistant = Assistant(broker)
    task = asyncio.create_task(assistant.run())
    try:
        yield assistant
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def hub_lines(port: int) -> tuple[str, ...]:
    return (
        *("[mqtt]", f"port = {port}", "home_assistant = true"),
        *("[[device]]", 'id = "plug"', 'kind = "plug"', 'name = "Fan heater"', 'driver = "mqtt"'),
        *('profile = "tasmota"', 'topic = "sim-plug"', 'max = "800 W"', "essentiality = 0"),
    )


async def plug_w(rig: Rig) -> float | None:
    return (await rig.home()).tile("plug").power_w


@pytest.mark.requirement("ROLE-UI", "L1-OWNER", "BUC-1")
async def test_an_event_is_left_from_home_assistant_and_a_plug_paused(
    opened: Opener, tmp_path: Path
) -> None:
    (tmp_path / "broker").mkdir()
    async with mosquitto(tmp_path / "broker") as broker:
        house = (*EVENING, "--mqtt", f"127.0.0.1:{broker.port}")
        async with (
            opened(house=house, utility=hub_lines(broker.port)) as rig,
            watched(broker) as assistant,
        ):
            await settled(rig)
            await subscribed(rig)
            await until(lambda: plug_w(rig), lambda w: w == 800, WITHIN_S, "the plug draws")
            await assistant.shows("device_plug_power", "800")

            event = await rig.dispatch(limit_import_w=LIMIT_W, seconds=120)
            part = f"event_{event.id}_part"
            await assistant.shows(part, "ON")
            await assistant.shows("home_import_limit", f"{LIMIT_W:.0f}")
            await until(lambda: plug_w(rig), lambda w: w == 0, WITHIN_S, "the plug is shed")
            await assistant.shows("device_plug_power", "0")

            await assistant.ask(part, "OFF")
            await responses(rig, event.id, [1, 2, 4], 10.0)
            await assistant.shows(part, "OFF")
            await assistant.shows("home_import_limit", "None")
            await until(lambda: plug_w(rig), lambda w: w == 800, 90, "the plug is given back")

            await assistant.ask("device_plug_pause", "ON")
            await until(lambda: plug_w(rig), lambda w: w == 0, WITHIN_S, "the plug is paused")
            await assistant.shows("device_plug_pause", "ON")
            await assistant.ask("device_plug_end", "PRESS")
            await until(lambda: plug_w(rig), lambda w: w == 800, 60, "the plug runs again")
            await assistant.shows("device_plug_pause", "OFF")
        assert assistant.state("home_net_power") is not None
