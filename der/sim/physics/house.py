"""The home's physics: one step moves every part, and the meter shows their sum.

Signs are passive: consumption, charging and import positive. House time runs `speed` times
faster than the wall clock for weather, load, energies and charge; ramps live on wall time.
"""

import math
import random
from dataclasses import dataclass, field, replace

from der.sim.physics.appliances import BaseLoad
from der.sim.physics.battery import Battery, BatteryRating
from der.sim.physics.car import Car, CarRating
from der.sim.physics.dataset import HOUR_S, Week
from der.sim.physics.island import Bus, Island
from der.sim.physics.supply import NOMINAL_HZ, NOMINAL_V, Supply
from der.sim.physics.thermal import HeatedRoom, Thermostat, WaterHeater

LONGEST_STEP_S = 60.0
"""A longer step of house time is taken in parts, so that thermostats and limits act in time."""
ROOM_BAND_C = 0.5
"""How far a radiator thermostat lets the room stray from what it is set to, K."""


@dataclass(frozen=True, slots=True)
class HouseConfig:
    """How the home starts and what it has.

    Attributes:
        seed: Decides everything that chance decides.
        speed: House seconds in one wall second.
        start_hour: Hour of the week at the start, 0 is Monday 00:00.
        pv_kwp: Installed PV power.
        pv_max_w: Rating of the PV inverter.
        battery: The battery.
        battery_soc: Its charge at the start, 0 to 1.
        car: The car and its charger.
        ev_soc: The car's charge at the start, 0 to 1.
        tank_temp_c: Hot-water temperature at the start.
        room_temp_c: Room temperature at the start.
        fixed_load_w: Holds the base load at this power; None for the measured one.
        fixed_pv_w: Holds what the sun offers at this power; None for the measured one.
    """

    seed: int = 1
    speed: float = 1.0
    start_hour: float = 18.0
    pv_kwp: float = 4.0
    pv_max_w: float = 4000.0
    battery: BatteryRating = field(default_factory=BatteryRating)
    battery_soc: float = 0.6
    car: CarRating = field(default_factory=CarRating)
    ev_soc: float = 0.4
    tank_temp_c: float = 49.0
    room_temp_c: float = 20.4
    fixed_load_w: float | None = None
    fixed_pv_w: float | None = None


