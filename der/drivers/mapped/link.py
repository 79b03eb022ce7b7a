"""The driver of Modbus devices that are described by a file (`maps/`, docs/modbus-maps.md)."""

import logging
import time
from dataclasses import dataclass
from functools import partial

from der.addresses import MappedAddress
from der.commands import (
    Ability,
    Command,
    Connect,
    DeviceOptions,
    Disconnect,
    FirmwareVersion,
    FollowGrid,
    FormGrid,
    Identify,
    Options,
    Reset,
    SelfTest,
)
from der.description import Connector, DeviceDescription, Now, Service
from der.drivers.mapped.bus import PointBus
from der.drivers.mapped.control import Controller, Subject
from der.drivers.mapped.device_map import DeviceMap
from der.drivers.mapped.files import load
from der.drivers.mapped.reading import Standing, reading
from der.drivers.mapped.selftest import self_test
from der.drivers.mapped.steps import Quantity, Steps
from der.drivers.modbus.connection import ModbusConnection
from der.drivers.modbus.pool import ModbusPool
from der.errors import PermanentError
from der.model import Connection, DeviceSpec, Reading, Safeguard, Setpoint
from der.service import A, unsupported

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Clocks:
    """What time it is.

    Attributes:
        now: UTC epoch seconds, for the readings.
        monotonic: Seconds, for what lapses.
    """

    now: Now = time.time
    monotonic: Now = time.monotonic


def connector(description: DeviceDescription, service: Service | None, now: Now) -> Connector:
    """Return what connects to a described device; its file is read here.

    Raises:
        PermanentError: The description's file is wrong, or not for this kind of device.
    """
    spec, at = description.spec, description.at
    pool = service if isinstance(service, ModbusPool) else None
    if not isinstance(at, MappedAddress):
        raise PermanentError(f"{spec.id}: a described device needs a MappedAddress")
    try:
        device = load(at.map)
    except PermanentError as error:
        raise PermanentError(f"{spec.id}: {error}") from error
    if spec.kind not in device.kinds:
        kinds = " or ".join(sorted(device.kinds))
        raise PermanentError(f"{spec.id}: {device.name} describes a {kinds}, not a {spec.kind}")
    return partial(
        connect,
        spec,
        at,
        device,
        inverted=description.inverted,
        clocks=Clocks(now=now),
        pool=pool,
    )


async def connect(
    spec: DeviceSpec,
    at: MappedAddress,
    device: DeviceMap,
    *,
    inverted: bool = False,
    clocks: Clocks | None = None,
    pool: ModbusPool | None = None,
) -> "MappedLink":
    """Connect to a described device.

    Args:
        spec: The device.
        at: Where it is.
        device: Its description.
        inverted: It counts power and energy the other way round than its description says.
        clocks: None for the machine's.
        pool: Connections that are shared with other devices behind the same gateway.

    Raises:
        TransientError: No usable answer, or no value for the power.
        PermanentError: The device does not have the points of its description.
    """
    clocks = clocks or Clocks()
    rating_w = max(abs(spec.min_w), abs(spec.max_w))
    standing = Standing(spec.id, rating_w, at.wiring.phases, at.wiring.voltage_v, inverted=inverted)
    bus = await ModbusConnection.open(spec.id, at.bus, pool)
    subject = Subject(spec, standing, at.wiring, clocks.monotonic)
    link = MappedLink(subject, device, PointBus(bus, device), clocks.now)
    try:
        await link.identify()
        await link.read()  # a wrong description or unit shows now, not at the first emergency
    except BaseException:
        await link.close()
        raise
    return link


