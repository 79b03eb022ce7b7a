"""A day in numbers: counted while it lasts, told once it is over if the owner agreed.

Nothing is counted but kinds of events, and what devices are: no readings, names, addresses, nor
when it happened within the day.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Final

from pydantic import BaseModel, ValidationError

from hems.bulletin import DAY_S, MOST_STATISTICS, Statistics, counted
from hems.clock import Clock
from hems.emg.feeds.line import Line, LineError
from hems.emg.threats.folding import UNWRITTEN
from hems.emg.threats.rules.finding import Threat
from hems.security_event import EventKind, SecurityEvent
from hems.store.errors import StoreError
from hems.store.settings import Settings

PATH: Final = "statistics"
LOOK_EVERY_S: Final = 300.0
_NAME: Final = "feed statistics"
_SPREAD_S: Final = 4 * 3600.0
"""Within so long after midnight (UTC) each home has its own moment."""
_MOST_DAYS: Final = 7
"""Days that could not be told are dropped after so many."""

_log = logging.getLogger(__name__)

Devices = Callable[[], Iterable[tuple[str, str, str]]]
"""Returns maker, model and firmware of each device."""


class _Kept(BaseModel):
    """What outlives a restart."""

    days: dict[date, dict[str, int]] = {}
    at_s: float | None = None
    """Seconds after midnight at which this home tells."""


class Tally:
    """Counts, and tells.

    Args:
        settings: Where counts are kept.
        clock: Where the time comes from.
        line: To whom days are told; None where the owner has not agreed: nothing is counted then.
        devices: What there is.
        software: Version of the hub's software.
        chance: Where this home's moment is drawn from.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        line: Line | None,
        devices: Devices,
        software: str,
        *,
        chance: random.Random | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._line = line
        self._devices = devices
        self._software = software
        self._chance = chance or random.SystemRandom()
        self._days: dict[date, Counter[str]] = {}
        self._at_s: float | None = None

    def note(self, event: SecurityEvent) -> None:
        """Count an event (`hems.security_event.Note`); what happens each second is none.

        What devices are told, and how often, would tell how a home lives.
        """
        if event.kind not in UNWRITTEN:
            self._count(event.kind.value)

    def found(self, threat: Threat) -> None:
        """Count a finding, among the kinds of events."""
        self._count(f"{EventKind.THREAT.value}-{threat.value}")

    def _count(self, kind: str) -> None:
        if self._line is not None:
            self._days.setdefault(self._today(), Counter())[kind] += 1

    async def load(self) -> None:
        """Take up what was counted before a restart; where the owner takes it back, forget it."""
        try:
            text = (await self._settings.all()).get(_NAME)
            kept = _Kept() if text is None else _Kept.model_validate_json(text)
            if self._line is None:
                if kept.days:
                    await self._settings.put(_NAME, _Kept().model_dump_json())
                return
        except (StoreError, ValidationError) as error:
            _log.warning("the day's counts of before cannot be read: %.200s", error)
            kept = _Kept()
        for day, counts in kept.days.items():
            self._days.setdefault(day, Counter()).update(counts)
        at_s = kept.at_s
        self._at_s = self._chance.uniform(0, _SPREAD_S) if at_s is None else at_s
        self._days.setdefault(self._today(), Counter())

    async def run(self) -> None:
        """Tell each day once it is over, until cancelled."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await self._keep()

    async def look(self) -> None:
        """Tell the days that are over, if it is time; what cannot be told is told later."""
        line = self._line
        if line is None:
            return
        today = self._today()
        self._days.setdefault(today, Counter())  # a quiet day is told too
        if self._clock.now() % DAY_S >= (self._at_s or 0.0):
            for day in sorted(day for day in self._days if day < today):
                try:
                    await line.post(PATH, self.of(day), "application/json")
                except LineError as error:
                    _log.info("the day's counts cannot be told: %s", error)
                    break
                del self._days[day]
        for day in sorted(self._days)[:-_MOST_DAYS]:
            del self._days[day]
        await self._keep()

    def of(self, day: date) -> bytes:
        """Return what is told of a day."""
        devices = counted(self._devices())
        while True:
            told = Statistics(
                day=day,
                software=self._software,
                events=self._days.get(day, Counter()),
                devices=devices,
            )
            body = told.model_dump_json().encode()
            if len(body) <= MOST_STATISTICS:
                return body
            devices = devices[: len(devices) // 2]  # of a house beyond all measure

    async def _keep(self) -> None:
        if self._line is None:
            return
        days = {day: dict(counts) for day, counts in self._days.items()}
        try:
            await self._settings.put(_NAME, _Kept(days=days, at_s=self._at_s).model_dump_json())
        except StoreError as error:
            _log.warning("the day's counts cannot be kept: %s", error)

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.now(), UTC).date()
