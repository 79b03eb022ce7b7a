"""Asking one address whether SunSpec devices are behind it, and who they are."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from der.addresses import ModbusAddress
from der.discovery.found import Found, How
from der.drivers.modbus.connection import ModbusConnection
from der.drivers.sunspec.block import Block
from der.drivers.sunspec.map import SunSpecMap, want
from der.errors import PermanentError, TransientError
from der.model import DeviceKind
from der.registry import Driver
from der.sentence import say

UNITS: Final = (1, 126, 247, 2, 3, 240, 200, 100)
"""Units that makers use: 1 mostly, 126 and 247 as SunSpec examples do, 2 and 3 for the meter or
battery beside an inverter, 240, 200 and 100 for some makers' meters."""

_MOST_SILENT: Final = 3
"""After so many units without an answer no further one is waited for at an address."""

_COMMON: Final = 1
_NAMEPLATE: Final = 120
_DER_CAPACITY: Final = 702

_READ: Final[Mapping[int, tuple[str, ...]]] = {
    _COMMON: ("Mn", "Md", "SN"),
    _NAMEPLATE: ("WRtg", "MaxChaRte", "MaxDisChaRte"),
    _DER_CAPACITY: ("WMaxRtg", "WChaRteMaxRtg", "WDisChaRteMaxRtg"),
}
_METERS: Final = frozenset({201, 202, 203, 204, 211, 212, 213, 214})
_STORAGE: Final = frozenset({124, 713, 801, 802, 803, 804})
_INVERTERS: Final = frozenset({101, 102, 103, 111, 112, 113, 701})


@dataclass(frozen=True, slots=True)
class Probe:
    """How an address is asked.

    Attributes:
        connect_s: Longest wait for a connection, in s.
        answer_s: Longest wait for each answer, in s.
        units: Units that are asked, in order.
    """

    connect_s: float = 0.5
    answer_s: float = 0.6
    units: Sequence[int] = UNITS


async def listening(host: str, port: int, within_s: float) -> bool:
    """Return whether somebody accepts a TCP connection; nothing is sent."""
    try:
        async with asyncio.timeout(within_s):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:  # TimeoutError is one
        return False
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        return True  # it was there, and reset us
    return True


async def ask(host: str, port: int, probe: Probe, how: How = How.SWEEP) -> list[Found]:
    """Return the SunSpec devices behind an address; where there are none, whether Modbus is.

    A device that answers under every unit alike is listed once, under the first.
    """
    found: list[Found] = []
    said: set[tuple[str, str, str, tuple[int, ...]]] = set()
    silent, modbus = 0, False
    for unit in probe.units:
        if silent == _MOST_SILENT:
            break
        at = ModbusAddress(host, port, unit, timeout_s=probe.answer_s)
        try:
            device = await _device(at)
        except TransientError:
            silent += 1
            continue
        except PermanentError:
            modbus = True
            continue
        # A unit that shows another map under the same name, as meters in inverters do, counts.
        signature = (device.maker, device.model, device.serial, device.models)
        if signature not in said:
            said.add(signature)
            found.append(device.found(how))
    return found or ([_unmapped(host, port, how)] if modbus else [])


def _unmapped(host: str, port: int, how: How) -> Found:
    return Found(
        (how,),
        f"{host}:{port}",
        at=ModbusAddress(host, port),
        note=say(
            "speaks Modbus, not SunSpec: add it by what describes it (--driver modbus --map NAME; "
            "docs/modbus-maps.md has the names)"
        ),
    )


@dataclass(frozen=True, slots=True)
class _Device:
    at: ModbusAddress
    models: tuple[int, ...]
    maker: str
    model: str
    serial: str
    range_w: tuple[float, float] | None

    def found(self, how: How) -> Found:
        kind = kind_of(self.models)
        return Found(
            (how,),
            str(self.at),
            kind=kind,
            driver=Driver.SUNSPEC,
            at=ModbusAddress(self.at.host, self.at.port, self.at.unit),
            maker=self.maker,
            model=self.model,
            serial=self.serial,
            min_w=None if self.range_w is None else self.range_w[0],
            max_w=None if self.range_w is None else self.range_w[1],
            note=""
            if kind is not None
            else say("has none of the SunSpec models of meters, inverters and batteries"),
        )


def kind_of(models: Collection[int]) -> DeviceKind | None:
    """Return what a device with these SunSpec models may be; None where they do not tell."""
    have = frozenset(models)
    if have & _STORAGE:
        return DeviceKind.BATTERY
    if have & _INVERTERS:
        return DeviceKind.PV
    if have & _METERS:
        return DeviceKind.METER
    return None


async def _device(at: ModbusAddress) -> _Device:
    """Read who a unit is; raises PermanentError where it is no SunSpec device."""
    bus = await ModbusConnection.open("scan", at)
    try:
        device = await SunSpecMap.discover(bus, _READ)
        blocks = {
            model: (await device.read([want(place, _READ[model])], f"SunSpec model {model}"))[0]
            for model, place in device.models.items()
        }
    finally:
        bus.close()
    common = blocks.get(_COMMON)
    if common is None:
        raise PermanentError(f"{at}: a SunSpec map without the common model")
    rated = (rating(device.ids, blocks[m]) for m in (_DER_CAPACITY, _NAMEPLATE) if m in blocks)
    return _Device(
        at,
        device.ids,
        common.text("Mn"),
        common.text("Md"),
        common.text("SN"),
        next((each for each in rated if each is not None), None),
    )


def rating(models: Collection[int], block: Block) -> tuple[float, float] | None:
    """Return least and greatest power by a nameplate, in W, passive sign.

    Args:
        models: All models of the device.
        block: Its model 702 (DER capacity) or 120 (nameplate).

    Returns:
        None where the block does not say: a rate below nothing is no rating.
    """
    if block.model.id == _DER_CAPACITY:
        gives, charges, discharges = "WMaxRtg", "WChaRteMaxRtg", "WDisChaRteMaxRtg"
    else:
        gives, charges, discharges = "WRtg", "MaxChaRte", "MaxDisChaRte"
    rated = block.number(gives)
    if kind_of(models) is DeviceKind.BATTERY:
        takes, sends = block.number(charges), block.number(discharges)
        takes = rated if takes is None else takes
        sends = rated if sends is None else sends
        if takes is None or sends is None or takes < 0 or sends < 0 or takes + sends == 0:
            return None
        return -sends, takes
    return None if rated is None or rated <= 0 else (-rated, 0.0)
