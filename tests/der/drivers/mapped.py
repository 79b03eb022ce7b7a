"""Simulated devices with registers of their maker's own, on sockets, on a clock that tests turn."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from der.addresses import MappedAddress, ModbusAddress, Wiring
from der.drivers.mapped.files import load
from der.drivers.mapped.link import Clocks, MappedLink, connect
from der.model import DeviceKind, DeviceSpec
from der.registry import CONTROLS
from der.sim.faults import Fault
from der.sim.journal import Journal
from der.sim.mapped.bank import BankUnit
from der.sim.mapped.home import DESCRIBED, MappedHome
from der.sim.mapped.relay import Appliance, RelayBoard
from der.sim.modbus.server import ModbusServer
from der.sim.physics.dataset import load_week
from der.sim.physics.house import Commands, House, HouseConfig

KINDS = {
    "sdm630": (DeviceKind.METER, -24_000.0, 24_000.0),
    "sma": (DeviceKind.PV, -4000.0, 0.0),
    "victron": (DeviceKind.BATTERY, -5000.0, 5000.0),
    "luna2000": (DeviceKind.BATTERY, -5000.0, 5000.0),
    "heidelberg": (DeviceKind.EVSE, 0.0, 3680.0),
    "sg_ready": (DeviceKind.HEAT_PUMP, 0.0, 2000.0),
    "relay_board": (DeviceKind.WATER_HEATER, 0.0, 3000.0),
    "tie": (DeviceKind.TIE, -24_000.0, 24_000.0),
    "former": (DeviceKind.BATTERY, -5000.0, 5000.0),
}
MAPS = {**DESCRIBED, "relay_board": "relay-board"}
"""Descriptions by which the simulated devices are read."""
WIRING = Wiring(phases=1, fallback_a=6.0)


@dataclass(slots=True)
class Ticker:
    """A monotonic clock that stands still until it is turned."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass(slots=True)
class Doors:
    """A home whose devices by their maker's registers are on sockets; nobody else drives it."""

    house: House
    home: MappedHome
    journal: Journal
    clock: Ticker
    faults: dict[str, Fault] = field(default_factory=dict)

    def step(self, seconds: float = 1.0) -> None:
        """Let the home live for a while, under what its devices let it do; no timer moves."""
        board = self.home.devices.get("relay_board")
        for _ in range(10):
            commands = self.home.commands(Commands())
            if isinstance(board, RelayBoard):
                commands = replace(commands, water_heater=board.allowed())
            self.house.step(seconds / 10, commands)

    def wait(self, seconds: float) -> None:
        """Turn the clock, then let the home live for a second."""
        self.clock.seconds += seconds
        self.step()

    def at(self, name: str, timeout_s: float = 1.0) -> MappedAddress:
        """Return where a device is."""
        port = self.home.servers[name].port
        bus = ModbusAddress("127.0.0.1", port, timeout_s=timeout_s)
        return MappedAddress(bus, MAPS[name], WIRING)

    async def link(self, name: str, timeout_s: float = 1.0) -> MappedLink:
        """Connect to a device as the hub does."""
        at = self.at(name, timeout_s)
        clocks = Clocks(lambda: 7.0, self.clock)
        return await connect(spec(name), at, load(at.map), clocks=clocks)

    @property
    def written(self) -> list[str]:
        """Accepted writes so far."""
        return [write.values for write in self.journal.writes()]


def _tank(house: House) -> Appliance:
    now = house.now
    return Appliance(now.water_heater.power_w, now.tank_temp_c, now.tank_calling)


def spec(name: str) -> DeviceSpec:
    """Return a device as commissioned."""
    kind, low, high = KINDS[name]
    return DeviceSpec(name, kind, name.title(), CONTROLS[kind], low, high)


@asynccontextmanager
async def doors(*names: str, config: HouseConfig | None = None) -> AsyncIterator[Doors]:
    """Serve some devices."""
    house = House(config or HouseConfig(fixed_load_w=500.0, fixed_pv_w=3000.0), load_week())
    journal, clock = Journal(), Ticker()
    faults: dict[str, Fault] = {}

    def fault(name: str) -> Fault:
        return faults.setdefault(name, Fault(name))

    home = MappedHome([n for n in names if n != "relay_board"], house, journal, fault, clock)
    if "relay_board" in names:
        board = RelayBoard(
            "relay_board", lambda: _tank(house), fault("relay_board"), journal, clock
        )
        unit = BankUnit(board, fault("relay_board"))
        home.devices["relay_board"] = board
        home.servers["relay_board"] = ModbusServer(
            "relay_board", unit, fault("relay_board"), restart=board.restart
        )
    found = Doors(house, home, journal, clock, faults)
    found.step()
    tasks = []
    try:
        for server in home.servers.values():
            await server.start()
            tasks.append(asyncio.create_task(server.follow_fault()))
        yield found
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for server in home.servers.values():
            await server.stop()
