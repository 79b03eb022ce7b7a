"""The hub's watch with a real agent process, a real store, and a small installation."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from certs.agent.opening import Opening
from certs.manifest.installation import Installation
from hems.agent.watch import AgentWatch
from hems.clock import Clock, SystemClock
from hems.security_event import EventKind, SecurityEvent
from hems.store.store import Store, open_store
from tests.certs.agent.installed import Provider, release
from tests.waiting import until

WITHIN_S = 40.0


@dataclass
class Guardhouse:
    """All of it; an async context manager.

    Attributes:
        provider: Who signs.
        installation: What is measured.
        folder: The hub's.
        tcti: How its TPM is reached; empty for none.
        number: Of the manifest that is in place at the start.
    """

    provider: Provider
    installation: Installation
    folder: Path
    tcti: str = ""
    number: int = 1
    clock: Clock = field(default_factory=SystemClock)
    events: list[SecurityEvent] = field(default_factory=list)
    reasons: list[str | None] = field(default_factory=list)
    secret: bytes = field(default_factory=lambda: os.urandom(32))

    @property
    def manifest(self) -> Path:
        return self.folder / "hems.manifest"

    @property
    def opening(self) -> Opening:
        return Opening(
            socket=str(self.folder / "agent.sock"),
            secret=self.secret.hex(),
            manifest=str(self.manifest),
            roots=str(self.provider.pki.trust.roots),
            crls=str(self.provider.pki.trust.crls),
            root=str(self.installation.root),
            sites=tuple(str(site) for site in self.installation.sites),
            tcti=self.tcti,
            files=(str(self.folder / "hems.toml"),),
            child=True,
        )

    async def __aenter__(self) -> Self:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "hems.toml").write_text('[home]\nname = "Home"\n')
        if not self.manifest.exists():
            self.provider.sign(self.installation, release(self.number), self.manifest)
        self.store: Store = await open_store(self.folder / "hems.db", self.clock)
        self.watch = AgentWatch(
            self.store.settings,
            self.clock,
            self.events.append,
            self.reasons.append,
            socket=self.folder / "agent.sock",
            secret=self.secret,
            boot=bool(self.tcti),
        )
        self._watching = asyncio.create_task(self.watch.run())
        self.agent = await self.started()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stopped()
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)
        await self.store.close()

    async def started(self, **other: object) -> Process:
        """Start an agent; with another opening where that is given."""
        opening = replace(self.opening, **other)  # type: ignore[arg-type]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "certs.agent"), stdin=asyncio.subprocess.PIPE
        )
        assert process.stdin is not None
        process.stdin.write(opening.written())
        process.stdin.close()
        return process

    async def stopped(self) -> None:
        """End the agent, as SIGKILL does."""
        if self.agent.returncode is None:
            self.agent.kill()
            await self.agent.wait()

    async def checked(self) -> None:
        """Wait until all files were read."""
        await self.seen(lambda: self.watch.agent().checked, "all files were read")

    async def kinds(self, kind: EventKind) -> SecurityEvent:
        """Wait for a note of a kind, and return it."""
        await self.seen(lambda: kind in {event.kind for event in self.events}, str(kind))
        return next(event for event in self.events if event.kind is kind)

    async def reason(self, *, there: bool) -> str:
        """Wait until the hub can be relied on, or not; return why not."""
        await self.seen(lambda: (self.watch.reason is not None) is there, f"a reason: {there}")
        return self.watch.reason or ""

    async def seen(self, good: Callable[[], bool], what: str) -> None:
        """Wait until something holds."""

        async def look() -> bool:
            return good()

        await until(look, bool, WITHIN_S, f"{what}; {self.events}")
