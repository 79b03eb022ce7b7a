"""The home's devices, made from its physics: who shows what, and what each lets its part do."""

import time

from der.sim.faults import Fault
from der.sim.journal import Journal
from der.sim.mapped.bank import BankUnit
from der.sim.mapped.home import MappedHome
from der.sim.mapped.relay import Appliance, RelayBoard
from der.sim.modbus.server import ModbusServer
from der.sim.mqtt.home import MqttHome
from der.sim.ocpp.charger import Charger
from der.sim.ocpp.link import ChargerLink
from der.sim.options import Options
from der.sim.p1 import P1Server
from der.sim.physics.house import Commands, Flow, House, Snapshot
from der.sim.sunspec.home import SunSpecHome


class Devices:
    """All devices of the home.

    Attributes:
        servers: The Modbus devices by name.
        charger: The charger's own state.
        link: Its connection; None if it has no central system.
        mqtt: The devices on MQTT, if a broker was named.
        p1: The meter's customer port; None if it has none.
        faults: The fault of each device by name.
    """

    def __init__(self, options: Options, house: House, journal: Journal) -> None:
        self._options = options
        self._house = house
        self.faults: dict[str, Fault] = {}
        self.servers: dict[str, ModbusServer] = {}
        clock = time.monotonic
        self._sunspec = SunSpecHome(options, house, journal, self._fault, clock)
        self.servers |= self._sunspec.servers
        described = [name.strip() for name in options.described.split(",") if name.strip()]
        self._mapped = MappedHome(described, house, journal, self._fault, clock)
        self.servers |= self._mapped.servers
        self._water_heater = RelayBoard(
            "water_heater", self._tank, self._fault("water_heater"), journal, clock
        )
        self._heat_pump = RelayBoard(
            "heat_pump", self._room, self._fault("heat_pump"), journal, clock
        )
        self._serve(self._water_heater, options.water_heater_port)
        self._serve(self._heat_pump, options.heat_pump_port)
        self.charger = Charger(house.config.car, self._home, journal, self._fault("ev"))
        self.link = ChargerLink(options.calling(), self.charger) if options.ocpp else None
        self.mqtt = MqttHome(options.mqtt, house, journal, self._fault)
        self.p1: P1Server | None = None
        if options.p1_port is not None:
            self.p1 = P1Server(
                "p1",
                self._at_connection,
                self._fault("p1"),
                port=options.p1_port,
                period_s=options.p1_period,
            )

    def commands(self) -> Commands:
        """Return what each device lets its part do now."""
        car = self.charger.offer()
        others = Commands(
            pv_limit_w=self._sunspec.pv.limit_w(),
            battery_w=self._sunspec.battery.target_w(),
            pv_var=self._sunspec.pv.reactive_var(),
            battery_var=self._sunspec.battery.reactive_var(),
            ev_limit_w=car.power_w,
            ev_phases=car.phases,
            water_heater=self._water_heater.allowed(),
            heat_pump=self._heat_pump.allowed(),
        )
        return self.mqtt.commands(self._mapped.commands(others))

    def _home(self) -> Snapshot:
        return self._house.now

    def _at_connection(self) -> tuple[list[Flow], float]:
        wiring, home = self._sunspec.wiring, self._house.now
        return [wiring.at_meter(home, phase) for phase in wiring.phases], home.voltage_v

    def _tank(self) -> Appliance:
        home = self._house.now
        return Appliance(home.water_heater.power_w, home.tank_temp_c, home.tank_calling)

    def _room(self) -> Appliance:
        home = self._house.now
        return Appliance(home.heat_pump.power_w, home.room_temp_c, home.room_calling)

    def _serve(self, board: RelayBoard, port: int) -> None:
        name = board.device
        if self._options.serves(name):
            fault = self._fault(name)
            unit = BankUnit(board, fault)
            self.servers[name] = ModbusServer(name, unit, fault, port, restart=board.restart)

    def _fault(self, name: str) -> Fault:
        return self.faults.setdefault(name, Fault(f"{self._options.seed}/{name}"))
