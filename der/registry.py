"""The home's devices: from descriptions, as configured, to devices that can be opened."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Final

from der.drivers import ocpp16, relay, sunspec
from der.drivers.modbus import ModbusAddress
from der.drivers.ocpp16_central import CentralSystem
from der.drivers.ocpp16_station import StationConfig
from der.errors import PermanentError
from der.model import Control, DeviceKind, DeviceSpec
from der.service import Device

_CALL_IN_SHARE: Final = 0.9
"""Share of a device's deadline to wait for a charger, so that the error says what is missing."""

CONTROLS: Final[Mapping[DeviceKind, Control]] = {
    DeviceKind.METER: Control.NONE,
    DeviceKind.SUBMETER: Control.NONE,
    DeviceKind.PV: Control.FLOOR,
    DeviceKind.BATTERY: Control.TARGET,
    DeviceKind.EVSE: Control.CEILING,
    DeviceKind.HEAT_PUMP: Control.SWITCH,
    DeviceKind.WATER_HEATER: Control.SWITCH,
}
"""What a set-point means to each kind."""


class Driver(StrEnum):
    """The drivers there are."""

    SUNSPEC = "sunspec"
    RELAY = "relay"
    OCPP16 = "ocpp16"


DRIVES: Final[Mapping[Driver, frozenset[DeviceKind]]] = {
    Driver.SUNSPEC: frozenset(
        {DeviceKind.METER, DeviceKind.SUBMETER, DeviceKind.PV, DeviceKind.BATTERY}
    ),
    Driver.RELAY: frozenset({DeviceKind.HEAT_PUMP, DeviceKind.WATER_HEATER}),
    Driver.OCPP16: frozenset({DeviceKind.EVSE}),
}
"""Which kinds each driver can speak to."""


@dataclass(frozen=True, slots=True)
class DeviceDescription:
    """A device as configured; see `DeviceSpec` for what is passed on to it.

    Attributes:
        driver: Name of a `Driver`.
        modbus: Where it is, for the Modbus drivers.
        station: Which charger it is, for OCPP.
        inverted: A meter that counts the other way round than SunSpec says.
        board: Register map of a relay board; None for the standard one.
        deadline_s: Longest time for any one call.
    """

    id: str
    kind: DeviceKind
    name: str
    driver: str
    modbus: ModbusAddress | None = None
    station: StationConfig | None = None
    min_w: float = 0.0
    max_w: float = 0.0
    least_on_w: float = 0.0
    essentiality: int = 5
    max_age_s: float = 5.0
    min_off_s: float = 0.0
    min_on_s: float = 0.0
    inverted: bool = False
    board: relay.RelayMap | None = None
    deadline_s: float = 2.0


@dataclass(slots=True)
class Registry:
    """All devices of the home, and the listener that its chargers call; made by `build`.

    Attributes:
        devices: By id, in the order of the descriptions.
        central: The OCPP central system; None in a home without OCPP chargers.
    """

    devices: Mapping[str, Device]
    central: CentralSystem | None = None
    _started: bool = field(default=False, repr=False)

    async def start(self) -> None:
        """Begin to listen for chargers.

        Raises:
            PermanentError: The port is taken.
        """
        if self.central is not None and not self._started:
            await self.central.start()
            self._started = True

    async def stop(self) -> None:
        """Stop listening; calling it again does nothing."""
        if self.central is not None and self._started:
            self._started = False
            await self.central.stop()


def build(
    descriptions: Iterable[DeviceDescription],
    *,
    ocpp_host: str = "127.0.0.1",
    ocpp_port: int = 0,
    now: Callable[[], float] = time.time,
) -> Registry:
    """Make devices from their descriptions. No I/O.

    Args:
        descriptions: The home's devices.
        ocpp_host: Address on which chargers are listened for.
        ocpp_port: TCP port for them; 0 for any free one.
        now: UTC epoch seconds, for the readings.

    Raises:
        PermanentError: A description can't be right; the message names device and fault.
    """
    devices: dict[str, Device] = {}
    central: CentralSystem | None = None
    for description in descriptions:
        driver = check(description)
        if description.id in devices:
            raise PermanentError(f"{description.id}: two devices have this id")
        if driver is Driver.OCPP16 and central is None:
            central = CentralSystem(ocpp_host, ocpp_port, now)
        devices[description.id] = _device(description, driver, central, now)
    return Registry(devices, central)


def check(description: DeviceDescription) -> Driver:
    """Return the driver of a description that makes sense.

    Raises:
        PermanentError: Unknown driver, missing address, or a range that can't be.
    """
    where = description.id
    if not where:
        raise PermanentError(f"a {description.kind} has no id")
    try:
        driver = Driver(description.driver)
    except ValueError as error:
        known = ", ".join(Driver)
        raise PermanentError(
            f"{where}: unknown driver {description.driver!r} (known: {known})"
        ) from error
    if description.kind not in DRIVES[driver]:
        raise PermanentError(f"{where}: driver {driver} cannot drive a {description.kind}")
    if driver is Driver.OCPP16 and description.station is None:
        raise PermanentError(f"{where}: driver {driver} needs the charger's identity")
    if driver is not Driver.OCPP16 and description.modbus is None:
        raise PermanentError(f"{where}: driver {driver} needs a Modbus address")
    controlled = CONTROLS[description.kind] is not Control.NONE
    if controlled and not description.min_w < description.max_w:
        raise PermanentError(
            f"{where}: range {description.min_w:g} to {description.max_w:g} W is empty"
        )
    return driver


def _spec(description: DeviceDescription) -> DeviceSpec:
    return DeviceSpec(
        id=description.id,
        kind=description.kind,
        name=description.name,
        control=CONTROLS[description.kind],
        min_w=description.min_w,
        max_w=description.max_w,
        least_on_w=description.least_on_w,
        essentiality=description.essentiality,
        max_age_s=description.max_age_s,
        min_off_s=description.min_off_s,
        min_on_s=description.min_on_s,
    )


def _device(
    description: DeviceDescription,
    driver: Driver,
    central: CentralSystem | None,
    now: Callable[[], float],
) -> Device:
    spec = _spec(description)
    match driver, description.modbus, description.station:
        case Driver.SUNSPEC, ModbusAddress() as address, _:
            sunspec_link = partial(
                sunspec.connect, spec, address, inverted=description.inverted, now=now
            )
            return Device(spec, sunspec_link, description.deadline_s)
        case Driver.RELAY, ModbusAddress() as address, _:
            relay_link = partial(relay.connect, spec, address, board=description.board, now=now)
            return Device(spec, relay_link, description.deadline_s)
        case Driver.OCPP16, _, StationConfig() as config if central is not None:
            station = central.add(config)
            wait_s = _CALL_IN_SHARE * description.deadline_s
            ocpp_link = partial(ocpp16.connect, spec, station, wait_s=wait_s, now=now)
            return Device(spec, ocpp_link, description.deadline_s)
        case _:
            raise PermanentError(f"{spec.id}: driver {driver} lacks its address")
