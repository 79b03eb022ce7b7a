"""SunSpec Modbus driver: meters, PV inverters and batteries, of the old models and of the new.

A device is read by the richest of its measuring models (`measures.py`); a battery's charge comes
from its storage model (`storage.py`). What can be written to it is `control.py`'s affair, behind
the seam in `controls.py`.
"""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from der.addresses import ModbusAddress
from der.commands import Command, FirmwareVersion, Identify, Options, SelfTest
from der.description import Connector, DeviceDescription, Now, Service
from der.drivers.modbus.connection import ModbusConnection
from der.drivers.modbus.pool import ModbusPool
from der.drivers.sunspec.block import Block, Located
from der.drivers.sunspec.checks import check, options
from der.drivers.sunspec.control import controls as controls_of
from der.drivers.sunspec.controls import Controls
from der.drivers.sunspec.map import Plan, SunSpecMap, Wanted, merged, want
from der.drivers.sunspec.measures import (
    INVERTER_MODELS,
    MEASURES,
    METER_MODELS,
    SANE,
    alarms,
    first,
    phases,
    run_state,
)
from der.drivers.sunspec.storage import STORAGE, STORAGE_MODELS, Charge, charge
from der.errors import PermanentError, StrangerError, TransientError
from der.model import Alarm, Connection, DeviceKind, DeviceSpec, Reading, Safeguard, Setpoint

_COMMON: Final = 1
_NAMEPLATE: Final = 120
_MEASURING: Final[Mapping[DeviceKind, Sequence[int]]] = {
    DeviceKind.METER: METER_MODELS,
    DeviceKind.SUBMETER: METER_MODELS,
    DeviceKind.PV: INVERTER_MODELS,
    DeviceKind.BATTERY: INVERTER_MODELS,
}
_SWITCHES: Final = ((122, "ECPConn"), (703, "ES"), (123, "Conn"))
"""What says whether an inverter is connected, where its measuring model does not."""
_KNOWN: Final = (
    _COMMON,
    *METER_MODELS,
    *INVERTER_MODELS,
    *STORAGE_MODELS,
    *range(120, 124),
    160,
    *range(702, 716),
)


def connector(description: DeviceDescription, service: Service | None, now: Now) -> Connector:
    """Return what connects to a SunSpec device.

    Raises:
        PermanentError: The description has no Modbus address.
    """
    if not isinstance(description.at, ModbusAddress):
        raise PermanentError(f"{description.spec.id}: a SunSpec device needs a Modbus address")
    return partial(
        connect,
        description.spec,
        description.at,
        inverted=description.inverted,
        pool=service if isinstance(service, ModbusPool) else None,
        now=now,
    )


async def connect(
    spec: DeviceSpec,
    address: ModbusAddress,
    *,
    inverted: bool = False,
    pool: ModbusPool | None = None,
    now: Now = time.time,
) -> "SunSpecLink":
    """Connect to a SunSpec device and find its models.

    Args:
        spec: The device; its kind says which models it must have.
        address: Where it is.
        inverted: The device counts power and energy the other way round than SunSpec says, as
            some makers' meters do.
        pool: Whose connections are shared; None for one of its own.
        now: UTC epoch seconds, for the readings.

    Raises:
        TransientError: No usable answer.
        PermanentError: Not a SunSpec device, or one of another kind.
    """
    if spec.kind not in _MEASURING:
        raise PermanentError(f"{spec.id}: a {spec.kind} is no SunSpec device")
    bus = await ModbusConnection.open(spec.id, address, pool)
    try:
        return await _identified(spec, bus, inverted=inverted, now=now)
    except BaseException:
        bus.close()
        raise


async def _identified(
    spec: DeviceSpec, bus: ModbusConnection, *, inverted: bool, now: Now
) -> "SunSpecLink":
    device = await SunSpecMap.discover(bus, _KNOWN)
    measured = _chosen(spec, device, _MEASURING[spec.kind])
    stored = None
    if spec.kind is DeviceKind.BATTERY:
        stored = _chosen(spec, device, STORAGE_MODELS)
    link = SunSpecLink(
        spec,
        device,
        measured,
        stored,
        await controls_of(spec, device),
        rated_wh=await _rated_wh(device),
        inverted=inverted,
        now=now,
    )
    await link.identify()
    return link


def _chosen(spec: DeviceSpec, device: SunSpecMap, models: Sequence[int]) -> Located:
    """Return the first of several models that a device has."""
    found = next((device.models[m] for m in models if m in device.models), None)
    if found is None:
        listed = ", ".join(str(model) for model in sorted(models))
        raise StrangerError(
            f"{spec.id}: {device.bus.address} has none of the SunSpec models {listed}, "
            f"of which a {spec.kind} needs one"
        )
    return found


async def _rated_wh(device: SunSpecMap) -> float | None:
    nameplate = device.models.get(_NAMEPLATE)
    if nameplate is None:
        return None
    (block,) = await device.read([want(nameplate, ["WHRtg"])], "model 120")
    return block.number("WHRtg")


