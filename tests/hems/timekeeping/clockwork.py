"""A chronyd of the tests' own, an NTP server that it asks, and a reference clock that it hears.

chronyd runs without touching the machine's clock (`-x`), with all its files in a folder.
"""

import asyncio
import contextlib
import os
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from tests.timekeepers import CHRONYD

_NTP_EPOCH_S: Final = 2_208_988_800
_MODE_SERVER: Final = 4
_SOCK_MAGIC: Final = 0x534F434B


@dataclass
class NtpServer(asyncio.DatagramProtocol):
    """An NTP server (RFC 5905) on a real UDP socket.

    Attributes:
        stratum: What it says of itself; 0 is a kiss of death.
        leap: Its leap indicator.
        asked: When it was asked, monotonic seconds.
    """

    stratum: int = 1
    leap: int = 0
    asked: list[float] = field(default_factory=list)
    _transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        self.asked.append(time.monotonic())
        came = _stamp(time.time())
        head = struct.pack(
            ">BBbbII4s",
            self.leap << 6 | 4 << 3 | _MODE_SERVER,
            self.stratum,
            6,
            -20,
            10,
            20,
            b"GPS\0",
        )
        self._transport.sendto(head + came + data[40:48] + came + _stamp(time.time()), addr)


def _stamp(at: float) -> bytes:
    whole = int(at)
    return struct.pack(">II", whole + _NTP_EPOCH_S & 0xFFFFFFFF, int((at - whole) * 2**32))


@asynccontextmanager
async def ntp_server(served: NtpServer) -> AsyncIterator[int]:
    """Serve time on loopback; gives the port."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: served, ("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


@asynccontextmanager
async def chronyd(folder: Path, *sources: str) -> AsyncIterator[str]:
    """Run chrony's daemon with some sources; gives the socket at which it is asked."""
    door = folder / "door"
    door.mkdir(mode=0o700)
    told = door / "chronyd.sock"
    config = folder / "chrony.conf"
    config.write_text(
        "\n".join(
            (
                *sources,
                "port 0",
                "cmdport 0",
                f"bindcmdaddress {told}",
                f"pidfile {folder / 'pid'}",
            )
        )
        + "\n"
    )
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(str(CHRONYD), "-x", "-d", "-U", "-u", _me(), "-f", str(config)),
            stdout=log,
            stderr=log,
        )
    try:
        yield str(told)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _me() -> str:
    return "root" if os.getuid() == 0 else os.environ.get("USER", "nobody")


async def beat(path: Path) -> None:
    """Be a GPS receiver's driver: tell chrony the time by its SOCK reference clock, forever."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
        own.setblocking(False)
        while True:
            at = time.time()
            sample = struct.pack("@lldiiii", int(at), int(at % 1 * 1e6), 0.0, 0, 0, 0, _SOCK_MAGIC)
            with contextlib.suppress(OSError):  # chronyd has not made it yet
                own.sendto(sample, str(path))
            await asyncio.sleep(0.2)
