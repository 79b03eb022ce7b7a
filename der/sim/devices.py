"""The home's devices, made from its physics: who shows what, and what each lets its part do."""

import time
from functools import partial

from der.sim.charger import Charger
from der.sim.charger_link import ChargerLink
from der.sim.faults import Fault
from der.sim.house import Commands, Flow, House, Snapshot
from der.sim.inverters import BatteryInverter, PvInverter
from der.sim.journal import Journal
from der.sim.meters import Meter, share
from der.sim.modbus import ModbusServer, Unit
from der.sim.options import Options
from der.sim.relay import Appliance, RelayBoard
from der.sim.sunspec_unit import SunSpecDevice, SunSpecUnit


class Devices:
    """All devices of the home.

    Attributes:
        servers: The Modbus devices by name.
        charger: The charger's own state.
        link: Its connection; None if it has no central system.
        faults: The fault of each device by name.
    """

    def __init__(self, options: Options, house: House, journal: Journal) -> None:
        self._options = options
        self._house = house
        self.faults: dict[str, Fault] = {}
        self.servers: dict[str, ModbusServer] = {}
        clock = time.monotonic
        self._pv = PvInverter(options.pv_max_w, self._home, journal, clock)
        self._battery = BatteryInverter(
            options.battery_max_w, options.battery_kwh * 1000, self._home, journal, clock
        )
        self._water_heater = RelayBoard("water_heater", self._tank, journal, clock)
        self._heat_pump = RelayBoard("heat_pump", self._room, journal, clock)
        self._serve_sunspec("meter", self._meter("Meter", "SIM-METER-1"), options.meter_port)
        self._serve_sunspec("pv", self._pv, options.pv_port)
        self._serve_sunspec("battery", self._battery, options.battery_port)
        self._serve("water_heater", self._water_heater, options.water_heater_port)
        self._serve("heat_pump", self._heat_pump, options.heat_pump_port)
        for number in range(1, options.extra_meters + 1):
            # Equal circuits: together with the rest that no sub-meter sees they are the base load.
            part = 1 / (options.extra_meters + 1)
            meter = self._sub_meter(number, part)
            self._serve_sunspec(f"sub_meter_{number}", meter, 0)
        self.charger = Charger(house.config.car, self._home, journal)
        fault = self._fault("ev")
        self.link = ChargerLink(options.ocpp, self.charger, fault) if options.ocpp else None

    def commands(self) -> Commands:
        """Return what each device lets its part do now."""
        return Commands(
            pv_limit_w=self._pv.limit_w(),
            battery_w=self._battery.target_w(),
            ev_limit_w=self.charger.limit_w(),
            water_heater=self._water_heater.allowed(),
            heat_pump=self._heat_pump.allowed(),
        )

    def _home(self) -> Snapshot:
        return self._house.now

    def _tank(self) -> Appliance:
        home = self._house.now
        return Appliance(home.water_heater.power_w, home.tank_temp_c, home.tank_calling)

    def _room(self) -> Appliance:
        home = self._house.now
        return Appliance(home.heat_pump.power_w, home.room_temp_c, home.room_calling)

    def _meter(self, model: str, serial: str) -> Meter:
        return Meter(model, serial, lambda home: home.meter, self._home)

    def _sub_meter(self, number: int, part: float) -> Meter:
        flow = partial(_circuit, part)
        return Meter("Sub-meter", f"SIM-SUB-{number}", flow, self._home)

    def _serve_sunspec(self, name: str, device: SunSpecDevice, port: int) -> None:
        self._serve(name, SunSpecUnit(device), port)

    def _serve(self, name: str, unit: Unit, port: int) -> None:
        self.servers[name] = ModbusServer(name, unit, self._fault(name), port)

    def _fault(self, name: str) -> Fault:
        self.faults[name] = Fault(f"{self._options.seed}/{name}")
        return self.faults[name]


def _circuit(part: float, home: Snapshot) -> Flow:
    return share(home.base, part)
