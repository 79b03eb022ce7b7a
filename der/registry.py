"""The home's devices: from descriptions, as configured, to devices that can be opened.

A driver is one row of `DRIVERS`. Its module is imported when the first device of it is
described: a hub carries no protocol library that its home has no use for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from typing import Final, cast

from der.addresses import (
    Address,
    FeedAddress,
    MappedAddress,
    ModbusAddress,
    MqttAddress,
    P1Address,
    Shared,
    StationAddress,
)
from der.description import DeviceDescription, DriverModule, Now, Service, ServiceModule
from der.errors import PermanentError
from der.model import Control, DeviceKind
from der.service import Device

CONTROLS: Final[Mapping[DeviceKind, Control]] = {
    DeviceKind.METER: Control.NONE,
    DeviceKind.SUBMETER: Control.NONE,
    DeviceKind.PV: Control.FLOOR,
    DeviceKind.BATTERY: Control.TARGET,
    DeviceKind.EVSE: Control.CEILING,
    DeviceKind.HEAT_PUMP: Control.SWITCH,
    DeviceKind.WATER_HEATER: Control.SWITCH,
    DeviceKind.THERMOSTAT: Control.SWITCH,
    DeviceKind.PLUG: Control.SWITCH,
    DeviceKind.TIE: Control.NONE,
}
"""What a set-point means to each kind."""


class Driver(StrEnum):
    """The drivers there are."""

    SUNSPEC = "sunspec"
    MODBUS = "modbus"
    """A Modbus device that is described by a file."""
    OCPP16 = "ocpp16"
    OCPP201 = "ocpp201"
    MQTT = "mqtt"
    P1 = "p1"
    FEED = "feed"
    """Readings that somebody else brings, such as those of the utility's own meter."""


@dataclass(frozen=True, slots=True)
class DriverRow:
    """A driver.

    Attributes:
        kinds: What it can speak to.
        address: Type of the address that it needs.
        module: Has a `connector`, as `der.description.DriverModule`.
        service: Module that has a `service`; None where devices share nothing. Drivers that name
            the same module share one instance.
    """

    kinds: frozenset[DeviceKind]
    address: type[Address]
    module: str
    service: str | None = None


_ALL: Final = frozenset(DeviceKind)
_METERS: Final = frozenset({DeviceKind.METER, DeviceKind.SUBMETER})
_CENTRAL: Final = "der.drivers.ocpp.central"

DRIVERS: Final[Mapping[Driver, DriverRow]] = {
    Driver.SUNSPEC: DriverRow(
        _METERS | {DeviceKind.PV, DeviceKind.BATTERY},
        ModbusAddress,
        "der.drivers.sunspec.link",
        "der.drivers.modbus.pool",
    ),
    Driver.MODBUS: DriverRow(
        _ALL, MappedAddress, "der.drivers.mapped.link", "der.drivers.modbus.pool"
    ),
    Driver.OCPP16: DriverRow(
        frozenset({DeviceKind.EVSE}), StationAddress, "der.drivers.ocpp.link16", _CENTRAL
    ),
    Driver.OCPP201: DriverRow(
        frozenset({DeviceKind.EVSE}), StationAddress, "der.drivers.ocpp.link201", _CENTRAL
    ),
    Driver.MQTT: DriverRow(
        _ALL - {DeviceKind.EVSE, DeviceKind.PV, DeviceKind.BATTERY, DeviceKind.TIE},
        MqttAddress,
        "der.drivers.mqtt.link",
        "der.drivers.mqtt.broker",
    ),
    Driver.P1: DriverRow(_METERS, P1Address, "der.drivers.p1.link"),
    Driver.FEED: DriverRow(_METERS, FeedAddress, "der.drivers.feed", "der.drivers.feed"),
}


@dataclass(slots=True)
class Registry:
    """All devices of the home, and what they share; made by `build`.

    Attributes:
        devices: By id, in the order of the descriptions.
        services: What drivers share, by the name of its module.
    """

    devices: Mapping[str, Device]
    services: Mapping[str, Service] = field(default_factory=dict)
    _started: list[Service] = field(default_factory=list, repr=False)

    async def start(self) -> None:
        """Begin to listen for those that call in, and to connect to what is shared.

        Raises:
            PermanentError: A port is taken; what had begun is ended again.
        """
        try:
            for service in self.services.values():
                if service not in self._started:
                    await service.start()
                    self._started.append(service)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End all that is shared; calling it again does nothing."""
        while self._started:
            await self._started.pop().stop()


def build(
    descriptions: Iterable[DeviceDescription],
    shared: Shared | None = None,
    *,
    now: Now,
) -> Registry:
    """Make devices from their descriptions. No I/O.

    Args:
        descriptions: The home's devices.
        shared: Where chargers call in, and where the broker is.
        now: UTC epoch seconds, for the readings: of the clock that their age is judged by.

    Raises:
        PermanentError: A description can't be right; the message names device and fault.
    """
    devices: dict[str, Device] = {}
    services: dict[str, Service] = {}
    for description in descriptions:
        row = check(description)
        spec = description.spec
        if spec.id in devices:
            raise PermanentError(f"{spec.id}: two devices have this id")
        if row.service is not None and row.service not in services:
            maker = cast("ServiceModule", import_module(row.service))
            services[row.service] = maker.service(shared or Shared(), now)
        module = cast("DriverModule", import_module(row.module))
        service = None if row.service is None else services[row.service]
        connector = module.connector(description, service, now)
        devices[spec.id] = Device(spec, connector, description.deadline_s)
    return Registry(devices, services)


def check(description: DeviceDescription) -> DriverRow:
    """Return the driver's row of a description that makes sense.

    Raises:
        PermanentError: Unknown driver, missing address, or a range that can't be.
    """
    spec = description.spec
    if not spec.id:
        raise PermanentError(f"a {spec.kind} has no id")
    try:
        driver = Driver(description.driver)
    except ValueError as error:
        known = ", ".join(Driver)
        raise PermanentError(
            f"{spec.id}: unknown driver {description.driver!r} (known: {known})"
        ) from error
    row = DRIVERS[driver]
    if spec.kind not in row.kinds:
        raise PermanentError(f"{spec.id}: driver {driver} cannot drive a {spec.kind}")
    if not isinstance(description.at, row.address):
        raise PermanentError(f"{spec.id}: driver {driver} needs a {row.address.__name__}")
    if spec.control is not Control.NONE and not spec.min_w < spec.max_w:
        raise PermanentError(f"{spec.id}: range {spec.min_w:g} to {spec.max_w:g} W is empty")
    return row


def drivers_for(kind: DeviceKind) -> Sequence[Driver]:
    """Return the drivers that can speak to a kind of device."""
    return [driver for driver, row in DRIVERS.items() if kind in row.kinds]
