"""The simulated home of a scenario: its physics and its devices."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from der.commands import Command, Connect, Disconnect, FollowGrid, FormGrid
from der.model import Alarm, PhaseReading, Reading
from der.registry import Registry
from der.sim.physics.battery import BatteryRating
from der.sim.physics.car import CarRating
from der.sim.physics.house import Commands, Flow, House, HouseConfig, Snapshot
from der.sim.physics.island import Trip
from der.sim.physics.wiring import Wiring
from hems import wiring as hub_wiring
from hems.clock import Clock
from hems.scenarios.hub_side import SUB_METER
from hems.scenarios.parts import Ill, Part
from hems.scenarios.script import BatteryPart, HousePart, PvPart, Script
from hems.scenarios.support import Moving, reactive_var, supported_w
from hems.scenarios.weather import week
from hems.settings.config import Config

_PART_OF: Final = {"car": "ev"}
"""What the physics calls a device, where that is not its id."""


class Premises:
    """The home itself; the same script gives the same course, always.

    Args:
        script: The scenario.
        config: The hub's configuration, for what it knows of the devices.
        clock: The devices' own.
        seed: Decides all that chance decides.
    """

    def __init__(self, script: Script, config: Config, clock: Clock, seed: int) -> None:
        has = script.house
        self._has = has
        self._clock = clock
        first = script.starts
        into_week_h = first.weekday() * 24 + first.hour + first.minute / 60 + first.second / 3600
        self.house = House(_physics(has, into_week_h, seed), week(has.season, has.sky))
        wired = {_PART_OF.get(name, name): on for name, on in has.wiring.items()}
        self._wiring = Wiring(has.phases, wired)
        told = {each.spec.id: each.spec for each in hub_wiring.descriptions(config)}
        own = {"tie": self._switch_tie, "battery": self._form}
        self.parts = {
            name: Part(
                spec, clock.monotonic, self._measure(name), own=own.get(name, lambda _told: None)
            )
            for name, spec in told.items()
        }

    def registry(self) -> Registry:
        """Return the devices as a hub opens them; a hub that starts anew needs new ones."""
        return Registry({name: part.device() for name, part in self.parts.items()})

    @property
    def now(self) -> Snapshot:
        """The home after the last step."""
        return self.house.now

    def on_phase_w(self, phase: str) -> float:
        """Return what flows on a phase at the connection point, W; 0 where the home has none."""
        if phase not in self._wiring.phases:
            return 0.0
        return self._wiring.at_meter(self.now, phase).power_w

    def step(self, lasts_s: float) -> Snapshot:
        """Let time pass."""
        return self.house.step(lasts_s, self._commands())

    def fall_ill(self, device: str, ill: Ill | None) -> None:
        """Have a device begin to fail, or cease to."""
        self.parts[device].fall_ill(ill)

    def turn(self, what: str, value: float | None) -> None:
        """Hold load, sun or the grid at a value, or take its voltage away ("outage")."""
        supply = self.house.supply
        match what:
            case "load":
                self.house.fixed_load_w = value
            case "sun":
                self.house.fixed_pv_w = value
            case "voltage":
                supply.fixed_v = value
            case "frequency":
                supply.fixed_hz = value
            case "outage":
                supply.out = True

    def turn_back(self, what: str) -> None:
        """Let it go as it went before."""
        if what == "outage":
            self.house.supply.out = False
        else:
            self.turn(what, self._has.load if what == "load" else None)

    def _commands(self) -> Commands:
        home = self.now
        commands = Commands(
            pv_limit_w=self._sun_limit_w(home),
            battery_w=self._battery_w(home),
            ev_limit_w=self._allowed_w("car"),
            water_heater=self._runs("water_heater"),
            heat_pump=self._runs("heat_pump"),
        )
        return replace(
            commands,
            pv_var=self._var("pv", home.pv.power_w, self._has.pv),
            battery_var=self._var("battery", home.battery.power_w, self._has.battery),
        )

    def _moving(self, power_w: float) -> Moving:
        return Moving(power_w, self.now.voltage_v, self.now.frequency_hz)

    def _sun_limit_w(self, home: Snapshot) -> float:
        part, has = self.parts.get("pv"), self._has.pv
        if part is None or has is None or part.off:
            return 0.0
        asked_w = part.asked_w()
        wanted_w = max(-home.pv_offered_w, -has.power, asked_w if asked_w is not None else -1e9)
        return -supported_w(has.power, part.running, wanted_w, self._moving(home.pv.power_w))

    def _battery_w(self, home: Snapshot) -> float:
        part, has = self.parts.get("battery"), self._has.battery
        if part is None or has is None or part.off:
            return 0.0
        wanted_w = part.asked_w() or 0.0
        return supported_w(has.power, part.running, wanted_w, self._moving(home.battery.power_w))

    def _allowed_w(self, name: str) -> float:
        part = self.parts.get(name)
        if part is None:
            return 0.0
        asked_w = part.asked_w()
        return part.spec.max_w if asked_w is None else asked_w

    def _runs(self, name: str) -> bool:
        part = self.parts.get(name)
        if part is None:
            return False
        asked_w = part.asked_w()
        return asked_w is None or asked_w >= part.spec.max_w

    def _var(self, name: str, power_w: float, has: PvPart | BatteryPart | None) -> float:
        part = self.parts.get(name)
        if part is None or has is None or part.off or part.ill is Ill.OFF:
            return 0.0
        return reactive_var(has.power, part.running, part.holds, self._moving(power_w))

    def _measure(self, name: str) -> Callable[[], Reading]:
        behind = name.removeprefix(SUB_METER)
        if behind != name:
            return partial(self._circuit, behind)
        return {
            "meter": self._meter,
            "pv": self._pv,
            "battery": self._battery,
            "car": self._car,
            "water_heater": self._tank,
            "heat_pump": self._room,
            "tie": self._tie,
        }[name]

    def _switch_tie(self, command: Command[object]) -> str | None:
        match command:
            case Disconnect():
                self.house.island.open_tie()
                return "the tie is open"
            case Connect():
                self.house.island.close_tie()
                return "the tie closes when both sides agree"
        return None

    def _form(self, command: Command[object]) -> str | None:
        match command:
            case FormGrid():
                self.house.island.form()
                return "it forms the home's voltage"
            case FollowGrid():
                self.house.island.follow()
                return "it follows"
        return None

    def _meter(self) -> Reading:
        home = self.now
        phases = tuple(
            PhaseReading(self._wiring.at_meter(home, phase).power_w, home.voltage_v)
            for phase in self._wiring.phases
        )
        return Reading(
            self._clock.now(),
            home.meter.power_w,
            reactive_var=home.meter.reactive_var,
            voltage_v=home.voltage_v,
            frequency_hz=home.frequency_hz,
            energy_import_wh=home.meter.import_wh,
            energy_export_wh=home.meter.export_wh,
            phases=phases,
        )

    def _circuit(self, behind: str) -> Reading:
        flow: Flow = getattr(self.now, behind)
        return Reading(
            self._clock.now(),
            flow.power_w,
            voltage_v=self.now.voltage_v,
            energy_import_wh=flow.import_wh,
            energy_export_wh=flow.export_wh,
        )

    def _tie(self) -> Reading:
        home = self.now
        return Reading(
            self._clock.now(),
            home.meter.power_w,
            voltage_v=home.voltage_v,
            frequency_hz=home.frequency_hz,
            connected=home.tie_closed,
            grid_voltage_v=home.grid_voltage_v,
            grid_frequency_hz=home.grid_frequency_hz,
            angle_deg=home.angle_deg,
        )

    def _pv(self) -> Reading:
        home = self.now
        return Reading(
            self._clock.now(),
            home.pv.power_w,
            reactive_var=home.pv.reactive_var,
            voltage_v=home.voltage_v,
            frequency_hz=home.frequency_hz,
            energy_export_wh=home.pv.export_wh,
            connected=not self.parts["pv"].off,
            limit_w=self.parts["pv"].asked_w(),
        )

    def _battery(self) -> Reading:
        home, island = self.now, self.house.island
        return Reading(
            self._clock.now(),
            home.battery.power_w,
            reactive_var=home.battery.reactive_var,
            voltage_v=home.voltage_v,
            frequency_hz=home.frequency_hz,
            soc=home.soc,
            capacity_wh=self.house.config.battery.capacity_wh,
            connected=not self.parts["battery"].off,
            limit_w=self.parts["battery"].asked_w(),
            alarms=frozenset({Alarm.FAULT} if island.trip is not Trip.NONE else ()),
            forming=island.asked,
        )

    def _car(self) -> Reading:
        home = self.now
        return Reading(
            self._clock.now(),
            home.ev.power_w,
            energy_import_wh=home.ev.import_wh,
            connected=home.ev_plugged,
            wants_power=home.ev_plugged and home.ev_soc < 1.0 - 1e-9,
            limit_w=self.parts["car"].asked_w(),
        )

    def _tank(self) -> Reading:
        home = self.now
        return Reading(
            self._clock.now(),
            home.water_heater.power_w,
            temp_c=home.tank_temp_c,
            wants_power=home.tank_calling,
        )

    def _room(self) -> Reading:
        home = self.now
        return Reading(
            self._clock.now(),
            home.heat_pump.power_w,
            temp_c=home.room_temp_c,
            wants_power=home.room_calling,
        )


def _physics(has: HousePart, start_hour: float, seed: int) -> HouseConfig:
    pv, battery, car = has.pv, has.battery, has.car
    config = HouseConfig(
        seed=seed,
        start_hour=start_hour,
        fixed_load_w=has.load,
    )
    if has.water_heater is not None:
        config = replace(config, tank_temp_c=has.water_heater)
    if has.heat_pump is not None:
        config = replace(config, room_temp_c=has.heat_pump)
    if pv is not None:
        config = replace(config, pv_kwp=pv.peak / 1000.0, pv_max_w=pv.power)
    if battery is not None:
        rating = BatteryRating(battery.capacity, battery.power)
        config = replace(config, battery=rating, battery_soc=battery.charge)
    if car is not None:
        rated = CarRating(
            capacity_wh=car.capacity,
            max_a=car.current,
            phases=car.phases,
            leave_hour=car.leaves,
            arrive_hour=car.arrives,
            trip_wh=car.trip,
        )
        config = replace(config, car=rated, ev_soc=car.charge)
    return config
