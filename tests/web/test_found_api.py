"""Finding, adding, changing and removing devices over the API: real files, a house on sockets."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from der.sim.options import Options
from der.sim.runner import SimulatedHome
from hems.clock import SystemClock
from hems.device_surface import CallerView
from hems.settings.config import load
from hems.setup.device_setup import DeviceSetup
from tests.hems.setup.following import FollowingHome
from tests.waiting import until
from tests.web.surface import ScriptedHome
from web.found_api import FoundApi
from web.server import serving
from web.settings import WebSettings

pytestmark = [
    pytest.mark.requirement("LC-COMMISSION", "L1-OWNER", "ROLE-UI"),
    pytest.mark.timeout(120),
]
OWN = (
    '[[device]]\nid = "roof"\nkind = "pv"\nname = "Roof"\n'
    'driver = "sunspec"\nport = 9\nmin = "-4 kW"\n'
)


@pytest.fixture
def home(tmp_path: Path) -> FollowingHome:
    path = tmp_path / "hems.toml"
    path.write_text(f"[ocpp]\nport = 0\n{OWN}", encoding="utf-8")
    return FollowingHome(path)


@pytest.fixture
async def client(
    settings: WebSettings, home: FollowingHome
) -> AsyncIterator[aiohttp.ClientSession]:
    calls = (CallerView("garage", "192.168.1.7", "ocpp1.6"),)
    setup = DeviceSetup(home.path, home, lambda: calls, SystemClock())
    async with (
        serving(ScriptedHome(), settings, SystemClock(), [FoundApi(setup)]) as url,
        aiohttp.ClientSession(url) as session,
    ):
        yield session
    await setup.close()


async def get(client: aiohttp.ClientSession, path: str) -> Any:
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def post(client: aiohttp.ClientSession, path: str, body: object = None) -> tuple[int, Any]:
    async with client.post(path, json=body) as answer:
        return answer.status, await answer.json()


async def state(client: aiohttp.ClientSession, path: str, wanted: str) -> Any:
    async def look() -> Any:
        return await get(client, path)

    return await until(look, lambda now: now["state"] == wanted, 60.0, f"{path} is {wanted}")


async def test_found_added_changed_and_removed(
    client: aiohttp.ClientSession, home: FollowingHome
) -> None:
    assert (await get(client, "/api/found"))["state"] == "none"
    async with SimulatedHome(Options(ocpp="")) as house:
        at = f"127.0.0.1:{house.devices.servers['battery'].port}"
        status, began = await post(client, "/api/found", {"at": [at], "listen_s": 1})
        assert (status, began["state"]) == (202, "looking")
        status, refused = await post(client, "/api/found", {"at": [at]})
        assert status == 409
        assert refused["error"] == "A search is under way; wait for its end, or stop it."
        done = await state(client, "/api/found", "done")
        assert done["share"] == 1.0
        found = {each["kind"]: each for each in done["found"]}
        assert found["battery"]["serial"] == "SIM-BAT-1"
        assert found["evse"]["how"] == ["OCPP call-in"]
        assert (found["pv"]["configured"], found["pv"]["how"]) == ("roof", ["held by the hub"])

        body = {"name": "House battery", "found": found["battery"]["number"]}
        status, joining = await post(client, "/api/found/join", body)
        assert (status, joining["state"]) == (202, "drafting")
        asking = await state(client, "/api/found/join", "asking")
    assert asking["outcome"]["passed"]
    assert asking["detail"]["kind"] == "battery"
    status, added = await post(client, "/api/found/join/confirm")
    assert (status, added["state"], added["device"]) == (200, "added", "house_battery")

    settings = await get(client, "/api/devices/house_battery/settings")
    assert settings["editable"]
    assert settings["file"] == "devices.toml"
    assert settings["choices"] == {
        "gives": True,
        "takes": True,
        "comfort": False,
        "essentiality": False,
    }
    change = {"name": "Cellar", "min_w": -2000, "max_w": 2500}
    async with client.put("/api/devices/house_battery/settings", json=change) as answer:
        assert answer.status == 204
    section = load(home.path).device[-1]
    assert (section.name, section.min, section.max) == ("Cellar", -2000.0, 2500.0)
    async with client.delete("/api/devices/house_battery") as answer:
        assert answer.status == 204
    assert [each.id for each in load(home.path).device] == ["roof"]


async def test_what_a_person_wrote_a_person_changes(
    client: aiohttp.ClientSession, home: FollowingHome
) -> None:
    before = home.path.read_bytes()
    settings = await get(client, "/api/devices/roof/settings")
    assert (settings["editable"], settings["file"]) == (False, "hems.toml")
    said = "roof stands in hems.toml, which people write: change it there."
    async with client.put("/api/devices/roof/settings", json={"name": "Dach"}) as answer:
        assert (answer.status, (await answer.json())["error"]) == (400, said)
    async with client.delete("/api/devices/roof") as answer:
        assert (answer.status, (await answer.json())["error"]) == (400, said)
    assert home.path.read_bytes() == before


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/api/devices/nobody/settings", {"name": "x"}, 404),
        ("DELETE", "/api/devices/nobody", None, 404),
        ("GET", "/api/devices/nobody/settings", None, 404),
        ("PUT", "/api/devices/roof/settings", {"name": ""}, 400),
        ("PUT", "/api/devices/roof/settings", {"essentiality": 10}, 400),
        ("PUT", "/api/devices/roof/settings", {"comfort_low_c": 400}, 400),
        ("PUT", "/api/devices/roof/settings", {"driver": "mqtt"}, 400),
        ("POST", "/api/found", {"at": ["x"] * 33}, 400),
        ("POST", "/api/found", {"listen_s": 1e9}, 400),
        ("POST", "/api/found/join", {"name": "x", "kind": "spaceship"}, 400),
        ("POST", "/api/found/join", {"name": "x", "found": 0}, 400),
        # A file of the hub's is named on the hub alone.
        ("POST", "/api/found/join", {"name": "x", "driver": "modbus", "map": "/etc/passwd"}, 400),
        ("POST", "/api/found/join/confirm", None, 400),
    ],
)
async def test_what_makes_no_sense_is_refused(
    client: aiohttp.ClientSession, method: str, path: str, body: object, status: int
) -> None:
    async with client.request(method, path, json=body) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]


async def test_a_search_beyond_the_home_is_not_made(client: aiohttp.ClientSession) -> None:
    await post(client, "/api/found", {"at": ["8.8.8.8"], "listen_s": 1})
    failed = await state(client, "/api/found", "failed")
    assert failed["troubles"][0].startswith("8.8.8.8: ")
    await post(client, "/api/found", {"at": ["127.0.0.1:65536"], "listen_s": 1})
    failed = await state(client, "/api/found", "failed")
    assert failed["troubles"] == ["127.0.0.1:65536: '65536' is no port"]


async def test_a_search_is_stopped_and_begun_again(client: aiohttp.ClientSession) -> None:
    over = asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        order = {"at": [f"127.0.0.1:{port}"], "listen_s": 1}
        await post(client, "/api/found", order)
        await asyncio.sleep(0.2)
        async with client.delete("/api/found") as answer:
            assert (await answer.json())["state"] == "stopped"
        status, _ = await post(client, "/api/found", order)
        assert status == 202
        async with client.delete("/api/found") as answer:
            assert (await answer.json())["state"] == "stopped"
        over.set()


async def test_what_there_is_to_choose_from(client: aiohttp.ClientSession) -> None:
    choices = await get(client, "/api/found/choices")
    drivers = {each["driver"]: each for each in choices["drivers"]}
    assert "relay-board" in choices["maps"]
    assert {need["key"] for need in drivers["modbus"]["needs"]} == {"port", "map"}
    assert "battery" in drivers["sunspec"]["kinds"]
