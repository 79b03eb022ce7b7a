"""What must hold of a SunSpec device whatever its registers hold.

A sound device's registers are overwritten here and there; the driver connects to what comes of it
and reads. It ends in one device error or in a reading, and the reading's power is what the
registers say by their plain meaning, worked out apart from the driver.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

from pymodbus.pdu import ExceptionResponse, ModbusPDU

from der.addresses import ModbusAddress
from der.drivers.modbus.channel import Channel, User
from der.drivers.modbus.framing import RegistersResponse
from der.drivers.modbus.pool import ModbusPool
from der.drivers.sunspec.link import connect
from der.errors import DeviceError
from der.model import Control, DeviceKind, DeviceSpec, Reading
from der.sim.sunspec.registers import BASE, Key, RegisterMap, Value

MOST_CHANGES: Final = 64
_ILLEGAL_ADDRESS: Final = 2
_NO_SCALE: Final = -32768
_MOST_SCALE: Final = 10
_SPECS: Final[Mapping[DeviceKind, DeviceSpec]] = {
    DeviceKind.METER: DeviceSpec("fuzz", DeviceKind.METER, "", Control.NONE, 0, 0),
    DeviceKind.PV: DeviceSpec("fuzz", DeviceKind.PV, "", Control.FLOOR, -5000, 0),
    DeviceKind.BATTERY: DeviceSpec("fuzz", DeviceKind.BATTERY, "", Control.TARGET, -5000, 5000),
}


class WrongError(Exception):
    """The driver did something with an answer that it never may."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound device.

    Attributes:
        kind: What it is.
        models: Its models in order; the first that has W is measured by.
        sign: Of its power, to the passive sign.
    """

    kind: DeviceKind
    models: tuple[int, ...]
    measured: int
    sign: float


SOUND: Final = (
    Sound(DeviceKind.PV, (1, 103, 120, 121, 122, 123), 103, -1),
    Sound(DeviceKind.PV, (1, 701, 702, 703, 704), 701, -1),
    Sound(DeviceKind.PV, (1, 113), 113, -1),
    Sound(DeviceKind.METER, (1, 203), 203, 1),
    Sound(DeviceKind.METER, (1, 213), 213, 1),
    Sound(DeviceKind.BATTERY, (1, 103, 120, 124, 802), 103, -1),
    Sound(DeviceKind.BATTERY, (1, 701, 702, 703, 704, 713), 701, -1),
)


class _Registers(Channel):
    """A channel to a device in memory."""

    def __init__(self, held: Sequence[int]) -> None:
        super().__init__(ModbusAddress("fuzz"))
        self._held = held

    async def open(self, seconds: float) -> None:
        """Be there."""

    async def ask(self, user: User, request: ModbusPDU, seconds: float) -> ModbusPDU:
        """Answer reads of what there is; refuse all else."""
        del user, seconds
        start = request.address - BASE
        if request.function_code != RegistersResponse.function_code or not (
            0 <= start <= start + request.count <= len(self._held)
        ):
            return ExceptionResponse(request.function_code, _ILLEGAL_ADDRESS)
        answer = RegistersResponse()
        here = self._held[start : start + request.count]
        answer.decode(struct.pack(f">B{request.count}H", 2 * request.count, *here))
        return answer


class _Pool(ModbusPool):
    """Leads to one device."""

    def __init__(self, held: Sequence[int]) -> None:
        super().__init__()
        self._channel = _Registers(held)

    def join(self, user: User, address: ModbusAddress) -> Channel:
        """Return its channel."""
        del user, address
        return self._channel


async def examine_registers(data: bytes) -> str:
    """Change a sound device and read it; returns in a few words what came of it.

    Args:
        data: Which device, then (place, value) of each change, two octets each.

    Raises:
        WrongError: The reading is not what the registers say.
        Exception: Any other than a device error is a finding too.
    """
    sound = SOUND[data[0] % len(SOUND)] if data else SOUND[0]
    where = _map(sound)
    held = where.image(_values(where))
    changes = struct.iter_unpack(">HH", data[1 : 1 + len(data[1:]) // 4 * 4][: 4 * MOST_CHANGES])
    touched = set()
    for place, value in changes:
        held[place % len(held)] = value
        touched.add(BASE + place % len(held))
    pool = _Pool(held)
    try:
        link = await connect(_SPECS[sound.kind], ModbusAddress("fuzz"), pool=pool, now=lambda: 0.0)
        reading = await link.read()
        await link.close()
    except DeviceError as error:
        if not str(error).startswith("fuzz: ") or "\n" in str(error):
            raise WrongError(f"{error!r} is no sentence that names the device") from error
        said = None
    else:
        said = reading
        _check_finite(reading)
    if not touched & _headers(sound, where):
        _check_power(sound, where, held, said)
    return "an error" if said is None else "a reading"


def _map(sound: Sound) -> RegisterMap:
    exponents: dict[Key, int] = {}
    bare = RegisterMap(sound.models, {})
    for key, point in bare.points.items():
        if point.kind == "sunssf":
            exponents[key] = -1
    return RegisterMap(sound.models, exponents)


def _values(where: RegisterMap) -> dict[Key, Value]:
    """Return sound values of all numbers."""
    return {
        key: 50.0
        for key, point in where.points.items()
        if point.kind not in {"string", "pad", "sunssf"} and key[1] not in {"ID", "L"}
    }


def _headers(sound: Sound, where: RegisterMap) -> set[int]:
    """Return the registers by which the driver finds the models."""
    headers = {BASE, BASE + 1, where.end - 2, where.end - 1}
    for model in sound.models:
        headers |= {where.points[model, "ID"].address, where.points[model, "L"].address}
    return headers


def _check_power(
    sound: Sound, where: RegisterMap, held: Sequence[int], said: Reading | None
) -> None:
    """Compare the reading's power with the registers'."""
    point = where.points[sound.measured, "W"]
    raw = struct.pack(f">{point.size}H", *held[point.address - BASE :][: point.size])
    if point.kind == "float32":
        power = struct.unpack(">f", raw)[0]
        known = math.isfinite(power)
    else:
        (number,) = struct.unpack(">h", raw)
        factor_at = where.points[sound.measured, point.scale].address - BASE
        (exponent,) = struct.unpack(">h", struct.pack(">H", held[factor_at]))
        known = number != _NO_SCALE and abs(exponent) <= _MOST_SCALE
        power = number * 10.0**exponent if known else math.nan
    if known and said is None:
        raise WrongError("the power is there, and some other register kept it from being read")
    if not known and said is not None:
        raise WrongError(f"read {said.power_w:g} W where there is no power to be read")
    if known and said is not None and not math.isclose(said.power_w, sound.sign * power):
        raise WrongError(f"read {said.power_w:g} W where the registers say {sound.sign * power:g}")


def _check_finite(reading: Reading) -> None:
    """See that every number of a reading is one, and the charge a share."""
    for field in fields(reading):
        value = getattr(reading, field.name)
        if isinstance(value, float | int) and not math.isfinite(value):
            raise WrongError(f"{field.name} is {value}")
    if reading.soc is not None and not 0 <= reading.soc <= 1:
        raise WrongError(f"a charge of {reading.soc}")
