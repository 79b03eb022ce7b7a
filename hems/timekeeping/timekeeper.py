"""Looks now and then who keeps the hub's time, and what follows from that."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from hems.sep2.rules.servertime import Told
from hems.timekeeping import chrony, floor, kernel, timesyncd, words
from hems.timekeeping.hub_clock import HubClock
from hems.timekeeping.quality import Evidence, Quality, Server, Standing, judge
from hems.timekeeping.reading import Reading, Source
from hems.timekeeping.settings import Daemon, TimeSettings
from hems.timekeeping.surface import KeeperView, ServerView, TimeView

_log = logging.getLogger(__name__)

LOOK_S: Final = 60.0
"""How often the kernel is asked."""
ASK_S: Final = 300.0
"""How often the programs are asked that keep the clock."""
DOUBT_S: Final = 2.0
"""How often both are, while the time is not known."""
_UNKEPT_S: Final = 3600.0
"""So long nobody may keep the clock before that is said."""
_TRUSTED_S: Final = 300.0
"""A utility whose clock is so near vouches for the hub's, for the file beside the store."""

_KEPT: Final = frozenset({Source.CHRONY, Source.TIMESYNCD, Source.KERNEL})


@dataclass(frozen=True, slots=True)
class Ties:
    """Whom a timekeeper asks and tells; none of them may block.

    Attributes:
        servers: Returns what the utilities have told of their time, by their names, in order.
        alarm: What the owner is to see of the time; None once that is over.
        kernel: Asks the kernel.
    """

    servers: Callable[[], Mapping[str, Told]]
    alarm: Callable[[str | None], None]
    kernel: Callable[[], Reading | None] = kernel.ask


class Timekeeper:
    """What time it is, and how well that is known; see `hems.timekeeping.surface`.

    Args:
        clock: The hub's clock, which is told what it may believe.
        settings: Who keeps the machine's clock.
        file: Where it is kept when the time was known last.
        ties: See `Ties`.
    """

    def __init__(self, clock: HubClock, settings: TimeSettings, file: Path, ties: Ties) -> None:
        self._clock = clock
        self._settings = settings
        self._file = file
        self._ties = ties
        self._began = clock.monotonic()
        self._asked_at: float | None = None
        self._daemon: Reading | None = None
        self._readings: tuple[Reading, ...] = ()
        self._standing = judge(Evidence(self._began, not clock.known, False, (), ()), None)
        self._last: Standing | None = None
        self._written_at: float | None = None
        self._broken: str | None = None

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S if self._clock.known else DOUBT_S)

    async def look(self) -> None:
        """Ask who keeps the clock, judge it, and act on that."""
        now = self._clock.monotonic()
        every_s = ASK_S if self._clock.known else DOUBT_S
        if self._asked_at is None or now - self._asked_at >= every_s:
            self._asked_at = now
            self._daemon = await self._ask_daemon()
        told = self._ties.kernel()
        found = (self._daemon, told)
        self._readings = tuple(each for each in found if each is not None)
        synchronised = any(each.synchronised for each in self._readings)
        self._clock.look(synchronised=synchronised)
        if self._clock.alone:
            self._follow()
        self._judge()
        self._keep()
        self._ties.alarm(self._alarm())

    async def _ask_daemon(self) -> Reading | None:
        of = self._settings
        asked: list[Callable[[], Awaitable[Reading | None]]] = []
        if of.daemon in {Daemon.AUTO, Daemon.CHRONY}:
            asked.append(lambda: chrony.ask(of.chronyc, of.chrony))
        if of.daemon in {Daemon.AUTO, Daemon.TIMESYNCD}:
            asked.append(lambda: timesyncd.ask(of.timedatectl))
        try:
            for each in asked:
                if (found := await each()) is not None:
                    self._broken = None
                    return found
        except chrony.ChronyError as error:
            if str(error) != self._broken:
                _log.warning("%s", error)
            self._broken = str(error)
        return None

    def _follow(self) -> None:
        """Take the time of the first utility that tells one which is not over."""
        for told in self._ties.servers().values():
            if self._clock.follow(told.now):
                return

    def _judge(self) -> None:
        now = self._clock.monotonic()
        home = self._clock.now()
        servers = [
            Server(name, told.quality, told.now - home, told.error_s)
            for name, told in self._ties.servers().items()
        ]
        # What the machine's programs say of its clock is nothing to a hub that keeps its own.
        readings = () if self._clock.alone else self._readings
        seen = Evidence(now, not self._clock.known, self._clock.followed, readings, servers)
        self._standing = judge(seen, self._standing, self._last)
        if self._standing.source in _KEPT or self._standing.source is Source.UTILITY:
            self._last = replace(self._standing, since=now)

    def _keep(self) -> None:
        """Write down that the time is known, at most once an hour."""
        now = self._clock.monotonic()
        if self._written_at is not None and now - self._written_at < floor.EVERY_S:
            return
        if self._clock.alone or not self._sure:
            return
        self._written_at = now
        at = self._clock.now()
        self._clock.no_earlier(at)
        floor.write(self._file, floor.Mark(at, floor.this_boot()))

    @property
    def _sure(self) -> bool:
        """Whether somebody else says that the machine's clock is right."""
        if self._standing.source in _KEPT:
            return True
        home = self._clock.now()
        return any(abs(told.now - home) <= _TRUSTED_S for told in self._ties.servers().values())

    def _alarm(self) -> str | None:
        if not self._clock.known:
            return words.unknown(str(self._file))
        if self._clock.alone and not self._clock.followed:
            return words.set_back(str(self._file))
        return next(iter(self._notes()), None)

    def _notes(self) -> Sequence[str]:
        """Return what should be seen to, the gravest first."""
        notes: list[str] = []
        if self._standing.source in _KEPT:
            home, most_s = self._clock.now(), self._settings.apart_s
            for name, told in self._ties.servers().items():
                if abs(told.now - home) > most_s + told.error_s:
                    notes.append(words.apart(name, told.now - home))
        waited_s = self._clock.monotonic() - max(self._began, self._standing.since)
        if self._standing.source in {Source.MACHINE, Source.HELD_OVER} and waited_s > _UNKEPT_S:
            notes.append(words.unkept())
        for reading in self._readings:
            notes.extend(words.too_often(each) for each in chrony.too_often(reading))
        return notes

    def time(self) -> TimeView:
        """Return how the time stands."""
        found, now, home = self._standing, self._clock.monotonic(), self._clock.now()
        leaps = [words.leap()] if any(each.leap for each in self._readings) else []
        return TimeView(
            now=home,
            known=self._clock.known,
            source=found.source.value,
            name=found.name,
            quality=int(Quality(found.quality)),
            error_s=found.error_s,
            since=home - (now - found.since),
            words=words.standing(found),
            said=words.hub_time(found),
            notes=(*self._notes(), *leaps),
            keepers=[_keeper(each) for each in self._readings],
            servers=[
                ServerView(
                    name,
                    told.quality,
                    told.now - home,
                    told.error_s,
                    told.age_s,
                    told.drift_ppm,
                )
                for name, told in self._ties.servers().items()
            ],
        )


def _keeper(of: Reading) -> KeeperView:
    return KeeperView(
        of.source.value, of.synchronised, of.name, of.stratum, of.error_s, of.leap, of.upstreams
    )
