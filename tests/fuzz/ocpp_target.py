"""What must hold of any frames whatever that a charger sends.

An input is a first octet that says which version is spoken and what the hub has asked before,
then frames, one to a line. `$ID` in a frame stands for the id of the hub's call.
"""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable
from typing import Final

from der.addresses import StationAddress
from der.commands import ChargingStep
from der.drivers.ocpp.link import OcppLink
from der.drivers.ocpp.link16 import V16
from der.drivers.ocpp.link201 import V201
from der.drivers.ocpp.station import Station
from der.drivers.ocpp.words import Orders
from der.errors import DeviceError
from der.model import Connection, Control, DeviceKind, DeviceSpec, Reading, Setpoint

NOW: Final = 1_800_000_000.0
MOST_W: Final = 7360.0
CALLS: Final = 9
_FRAMES: Final = 24
_LONGEST_NAME: Final = 50
_EV: Final = DeviceSpec("ev", DeviceKind.EVSE, "Car", Control.CEILING, 0, MOST_W)
_HARMLESS: Final = frozenset(
    {"SetChargingProfile", "TriggerMessage", "ChangeConfiguration", "SetVariables"}
)
_LOOP: Final = asyncio.new_event_loop()


class WrongError(Exception):
    """The session did something with frames that it never may."""


class _Socket:
    """Keeps what the hub sends."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send_str(self, data: str) -> None:
        self.sent.append(data)


def examine(data: bytes) -> str:
    """Give a session the frames of an input, and look at what the hub then believes.

    Returns:
        What came of it, in words.

    Raises:
        WrongError: If a promise is broken.
        Exception: Any other than a DeviceError is a finding too.
    """
    return _LOOP.run_until_complete(_examine(data))


async def _examine(data: bytes) -> str:
    mode = data[0] if data else 0
    version = V201 if mode & 1 else V16
    socket = _Socket()
    station = Station(
        StationAddress("CP1"), version, _EV.id, MOST_W, lambda: NOW, monotonic=lambda: NOW
    )
    orders = station.attach(socket)
    try:
        await asyncio.sleep(0)
        asked = asyncio.ensure_future(_call(mode >> 1, station, orders))
        await _settle(asked)
        key = json.loads(socket.sent[0])[1] if socket.sent else ""
        calls = len(socket.sent)
        frames = data[1:].split(b"\n")[:_FRAMES]
        for frame in frames:
            text = frame.decode("utf-8", "replace").replace("$ID", key)
            await orders.session.receive(text)
        await _settle(asked)
        outcome = _outcome(asked)
        _check_sent(socket.sent[calls:])
        await _check_alive(orders, socket)
        return f"{outcome}; {await _read(station)}; {len(socket.sent) - calls} sent"
    finally:
        station.detach(orders)
        await asyncio.sleep(0)


async def _call(which: int, station: Station, orders: Orders) -> None:
    """Make one of the hub's calls."""
    steps = (ChargingStep(0, 2300.0), ChargingStep(60, 1840.0))
    calls: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: station.mandate.limit(Setpoint(2300.0, 60.0)),
        lambda: station.mandate.follow(steps, 600.0),
        station.mandate.clear,
        station.mandate.fall_back,
        lambda: orders.configure(1, any_card=True),
        orders.facts,
        orders.ask_meter_values,
        lambda: orders.schedule(60),
        lambda: orders.permit(operative=False),
    )
    await calls[which % CALLS]()


async def _settle(task: "asyncio.Future[None]") -> None:
    """Let what can go on go on."""
    for _ in range(12):
        await asyncio.sleep(0)
        if task.done():
            return


def _outcome(asked: "asyncio.Future[None]") -> str:
    if not asked.done():
        asked.cancel()
        return "still waits"
    error = asked.exception()
    if error is None:
        return "taken"
    if not isinstance(error, DeviceError):
        raise WrongError("the hub's call ended in another error than its own") from error
    _check_sentence(str(error))
    return str(error)


def _check_sent(frames: list[str]) -> None:
    """What a charger says never sets anything in motion, and no limit comes from it.

    The hub may go on with what it tells a charger that has just booted, and tell a limit anew.
    """
    for text in frames:
        frame = json.loads(text)
        if frame[0] == 2 and frame[2] not in _HARMLESS:
            raise WrongError(f"a frame made the hub call {frame[2]}")
        for limit in _limits(frame):
            if limit not in {0.0, 6.0, 8.0, 10.0}:
                raise WrongError(f"a frame made the hub set a limit of {limit!r}")


def _limits(value: object) -> list[float]:
    if isinstance(value, dict):
        own = [float(value["limit"])] if "limit" in value else []
        return own + [limit for child in value.values() for limit in _limits(child)]
    if isinstance(value, list):
        return [limit for child in value for limit in _limits(child)]
    return []


async def _check_alive(orders: Orders, socket: _Socket) -> None:
    """The session still answers a sound call."""
    before = len(socket.sent)
    await orders.session.receive('[2,"alive?","Heartbeat",{}]')
    answers = [json.loads(text) for text in socket.sent[before:]]
    if [answer[:2] for answer in answers] != [[3, "alive?"]]:
        raise WrongError(f"a Heartbeat is answered with {answers!r}")


async def _read(station: Station) -> str:
    """Read as the control cycle does, and check that nothing in the reading is nonsense."""
    station._ready.set()
    station._asks = False
    link = OcppLink(_EV, station)
    _check_connection(link.connection)
    for name, value in station.record.facts.items():
        _check_text(name, 2 * _LONGEST_NAME + 1)
        _check_text(value, _LONGEST_NAME)
    try:
        reading = await link.read()
    except DeviceError as error:
        _check_sentence(str(error))
        return str(error)
    _check_reading(reading)
    return f"{reading.power_w > 0} {reading.connected} {sorted(reading.suspect)}"


def _check_reading(reading: Reading) -> None:
    bounds = (
        ("power_w", reading.power_w, 0.0, 1.5 * MOST_W),
        ("soc", reading.soc, 0.0, 1.0),
        ("voltage_v", reading.voltage_v, 50.0, 500.0),
        ("energy_import_wh", reading.energy_import_wh, 0.0, 1e11),
        ("limit_w", reading.limit_w, 0.0, MOST_W),
        ("at", reading.at, 0.0, NOW),
        *((name, at, 0.0, NOW) for name, at in reading.taken.items()),
        *(("phase", phase.power_w, 0.0, 1.5 * MOST_W) for phase in reading.phases),
        *(("phase", phase.voltage_v, 50.0, 500.0) for phase in reading.phases),
    )
    for name, value, low, high in bounds:
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            raise WrongError(f"{name} reads {value!r}")


def _check_connection(connection: Connection) -> None:
    for text in (
        connection.manufacturer,
        connection.model,
        connection.serial,
        connection.firmware,
    ):
        _check_text(text, _LONGEST_NAME)


def _check_text(text: str, longest: int) -> None:
    if len(text) > longest or not text.isprintable():
        raise WrongError(f"{text!r} is not fit to be shown")


def _check_sentence(reason: str) -> None:
    if not reason.startswith("ev: ") or not reason.isprintable() or len(reason) > 300:
        raise WrongError(f"{reason!r} is no short sentence that names the device")
