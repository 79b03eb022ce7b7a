"""The smart meter's customer port behind a serial-to-TCP adapter: DSMR 5 telegrams, pushed.

Written out rather than taken from the library that the hub's driver uses, so that the two ends of
the wire do not share one reading of the protocol. Everyone who connects gets every telegram.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from der.sim.errors import ListenError
from der.sim.faults import Fault, FaultKind
from der.sim.modbus.server import HOST
from der.sim.physics.house import Flow

ZONE: Final = ZoneInfo("Europe/Amsterdam")
CLOCK_OFF_S: Final = 3600.0
SCALE_OFF: Final = 1000.0
_NIGHT_KWH: Final = 4321.987
"""What the first tariff's registers had counted before; the second one counts on from zero."""
_MOST_WAITING: Final = 64 * 1024
"""Bytes that wait for a peer that does not read; an adapter has no room for more."""
_CRC_POLYNOMIAL: Final = 0xA001
_SERIAL: Final = "E0099000012345678"


def crc16(data: bytes) -> int:
    """Return the checksum of a telegram: CRC-16/ARC, over "/" to "!" both included."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ _CRC_POLYNOMIAL if crc & 1 else crc >> 1
    return crc


def sealed(lines: Sequence[str], *, wrong: bool = False) -> bytes:
    """Return lines as a telegram with its checksum.

    Args:
        lines: From the one that begins with "/"; without the last, which is "!".
        wrong: With a checksum that is wrong.
    """
    body = "".join(f"{line}\r\n" for line in lines).encode("ascii") + b"!"
    crc = crc16(body) ^ (0x1234 if wrong else 0)
    return body + f"{crc:04X}\r\n".encode("ascii")


def lines(inputs: Sequence[Flow], voltage_v: float, at: float, scale: float = 1.0) -> list[str]:
    """Return what the meter says.

    Args:
        inputs: What flows through each of its inputs L1, L2, L3, as many as are connected.
        voltage_v: On each of them.
        at: Its clock, UTC epoch seconds.
        scale: Its powers are multiplied by this; 1 where it is sound.
    """
    local = datetime.fromtimestamp(at, UTC).astimezone(ZONE)
    season = "S" if local.dst() else "W"
    power_w = sum(flow.power_w for flow in inputs)
    taken_kwh = sum(flow.import_wh for flow in inputs) / 1000
    given_kwh = sum(flow.export_wh for flow in inputs) / 1000
    told = [
        "/SIM5\\SIMULATED-P1",
        "",
        "1-3:0.2.8(50)",
        f"0-0:1.0.0({local:%y%m%d%H%M%S}{season})",
        f"0-0:96.1.1({_SERIAL.encode('ascii').hex().upper()})",
        f"1-0:1.8.1({_NIGHT_KWH:010.3f}*kWh)",
        f"1-0:1.8.2({taken_kwh:010.3f}*kWh)",
        f"1-0:2.8.1({_NIGHT_KWH:010.3f}*kWh)",
        f"1-0:2.8.2({given_kwh:010.3f}*kWh)",
        "0-0:96.14.0(0002)",
        *_power(power_w * scale, "1-0:1.7.0", "1-0:2.7.0"),
        "0-0:96.7.21(00004)",
        "0-0:96.13.0()",
    ]
    for index, flow in enumerate(inputs):
        group = 20 * (index + 1)
        told += [
            f"1-0:{group + 12}.7.0({voltage_v:05.1f}*V)",
            f"1-0:{group + 11}.7.0({abs(flow.power_w) / (voltage_v or 1.0):03.0f}*A)",
            *_power(flow.power_w * scale, f"1-0:{group + 1}.7.0", f"1-0:{group + 2}.7.0"),
        ]
    told += [
        "0-1:24.1.0(003)",
        f"0-1:96.1.0({'G001'.encode('ascii').hex().upper()})",
        f"0-1:24.2.1({local:%y%m%d%H}0000{season})(01234.567*m3)",
    ]
    return told


def _power(power_w: float, drawn: str, given: str) -> list[str]:
    return [
        f"{drawn}({max(0.0, power_w) / 1000:06.3f}*kW)",
        f"{given}({max(0.0, -power_w) / 1000:06.3f}*kW)",
    ]


class P1Server:
    """Pushes telegrams to whoever connects on a loopback port.

    Args:
        device: Its name.
        measured: What flows through each of its inputs, and the voltage on them.
        fault: What goes wrong with it.
        port: Where it listens; 0 for any free one.
        period_s: A telegram every so many seconds.

    Attributes:
        port: Where it listens, once started.
    """

    def __init__(
        self,
        device: str,
        measured: Callable[[], tuple[Sequence[Flow], float]],
        fault: Fault,
        *,
        port: int = 0,
        period_s: float = 1.0,
    ) -> None:
        self.device = device
        self.fault = fault
        self.port = port
        self._measured = measured
        self._period_s = period_s
        self._server: asyncio.Server | None = None
        self._peers: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}
        self._last = b""

    async def start(self) -> None:
        """Listen.

        Raises:
            ListenError: The port is taken.
        """
        try:
            self._server = await asyncio.start_server(self._serve, HOST, self.port)
        except OSError as error:
            raise ListenError(
                f"{self.device}: cannot listen on {HOST}:{self.port}: {error}"
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop every peer; may be started again on the same port."""
        if self._server is not None:
            self._server.close()
            self._server = None
        tasks = list(self._peers.values())
        for writer, task in list(self._peers.items()):
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def follow_fault(self) -> None:
        """Run for ever: leave the network while it is off or starts anew, and come back.

        Raises:
            ListenError: The port was taken in the meantime.
        """
        while True:
            await self.fault.until_changed()
            if self.fault.kind in {FaultKind.OFF, FaultKind.REBOOT}:
                await self.stop()
            elif self._server is None:
                await self.start()

    async def push(self) -> None:
        """Run for ever: send a telegram each period."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._period_s)
            kind = self.fault.kind
            data = self._telegram(kind)
            if kind is FaultKind.DELAY:
                loop.call_later(self.fault.delay_s, self._send, data)
            elif kind is not FaultKind.SILENCE:
                self._send(data)

    def _telegram(self, kind: FaultKind) -> bytes:
        if kind is FaultKind.GARBAGE:
            return self.fault.garbage()
        if kind is FaultKind.STUCK and self._last:
            return self._last
        at = time.time() + (CLOCK_OFF_S if kind is FaultKind.CLOCK else 0.0)
        scale = SCALE_OFF if kind is FaultKind.SCALE else 1.0
        told = lines(*self._measured(), at, scale)
        self._last = sealed(told, wrong=kind is FaultKind.EXCEPTION)
        return self._last

    def _send(self, data: bytes) -> None:
        for writer in self._peers:
            if writer.transport.get_write_buffer_size() < _MOST_WAITING:
                writer.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:  # never: a server's callback runs in a task
            return
        self._peers[writer] = task
        try:
            # A peer that leaves is no concern of the adapter; and a stop ends this task here.
            with suppress(ConnectionError, asyncio.CancelledError):
                while await reader.read(_MOST_WAITING):
                    pass  # an adapter has nothing to hear
        finally:
            del self._peers[writer]
            writer.close()
