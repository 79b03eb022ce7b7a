"""Takes note of what bears on security, and has it judged, written down, answered and told.

`note` only appends to a bounded queue, so that nothing here holds up who calls it. One task does
the rest: rows to the log, some together; events to the rules; findings to whoever acts on them.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import TypeAdapter, ValidationError

from der.sentence import say
from der.steps import StepWatch
from hems.clock import Clock
from hems.emg.threats.entry import Entry, Words
from hems.emg.threats.folding import Draft, Folder
from hems.emg.threats.log import SecurityLog
from hems.emg.threats.rules.finding import Finding, Seen, Threat
from hems.emg.threats.rules.habit import Habit
from hems.emg.threats.rules.judge import Rules, State
from hems.emg.threats.severity import Said, Severity, graver, severity
from hems.emg.threats.telling import (
    SAID_ELSEWHERE,
    Told,
    alarm,
    end_event,
    holds_s,
    log_event,
    over,
)
from hems.security_event import EventKind, SecurityEvent
from hems.sep2.enddevice.logevents import Happening
from hems.store.errors import StoreError
from hems.store.settings import Settings

_log = logging.getLogger(__name__)

MOST_WAITING: Final = 4096
TICK_S: Final = 5.0
_GATHER_S: Final = 0.2
"""So long events are gathered before they are judged: a flood becomes few transactions."""
_AT_ONCE: Final = 200
_SEAL_S: Final = 60.0
_DAY_S: Final = 86_400.0
_STEP_S: Final = 30.0
"""A clock that is set by less was only put right."""
_HABIT: Final = "habit of changes"
_HABIT_JSON: Final = TypeAdapter(Habit)

Answer = Callable[[Finding], str]
"""Does something about a finding; returns what, in one sentence, or nothing."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Whom the watchman tells; none of them may block.

    Attributes:
        alarm: What the owner is to see: for what, and the sentence; None once it is over.
        utilities: What the utilities' logs are to have.
        found: Each finding with what was done.
    """

    alarm: Callable[[str, str | None], None]
    utilities: Callable[[Happening], None]
    found: Callable[[Told], None] = lambda _told: None


@dataclass(slots=True)
class _Standing:
    told: Told
    until: float


class Watchman:
    """One for the process; outlives the homes that follow one another.

    Args:
        log: Where events are written down.
        rules: By which they are judged.
        settings: Where the home's habit is kept.
        clock: Where the time comes from.
        tell: See `Tell`.
        answers: What is done about findings, in order.
        said: Returns what the service provider says of how grave kinds are.
        restored: Whether the store is a backup's that was just put in place.
    """

    def __init__(
        self,
        log: SecurityLog,
        rules: Rules,
        settings: Settings,
        clock: Clock,
        *,
        tell: Tell,
        answers: Sequence[Answer] = (),
        said: Callable[[], Said] = dict,
        restored: bool = False,
    ) -> None:
        self.log = log
        self._rules = rules
        self._settings = settings
        self._clock = clock
        self._tell = tell
        self._answers = answers
        self._said = said
        self._restored = restored
        self._waiting: deque[SecurityEvent] = deque()
        self._overflow = 0
        self._news = asyncio.Event()
        self._folder = Folder(said)
        self._state = State()
        self._standing: dict[str, _Standing] = {}
        self._last: Told | None = None
        self._steps = StepWatch(clock.now, clock.monotonic)
        self._sealed_at = clock.monotonic()
        self._looked_at: float | None = None

    def note(self, event: SecurityEvent) -> None:
        """Take note (`hems.security_event.Note`)."""
        if len(self._waiting) >= MOST_WAITING:
            self._overflow += 1
            return
        self._waiting.append(event)
        self._news.set()

    @property
    def last(self) -> Told | None:
        """What was found last; None for nothing since the start."""
        return self._last

    @property
    def standing(self) -> Sequence[Told]:
        """What was found and still holds, the latest last."""
        return [each.told for each in self._standing.values()]

    async def run(self) -> None:
        """Watch until cancelled; then write down what is left."""
        try:
            await self._begin()
            while True:
                try:
                    async with asyncio.timeout(TICK_S):
                        await self._news.wait()
                    await asyncio.sleep(_GATHER_S)
                except TimeoutError:
                    pass
                self._news.clear()
                await self._work()
        finally:
            await self._end()

    async def _begin(self) -> None:
        await self._look()
        await self._seal()
        try:
            kept = (await self._settings.all()).get(_HABIT)
            if kept is not None:
                self._state = State(habit=_HABIT_JSON.validate_json(kept))
        except (StoreError, ValidationError) as error:
            _log.warning("when this home is usually changed is not known: %s", error)

    async def _end(self) -> None:
        while self._waiting:
            await self._take()
        await self._write(self._folder.rest(self._clock.now()))
        await self._seal()

    async def _work(self) -> None:
        step_s = self._steps.step_s()
        if abs(step_s) >= _STEP_S:
            self.note(SecurityEvent(EventKind.CLOCK_STEPPED, say("The hub's clock was set.")))
        while self._waiting:
            await self._take()
            await asyncio.sleep(0)
        await self._write(self._folder.due(self._clock.now(), self._clock.monotonic()))
        await self._look()
        self._show()
        if self._clock.monotonic() - self._sealed_at >= _SEAL_S:
            await self._seal()

    async def _take(self) -> None:
        """Write down and judge some of what waits."""
        at, now = self._clock.now(), self._clock.monotonic()
        events = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
        overflow, self._overflow = self._overflow, 0
        drafts: list[Draft] = []
        own: list[tuple[SecurityEvent, int]] = []
        for event in events:
            found = self._folder.take(event, at, now)
            drafts += found
            if found:
                own.append((event, len(drafts) - 1))
        numbers = await self._write(drafts)
        for event, index in own:
            self._folder.numbered(event, numbers[index])
        habit = self._state.habit
        for event in events:
            await self._judge(Seen(event, at, now, self._folder.row(event)))
        if overflow:
            await self._act(_flooded(overflow, at))
        if self._state.habit != habit:
            await self._keep_habit()

    async def _judge(self, seen: Seen) -> None:
        for key, each in list(self._standing.items()):
            if over(each.told.finding, seen.event):
                self._lay_down(key)
        self._state, found = self._rules.step(self._state, seen)
        said = severity(seen.event.kind, self._said()) if found else Severity.INFO
        for finding in found:
            await self._act(replace(finding, severity=graver(finding.severity, said)))

    async def _act(self, finding: Finding) -> None:
        done = next((text for answer in self._answers if (text := answer(finding))), "")
        (row,) = await self._write([Draft(finding.at, _entry(finding, done))])
        told = Told(finding, done, self.log.link, row)
        self._last = told
        self._standing.pop(finding.key, None)
        until = self._clock.monotonic() + holds_s(finding.threat)
        self._standing[finding.key] = _Standing(told, until)
        self._raise(told)
        self._tell.utilities(log_event(told))
        self._tell.found(told)

    def _show(self) -> None:
        """Have a home that has taken another's place show what holds, and end what is over."""
        now = self._clock.monotonic()
        for key, each in list(self._standing.items()):
            if now >= each.until:
                self._lay_down(key)
            else:
                self._raise(each.told)

    def _raise(self, told: Told) -> None:
        if told.finding.threat not in SAID_ELSEWHERE:
            self._tell.alarm(told.finding.key, alarm(told.finding, told.done))

    def _lay_down(self, key: str) -> None:
        finding = self._standing.pop(key).told.finding
        self._tell.alarm(key, None)
        self._tell.utilities(end_event(finding, self._clock.now(), self.log.link))

    async def _look(self) -> None:
        """Look once a day whether the log is as it was written; take out what is too old."""
        now = self._clock.monotonic()
        if self._looked_at is not None and now - self._looked_at < _DAY_S:
            return
        first, self._looked_at = self._looked_at is None, now
        try:
            wrong = await self.log.wrong(restored=self._restored and first)
        except StoreError as error:
            _log.warning("the security log cannot be looked through: %s", error)
            self._looked_at = None
            return
        if wrong is not None:
            self.note(SecurityEvent(EventKind.LOG_BROKEN, wrong, about="log"))
        await self.log.fade()

    async def _seal(self) -> None:
        """Seal the log's end; not before it is known that the former one is there."""
        if self._looked_at is not None:
            self._sealed_at = self._clock.monotonic()
            await self.log.seal()

    async def _write(self, drafts: Sequence[Draft]) -> list[int]:
        return await self.log.write(drafts) if drafts else []

    async def _keep_habit(self) -> None:
        try:
            await self._settings.put(_HABIT, _HABIT_JSON.dump_json(self._state.habit).decode())
        except StoreError as error:
            _log.warning("when this home is usually changed is not kept: %s", error)


def _entry(finding: Finding, done: str) -> Entry:
    return Entry(
        kind=EventKind.THREAT.value,
        severity=finding.severity.value,
        about=finding.about,
        source=finding.source,
        text=Words.of(finding.text),
        threat=finding.threat.value,
        evidence=finding.evidence,
        advice=Words.of(finding.advice),
        done=Words.of(done),
    )


def _flooded(count: int, at: float) -> Finding:
    return Finding(
        threat=Threat.FLOOD,
        severity=Severity.ALARM,
        text=say("So much happened at once that it was counted only: {count} times.", count=count),
        advice=say("Find out who in your network asks so much of the hub."),
        about="",
        source="",
        evidence=(),
        at=at,
    )
