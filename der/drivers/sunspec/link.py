"""SunSpec Modbus driver: meters (201-204), PV inverters and batteries (701-704, 713).

SunSpec inverters count generation positive, its meters import; the house counts consumption
positive. `_MEASURES` is the one place that says so.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from der.addresses import ModbusAddress
from der.commands import Command, Connect, Disconnect, FirmwareVersion, Identify
from der.description import Connector, DeviceDescription, Now, Service
from der.drivers.modbus.connection import ModbusConnection
from der.drivers.sunspec.control import CONTROL_POINTS, ActivePowerControl
from der.drivers.sunspec.map import Located, SunSpecMap, Wanted, want
from der.drivers.sunspec.model import Block
from der.drivers.sunspec.state import PHASE_POINTS, STATE_POINTS, alarms, phases, run_state
from der.errors import PermanentError, TransientError
from der.model import Connection, DeviceKind, DeviceSpec, Expiry, Reading, Safeguard, Setpoint
from der.service import A, unsupported

_COMMON: Final = 1
_MEASURE_AC: Final = 701
_CAPACITY: Final = 702
_ENTER_SERVICE: Final = 703
_CONTROL_AC: Final = 704
_STORAGE: Final = 713
_METERS: Final = (203, 201, 202, 204)
_KNOWN: Final = (
    _COMMON,
    *_METERS,
    _MEASURE_AC,
    _CAPACITY,
    _ENTER_SERVICE,
    _CONTROL_AC,
    _STORAGE,
)
_FULL: Final = 1.01
"""A full battery's state of charge may round to a little over 1."""


