"""Ten SunSpec devices in one process, for the benchmark of polling: `python -m ... [count]`.

Each shows the simulated home's register map, worked out once, and answers by its Modbus rules; but
not through its server, whose streams take more time than a client does: a device's own processor
is not what is measured. Prints the ports on one line and serves until its input ends.
"""

import asyncio
import sys
from functools import partial
from typing import Final

from der.sim.errors import ExceptionCode, RefusedError
from der.sim.modbus.framing import HEADER
from der.sim.modbus.server import HOST, Table, answer
from der.sim.sunspec.registers import BASE, Key, RegisterMap, Value

MODELS: Final = (1, 701, 702, 703, 704, 713)
SCALES: Final[dict[str, int]] = {
    "W_SF": 0, "VA_SF": 0, "Var_SF": 0, "PF_SF": -3, "A_SF": -2, "V_SF": -1, "Hz_SF": -3,
    "TotWh_SF": 0, "TotVarh_SF": 0, "Tmp_SF": -1, "S_SF": 0, "WMaxLimPct_SF": -2, "WSet_SF": 0,
    "WSetPct_SF": -2, "VarSet_SF": 0, "VarSetPct_SF": -2, "WH_SF": 0, "Pct_SF": -2,
}  # fmt: skip
_NAMES: Final = {"Mn": "Bench", "Md": "Farm", "Opt": "", "Vr": "1.0"}
_VALUES: Final = {"W": 2345.0, "Hz": 50.01, "ES": 1.0, "WMaxRtg": 5000.0, "WMax": 5000.0}


class ImageUnit:
    """A unit whose registers never change."""

    def __init__(self, number: int) -> None:
        keys = {(model, name): exponent for model in MODELS for name, exponent in SCALES.items()}
        self._map = RegisterMap(MODELS, keys)
        values: dict[Key, Value] = {
            key: _value(key, point.kind, number)
            for key, point in self._map.points.items()
            if point.kind not in {"sunssf", "pad"} and key[1] not in {"ID", "L"}
        }
        self._image = self._map.image(values)

    def read_bits(self, table: Table, address: int, count: int) -> list[bool]:
        """Refuse: there are none."""
        raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"no {count} bits at {address}: {table}")

    def read_registers(self, table: Table, address: int, count: int) -> list[int]:
        """Return holding registers within the map."""
        if table is not Table.HOLDING or not BASE <= address <= self._map.end - count:
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{count} registers at {address}")
        return self._image[address - BASE : address - BASE + count]

    def write_coils(self, address: int, values: list[bool]) -> None:
        """Refuse."""
        raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{address}: {values}")

    def write_registers(self, address: int, values: list[int]) -> None:
        """Refuse."""
        raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{address}: {values}")


def _value(key: Key, kind: str, number: int) -> Value:
    """Return a value that is the point's own, and the device's."""
    name = key[1]
    if kind == "string":
        return _NAMES.get(name, f"farm-{number}")
    if name in _VALUES:
        return _VALUES[name] + number
    return float(sum(map(ord, name)) % 50 + number)


class Answering(asyncio.Protocol):
    """One connection to a device."""

    def __init__(self, unit: ImageUnit) -> None:
        self._unit = unit
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport over."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            number, protocol, length, unit = HEADER.unpack_from(self._buffer)
            end = HEADER.size + length - 1
            if len(self._buffer) < end:
                return
            said = answer(self._unit, self._buffer[HEADER.size : end])
            self._buffer = self._buffer[end:]
            assert self._transport is not None
            self._transport.write(HEADER.pack(number, protocol, len(said) + 1, unit) + said)


async def serve(count: int) -> None:
    """Run the devices until standard input ends."""
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(partial(Answering, ImageUnit(n)), HOST, 0) for n in range(count)
    ]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    for server in servers:
        server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
