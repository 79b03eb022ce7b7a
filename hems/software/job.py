"""An installation, done by `hems update` in a process that ends when it has."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from hems.software.surface import Stage

_WITHIN_S: Final = 4 * 3600.0
"""Fetched, installed by a slow machine, and tried with a store of ten years."""
_SHOWN: Final = 300
_FAILED: Final = "hems: "


class Job:
    """One installation.

    Args:
        words: What `hems update` is told.
        version: Which version it is about.
        ended: Told why it failed, or nothing where it did not; not where it was cancelled.
    """

    def __init__(self, words: Sequence[str], version: str, ended: Callable[[str], None]) -> None:
        self.version: Final = version
        self.stage = Stage.FETCHING if "install" in words else Stage.INSTALLING
        self._words = words
        self._ended = ended
        self._task = asyncio.create_task(self._run(), name="update")

    @property
    def done(self) -> bool:
        """Whether it is over."""
        return self._task.done()

    async def cancel(self) -> None:
        """End it; what the helper has begun, it ends in order by itself."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        command = (sys.executable, "-m", "hems", "update", *self._words)
        try:
            child = await asyncio.create_subprocess_exec(
                *command,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        except OSError as error:
            self._ended(f"the process that installs it cannot be started: {error.strerror}")
            return
        try:
            async with asyncio.timeout(_WITHIN_S):
                # Its first line comes when all is fetched and verified (`hems.commands.software`).
                told = b"" if child.stdout is None else await child.stdout.readline()
                self.stage = Stage.INSTALLING
                rest, _ = await child.communicate()
        except TimeoutError:
            self._ended(f"it took longer than {_WITHIN_S:g} s")
            return
        finally:
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    child.kill()
                await child.wait()
        self._ended(_why(told + rest, child.returncode))


def _why(told: bytes, code: int | None) -> str:
    """Return why it failed by what it said; empty where it did not."""
    if code == 0:
        return ""
    lines = [each for each in told.decode(errors="replace").splitlines() if each.strip()]
    why = lines[-1].removeprefix(_FAILED) if lines else f"it ended with {code}"
    return "".join(char if char.isprintable() else "?" for char in why)[:_SHOWN]
