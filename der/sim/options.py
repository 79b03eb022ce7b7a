"""What the simulated home is started with: command-line options, checked at this edge."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from der.sim.battery import BatteryRating
from der.sim.car import LEAST_A, CarRating
from der.sim.errors import OptionError
from der.sim.house import HouseConfig

Port = Annotated[int, Field(ge=0, le=65535)]
Share = Annotated[float, Field(ge=0, le=1)]
Hour = Annotated[float, Field(ge=0, lt=24)]
Temp = Annotated[float, Field(ge=0, le=95)]


class Options(BaseModel):
    """Start options; each field is the option of its name. Powers are W, energies kWh."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    seed: int = Field(1, description="decides all that chance decides")
    speed: float = Field(1.0, gt=0, le=3600, description="house seconds in one wall second")
    start_hour: float = Field(18.0, ge=0, lt=168, description="hour of the week, 0 is Monday 0:00")
    ready: Path | None = Field(None, description="file to write the ports to, once all answer")
    ocpp: str = Field(
        "ws://127.0.0.1:9000/ocpp/ev",
        description="address of the charger's central system; empty for none",
    )
    control_port: Port = Field(0, description="port of the door for tests; 0 takes any free one")
    meter_port: Port = Field(0, description="port of the meter")
    pv_port: Port = Field(0, description="port of the PV inverter")
    battery_port: Port = Field(0, description="port of the battery inverter")
    water_heater_port: Port = Field(0, description="port of the water heater's relay board")
    heat_pump_port: Port = Field(0, description="port of the heat pump's relay board")
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

    @field_validator("ocpp")
    @classmethod
    def _is_websocket(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme != "ws" or not parts.hostname or not parts.path.strip("/")):
            raise ValueError("must read ws://HOST:PORT/PATH/IDENTITY")
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
