"""The agent as the hub's own child: started, started again, ended with the hub."""

import asyncio
import contextlib
import logging
import sys
from asyncio.subprocess import Process
from pathlib import Path
from typing import Final

from der.sentence import say
from hems.security_event import EventKind, Note, SecurityEvent

_log = logging.getLogger(__name__)

_AGAIN_S: Final = 1.0
_AGAIN_LATER_S: Final = 60.0
_LONG_S: Final = 60.0
"""An agent that ran for so long was well."""


class AgentProcess:
    """Keeps an agent running.

    Args:
        config: The home's configuration, which the agent reads itself.
        secret: Shared with the hub.
        note: Told when it ended by itself.
    """

    def __init__(self, config: Path, secret: bytes, note: Note) -> None:
        self._config = config
        self._secret = secret
        self._note = note
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the agent; None while none runs."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    async def run(self) -> None:
        """Keep it running until cancelled, then end it."""
        loop, pause_s = asyncio.get_running_loop(), _AGAIN_S
        try:
            while True:
                began = loop.time()
                code = await self._once()
                self._note(
                    SecurityEvent(
                        EventKind.AGENT_SILENT,
                        say(
                            "The software agent has ended (code {code}); it is started again.",
                            code=code,
                        ),
                        "agent",
                    )
                )
                if loop.time() - began > _LONG_S:
                    pause_s = _AGAIN_S
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _AGAIN_LATER_S)
        finally:
            await self._end()

    def renew(self) -> None:
        """End one that does not answer, so that another one is started."""
        if self.pid is not None and self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _once(self) -> int:
        """Start it and wait until it ends; returns its exit code."""
        command = (sys.executable, "-m", "hems", "agent", "run", "--config", str(self._config))
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                "--child",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the hub, which ends it in order
            )
        except OSError as error:
            _log.error("the agent process cannot be started: %s", error)
            return -1
        if self._process.stdin is not None:
            with contextlib.suppress(ConnectionError):
                self._process.stdin.write(self._secret.hex().encode() + b"\n")
                await self._process.stdin.drain()
            self._process.stdin.close()
        return await self._process.wait()

    async def _end(self) -> None:
        self.renew()
        if self._process is not None:
            await self._process.wait()