class SunSpecLink:
    """A live connection to one SunSpec device; made by `connect`."""

    def __init__(
        self,
        spec: DeviceSpec,
        device: SunSpecMap,
        measured: Located,
        stored: Located | None,
        controls: Controls,
        *,
        rated_wh: float | None,
        inverted: bool,
        now: Now,
    ) -> None:
        self._spec = spec
        self._map = device
        self._now = now
        self._inverted = inverted
        self._controls = controls
        peer = device.bus.peer
        self._connection = Connection(str(device.bus.address), host=peer.host, key=peer.key)
        self._measured = measured.model.id
        self._measures = MEASURES[measured.model.id]
        self._stored = None if stored is None else stored.model.id
        self._rated_wh = rated_wh
        wanted = [want(measured, self._measures.names), *controls.wanted]
        if stored is not None:
            wanted.append(want(stored, STORAGE[stored.model.id].names))
        if self._measured in INVERTER_MODELS:
            wanted += self._switches()
        self._wanted = merged(wanted)
        self._plan = Plan(device, self._wanted)

    @property
    def connection(self) -> Connection:
        """Who answers, as model 1 says."""
        return self._connection

    @property
    def safeguard(self) -> Safeguard:
        """What its reversion timers are good for."""
        return self._controls.safeguard

    @property
    def frames(self) -> Sequence[tuple[int, int]]:
        """(first register, count) of each frame that one reading takes."""
        return self._plan.frames

    async def read(self) -> Reading:
        """Read all that the device measures, in as few frames as it allows.

        Raises:
            TransientError: No usable answer, or no value for the active power.
        """
        return self._reading(await self._blocks("measurements"))

    async def write(self, setpoint: Setpoint | None) -> None:
        """Limit (PV) or set (battery) the active power.

        Raises:
            PermanentError: The device can't be controlled so, or refuses.
            TransientError: No usable answer, or the set-point was not taken.
        """
        await self._controls.write(setpoint)

    async def ioctl(self, command: Command[object]) -> object:
        """Name, describe or check the device; the rest is for its controls.

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
                return await options(self._map, self._controls)
            case SelfTest():
                blocks = await self._blocks("self-test")
                return await check(self._map, self._controls, blocks[self._measured])
            case _:
                return await self._controls.ioctl(command)

    async def close(self) -> None:
        """End the connection."""
        self._map.bus.close()

    async def identify(self) -> Connection:
        """Read model 1 again."""
        common = self._map.models.get(_COMMON)
        if common is None:
            return self._connection
        (block,) = await self._map.read([want(common, ["Mn", "Md", "Vr", "SN"])], "model 1")
        peer = self._map.bus.peer
        self._connection = Connection(
            address=str(self._map.bus.address),
            manufacturer=block.text("Mn"),
            model=block.text("Md"),
            serial=block.text("SN"),
            firmware=block.text("Vr"),
            host=peer.host,
            key=peer.key,
        )
        return self._connection

    def _switches(self) -> list[Wanted]:
        models = self._map.models
        return [want(models[m], [name]) for m, name in _SWITCHES if m in models]

    async def _blocks(self, point: str) -> Mapping[int, Block]:
        read = await self._plan.read(point)
        blocks = {block.model.id: block for block in read}
        self._controls.take(blocks)
        return blocks

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
        imported = block.number(measures.imported) if measures.imported else None
        exported = block.number(measures.exported)
        if self._inverted:
            imported, exported = exported, imported
        stored = self._charge(blocks)
        suspect = set() if stored.sane else {"soc"}
        said = {
            "voltage_v": first(block, measures.voltage),
            "frequency_hz": block.number(measures.frequency),
            "temp_c": block.number(measures.temperature) if measures.temperature else None,
        }
        for name, (low, high) in SANE.items():
            value = said[name]
            if value is not None and not low <= value <= high:
                said[name] = None
                suspect.add(name)
        return Reading(
            at=self._now(),
            power_w=_turned(power, sign),
            reactive_var=None if reactive is None else _turned(reactive, sign),
            voltage_v=said["voltage_v"],
            frequency_hz=said["frequency_hz"],
            energy_import_wh=imported,
            energy_export_wh=exported,
            soc=stored.soc,
            capacity_wh=stored.capacity_wh,
            temp_c=said["temp_c"],
            connected=self._connected(block, blocks),
            limit_w=self._controls.limit_w(),
            phases=phases(measures, block, sign),
            alarms=_together(alarms(measures, block), stored.alarms),
            state=run_state(measures, block),
            suspect=frozenset(suspect),
        )

    def _charge(self, blocks: Mapping[int, Block]) -> Charge:
        if self._stored is None:
            return Charge()
        return charge(STORAGE[self._stored], blocks[self._stored], self._rated_wh)

    def _connected(self, measured: Block, blocks: Mapping[int, Block]) -> bool | None:
        name = self._measures.connected
        state = measured.number(name) if name else None
        if state is None and self._measured in INVERTER_MODELS:
            said = (blocks[m].number(name) for m, name in _SWITCHES if m in blocks)
            state = next((value for value in said if value is not None), None)
        return None if state is None else state == 1


def _turned(value: float, sign: float) -> float:
    return sign * value + 0.0  # zero has no sign


def _together(said: frozenset[Alarm] | None, more: frozenset[Alarm]) -> frozenset[Alarm] | None:
    return said if not more else more | (said or frozenset())
