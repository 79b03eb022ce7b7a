"""Devices with registers of their maker's own, as further doors to the home's parts.

Each shows, and where it can drives, the same battery, panels, car or heat pump as the home's other
devices: of two limits the lower holds, and a battery follows the one that commands it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from der.sim.faults import Fault
from der.sim.journal import Journal
from der.sim.mapped.bank import BankDevice, BankUnit, Clock
from der.sim.mapped.eastron import MOST, Sdm630
from der.sim.mapped.former import FormingBattery
from der.sim.mapped.heidelberg import HeidelbergBox
from der.sim.mapped.luna import LunaBattery
from der.sim.mapped.sg_ready import SgReadyHeatPump
from der.sim.mapped.sma import SmaInverter
from der.sim.mapped.tie import TieSwitch
from der.sim.mapped.victron import VictronMulti
from der.sim.modbus.server import ModbusServer
from der.sim.physics.house import Commands, House, Snapshot

DESCRIBED: Mapping[str, str] = {
    "sdm630": "eastron-sdm630",
    "sma": "sma-inverter",
    "victron": "victron-ess",
    "luna2000": "huawei-luna2000",
    "heidelberg": "heidelberg-energy-control",
    "sg_ready": "sg-ready",
    "tie": "tie-switch",
    "former": "grid-forming-inverter",
}
"""Devices that there are, with the description that a hub reads each by."""


class MappedHome:
    """The devices that were asked for.

    Attributes:
        servers: By name, each on a free port.
    """

    def __init__(
        self,
        names: Iterable[str],
        house: House,
        journal: Journal,
        fault: Callable[[str], Fault],
        clock: Clock,
    ) -> None:
        self.servers: dict[str, ModbusServer] = {}
        self.devices: dict[str, BankDevice] = {}
        self._house = house
        for name in names:
            sick = fault(name)
            device = self._made(name, sick, journal, clock)
            unit = BankUnit(device, sick, MOST if name == "sdm630" else 125)
            self.devices[name] = device
            self.servers[name] = ModbusServer(name, unit, sick, restart=device.restart)

    def commands(self, others: Commands) -> Commands:
        """Return what the home's parts may do, given what the other devices let them."""
        found = others
        for device in self.devices.values():
            match device:
                case SmaInverter():
                    found = replace(found, pv_limit_w=min(found.pv_limit_w, device.limit_w()))
                case HeidelbergBox():
                    found = replace(found, ev_limit_w=min(found.ev_limit_w, device.limit_w()))
                case SgReadyHeatPump():
                    found = replace(found, heat_pump=found.heat_pump and device.allowed())
                case VictronMulti() | LunaBattery() | FormingBattery():
                    target_w = device.target_w()
                    if target_w is not None:
                        found = replace(found, battery_w=target_w)
        return found

    def _made(self, name: str, fault: Fault, journal: Journal, clock: Clock) -> BankDevice:
        config = self._house.config
        match name:
            case "sdm630":
                return Sdm630(self._home, fault)
            case "sma":
                return SmaInverter(config.pv_max_w, self._home, fault, journal, clock)
            case "victron":
                return VictronMulti(self._home, fault, journal, clock)
            case "luna2000":
                battery = config.battery
                return LunaBattery(
                    battery.capacity_wh, battery.power_w, self._home, fault, journal, clock
                )
            case "heidelberg":
                return HeidelbergBox(self._home, fault, journal, clock)
            case "tie":
                return TieSwitch(self._house, fault, journal)
            case "former":
                return FormingBattery(self._house, fault, journal, clock)
            case _:
                return SgReadyHeatPump(journal, clock)

    def _home(self) -> Snapshot:
        return self._house.now
