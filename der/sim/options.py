"""What the simulated home is started with: command-line options, checked at this edge."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator

from der.sim.errors import OptionError
from der.sim.mapped.home import DESCRIBED
from der.sim.ocpp.options import ChargerOptions
from der.sim.physics.battery import BatteryRating
from der.sim.physics.car import LEAST_A, CarRating
from der.sim.physics.house import HouseConfig
from der.sim.sunspec.options import SunSpecOptions

NAMED = ", ".join(DESCRIBED)
MOST_PORT = 65535
Port = Annotated[int, Field(ge=0, le=MOST_PORT)]
Share = Annotated[float, Field(ge=0, le=1)]
Hour = Annotated[float, Field(ge=0, lt=24)]
Temp = Annotated[float, Field(ge=0, le=95)]


class Options(SunSpecOptions, ChargerOptions):
    """Start options; each field is the option of its name. Powers are W, energies kWh."""

    seed: int = Field(1, description="decides all that chance decides")
    speed: float = Field(1.0, gt=0, le=3600, description="house seconds in one wall second")
    start_hour: float = Field(18.0, ge=0, lt=168, description="hour of the week, 0 is Monday 0:00")
    ready: Path | None = Field(None, description="file to write the ports to, once all answer")
    control_port: Port = Field(0, description="port of the door for tests; 0 takes any free one")
    meter_port: Port = Field(0, description="port of the meter")
    pv_port: Port = Field(0, description="port of the PV inverter")
    battery_port: Port = Field(0, description="port of the battery inverter")
    water_heater_port: Port = Field(0, description="port of the water heater's relay board")
    heat_pump_port: Port = Field(0, description="port of the heat pump's relay board")
    described: str = Field(
        "",
        description="further devices by their maker's registers, comma between: " + NAMED,
    )
    p1_port: Port | None = Field(None, description="port of the meter's customer port; none if off")
    p1_period: float = Field(1.0, ge=0.1, le=60, description="seconds between its telegrams")
    mqtt: str = Field("", description="broker of devices on MQTT, HOST:PORT; empty for none")
    extra_meters: int = Field(0, ge=0, le=50, description="number of sub-meters besides")
    pv_kwp: float = Field(4.0, gt=0, le=30, description="installed PV power")
    pv_max_w: float = Field(4000.0, gt=0, le=30_000, description="PV inverter's rating")
    battery_kwh: float = Field(6.4, gt=0, le=60, description="battery's usable energy")
    battery_max_w: float = Field(5000.0, gt=0, le=30_000, description="battery's rating")
    battery_soc: Share = Field(0.6, description="battery's charge at the start, 0 to 1")
    ev_soc: Share = Field(0.4, description="car's charge at the start, 0 to 1")
    ev_max_a: float = Field(32.0, ge=LEAST_A, le=80, description="charger's greatest current")
    ev_leave_hour: Hour = Field(7.5, description="hour of the day at which the car leaves")
    ev_arrive_hour: Hour = Field(17.5, description="hour of its return; the same hour: stays")
    tank_temp: Temp = Field(49.0, description="hot water in degC; heats at 50 and below")
    room_temp: Temp = Field(20.4, description="room in degC; heats at 20.5 and below")
    fixed_load: float | None = Field(None, ge=0, le=30_000, description="holds the base load")
    pv_w: float | None = Field(None, ge=0, le=30_000, description="holds what the sun offers")

    @field_validator("described")
    @classmethod
    def _are_described(cls, names: str) -> str:
        unknown = {name.strip() for name in names.split(",") if name.strip()} - set(DESCRIBED)
        if unknown:
            raise ValueError(f"there is no {', '.join(sorted(unknown))}; there are: {NAMED}")
        return names

    @field_validator("mqtt")
    @classmethod
    def _is_broker(cls, at: str) -> str:
        host, _, port = at.rpartition(":")
        if at and not (host and port.isascii() and port.isdigit() and 0 < int(port) <= MOST_PORT):
            raise ValueError("must read HOST:PORT")
        return at

    @field_validator("ocpp")
    @classmethod
    def _is_websocket(cls, url: str) -> str:
        parts = urlsplit(url)
        whole = parts.scheme in {"ws", "wss"} and parts.hostname and parts.path.strip("/")
        if url and not whole:
            raise ValueError("must read ws://HOST:PORT/PATH/IDENTITY, or wss://")
        return url

    def house(self) -> HouseConfig:
        """Return the home's physical side."""
        return HouseConfig(
            seed=self.seed,
            speed=self.speed,
            start_hour=self.start_hour,
            pv_kwp=self.pv_kwp,
            pv_max_w=self.pv_max_w,
            battery=BatteryRating(self.battery_kwh * 1000, self.battery_max_w),
            battery_soc=self.battery_soc,
            car=CarRating(
                max_a=self.ev_max_a,
                phases=int(self.ev_phases),
                switches=self.ev_switches,
                leave_hour=self.ev_leave_hour,
                arrive_hour=self.ev_arrive_hour,
            ),
            ev_soc=self.ev_soc,
            tank_temp_c=self.tank_temp,
            room_temp_c=self.room_temp,
            fixed_load_w=self.fixed_load,
            fixed_pv_w=self.pv_w,
        )


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line.

    Raises:
        OptionError: A value is no number or out of range; unknown options end the program with
            the usual message of the command line.
    """
    parser = argparse.ArgumentParser(
        prog="python -m der.sim",
        description="A simulated home whose devices answer on real loopback sockets.",
        argument_default=argparse.SUPPRESS,
    )
    for name, field in Options.model_fields.items():
        text = f"{field.description} (default: {field.default})"
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="X", help=text)
    try:
        return Options.model_validate(vars(parser.parse_args(arguments)))
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0]).replace("_", "-")
        raise OptionError(f"--{option} {first['input']}: {first['msg']}") from error
