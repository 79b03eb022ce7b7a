"""A hub's writing end and nothing more, to be killed: a guard, and one device held off.

Arguments: where the relay board is, and the guard's file; on standard input come words: a number
holds the device for so many seconds, "free" gives it back. Each is answered when it is done.
"""

import asyncio
import sys
import time
from functools import partial
from pathlib import Path

from der.addresses import MappedAddress, ModbusAddress, Shared
from der.description import DeviceDescription
from der.model import Control, DeviceKind, DeviceSpec, Setpoint
from der.registry import build
from der.service import Mode
from hems.cem.orders import Order
from hems.cem.telling import Teller
from hems.guarding.guarded import Guarded
from tests.waiting import until

MAP = Path(__file__).parents[1] / "maps" / "bare-relay.toml"


async def main(port: int, state: Path) -> None:
    spec = DeviceSpec("heater", DeviceKind.WATER_HEATER, "Tank", Control.SWITCH, 0, 3_000)
    address = MappedAddress(ModbusAddress("127.0.0.1", port), str(MAP))
    described = DeviceDescription(spec, "modbus", address)
    guarded = Guarded([described], Shared(), state)
    guarding = asyncio.create_task(guarded.run())

    async def noted() -> tuple[int | None, bool]:
        return guarded.pid, await asyncio.to_thread(state.exists)

    handle = await build([described], now=time.time).devices["heater"].open(Mode.READ_WRITE)
    teller = Teller(guarded)
    loop = asyncio.get_running_loop()
    while word := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        lapses = None if word == "free" else Setpoint(0.0, float(word))
        await teller.tell(handle, Order(lapses, write=True))
        good = (True,) if lapses is not None else (True, False)
        await until(noted, partial(_guarded, good), 20.0, "the guard has noted it")
        print(guarded.pid, flush=True)
    await handle.close()
    guarding.cancel()
    await asyncio.gather(guarding, return_exceptions=True)


def _guarded(good: tuple[bool, ...], seen: tuple[int | None, bool]) -> bool:
    return seen[0] is not None and seen[1] in good


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
