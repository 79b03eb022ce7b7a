"""The door for tests and benchmarks: true figures out, faults and loads in. Loopback HTTP.

    GET  /state                the home, the charger, faults and the last writes to each device
    GET  /trace?since=EPOCH_S  the meter every 100 ms, up to ten minutes back
    GET  /writes?after=NUMBER  all accepted writes numbered above NUMBER
    POST /fault                {"device", "fault", "seconds"?, "delay_s"?}
    POST /load                 {"base_w"?, "pv_w"?, "voltage_v"?, "frequency_hz"?, "feeder_v"?,
                               "reactance_ohm"?}: a number
                               holds it, null frees it
    POST /grid                 {"out"}: takes the street's voltage away, or gives it back
    POST /frequency            {"values": [Hz, ...], "period_s"?}: the course that it follows from
                               now on; no values end it

`monotonic` figures are the machine's monotonic clock, which all its processes share.
"""

import math
import time
from dataclasses import asdict
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from der.sim.devices import Devices
from der.sim.errors import ListenError
from der.sim.faults import FaultKind
from der.sim.journal import Journal
from der.sim.modbus.server import HOST
from der.sim.physics.frequency import Course
from der.sim.physics.house import House
from der.sim.physics.supply import NOMINAL_V, REACTANCE_OHM

WRITES_SHOWN = 50
"""Of each device, in /state."""

Watts = Annotated[float, Field(ge=0, le=30_000)]


class FaultOrder(BaseModel):
    """Body of POST /fault; `seconds` 0 lasts until told otherwise."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    device: str
    fault: FaultKind
    seconds: float = Field(0.0, ge=0)
    delay_s: float = Field(3.0, ge=0)


class LoadOrder(BaseModel):
    """Body of POST /load; only what is named changes."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    base_w: Watts | None = None
    pv_w: Watts | None = None
    voltage_v: Annotated[float, Field(ge=100, le=400)] | None = None
    feeder_v: Annotated[float, Field(ge=100, le=400)] | None = None
    reactance_ohm: Annotated[float, Field(ge=0, le=5)] | None = None
    frequency_hz: Annotated[float, Field(ge=40, le=70)] | None = None


class CourseOrder(BaseModel):
    """Body of POST /frequency; `period_s` lies between two values."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    values: list[Annotated[float, Field(ge=40, le=70)]]
    period_s: float = Field(1.0, gt=0)


class GridOrder(BaseModel):
    """Body of POST /grid."""

    model_config = ConfigDict(extra="forbid")

    out: bool


class ControlDoor:
    """Serves the door.

    Attributes:
        port: Where it listens, once started.
    """

    def __init__(self, house: House, devices: Devices, journal: Journal, port: int) -> None:
        self.port = port
        self._house = house
        self._devices = devices
        self._journal = journal
        app = web.Application()
        app.router.add_get("/state", self._state)
        app.router.add_get("/trace", self._trace)
        app.router.add_get("/writes", self._writes)
        app.router.add_post("/fault", self._fault)
        app.router.add_post("/load", self._load)
        app.router.add_post("/grid", self._grid)
        app.router.add_post("/frequency", self._frequency)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        """Listen.

        Raises:
            ListenError: The port is taken.
        """
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self.port)
        try:
            await site.start()
        except OSError as error:
            raise ListenError(f"control: cannot listen on {HOST}:{self.port}: {error}") from error
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _state(self, _: web.Request) -> web.Response:
        charger, link = self._devices.charger, self._devices.link
        offer = charger.offer()
        writes = self._journal.writes()
        state = {
            "at": time.time(),
            "monotonic": time.monotonic(),
            "speed": self._house.config.speed,
            "house": asdict(self._house.now),
            "island": {
                "forming": self._house.island.asked,
                "trip": self._house.island.trip,
                "backfeeds": self._house.island.backfeeds,
                "blackouts": self._house.island.blackouts,
                "closings": self._house.island.closings,
            },
            "charger": {
                "connected": link is not None and link.connected,
                "status": charger.status(),
                "limit_w": None if math.isinf(offer.power_w) else offer.power_w,
                "phases": offer.phases,
                "transaction": None if charger.transaction is None else charger.transaction.id,
            },
            "faults": {name: fault.kind for name, fault in self._devices.faults.items()},
            "writes": {
                name: [asdict(write) for write in writes if write.device == name][-WRITES_SHOWN:]
                for name in self._devices.faults
            },
        }
        return web.json_response(state)

    async def _trace(self, request: web.Request) -> web.Response:
        samples = self._journal.trace(_number(request, "since"))
        return web.json_response([asdict(sample) for sample in samples])

    async def _writes(self, request: web.Request) -> web.Response:
        writes = self._journal.writes(int(_number(request, "after")))
        return web.json_response([asdict(write) for write in writes])

    async def _fault(self, request: web.Request) -> web.Response:
        try:
            order = FaultOrder.model_validate_json(await request.read())
        except ValidationError as error:
            raise _bad(f"fault: {error.errors()[0]['msg']}") from error
        fault = self._devices.faults.get(order.device)
        if fault is None:
            raise _bad(f"fault: no device {order.device!r}; there are {[*self._devices.faults]}")
        fault.set(order.fault, order.seconds, order.delay_s)
        return web.json_response({"device": order.device, "fault": fault.kind})

    async def _grid(self, request: web.Request) -> web.Response:
        try:
            order = GridOrder.model_validate_json(await request.read())
        except ValidationError as error:
            raise _bad(f"grid: {error.errors()[0]['msg']}") from error
        self._house.supply.out = order.out
        return web.json_response({"out": order.out})

    async def _load(self, request: web.Request) -> web.Response:
        try:
            order = LoadOrder.model_validate_json(await request.read())
        except ValidationError as error:
            raise _bad(f"load: {error.errors()[0]['msg']}") from error
        if "base_w" in order.model_fields_set:
            self._house.fixed_load_w = order.base_w
        if "pv_w" in order.model_fields_set:
            self._house.fixed_pv_w = order.pv_w
        if "voltage_v" in order.model_fields_set:
            self._house.supply.fixed_v = order.voltage_v
        if "feeder_v" in order.model_fields_set:
            feeder_v = order.feeder_v
            self._house.supply.feeder_v = NOMINAL_V if feeder_v is None else feeder_v
        if "reactance_ohm" in order.model_fields_set:
            ohm = order.reactance_ohm
            self._house.supply.reactance_ohm = REACTANCE_OHM if ohm is None else ohm
        if "frequency_hz" in order.model_fields_set:
            self._house.supply.fixed_hz = order.frequency_hz
        return web.json_response(
            {
                "base_w": self._house.fixed_load_w,
                "pv_w": self._house.fixed_pv_w,
                "voltage_v": self._house.supply.fixed_v,
                "feeder_v": self._house.supply.feeder_v,
                "reactance_ohm": self._house.supply.reactance_ohm,
                "frequency_hz": self._house.supply.fixed_hz,
            }
        )

    async def _frequency(self, request: web.Request) -> web.Response:
        try:
            order = CourseOrder.model_validate_json(await request.read())
        except ValidationError as error:
            raise _bad(f"frequency: {error.errors()[0]['msg']}") from error
        began = time.monotonic()
        values = tuple(order.values)
        self._house.supply.course = Course(values, order.period_s, began) if values else None
        return web.json_response({"values": len(values), "monotonic": began})


def _number(request: web.Request, name: str) -> float:
    text = request.query.get(name, "0")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _bad(f"{name}={text} is not a number")
    return number


def _bad(message: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=message)