@dataclass(frozen=True, slots=True)
class Commands:
    """What the devices' own controls let their parts do; the defaults let them run free.

    Attributes:
        pv_limit_w: Greatest PV output, a positive number.
        battery_w: Battery power asked for, charging positive.
        ev_limit_w: Greatest charging power of the car.
        ev_phases: Phases on which it may charge; None for all that it has.
        water_heater: Whether the tank may be heated.
        heat_pump: Whether the heat pump may run.
        pv_var: Reactive power of the PV inverter, absorbing positive.
        battery_var: The same of the battery inverter.
        plugs_w: What is drawn behind switched plugs.
        room_target_c: Temperature that a radiator thermostat keeps the room to; None without one.
    """

    pv_limit_w: float = math.inf
    battery_w: float = 0.0
    ev_limit_w: float = math.inf
    ev_phases: int | None = None
    water_heater: bool = True
    heat_pump: bool = True
    pv_var: float = 0.0
    battery_var: float = 0.0
    plugs_w: float = 0.0
    room_target_c: float | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """Power of one part now, and the energy it has moved since the start.

    Attributes:
        power_w: Consumption positive.
        import_wh: Energy consumed.
        export_wh: Energy produced.
        reactive_var: Reactive power now, absorbing positive.
    """

    power_w: float = 0.0
    import_wh: float = 0.0
    export_wh: float = 0.0
    reactive_var: float = 0.0

    def after(self, power_w: float, hours: float, reactive_var: float = 0.0) -> "Flow":
        """Return the flow after running at `power_w` and `reactive_var` for `hours`."""
        energy_wh = power_w * hours
        return Flow(
            power_w,
            self.import_wh + max(0.0, energy_wh),
            self.export_wh + max(0.0, -energy_wh),
            reactive_var,
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The home at one instant. What `meter` shows is the sum of the seven parts before it.

    Attributes:
        time_s: House time, s since Monday 00:00.
        pv_offered_w: What the sun would yield without a limit, positive.
        soc: The battery's charge, 0 to 1.
        ev_soc: The car's charge, 0 to 1.
        ev_plugged: Whether the car is at its charger.
        ev_phases: Phases on which it charges.
        tank_temp_c: Hot-water temperature.
        tank_calling: Whether the tank's thermostat calls for heat.
        room_temp_c: Room temperature.
        room_calling: Whether the room's thermostat calls for heat.
        outdoor_temp_c: Outdoor temperature.
        voltage_v: Voltage in the home.
        frequency_hz: Its frequency, 0 while the home is dark.
        grid_voltage_v: Voltage of the street.
        grid_frequency_hz: Its frequency.
        angle_deg: By how much the home's phase leads the street's.
        tie_closed: Whether the two are connected.
        bus: Who supplies the home.
    """

    time_s: float
    base: Flow = Flow()
    pv: Flow = Flow()
    battery: Flow = Flow()
    ev: Flow = Flow()
    water_heater: Flow = Flow()
    heat_pump: Flow = Flow()
    plugs: Flow = Flow()
    meter: Flow = Flow()
    pv_offered_w: float = 0.0
    soc: float = 0.0
    ev_soc: float = 0.0
    ev_plugged: bool = False
    ev_phases: int = 1
    tank_temp_c: float = 0.0
    tank_calling: bool = False
    room_temp_c: float = 0.0
    room_calling: bool = False
    outdoor_temp_c: float = 0.0
    voltage_v: float = NOMINAL_V
    frequency_hz: float = NOMINAL_HZ
    grid_voltage_v: float = NOMINAL_V
    grid_frequency_hz: float = NOMINAL_HZ
    angle_deg: float = 0.0
    tie_closed: bool = True
    bus: Bus = Bus.GRID

    def amperes(self, power_va: float) -> float:
        """Return the current of a power on one phase, A; none while the home is dark."""
        return power_va / self.voltage_v if self.voltage_v else 0.0


class House:
    """The home. The same configuration and steps give the same course, always."""

    def __init__(self, config: HouseConfig, week: Week) -> None:
        self.config = config
        self.fixed_load_w = config.fixed_load_w
        self.fixed_pv_w = config.fixed_pv_w
        self._week = week
        self._base = BaseLoad(week.load_wh, config.seed)
        self._battery = Battery(config.battery, config.battery_soc * config.battery.capacity_wh)
        time_s = config.start_hour * HOUR_S
        self._car = Car(
            config.car, config.ev_soc * config.car.capacity_wh, config.car.home_at(time_s)
        )
        self._tank = WaterHeater(config.tank_temp_c, Thermostat(on_c=50.0, off_c=56.0))
        self._room = HeatedRoom(config.room_temp_c, Thermostat(on_c=20.5, off_c=21.5))
        rng = random.Random(f"{config.seed}/supply")  # noqa: S311 - voltage noise, not a secret
        self.supply = Supply(rng)
        phase = random.Random(f"{config.seed}/island")  # noqa: S311 - where a phase begins
        self.island = Island(phase, config.battery.power_w)
        self._now = Snapshot(
            time_s=time_s,
            soc=self._battery.soc,
            ev_soc=self._car.soc,
            ev_plugged=self._car.plugged,
            ev_phases=config.car.phases,
            tank_temp_c=self._tank.temp_c,
            room_temp_c=self._room.temp_c,
            outdoor_temp_c=week.outdoor_temp_at(time_s),
        )

    @property
    def now(self) -> Snapshot:
        """The home after the last step."""
        return self._now

    def step(self, wall_s: float, commands: Commands) -> Snapshot:
        """Let time pass.

        Args:
            wall_s: Wall seconds, above 0; house time moves `speed` times as far.
            commands: What each device lets its part do meanwhile.

        Returns:
            The home afterwards; powers are those of the last part of the step.
        """
        house_s = wall_s * self.config.speed
        parts = math.ceil(house_s / LONGEST_STEP_S)
        for _ in range(parts):
            self._now = self._part_step(house_s / parts, wall_s / parts, commands)
        return self._now

    def _part_step(self, house_s: float, wall_s: float, commands: Commands) -> Snapshot:
        before, start_s = self._now, self._now.time_s
        end_s, hours = start_s + house_s, house_s / HOUR_S
        outdoor_c = self._week.outdoor_temp_at(start_s)
        offered_w = self._offered_w(start_s, end_s)
        bus = self.island.bus(self.supply.grid_v)
        if bus is not Bus.GRID:
            commands = self._on_our_own(commands, bus)
        base_w = 0.0 if bus is Bus.DEAD else self._base_w(start_s, end_s)
        pv_w = 0.0 - max(0.0, min(offered_w, commands.pv_limit_w))  # never -0.0
        ev_w = self._car.charge(commands.ev_limit_w, start_s, hours, wall_s, commands.ev_phases)
        tank_w = self._tank.heat(commands.water_heater, start_s, hours)
        if commands.room_target_c is not None:
            self._room.thermostat.on_c = commands.room_target_c - ROOM_BAND_C
            self._room.thermostat.off_c = commands.room_target_c + ROOM_BAND_C
        room_w = self._room.heat(commands.heat_pump, outdoor_c, hours)
        others_w = base_w + pv_w + ev_w + tank_w + room_w + commands.plugs_w
        if bus is Bus.FORMED:
            self._battery.move(-others_w, hours)
            self.island.carry(others_w, self._battery.soc, wall_s)
            battery_w, meter_w = -others_w, 0.0
        else:
            battery_w = self._battery.move(commands.battery_w, hours)
            meter_w = base_w + pv_w + battery_w + ev_w + tank_w + room_w + commands.plugs_w
        meter_var = commands.pv_var + commands.battery_var
        self.supply.feel(meter_w, meter_var)
        self.island.move(self.supply.grid_v, self.supply.grid_hz, wall_s)
        return Snapshot(
            time_s=end_s,
            base=before.base.after(base_w, hours),
            pv=before.pv.after(pv_w, hours, commands.pv_var),
            battery=before.battery.after(battery_w, hours, commands.battery_var),
            ev=before.ev.after(ev_w, hours),
            water_heater=before.water_heater.after(tank_w, hours),
            heat_pump=before.heat_pump.after(room_w, hours),
            plugs=before.plugs.after(commands.plugs_w, hours),
            meter=before.meter.after(meter_w, hours, meter_var),
            pv_offered_w=offered_w,
            soc=self._battery.soc,
            ev_soc=self._car.soc,
            ev_plugged=self._car.plugged,
            ev_phases=self._car.phases,
            tank_temp_c=self._tank.temp_c,
            tank_calling=self._tank.thermostat.sense(self._tank.temp_c),
            room_temp_c=self._room.temp_c,
            room_calling=self._room.thermostat.sense(self._room.temp_c),
            outdoor_temp_c=outdoor_c,
            voltage_v=self.island.voltage_v,
            frequency_hz=self.island.frequency_hz,
            grid_voltage_v=self.supply.grid_v,
            grid_frequency_hz=self.supply.grid_hz,
            angle_deg=self.island.angle_deg,
            tie_closed=self.island.tie_closed,
            bus=self.island.bus(self.supply.grid_v),
        )

    def _on_our_own(self, commands: Commands, bus: Bus) -> Commands:
        """Return what the parts may do without the street."""
        none = replace(commands, pv_var=0.0, battery_var=0.0, battery_w=0.0)
        if bus is Bus.FORMED:
            most_w = self.island.sun_share * self.config.pv_max_w
            return replace(none, pv_limit_w=min(commands.pv_limit_w, most_w))
        return replace(
            none, pv_limit_w=0.0, ev_limit_w=0.0, water_heater=False, heat_pump=False, plugs_w=0.0
        )

    def _offered_w(self, start_s: float, end_s: float) -> float:
        if self.fixed_pv_w is not None:
            return min(self.fixed_pv_w, self.config.pv_max_w)
        per_kwp_w = self._week.pv_curve.mean(start_s, end_s)
        return max(0.0, min(per_kwp_w * self.config.pv_kwp, self.config.pv_max_w))

    def _base_w(self, start_s: float, end_s: float) -> float:
        if self.fixed_load_w is not None:
            return self.fixed_load_w
        return self._base.mean_w(start_s, end_s)
