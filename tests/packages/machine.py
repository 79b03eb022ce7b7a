"""A Debian machine of its own: a clean root that systemd has booted, with nothing but a loopback.

`packaging/root` and `packaging/boot` make it; it needs root and no container tool.
"""

import asyncio
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.supply.parts import ROOT
from tests.waiting import until

PACKAGES: Final = ("systemd-sysv", "python3", "adduser", "nftables", "iproute2")
"""What hub and head-end need there, and systemd."""
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_UP_WITHIN_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Told:
    """What a command said there."""

    code: int
    text: str


@dataclass(slots=True)
class Machine:
    """A booted machine; an async context manager.

    Attributes:
        suite: Debian's release.
        root: Its root, an empty folder.
    """

    suite: str
    root: Path
    _boot: asyncio.subprocess.Process = field(init=False)
    _init: int = field(init=False, default=0)

    async def __aenter__(self) -> Self:
        made = await asyncio.create_subprocess_exec(
            ROOT / "packaging" / "root", self.suite, self.root, *PACKAGES
        )
        assert await made.wait() == 0
        self._boot = await asyncio.create_subprocess_exec(
            ROOT / "packaging" / "boot", self.root, stdin=asyncio.subprocess.DEVNULL
        )
        try:
            self._init = await until(self._found, bool, _UP_WITHIN_S, "its init runs")
            await self.until("systemctl is-system-running", "running", _UP_WITHIN_S)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._boot.returncode is None:
            if self._init:  # with a namespace's first process ends all in it
                killed = await asyncio.create_subprocess_exec("kill", "-KILL", str(self._init))
                await killed.wait()
            else:
                self._boot.terminate()
            await self._boot.wait()

    async def tell(self, command: str, user: str = "root") -> Told:
        """Run a shell's command there; returns what came of it."""
        inner = f"export PATH={_PATH} LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive; {command}"
        if user != "root":
            inner = f"exec runuser -u {user} -- sh -c {shlex.quote(inner)}"
        process = await asyncio.create_subprocess_exec(
            *("nsenter", "--target", str(self._init), "--all", "--wdns=/", "/bin/sh", "-c", inner),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={},
        )
        said, _ = await process.communicate()
        assert process.returncode is not None
        return Told(process.returncode, said.decode(errors="replace"))

    async def run(self, command: str, user: str = "root") -> str:
        """Run a command that has to succeed; returns what it says."""
        told = await self.tell(command, user)
        assert told.code == 0, f"{command}\n{told.text}"
        return told.text

    async def until(self, command: str, good: str, within_s: float, user: str = "root") -> str:
        """Run a command until it says something; returns all that it says."""

        async def look() -> str:
            return (await self.tell(command, user)).text

        return await until(look, lambda said: good in said, within_s, f"{command}: {good}")

    async def shown(self, unit: str, what: str) -> str:
        """Return a property of a unit."""
        return (await self.run(f"systemctl show {unit} --value -p {what}")).strip()

    def put(self, file: Path, folder: str = "/root") -> str:
        """Copy a file into it; returns where it is."""
        shutil.copy(file, self.root / folder.lstrip("/"))
        return f"{folder}/{file.name}"

    async def _found(self) -> int:
        """Return its init's process id; 0 for not yet."""
        assert self._boot.returncode is None, "it does not boot"
        return init_below(self._boot.pid)


def init_below(process: int) -> int:
    """Return the process id of the systemd that a process has started; 0 where there is none."""
    waiting = [process]
    while waiting:
        one = waiting.pop()
        try:
            program = Path(f"/proc/{one}/comm").read_text(encoding="utf-8").strip()
            below = Path(f"/proc/{one}/task/{one}/children").read_text(encoding="utf-8")
        except OSError:  # it went
            continue
        if program in {"systemd", "init"}:
            return one
        waiting += [int(child) for child in below.split()]
    return 0
