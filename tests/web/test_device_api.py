"""What the page's API says of single devices, and how it refuses."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import aiohttp
import pytest

from hems.device_surface import CallerView, DeviceDetail, MoveOutcome, UnknownDeviceError
from hems.emg.firmware.judge import Standing, Verdict
from hems.surface import SurfaceError
from tests.web.surface import ScriptedClock, ScriptedHome
from web.device_api import DeviceApi
from web.server import serving
from web.settings import WebSettings

CAR = DeviceDetail("car", "Car", "evse", "ocpp16", 0.0, 7400.0, 2, "owner", phases=("A",))


@dataclass
class ScriptedDevices:
    """A `DeviceSurface` of one car."""

    moved: list[float] = field(default_factory=list)
    listening: bool = True

    async def device(self, device: str) -> DeviceDetail:
        if device != "car":
            raise UnknownDeviceError(f"this home has no device {device!r}")
        return CAR

    async def test(self, device: str, move_s: float) -> MoveOutcome:
        await self.device(device)
        if self.moved:
            raise SurfaceError("another device is being tested")
        self.moved.append(move_s)
        return MoveOutcome(passed=True, moved=True, findings=("all well",), phases=("A",))

    def callers(self) -> Sequence[CallerView] | None:
        return (CallerView("garage", "192.168.1.7", "ocpp1.6"),) if self.listening else None


@pytest.fixture
def devices() -> ScriptedDevices:
    return ScriptedDevices()


@pytest.fixture
async def client(
    settings: WebSettings, devices: ScriptedDevices
) -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        serving(ScriptedHome(), settings, ScriptedClock(), [DeviceApi(devices)]) as url,
        aiohttp.ClientSession(url) as session,
    ):
        yield session


async def test_a_device_in_full(client: aiohttp.ClientSession) -> None:
    async with client.get("/api/devices/car") as answer:
        assert answer.status == 200
        said = await answer.json()
    assert (said["id"], said["max_w"], said["phases"]) == ("car", 7400.0, ["A"])
    assert said["power_w"] is None
    told = {"firmware_standing", "firmware_words"}
    assert set(said) == {*DeviceDetail.__dataclass_fields__, *told}
    assert {said[name] for name in told} == {""}  # nobody says anything of it


@pytest.mark.requirement("L2-FIRMWARE")
async def test_what_is_thought_of_a_device_s_firmware(devices: ScriptedDevices) -> None:
    found = {"car": Verdict(Standing.ALLOWED, "1.4")}
    settings = WebSettings(port=0)
    api = DeviceApi(devices, lambda: found)
    async with (
        serving(ScriptedHome(), settings, ScriptedClock(), [api]) as url,
        aiohttp.ClientSession(headers={"Accept-Language": "de"}) as session,
        session.get(f"{url}/api/devices/car") as answer,
    ):
        said = await answer.json()
    assert said["firmware_standing"] == "allowed"
    assert said["firmware_words"] == (
        "Es gibt eine neuere Firmware: 1.4. Fragen Sie den Installateur."
    )


@pytest.mark.requirement("LC-COMMISSION")
async def test_a_test_move(client: aiohttp.ClientSession, devices: ScriptedDevices) -> None:
    async with client.post("/api/devices/car/test?move_s=2.5") as answer:
        assert answer.status == 200
        assert await answer.json() == {
            "passed": True,
            "moved": True,
            "findings": ["all well"],
            "phases": ["A"],
        }
    assert devices.moved == [2.5]
    async with client.post("/api/devices/car/test") as answer:
        assert answer.status == 503
        assert await answer.json() == {"error": "another device is being tested"}


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/devices/oven", 404),
        ("POST", "/api/devices/oven/test", 404),
        ("GET", "/api/devices/car/test", 404),
        ("POST", "/api/devices/car", 405),
        ("POST", "/api/devices/car/test?move_s=0", 400),
        ("POST", "/api/devices/car/test?move_s=nan", 400),
        ("POST", "/api/devices/car/test?move_s=1e9", 400),
        ("POST", "/api/devices/car/test?move_s=soon", 400),
        ("POST", "/api/devices/car/test?speed=1", 400),
    ],
)
async def test_what_cannot_be_is_one_sentence(
    client: aiohttp.ClientSession, devices: ScriptedDevices, method: str, path: str, status: int
) -> None:
    async with client.request(method, path) as answer:
        assert answer.status == status
        told = await answer.json()
    assert told["error"]
    assert set(told) <= {"error", "field"}
    assert not devices.moved


@pytest.mark.requirement("L1-PRIVILEGE")
async def test_another_site_cannot_move_a_device(
    client: aiohttp.ClientSession, devices: ScriptedDevices
) -> None:
    headers = {"Origin": "http://evil.example"}
    async with client.post("/api/devices/car/test", headers=headers) as answer:
        assert answer.status == 403
    assert not devices.moved


async def test_who_has_called_in(client: aiohttp.ClientSession, devices: ScriptedDevices) -> None:
    async with client.get("/api/callers") as answer:
        said = await answer.json()
    caller = {"identity": "garage", "remote": "192.168.1.7", "subprotocol": "ocpp1.6"}
    assert said == {"listening": True, "callers": [caller]}
    devices.listening = False
    async with client.get("/api/callers") as answer:
        assert await answer.json() == {"listening": False, "callers": []}
