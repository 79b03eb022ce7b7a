"""The hub's side of its guard: a process that outlives it, started only where it is needed.

It logs to the hub's standard error. A service manager must not end it along with the hub (systemd:
KillMode=process).

Implements `hems.cem.sentry.Sentry`. Needed it is once a device without an expiry of its own has
answered, once a switch is opened that nothing would close, or when the file of an earlier guard
still says that something is held.
"""

import asyncio
import contextlib
import logging
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from der.addresses import MappedAddress, ModbusAddress, MqttAddress, Shared
from der.description import DeviceDescription
from der.model import Control
from hems.guarding.letters import Note, note, opening

_log = logging.getLogger(__name__)

_AGAIN_S: Final = 1.0
_AGAIN_LATER_S: Final = 60.0
"""Between two starts of a guard that ends again and again, at most."""
_LONG_S: Final = 60.0
"""A guard that ran for so long was well."""

_CALLED: Final = (ModbusAddress, MappedAddress, MqttAddress)
"""Devices that a second process can reach; chargers call the hub, and fall back by themselves."""


class Guarded:
    """Starts the guard, keeps it running, and tells it what is held.

    Args:
        devices: All devices of the home.
        shared: What they share.
        state: The file in which the guard keeps what is held.
    """

    def __init__(self, devices: Iterable[DeviceDescription], shared: Shared, state: Path) -> None:
        reached = [d for d in devices if isinstance(d.at, _CALLED) and _told(d)]
        self._opening = opening(reached, shared)
        self._state = state
        self._needed = asyncio.Event()
        self._last: dict[str, Note] = {}
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the guard; None while none runs."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    def prepare(self) -> None:
        """Have the guard started: a device is there that will need it."""
        self._needed.set()

    def hold(self, device: str, lapse_s: float, *, opened: bool = False) -> None:
        """Tell the guard that a device is about to hold a set-point."""
        words = Note(device, time.monotonic() + lapse_s, opened)
        self._last[device] = words
        self._needed.set()
        self._say(words)

    def given_back(self, device: str) -> None:
        """Tell the guard that a device runs by itself again."""
        words = Note(device, None)
        self._last[device] = words  # kept too: an earlier hub's guard may think otherwise
        self._say(words)

    async def run(self) -> None:
        """Keep the guard running from when it is needed, until cancelled.

        When cancelled the guard is left alone: it ends once nothing is held any more.
        """
        if not self._state.exists():
            await self._needed.wait()
        pause_s = _AGAIN_S
        try:
            while True:
                began = time.monotonic()
                if await self._start() and self._process is not None:
                    code = await self._process.wait()
                    _log.error("the guard process ended with code %d; it is started again", code)
                if time.monotonic() - began > _LONG_S:
                    pause_s = _AGAIN_S
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _AGAIN_LATER_S)
        finally:
            process, self._process = self._process, None
            if process is not None and process.stdin is not None:
                process.stdin.close()
                with contextlib.suppress(ConnectionError):
                    await process.stdin.wait_closed()

    async def _start(self) -> bool:
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "hems.commands.guard", str(self._state)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # what ends the hub must not end its guard
            )
        except OSError as error:
            _log.error("the guard process cannot be started: %s", error)
            return False
        self._process = process
        if process.stdin is not None:
            process.stdin.write(self._opening)
        for words in self._last.values():
            self._say(words)
        return True

    def _say(self, words: Note) -> None:
        process = self._process
        if process is not None and process.stdin is not None and not process.stdin.is_closing():
            process.stdin.write(note(words))


def _told(device: DeviceDescription) -> bool:
    return device.spec.control is not Control.NONE
