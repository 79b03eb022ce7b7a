"""A child process with a log and a ready file: started, waited for, stopped, killed."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STOP_WITHIN_S = 10.0
ASK_AGAIN_S = 1.0
POLL_S = 0.02
_SETPRIV = shutil.which("setpriv")
_TIED = (_SETPRIV, "--pdeathsig", "INT") if _SETPRIV else ()
"""Stops a child when its parent dies, however that dies; part of every Debian (util-linux)."""


class ChildError(Exception):
    """A child did not start; `str()` names it and quotes the end of its log."""


@dataclass(slots=True)
class Child:
    """One program run beside this one.

    Attributes:
        name: For messages.
        command: Program and arguments.
        log: Where its output goes.
        ready: File that it writes, one JSON object, once it can be used.
    """

    name: str
    command: Sequence[str]
    log: Path
    ready: Path
    _process: Process | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        """Process id of the running child."""
        if self._process is None:
            raise ChildError(f"{self.name} is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it; an older ready file is removed first."""
        self.ready.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *_TIED,
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C at the terminal reaches the parent alone, which stops its children in order
                start_new_session=True,
            )

    async def wait_ready(self, within_s: float) -> Mapping[str, object]:
        """Wait for the ready file and return what it says.

        Raises:
            ChildError: The child ended, or was not ready in time.
        """
        try:
            async with asyncio.timeout(within_s):
                while not self.ready.exists():
                    if not self.running:
                        raise ChildError(f"{self.name} ended at its start:\n{self.log_end()}")
                    await asyncio.sleep(POLL_S)  # a file's birth has no portable event
        except TimeoutError as error:
            raise ChildError(
                f"{self.name} was not ready within {within_s:g} s:\n{self.log_end()}"
            ) from error
        content: Mapping[str, object] = json.loads(self.ready.read_text(encoding="utf-8"))
        return content

    async def wait(self) -> int:
        """Wait until it ends; returns its exit code."""
        if self._process is None:
            raise ChildError(f"{self.name} is not running")
        return await self._process.wait()

    async def stop(self) -> int | None:
        """Ask it to stop, as Ctrl-C does; kill it if it does not; returns its exit code.

        It is asked again and again: a signal that comes while a program is only just being
        loaded is lost.
        """
        if self._process is None:
            return None
        for _ in range(round(STOP_WITHIN_S / ASK_AGAIN_S)):
            if self._process.returncode is not None:
                break
            self._send(self._process, signal.SIGINT)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ASK_AGAIN_S):
                    await self._process.wait()
        await self.kill()
        return self._process.returncode

    async def kill(self) -> None:
        """End it at once (SIGKILL), as a power cut would."""
        if self._process is not None and self._process.returncode is None:
            self._send(self._process, signal.SIGKILL)
            await self._process.wait()

    @staticmethod
    def _send(process: Process, number: signal.Signals) -> None:
        # Not by the process's own method: before Python 3.12 that looks whether it has ended, and
        # where it has takes its exit code away from asyncio, which then makes one up (255).
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)

    def log_end(self, lines: int = 12) -> str:
        """Return the last lines of its log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return "(no log)"