@dataclass(frozen=True, slots=True)
class _Measures:
    """Where a model keeps what a reading needs, and the factor to the passive sign."""

    sign: float
    power: str
    reactive: str
    voltage: tuple[str, ...]
    frequency: str
    imported: str
    exported: str
    connected: str | None = None
    more: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All points."""
        connected = () if self.connected is None else (self.connected,)
        return (
            self.power,
            self.reactive,
            *self.voltage,
            self.frequency,
            self.imported,
            self.exported,
            *connected,
            *self.more,
        )


_METER: Final = _Measures(
    sign=1.0,
    power="W",
    reactive="VAR",
    voltage=("PhV", "PhVphA"),
    frequency="Hz",
    imported="TotWhImp",
    exported="TotWhExp",
    more=PHASE_POINTS,
)
_MEASURES: Final[Mapping[int, _Measures]] = {
    **dict.fromkeys(_METERS, _METER),
    _MEASURE_AC: _Measures(
        sign=-1.0,
        power="W",
        reactive="Var",
        voltage=("LNV", "VL1"),
        frequency="Hz",
        imported="TotWhAbs",
        exported="TotWhInj",
        connected="ConnSt",
        more=STATE_POINTS,
    ),
}
_REQUIRED: Final[Mapping[DeviceKind, tuple[int, ...]]] = {
    DeviceKind.METER: (),
    DeviceKind.SUBMETER: (),
    DeviceKind.PV: (_MEASURE_AC,),
    DeviceKind.BATTERY: (_MEASURE_AC, _CONTROL_AC, _STORAGE),
}
_METER_KINDS: Final = frozenset({DeviceKind.METER, DeviceKind.SUBMETER})


def connector(description: DeviceDescription, service: Service | None, now: Now) -> Connector:
    """Return what connects to a SunSpec device.

    Raises:
        PermanentError: The description has no Modbus address.
    """
    del service
    if not isinstance(description.at, ModbusAddress):
        raise PermanentError(f"{description.spec.id}: a SunSpec device needs a Modbus address")
    return partial(
        connect, description.spec, description.at, inverted=description.inverted, now=now
    )


async def connect(
    spec: DeviceSpec,
    address: ModbusAddress,
    *,
    inverted: bool = False,
    now: Callable[[], float] = time.time,
) -> "SunSpecLink":
    """Connect to a SunSpec device and find its models.

    Args:
        spec: The device; its kind says which models it must have.
        address: Where it is.
        inverted: The device counts power and energy the other way round than SunSpec says, as
            some makers' meters do.
        now: UTC epoch seconds, for the readings.

    Raises:
        TransientError: No usable answer.
        PermanentError: Not a SunSpec device, or one of another kind.
    """
    bus = await ModbusConnection.open(spec.id, address)
    try:
        return await _identify(spec, bus, inverted, now)
    except BaseException:
        bus.close()
        raise


async def _identify(
    spec: DeviceSpec, bus: ModbusConnection, inverted: bool, now: Callable[[], float]
) -> "SunSpecLink":
    if spec.kind not in _REQUIRED:
        raise PermanentError(f"{spec.id}: a {spec.kind} is no SunSpec device")
    device = await SunSpecMap.discover(bus, _KNOWN)
    for model_id in _REQUIRED[spec.kind]:
        if model_id not in device.models:
            raise PermanentError(
                f"{spec.id}: {bus.address} has no SunSpec model {model_id}, "
                f"which a {spec.kind} needs"
            )
    candidates = _METERS if spec.kind in _METER_KINDS else (_MEASURE_AC,)
    measured = next((device.models[m] for m in candidates if m in device.models), None)
    if measured is None:
        raise PermanentError(f"{spec.id}: {bus.address} has no SunSpec meter model (201-204)")
    return await SunSpecLink.start(spec, device, measured, inverted=inverted, now=now)


class SunSpecLink:
    """A live connection to one SunSpec device; made by `connect`."""

    def __init__(
        self,
        spec: DeviceSpec,
        device: SunSpecMap,
        measured: Located,
        max_w: float | None,
        *,
        inverted: bool,
        now: Callable[[], float],
    ) -> None:
        self._spec = spec
        self._map = device
        self._now = now
        self._inverted = inverted
        self._measures = _MEASURES[measured.model.id]
        self._connection = Connection(str(device.bus.address))
        self._wanted: dict[int, Wanted] = {measured.model.id: want(measured, self._measures.names)}
        self._measured = measured.model.id
        self._control: ActivePowerControl | None = None
        self._present: Block | None = None
        if spec.kind not in _METER_KINDS:
            self._want_inverter(max_w)

    @classmethod
    async def start(
        cls,
        spec: DeviceSpec,
        device: SunSpecMap,
        measured: Located,
        *,
        inverted: bool,
        now: Callable[[], float],
    ) -> "SunSpecLink":
        """Read what does not change while connected, and make the link."""
        max_w = await _max_w(device)
        link = cls(spec, device, measured, max_w, inverted=inverted, now=now)
        await link.identify()
        await link.refresh_control()
        return link

    @property
    def connection(self) -> Connection:
        """Who answers, as model 1 says."""
        return self._connection

    @property
    def safeguard(self) -> Safeguard:
        """Model 704's reversion timers."""
        if self._control is None:
            return Safeguard()
        return Safeguard(Expiry.REVERSION, "runs by its own control, or at what it is to revert to")

    async def read(self) -> Reading:
        """Read all that the device measures, in one to three frames.

        Raises:
            TransientError: No usable answer, or no value for the active power.
        """
        blocks = await self._map.read(list(self._wanted.values()), "measurements")
        return self._reading(dict(zip(self._wanted, blocks, strict=True)))

    async def write(self, setpoint: Setpoint | None) -> None:
        """Limit (PV) or set (battery) the active power by model 704.

        Raises:
            PermanentError: The device can't be controlled so, or refuses.
            TransientError: No usable answer, or the set-point was not taken.
        """
        if self._control is None or self._present is None:
            raise PermanentError(
                f"{self._spec.id}: no SunSpec model 704 with a rating in 702 to control it by"
            )
        if setpoint is None:
            await self._control.release()
        else:
            await self._control.write(setpoint, self._present)

    async def ioctl(self, command: Command[A]) -> object:
        """Connect or disconnect the inverter (model 703), or name it.

        Raises:
            RejectedError: The device has no such command.
            TransientError: No usable answer, or the command was not taken.
        """
        match command:
            case Identify():
                return await self.identify()
            case FirmwareVersion():
                return (await self.identify()).firmware
            case Connect() | Disconnect() if _ENTER_SERVICE in self._map.models:
                return await self._permit(permitted=isinstance(command, Connect))
            case _:
                raise unsupported(self._spec.id, command)

    async def _permit(self, *, permitted: bool) -> str:
        service = self._map.models[_ENTER_SERVICE]
        point = service.model.points["ES"]
        await self._map.bus.write_holding(
            service.address + point.offset, [int(permitted)], "model 703 ES"
        )
        (block,) = await self._map.read([want(service, ["ES"])], "model 703 read-back")
        if block.number("ES") != int(permitted):
            raise TransientError(f"{self._spec.id}: model 703 ES did not change to {permitted:d}")
        return "service permitted" if permitted else "ceased to energise"

    async def close(self) -> None:
        """End the connection."""
        self._map.bus.close()

    async def identify(self) -> Connection:
        """Read model 1 again."""
        common = self._map.models.get(_COMMON)
        if common is None:
            return self._connection
        (block,) = await self._map.read([want(common, ["Mn", "Md", "Vr", "SN"])], "model 1")
        self._connection = Connection(
            address=str(self._map.bus.address),
            manufacturer=block.text("Mn"),
            model=block.text("Md"),
            serial=block.text("SN"),
            firmware=block.text("Vr"),
        )
        return self._connection

    async def refresh_control(self) -> None:
        """Read model 704 for the points that a write must not disturb."""
        if self._control is not None:
            (self._present,) = await self._map.read([self._wanted[_CONTROL_AC]], "model 704")

    def _want_inverter(self, max_w: float | None) -> None:
        models = self._map.models
        if _ENTER_SERVICE in models:
            self._wanted[_ENTER_SERVICE] = want(models[_ENTER_SERVICE], ["ES"])
        if _STORAGE in models and self._spec.kind is DeviceKind.BATTERY:
            self._wanted[_STORAGE] = want(models[_STORAGE], ["SoC", "WHRtg"])
        points = CONTROL_POINTS.get(self._spec.control)
        if _CONTROL_AC in models and points is not None and max_w is not None:
            at = models[_CONTROL_AC]
            self._control = ActivePowerControl(self._map, at, points, max_w)
            self._wanted[_CONTROL_AC] = want(at, points.order)

    def _reading(self, blocks: Mapping[int, Block]) -> Reading:
        measures, block = self._measures, blocks[self._measured]
        sign = -measures.sign if self._inverted else measures.sign
        power = block.number(measures.power)
        if power is None:
            raise TransientError(
                f"{self._spec.id}: model {self._measured} point {measures.power} "
                f"at {self._map.bus.address} has no value"
            )
        reactive = block.number(measures.reactive)
        energies = (block.number(measures.imported), block.number(measures.exported))
        imported, exported = reversed(energies) if self._inverted else energies
        storage = blocks.get(_STORAGE)
        if self._control is not None:
            self._present = blocks[_CONTROL_AC]
        return Reading(
            at=self._now(),
            power_w=sign * power,
            reactive_var=None if reactive is None else sign * reactive,
            voltage_v=_first(block, measures.voltage),
            frequency_hz=block.number(measures.frequency),
            energy_import_wh=imported,
            energy_export_wh=exported,
            soc=None if storage is None else self._soc(storage),
            capacity_wh=None if storage is None else storage.number("WHRtg"),
            connected=self._connected(block, blocks.get(_ENTER_SERVICE)),
            limit_w=self._limit_w(blocks.get(_CONTROL_AC)),
            phases=phases(block, sign) if self._measures is _METER else (),
            alarms=None if self._measures is _METER else alarms(block),
            state=None if self._measures is _METER else run_state(block),
        )

    def _limit_w(self, block: Block | None) -> float | None:
        return None if self._control is None or block is None else self._control.limit_w(block)

    def _connected(self, measured: Block, service: Block | None) -> bool | None:
        state = None if self._measures.connected is None else measured.number("ConnSt")
        if state is None and service is not None:
            state = service.number("ES")
        return None if state is None else state == 1

    def _soc(self, storage: Block) -> float | None:
        percent = storage.number("SoC")
        if percent is None:
            return None
        soc = percent / 100.0
        if soc > _FULL:
            raise TransientError(f"{self._spec.id}: model 713 SoC of {percent:g} % makes no sense")
        return min(soc, 1.0)


async def _max_w(device: SunSpecMap) -> float | None:
    capacity = device.models.get(_CAPACITY)
    if capacity is None:
        return None
    (block,) = await device.read([want(capacity, ["WMax", "WMaxRtg"])], "model 702")
    return _first(block, ("WMax", "WMaxRtg")) or None


def _first(block: Block, names: tuple[str, ...]) -> float | None:
    return next((v for v in (block.number(name) for name in names) if v is not None), None)
