"""A simulated house, and `hems` run on it as a person does: each a process of its own."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from hems.commands.child import Child
from hems.commands.stage import HouseReady, HubReady, free_port
from tests.e2e.rig import Home
from tests.waiting import until

START_S = 40.0
COMMAND_S = 120.0
NOON = (
    *("--fixed-load", "600", "--pv-w", "2500", "--battery-soc", "0.6", "--room-temp", "22"),
    *("--ev-arrive-hour", "7.5", "--ev-leave-hour", "7.5", "--tank-temp", "40"),
)
"""A sunny house at a known draw, its tank cold and its car at home."""
CAR = ("--max", "7.4 kW", "--set", "least_on=1380 W", "--set", "fallback=1380 W")


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    error: str


@dataclass
class DeviceHome:
    """The house, and a folder for the hub's files.

    Attributes:
        folder: Where `hems.toml` is.
        house: The simulated house.
        hub: The hub; started by whoever wants one.
        control: The house's door for tests.
        ports: Of the house's devices.
        page: The hub's page.
    """

    folder: Path
    house: Child
    hub: Child
    control: str
    ports: Mapping[str, int]
    page: str

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.folder / "hems.toml"

    @property
    def devices(self) -> Path:
        """The devices file."""
        return self.folder / "devices.toml"

    @property
    def swept(self) -> tuple[str, ...]:
        """Where a scan is to look: at all that listen."""
        return tuple(w for port in self.ports.values() for w in ("--at", f"127.0.0.1:{port}"))

    async def run(self, *arguments: str, within_s: float = COMMAND_S) -> Ran:
        """Run `hems device ...`; no terminal, so that it asks nothing."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hems", "device", *arguments, "--config", str(self.config)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(within_s):
            out, error = await process.communicate()
        assert process.returncode is not None
        assert b"Traceback" not in error, error.decode()
        return Ran(process.returncode, out.decode(), error.decode())

    async def add(self, name: str, device: str, *more: str, move: str = "1s") -> Ran:
        """Add one of the house's devices by hand."""
        described = device in {"water_heater", "heat_pump"}
        driver = ("modbus", "--map", "relay-board") if described else ("sunspec",)
        at = ("--driver", *driver, "--host", "127.0.0.1", "--port", str(self.ports[device]))
        return await self.run("add", name, *at, "--move", move, *more)

    async def start_hub(self) -> None:
        """Start the hub and wait for its first control cycle."""
        await self.hub.start()
        HubReady.model_validate(await self.hub.wait_ready(START_S))

    async def home(self) -> Home:
        """Return the page's snapshot."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.page}/api/home") as response,
        ):
            return Home.model_validate_json(await response.read())

    async def streamed(self) -> AsyncGenerator[Home, None]:
        """Yield the page's snapshots of one stream, as they come."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.page}/api/stream") as response,
        ):
            async for line in response.content:
                if line.startswith(b"data: "):
                    yield Home.model_validate_json(line.removeprefix(b"data: "))

    async def has(self, *devices: str, within_s: float = 30.0) -> Home:
        """Wait until the hub has these devices and each of them answers."""

        def good(home: Home) -> bool:
            return {d.id for d in home.devices} == set(devices) and all(
                d.quality == "good" for d in home.devices
            )

        return await until(self.home, good, within_s, f"a home of {', '.join(devices)}")

    async def fault(self, device: str, fault: str) -> None:
        """Make a device misbehave."""
        order = {"device": device, "fault": fault, "seconds": 0.0}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.control}/fault", json=order) as response,
        ):
            assert response.ok, await response.text()

    async def truth(self) -> dict[str, object]:
        """Return what is true in the house."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.control}/state") as response,
        ):
            state: dict[str, dict[str, object]] = json.loads(await response.read())
            return state["house"]


@asynccontextmanager
async def device_home(folder: Path) -> AsyncIterator[DeviceHome]:
    """Run a house; whatever hub was started is stopped at the end."""
    ocpp, page = free_port(), free_port()
    house = Child(
        "house",
        [
            *(sys.executable, "-m", "der.sim", "--ocpp", f"ws://127.0.0.1:{ocpp}/ocpp/garage"),
            *("--ready", str(folder / "house.json"), *NOON),
        ],
        log=folder / "house.log",
        ready=folder / "house.json",
    )
    config = folder / "hems.toml"
    config.write_text(f"[web]\nport = {page}\n[ocpp]\nport = {ocpp}\n", encoding="utf-8")
    hub = Child(
        "hub",
        [
            *(sys.executable, "-m", "hems", "run", "--config", str(config)),
            *("--ready", str(folder / "hub.json")),
        ],
        log=folder / "hub.log",
        ready=folder / "hub.json",
    )
    try:
        await house.start()
        ready = HouseReady.model_validate(await house.wait_ready(START_S))
        control = f"http://{ready.control.host}:{ready.control.port}"
        ports = {name: port for name, port in ready.ports().items() if port}
        yield DeviceHome(folder, house, hub, control, ports, f"http://127.0.0.1:{page}")
    finally:
        await hub.stop()
        await house.stop()
