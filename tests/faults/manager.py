"""A service manager's end of the line, and programs that it has started."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.waiting import until

START_WITHIN_S: Final = 240.0
FED: Final = "WATCHDOG=1"


@dataclass
class Manager:
    """What a program has said.

    Attributes:
        line: The socket at which it is heard.
        messages: All that was heard, in order.
    """

    line: socket.socket
    messages: list[str] = field(default_factory=list)

    async def heard(self) -> list[str]:
        """Return all messages that have come by now."""
        while True:
            try:
                self.messages.append(self.line.recv(4096).decode())
            except BlockingIOError:
                return self.messages

    async def hears(self, wanted: str, within_s: float = START_WITHIN_S) -> int:
        """Wait for a message that begins so; return its place."""

        def there(messages: list[str]) -> bool:
            return any(each.startswith(wanted) for each in messages)

        found = await until(self.heard, there, within_s, f"it says {wanted}")
        return next(i for i, each in enumerate(found) if each.startswith(wanted))

    async def forget(self) -> None:
        """Begin anew with what comes from now on."""
        await self.heard()
        self.messages.clear()


@dataclass
class Started:
    """A program that the service manager has started.

    Attributes:
        manager: What it says.
        process: It.
        log: Where its output goes.
    """

    manager: Manager
    process: Process
    log: Path

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.process.pid, number)

    async def end(self) -> int:
        """Ask it to end; returns its exit code."""
        self.send(signal.SIGTERM)
        return await self.ended()

    async def ended(self) -> int:
        """Wait until it has ended; returns its exit code."""
        async with asyncio.timeout(START_WITHIN_S):
            return await self.process.wait()

    def logged(self, part: str) -> list[str]:
        """Return the log's lines in which a part occurs."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return [line for line in text.splitlines() if part in line]

    async def logs(self, part: str) -> str:
        """Wait for a line of the log."""

        async def look() -> list[str]:
            return self.logged(part)

        return (await until(look, bool, 120.0, f"it logs {part}"))[0]


@asynccontextmanager
async def started(
    folder: Path, *arguments: str, program: Sequence[str] = ("-m", "hems"), watchdog_s: float = 2.0
) -> AsyncIterator[Started]:
    """Start a program as a service manager does; it is killed if it has not ended by itself.

    Args:
        folder: For the log.
        arguments: Of `hems`.
        program: What Python is to run, in the place of `hems` alone.
        watchdog_s: How long the manager waits.
    """
    name = f"hems-{os.getpid()}-{folder.name}"
    log = folder / "service.log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(f"\0{name}")
        line.setblocking(False)
        told = {"NOTIFY_SOCKET": f"@{name}", "WATCHDOG_USEC": str(round(watchdog_s * 1e6))}
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, *program, *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **told, "PYTHONPATH": str(Path.cwd())},
                start_new_session=True,
            )
        try:
            yield Started(Manager(line), process, log)
        except BaseException:
            print(log.read_text(encoding="utf-8", errors="replace")[-5000:])
            raise
        finally:
            if process.returncode is None:
                os.kill(process.pid, signal.SIGKILL)
                await process.wait()
