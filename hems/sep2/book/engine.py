"""The event engine: keeps all events of one server, follows them in time, says what is in force.

Every change goes one way: update memory, follow all events to now, write what changed to the
ledger in one transaction, then tell what is in force. Posting the responses is somebody else's
work (`hems.sep2.book.outbox`); nothing here waits for the network.
"""

import asyncio
import contextlib
import logging
import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

from hems.clock import Clock
from hems.sep2 import resources as res
from hems.sep2.book.answers import Applied
from hems.sep2.book.book import Book, BookSettings
from hems.sep2.book.contact import Contact
from hems.sep2.book.controls import Control
from hems.sep2.book.ledger import Ledger, LedgerError
from hems.sep2.book.messages import Message, Reservation, messages, reservations
from hems.sep2.book.prices import Prices
from hems.sep2.book.requests import Request, Wish
from hems.sep2.book.states import EventState, States
from hems.sep2.book.telling import at_home, is_news
from hems.sep2.codec.reading import BadItem
from hems.sep2.noticed import Notice, unnoticed
from hems.sep2.rules.changes import concede
from hems.sep2.rules.events import Program, Schedule, resolve
from hems.sep2.rules.lifecycle import Profile
from hems.sep2.rules.servertime import ServerClock
from hems.sep2.rules.tariff import Tariff

__all__ = ["Engine", "EventState"]

T = TypeVar("T")

_log = logging.getLogger(__name__)