class MappedLink:
    """A live connection to one described device; made by `connect`."""

    def __init__(self, subject: Subject, device: DeviceMap, points: PointBus, now: Now) -> None:
        self._subject = subject
        self._map = device
        self._points = points
        self._now = now
        self._connection = Connection(str(points.bus.address), device.manufacturer, device.model)
        self._suspect: frozenset[str] = frozenset()
        self._controller: Controller | None = None
        if device.control is not None:
            self._controller = Controller(subject, device, device.control, points)

    @property
    def connection(self) -> Connection:
        """Who answers, as its description and its own texts say."""
        return self._connection

    @property
    def safeguard(self) -> Safeguard:
        """What the description says."""
        if self._map.control is None:
            return Safeguard()
        expiry = self._map.control.expiry
        return Safeguard(expiry.kind, expiry.safe, expiry.risk)

    async def read(self) -> Reading:
        """Read all that a reading needs, and keep alive, or end, the set-point that is held.

        Raises:
            TransientError: No usable answer, or no usable value for the power.
            PermanentError: The device does not have these points.
        """
        values = await self._points.read(self._map.polled)
        found = reading(self._map.read, values, self._subject.standing, self._now())
        self._tell(found)
        if self._controller is not None:
            await self._controller.keep()
        return found

    async def write(self, setpoint: Setpoint | None) -> None:
        """Give the device a set-point, or give it back to its own control.

        Raises:
            PermanentError: The description has no set-points, or something must be set at the
                device by hand first.
            RejectedError: The device cannot hold this set-point, or one for so long.
            TransientError: No usable answer, or the set-point was not taken.
        """
        if self._controller is None:
            spec = self._subject.spec
            raise PermanentError(
                f"{spec.id}: {self._map.name} describes no set-points for a {spec.kind}"
            )
        if setpoint is None:
            await self._controller.carry_out(self._controller.control.safe)
        else:
            await self._controller.hold(setpoint)

    async def ioctl(self, command: Command[A]) -> object:
        """Carry out a command that the description has writes for, or tell about the device.

        Raises:
            RejectedError: The device has no such command.
            TransientError: No usable answer, or the command was not taken.
        """
        match command:
            case Identify():
                return await self.identify()
            case FirmwareVersion():
                return (await self.identify()).firmware
            case Options():
                return self._options()
            case SelfTest():
                return await self_test(self._map, self._points, self._subject.standing)
            case Connect() | Disconnect() | Reset():
                return await self._carry_out(command)
            case FormGrid() | FollowGrid():
                return await self._form(command)
            case _:
                raise unsupported(self._subject.spec.id, command)

    async def close(self) -> None:
        """End the connection."""
        self._points.bus.close()

    async def identify(self) -> Connection:
        """Read the texts that name the device."""
        names = self._map.names
        texts = (await self._points.read(names.points)).texts if names.points else {}
        peer = self._points.bus.peer
        self._connection = Connection(
            str(self._points.bus.address),
            texts.get(names.manufacturer) or self._map.manufacturer,
            texts.get(names.model) or self._map.model,
            texts.get(names.serial, ""),
            texts.get(names.firmware, ""),
            peer.host,
            peer.key,
        )
        return self._connection

    async def _carry_out(self, command: Connect | Disconnect | Reset) -> str:
        steps: Steps = ()
        lapse_s: float | None = None
        if self._controller is not None:
            control = self._controller.control
            match command:
                case Connect():
                    steps, said = control.connect, "allowed to run"
                case Disconnect():
                    steps, said, lapse_s = control.disconnect, "off", command.lapse_s
                case Reset():
                    steps, said = control.reset, "restarts"
        if self._controller is None or not steps:
            raise unsupported(self._subject.spec.id, command)
        await self._controller.carry_out(steps, lapse_s=lapse_s)
        if lapse_s is None:
            return said
        counts = any(step.value is Quantity.LAPSE for step in steps)
        return f"{said} for {lapse_s:g} s" if counts else f"{said} until it is told otherwise"

    async def _form(self, command: FormGrid | FollowGrid) -> str:
        controller = self._controller
        if controller is None or not controller.control.form:
            raise unsupported(self._subject.spec.id, command)
        if isinstance(command, FollowGrid):
            await controller.carry_out(controller.control.follow)
            return "follows the grid"
        await controller.form(command.frequency_hz, command.voltage_v)
        return f"forms {command.frequency_hz:g} Hz and {command.voltage_v:g} V"

    def _options(self) -> DeviceOptions:
        abilities = {Ability.SELF_TEST}
        if self._controller is not None:
            control = self._controller.control
            if control.set:
                abilities.add(Ability.POWER)
            if control.form:
                abilities.add(Ability.FORMING)
            if control.connect and control.disconnect:
                abilities.add(Ability.CONNECT)
            if control.reset:
                abilities.add(Ability.RESET)
        polled = self._map.polled
        return DeviceOptions(
            abilities=frozenset(abilities),
            safeguard=self.safeguard,
            details=(
                f"described by {self._map.name}: {self._map.title}",
                f"{len(polled)} points in {len(self._points.frames(polled))} frames",
            ),
        )

    def _tell(self, found: Reading) -> None:
        """Say once that a value makes no sense, and not every second."""
        for name in sorted(found.suspect - self._suspect):
            _log.warning("%s: its %s makes no sense and is left out", self._subject.spec.id, name)
        self._suspect = found.suspect
