"""A scan: all finders at once, for a bounded time; one that fails takes nothing from the others."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from der.discovery.announced import printable
from der.discovery.found import Findings, Found
from der.errors import DeviceError

Tell = Callable[[float], None]
"""Takes the share, 0 to 1, of what a finder has to do that is done."""

LISTENS_S: Final = 8.0
"""Announcements of devices that are awake come within a few seconds of being asked for."""
_TICK_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Finder:
    """One way of finding.

    Attributes:
        name: For people.
        find: Returns what yields findings, telling how far it is.
        listens_s: Seconds for which one that only listens is listened to; None for one that
            comes to its own end.
    """

    name: str
    find: Callable[[Tell], AsyncGenerator[Found, None]]
    listens_s: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan is.

    Attributes:
        share: What is done of it, 0 to 1: that of the slowest finder.
        found: How many devices were found.
        busy: Names of the finders that still look.
    """

    share: float
    found: int
    busy: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What a scan found.

    Attributes:
        found: Each device once.
        troubles: What could not be looked through and why, one sentence for each finder.
    """

    found: tuple[Found, ...]
    troubles: tuple[str, ...] = ()


async def scan(
    finders: Sequence[Finder],
    *,
    within_s: float,
    configured: Mapping[str, str] | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Report:
    """Look in all ways at once; cancelling it ends all of them.

    Args:
        finders: The ways.
        within_s: Longest time it may take, in s; what was found until then counts.
        configured: Ids of configured devices by the key of their address.
        progress: Told several times a second how far it is; must not block.
    """
    run = _Scan(finders, Findings(configured), progress)
    async with asyncio.TaskGroup() as tasks:
        ticking = tasks.create_task(run.tick())
        looking = [tasks.create_task(run.look(finder, within_s)) for finder in finders]
        if looking:
            await asyncio.wait(looking)
        ticking.cancel()
    run.tell()
    return Report(run.findings.all(), tuple(run.troubles))


class _Scan:
    def __init__(
        self,
        finders: Sequence[Finder],
        findings: Findings,
        progress: Callable[[Progress], None],
    ) -> None:
        self.findings = findings
        self.troubles: list[str] = []
        self._progress = progress
        self._shares = dict.fromkeys((finder.name for finder in finders), 0.0)

    async def look(self, finder: Finder, within_s: float) -> None:
        """Have one finder look, until it is done or its time is up."""
        bounded = finder.listens_s is not None
        most_s = within_s if finder.listens_s is None else min(finder.listens_s, within_s)
        timing = asyncio.create_task(self._by_time(finder.name, most_s)) if bounded else None
        try:
            async with (
                asyncio.timeout(most_s),
                aclosing(finder.find(lambda share: self._set(finder.name, share))) as findings,
            ):
                async for found in findings:
                    if self.findings.add(printable(found)):
                        self.tell()
        except TimeoutError:
            if not bounded:
                self.troubles.append(f"{finder.name}: not finished within {within_s:g} s")
        except DeviceError as error:
            self.troubles.append(f"{finder.name}: {error}")
        finally:
            if timing is not None:
                timing.cancel()
            self._set(finder.name, 1.0)

    async def tick(self) -> None:
        """Tell how far it is, again and again."""
        while True:
            self.tell()
            await asyncio.sleep(_TICK_S)

    def tell(self) -> None:
        """Tell how far it is."""
        busy = tuple(name for name, share in self._shares.items() if share < 1.0)
        share = min(self._shares.values(), default=1.0)
        self._progress(Progress(share, len(self.findings), busy))

    async def _by_time(self, name: str, lasts_s: float) -> None:
        begun = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(_TICK_S)
            gone_s = asyncio.get_running_loop().time() - begun
            self._set(name, min(gone_s / lasts_s, 0.99))

    def _set(self, name: str, share: float) -> None:
        self._shares[name] = share
