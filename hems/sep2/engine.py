"""The event engine: keeps all events of one server, follows them in time, says what is in force.

Every change goes one way: update memory, follow all events to now, write what changed to the
ledger in one transaction, then tell what is in force. Posting the responses is somebody else's
work (`hems.sep2.outbox`); nothing here waits for the network.
"""

import asyncio
import contextlib
import logging
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hems.clock import Clock
from hems.sep2 import resources as res
from hems.sep2.book import Book, BookSettings
from hems.sep2.codec.reading import BadItem
from hems.sep2.controls import Control
from hems.sep2.events import Event, Program, Schedule, resolve
from hems.sep2.ledger import Ledger, LedgerError
from hems.sep2.lifecycle import Phase
from hems.sep2.memory import Entry
from hems.sep2.servertime import ServerClock

_log = logging.getLogger(__name__)

_LONGEST_NAP_S: Final = 60.0
_SAVE_AGAIN_S: Final = 5.0
_CLOCK_WATCH_S: Final = 1.0
"""How often the home's clock is looked at for steps."""


@dataclass(frozen=True, slots=True)
class EventState:
    """An event as shown to the owner; times are UTC epoch seconds of the home's clock."""

    event: Event
    phase: Phase
    starts_at: float
    ends_at: float
    opted_out: bool
    reason: str
    baseline_w: float | None