_LONGEST_NAP_S: Final = 60.0
_SAVE_AGAIN_S: Final = 5.0
_LEAST_NAP_S: Final = 1e-3
"""Sooner than this it is not looked again: what is due within a rounding of now would else be
looked for over and over, with nobody else having their turn meanwhile."""
_CLOCK_WATCH_S: Final = 1.0
"""How often the home's clock is looked at for steps."""


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
        notice: Told what bears on security.

    Attributes:
        settings: Whose events these are.
        server_clock: The server's clock.
        on_request: Told when there is news of flow reservations for the server; set by whoever
            posts them.
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
        notice: Notice = unnoticed,
    ) -> None:
        self.settings = settings
        self.server_clock = ServerClock(clock)
        self._book = Book(settings, rng, alarm, notice)
        self._states = States()
        self._ledger = ledger
        self._clock = clock
        self._contact = Contact(clock, comms_loss_s)
        self._on_schedule = on_schedule
        self._on_owed = on_owed
        self._on_step = on_step
        self._alarm = alarm
        self._schedule: Schedule | None = None
        self._recalled = False
        self._next_look = math.inf
        self.on_request: Callable[[], object] = lambda: None
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()

    def server_time(self) -> float:
        """Return the server's clock, epoch seconds."""
        return self.server_clock.now()

    @property
    def offset_s(self) -> float:
        """The server's time less the home's, in s."""
        return self.server_clock.offset_s

    @property
    def schedule(self) -> Schedule:
        """What is in force, as last told."""
        return self._schedule or Schedule(self._clock.now())

    @property
    def events(self) -> Sequence[EventState]:
        """All events that are kept, by start."""
        return self._states.of(self._book.entries, self.server_time(), self.offset_s)

    @property
    def reservations(self) -> Sequence[Reservation]:
        """The flow reservations that the home asked for, with what was granted."""
        return reservations(self._book.requests.all, self.events)

    @property
    def messages(self) -> Sequence[Message]:
        """The messages to the owner, the most urgent first."""
        return messages(self.events)

    @property
    def tariffs(self) -> Sequence[Tariff]:
        """The electricity tariffs, for `hems.sep2.rules.tariff`; times are the server's."""
        return self._book.prices.tariffs(self._book.entries.values())

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
        server, lfdis = self.settings.server, {self.settings.lfdi}
        if self.settings.inherits:
            lfdis.add("")
        mine = [row for row in rows if row.server == server and row.lfdi in lfdis]
        self._book.recall(mine, self.server_time())

    def contact(self) -> None:
        """Note that the server answered."""
        was_lost = self._lost_since() is not None
        self._contact.note()
        if was_lost:
            self._wake.set()

    def suspend(self, *, suspended: bool) -> None:
        """Have no event run, default controls only, while the server does not know the device."""
        if suspended != self._contact.suspended:
            self._contact.suspended = suspended
            self._wake.set()

    def _lost_since(self) -> float | None:
        keeps = self.settings.profile.keeps_schedule
        return self._contact.lost_since(self.server_time(), keeps_schedule=keeps)

    def set_offset(self, offset_s: float) -> None:
        """Begin with what was last known of the server's clock: its time less the home's, in s."""
        if self.server_clock.assume(offset_s):
            self._wake.set()

    def sync_time(self, current_time: int, sent: float, received: float, quality: int = 7) -> None:
        """Follow the server's clock.

        Args:
            current_time: What it showed.
            sent: When it was asked, on the home's monotonic clock.
            received: When the answer was there, on the same.
            quality: What it said of its time (`Time.quality`).
        """
        if self.server_clock.sync(current_time, sent, received, quality):
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
        return await self._change(
            lambda now: self._book.update(
                program, controls, now, kind=kind, complete=complete, bad=bad, since=since
            )
        )

    async def set_default(
        self, program: Program, control: res.DefaultDERControl | None, since: int | None = None
    ) -> bool:
        """Take in a programme's default control; None if it has none any more.

        Returns:
            False if it was outdated when it came; see `update`.
        """
        return await self._change(lambda _: self._book.set_default(program, control, since))

    def missing_curves(self, controls: Iterable[Control | res.DefaultDERControl]) -> frozenset[str]:
        """Return the hrefs of curves to be read before controls are taken in.

        These are those that the controls name and that are not known, of modes that the home
        carries out.
        """
        return self._book.missing_curves(controls, self.server_time())

    async def set_curves(
        self, program: Program, curves: Sequence[res.DERCurve], *, complete: bool
    ) -> None:
        """Take in curves of a programme, each with its href.

        Args:
            program: Whose they are.
            curves: As read.
            complete: Whether it is the programme's whole list. A curve that no list has is kept
                as long as something names it.
        """
        await self._change(
            lambda now: self._book.set_curves(program, curves, now, complete=complete)
        )

    def missing_blocks(self, component: str) -> Mapping[str, str]:
        """Return which blocks of a rate component's intervals should be read.

        Returns:
            href of the ConsumptionTariffIntervalList by mRID of the interval.
        """
        return self._book.prices.missing(self._book.entries.values(), component)

    @property
    def prices(self) -> Prices:
        """Takes in what the stops read of tariffs; it is not kept over a restart."""
        return self._book.prices

    async def retain(self, programs: frozenset[str], kind: type[Control]) -> None:
        """Forget programmes that are assigned no more; `programs` holds the mRIDs that are."""
        await self._change(lambda now: self._book.retain(programs, kind, now))

    async def opt_out(self, mrid: str) -> None:
        """Leave an event.

        Raises:
            UnknownEventError: No such event, or it is over.
            BindingError: Its programme does not allow it.
        """
        await self._change(lambda now: self._book.choose(mrid, now, opted_out=True))

    async def opt_in(self, mrid: str) -> None:
        """Take part again in an event that was left.

        Raises:
            UnknownEventError: No such event, or it is over.
        """
        await self._change(lambda now: self._book.choose(mrid, now, opted_out=False))

    async def acknowledge(self, mrid: str) -> None:
        """Note that the owner has read a message; the server is told if it asked for that.

        Raises:
            UnknownEventError: No such message.
        """
        await self._change(lambda now: self._book.acknowledge(mrid, now))

    async def set_applied(self, mrid: str, what: Applied) -> None:
        """Keep what the home really does of a load control, for the responses to come.

        Raises:
            UnknownEventError: No such load control, or it is over.
        """
        await self._change(lambda _: self._book.set_applied(mrid, what))

    def carry_out(self, profile: Profile) -> None:
        """Go by what the home can do from now on: its devices have said, or it has others."""
        self.settings = replace(self.settings, profile=profile)
        self._book.carry_out(profile)

    async def concede(
        self,
        mrid: str,
        modes: frozenset[str],
        *,
        by_server: bool = True,
        by_program: bool = False,
        refused: str = "",
    ) -> None:
        """Give modes of an event up: to another, or as no device here takes them.

        Args:
            mrid: The event's.
            modes: What it loses.
            by_server: Whether to the event of another server.
            by_program: Whether to that of another programme.
            refused: Why no device takes them; empty where another event has them.

        Raises:
            UnknownEventError: No such event.
        """
        lose = partial(concede, modes=modes, refused=bool(refused))
        give_up = partial(lose, by_server=by_server, by_program=by_program)
        await self._change(lambda now: self._book.concede(mrid, now, give_up, refused))

    async def reserve(self, wish: Wish) -> str:
        """Ask for a flow reservation; returns the mRID of the request.

        Raises:
            ValueError: It cannot be asked for: no time is left, or a figure does not fit.
        """
        mrid = await self._change(lambda now: self._book.requests.add(wish, now))
        self.on_request()
        return mrid

    async def cancel_reservation(self, mrid: str) -> None:
        """Take a wish back.

        Raises:
            UnknownEventError: No such request.
        """
        await self._change(lambda now: self._book.requests.cancel(mrid, now))
        self.on_request()

    @property
    def requests(self) -> Sequence[Request]:
        """The flow reservations that the home asked for, cheaper than with what was granted."""
        return tuple(self._book.requests.all.values())

    @property
    def owed_requests(self) -> Sequence[Request]:
        """The flow reservations of which the server is to be told."""
        return self._book.requests.owed

    async def request_placed(self, request: Request, href: str | None) -> None:
        """Note where the server put a request; None if it never will, or need not."""
        await self._change(lambda _: self._book.requests.placed(request, href))

    async def set_baseline(self, mrid: str, power_w: float) -> None:
        """Keep the net power (W, import positive) that was measured when an event began.

        Raises:
            UnknownEventError: No such event.
        """
        await self._change(lambda _: self._book.set_baseline(mrid, power_w))

    async def _change(self, act: Callable[[float], T]) -> T:
        """Change the book at the server's time, and let all that follows from it happen."""
        async with self._lock:
            done = act(self.server_time())
            await self._follow()
        self._wake.set()
        return done

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
            left_s = min(self._next_look - self.server_time(), until - self._clock.monotonic())
            if left_s <= 0 or self.server_clock.stepped():
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
        if self.server_clock.stepped() and (step_s := self.server_clock.settle()):
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
        if lost_since is None and not self.settings.profile.keeps_schedule:
            self._next_look = min(self._next_look, now + self._contact.left_s)
        nap_s = _CLOCK_WATCH_S if self.server_clock.stands else _LEAST_NAP_S
        self._next_look = max(self._next_look, now + nap_s)
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
        local = at_home(schedule, self._book, self.offset_s)
        before, self._schedule = self._schedule, local
        if is_news(before, local):
            self._on_schedule(local)