class Engine:
    """Events of one server: what they are, what is in force, what is owed.

    Args:
        settings: Whose events, and how they are answered.
        ledger: Durable memory.
        clock: The home's clock.
        rng: Source of the random draws.
        comms_loss_s: Time without contact after which no further event begins.
        on_schedule: Told at once whenever what is in force changes; must not block. Times are
            UTC epoch seconds of the home's clock.
        on_owed: Told when responses were added to the ledger.
        on_step: Told when the home's clock was set, so that the server's may be asked anew.
        alarm: Told in one sentence what somebody should know.
    """

    def __init__(
        self,
        settings: BookSettings,
        ledger: Ledger,
        clock: Clock,
        rng: random.Random,
        *,
        comms_loss_s: float = 3600.0,
        on_schedule: Callable[[Schedule], None] = lambda _schedule: None,
        on_owed: Callable[[], None] = lambda: None,
        on_step: Callable[[], None] = lambda: None,
        alarm: Callable[[str], None] = _log.warning,
    ) -> None:
        self.settings = settings
        self._server_clock = ServerClock(clock)
        self._book = Book(settings, rng, alarm)
        self._ledger = ledger
        self._clock = clock
        self._comms_loss_s = comms_loss_s
        self._on_schedule = on_schedule
        self._on_owed = on_owed
        self._on_step = on_step
        self._alarm = alarm
        self._schedule: Schedule | None = None
        self._recalled = False
        self._next_look = math.inf
        self._contact = clock.monotonic()
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()

    def server_time(self) -> float:
        """Return the server's clock, epoch seconds."""
        return self._server_clock.now()

    @property
    def offset_s(self) -> float:
        """The server's time less the home's, in s."""
        return self._server_clock.offset_s

    @property
    def schedule(self) -> Schedule:
        """What is in force, as last told."""
        return self._schedule or Schedule(self._clock.now())

    @property
    def events(self) -> Sequence[EventState]:
        """All events that are kept, by start."""
        return sorted(
            (self._state(e) for e in self._book.entries.values()), key=lambda s: s.starts_at
        )

    def _state(self, entry: Entry) -> EventState:
        span, progress = entry.span, entry.progress
        return EventState(
            event=entry.event,
            phase=progress.phase,
            starts_at=span.start - self.offset_s,
            ends_at=span.end - self.offset_s,
            opted_out=progress.held.opted_out,
            reason=entry.reason,
            baseline_w=entry.baseline_w,
        )

    async def load(self) -> None:
        """Take up what the ledger kept; what was in force before a crash is in force again."""
        async with self._lock:
            try:
                await self._recall()
            finally:
                await self._follow()  # even if that is nothing: whoever waits to be told is told
        self._wake.set()

    async def _recall(self) -> None:
        rows = await self._ledger.events()
        self._recalled = True
        for row in rows:
            if row.server == self.settings.server:
                self._book.recall(row, self.server_time())

    def contact(self) -> None:
        """Note that the server answered."""
        was_lost = self._lost_since() is not None
        self._contact = self._clock.monotonic()
        if was_lost:
            self._wake.set()

    def _lost_since(self) -> float | None:
        silent_s = self._clock.monotonic() - self._contact - self._comms_loss_s
        return self.server_time() - silent_s if silent_s >= 0 else None

    def set_offset(self, offset_s: float) -> None:
        """Begin with what was last known of the server's clock: its time less the home's, in s."""
        if self._server_clock.assume(offset_s):
            self._wake.set()

    def sync_time(self, current_time: int, sent: float, received: float) -> None:
        """Follow the server's clock.

        Args:
            current_time: What it showed.
            sent: When it was asked, on the home's monotonic clock.
            received: When the answer was there, on the same.
        """
        if self._server_clock.sync(current_time, sent, received):
            self._wake.set()

    def mark(self) -> int:
        """Return a mark to be taken before the server is asked; see `update`."""
        return self._book.mark()

    async def update(
        self,
        program: Program,
        controls: Sequence[Control],
        *,
        kind: type[Control],
        complete: bool,
        bad: Sequence[BadItem] = (),
        since: int | None = None,
    ) -> bool:
        """Take in what a poll or a notification brought.

        Args:
            program: Whose controls they are.
            controls: As received, in any order.
            kind: Class of the list's items.
            complete: Whether it is the whole list; then what is missing counts as cancelled.
            bad: Items that could not be read.
            since: The `mark` taken before it was asked for. What a notification brought since
                then is newer and stands; None where nothing can be newer.

        Returns:
            False if some of it was outdated when it came: it should be read again.
        """
        async with self._lock:
            now = self.server_time()
            current = self._book.update(
                program, controls, now, kind=kind, complete=complete, bad=bad, since=since
            )
            await self._follow()
        self._wake.set()
        return current

    async def set_default(
        self, program: Program, control: res.DefaultDERControl | None, since: int | None = None
    ) -> bool:
        """Take in a programme's default control; None if it has none any more.

        Returns:
            False if it was outdated when it came; see `update`.
        """
        async with self._lock:
            current = self._book.set_default(program, control, since)
            await self._follow()
        self._wake.set()
        return current

    async def retain(self, programs: frozenset[str], kind: type[Control]) -> None:
        """Forget programmes that are assigned no more; `programs` holds the mRIDs that are."""
        async with self._lock:
            self._book.retain(programs, kind, self.server_time())
            await self._follow()
        self._wake.set()

    async def opt_out(self, mrid: str) -> None:
        """Leave an event.

        Raises:
            UnknownEventError: No such event, or it is over.
            BindingError: Its programme does not allow it.
        """
        await self._choose(mrid, opted_out=True)

    async def opt_in(self, mrid: str) -> None:
        """Take part again in an event that was left.

        Raises:
            UnknownEventError: No such event, or it is over.
        """
        await self._choose(mrid, opted_out=False)

    async def _choose(self, mrid: str, *, opted_out: bool) -> None:
        async with self._lock:
            self._book.choose(mrid, self.server_time(), opted_out=opted_out)
            await self._follow()
        self._wake.set()

    async def set_baseline(self, mrid: str, power_w: float) -> None:
        """Keep the net power (W, import positive) that was measured when an event began.

        Raises:
            UnknownEventError: No such event.
        """
        async with self._lock:
            self._book.set_baseline(mrid, power_w)
            await self._follow()

    async def run(self) -> None:
        """Follow time: look again whenever something is due; never returns."""
        while True:
            await self._nap()
            self._wake.clear()
            async with self._lock:
                await self._follow()

    async def _nap(self) -> None:
        """Wait until something is due, something was taken in, or the home's clock was set."""
        until = self._clock.monotonic() + _LONGEST_NAP_S
        while not self._wake.is_set():
            due_s = self._next_look - self.server_time()
            left_s = min(due_s, until - self._clock.monotonic())
            if left_s <= 0 or self._server_clock.stepped():
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, _CLOCK_WATCH_S)):
                    await self._wake.wait()

    async def _follow(self) -> None:
        """Bring all events to now, keep what changed, tell what is in force."""
        if not self._recalled:
            # Not at the start; until it can be, `_save` says what is wrong with the ledger.
            with contextlib.suppress(LedgerError):
                await self._recall()
        if self._server_clock.stepped():
            step_s = self._server_clock.settle()
            _log.warning("the clock of this home was set by %+.1f s", step_s)
            self._on_step()
        now = self.server_time()
        lost_since = self._lost_since()
        lines = self._book.advance(now, lost_since)
        await self._save()
        schedule = resolve(lines, self._book.defaults, now)
        self._next_look = min(schedule.next_change, self._book.next_edge(now))
        if any(self._book.unsaved()):  # the ledger takes nothing now
            self._next_look = min(self._next_look, now + _SAVE_AGAIN_S)
        if lost_since is None:
            silent_s = self._clock.monotonic() - self._contact
            self._next_look = min(self._next_look, now + self._comms_loss_s - silent_s)
        self._tell(schedule)

    async def _save(self) -> None:
        events, responses = self._book.unsaved()
        if not events and not responses:
            return
        try:
            await self._ledger.save(events, responses)
        except LedgerError as error:
            # The limit is obeyed all the same; what is owed stays owed until it can be written.
            self._alarm(f"the ledger cannot be written: {error}")
            return
        self._book.saved()
        _log.debug("%d events and %d responses are in the ledger", len(events), len(responses))
        if responses:
            self._on_owed()

    def _tell(self, schedule: Schedule) -> None:
        local = Schedule(
            at=schedule.at - self.offset_s,
            active={
                mode: replace(
                    active,
                    start=active.start - self.offset_s,
                    end=active.end - self.offset_s,
                    baseline_w=self._baseline(active.event),
                )
                for mode, active in schedule.active.items()
            },
            next_change=schedule.next_change - self.offset_s,
        )
        before, self._schedule = self._schedule, local
        if before is None or before.active != local.active:
            self._on_schedule(local)

    def _baseline(self, mrid: str) -> float | None:
        entry = self._book.entries.get(mrid)
        return None if entry is None else entry.baseline_w
