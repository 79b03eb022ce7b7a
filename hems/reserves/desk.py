"""The home's reserve: what it offers, what is committed, how it is held, called and delivered.

owner's terms, batteries --> offers --> utility --> commitments --> hold-back (programs.reserve)
                                          calls --> delivery at the meter --> records
"""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Final

from der.sentence import say
from der.steps import StepWatch
from hems.cem import local_time
from hems.cem.slots import Slots
from hems.clock import Clock
from hems.image import Image
from hems.reserves import kept, offers
from hems.reserves.book import Book
from hems.reserves.holding import by_slot
from hems.reserves.port import Port
from hems.reserves.shown import shown
from hems.reserves.surface import ReservesView
from hems.reserves.terms import Terms
from hems.store.errors import StoreError
from hems.store.settings import Settings
from programs.about import Standing
from programs.capability import Capability, Spare, Store, StoreFacts, capability, loads, stores
from programs.commitment import Commitment, Posted
from programs.performance import Performance
from programs.registry import Policies
from programs.reserve import ID, ReservePolicy, recognised
from programs.rules import kilowatts
from programs.signal import Signal

_SAVE_S: Final = 10.0
PATIENCE_S: Final = 10.0
"""A battery that cannot be reached for so long, or has too little, is said to the utility."""
_PATIENCE_MOST_S: Final = 600.0
_PATIENCE_SHARE: Final = 0.05
"""What is committed for later waits for this share of the time until then: a battery that starts
anew in the morning is no reason to give up the evening."""
_REFUSED_FIRST_S: Final = 60.0
_REFUSED_LAST_S: Final = 3600.0
"""After a utility has refused an offer, nothing is offered for so long, longer each time."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a reserve asks of the home and tells it; none of them may block.

    Attributes:
        signals: Returns what the grid asks now; None while that is not known.
        spare: Returns for how long each load could stay off.
        left: Tells of an event whether the owner has left it.
        alarm: Told by whom and in one sentence what is wrong for the time being; None for nothing.
        record: Takes the record of what is over.
        islanded: Whether the home is parted from its grid, to which it then gives nothing.
    """

    signals: Callable[[], Sequence[Signal] | None]
    spare: Callable[[Image], Spare]
    left: Callable[[str], bool]
    alarm: Callable[[str, str | None], None]
    record: Callable[[Performance], None]
    islanded: Callable[[], bool] = lambda: False


class Reserves:
    """The reserve of one home at one utility; a `hems.uses.use.Use`.

    Args:
        terms: What the owner consents to.
        facts: What of batteries nobody measures, by id.
        settings: Where it is kept over a restart.
        clock: Where the time comes from.
        port: The way to the utility.
        around: What it asks of the home and tells it.
    """

    def __init__(
        self,
        terms: Terms,
        facts: Mapping[str, StoreFacts],
        settings: Settings,
        clock: Clock,
        port: Port,
        *,
        around: Around,
    ) -> None:
        self._terms = terms
        self._facts = facts
        self._settings = settings
        self._clock = clock
        self._port = port
        self._around = around
        self._book = Book(around.left, around.record)
        self._steps = StepWatch(clock.now, clock.monotonic)
        self._image: Image | None = None
        self._stores: tuple[Store, ...] = ()
        self._able = Capability(0.0, terms.call_s)
        self._short: dict[str, float] = {}
        self._doubts: dict[str, float] = {}
        self._made: dict[str, float] = {}
        self._refused_s = _REFUSED_FIRST_S
        self._offers_from = -math.inf
        self._policy = ReservePolicy(
            programs=terms.programs, facts=facts, reserve_soc=terms.reserve_soc
        )
        self._joined = True
        self._unsaved = False
        self._news = asyncio.Event()

    # A use case's part of the running home.

    async def load(self) -> None:
        """Take up what was measured before a restart; says what cannot be read."""
        try:
            text = (await self._settings.all()).get(kept.NAME)
            if not text:
                return
            found = kept.load(text)
        except (StoreError, kept.KeptError) as error:
            self._around.alarm(
                ID, say("What the reserve had delivered before is not known: {error}", error=error)
            )
            return
        book = self._book
        book.calls = {call.event: call for call in found.calls}
        book.watches = {watch.commitment.id: watch for watch in found.watches}
        book.peak_w, book.peak_day = found.peak_w, found.peak_day

    async def run(self) -> None:
        """Make offers and take them back, and write down what is measured, until cancelled."""
        saved_at = self._clock.monotonic()
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                await self.trade()
                if self._unsaved or (
                    self._book.watches and self._clock.monotonic() - saved_at >= _SAVE_S
                ):
                    saved_at = self._clock.monotonic()
                    await self.save()
        finally:
            await self.save()

    def take_image(self, image: Image) -> None:
        """Follow what is measured; no I/O."""
        self._news.set()
        self._follow_clock()
        before, self._image = self._image, image
        now = image.at
        self._stores = stores(image.devices.values(), self._facts, self._terms.reserve_soc)
        self._refresh(now)
        flexible = loads(image.devices.values(), self._around.spare(image))
        self._able = capability(self._stores, flexible, self._terms.call_s)
        signals = self._around.signals()
        if signals is None:
            return
        islanded = self._around.islanded()
        net_w = None if islanded else _measured(image if before is None else before)
        day = local_time.instant(
            datetime.fromtimestamp(now, self._terms.zone).date(), time(0), self._terms.zone
        )
        book = self._book
        book.follow(self._committed(), now)
        changed = book.begin(signals, self._policy, net_w, now)
        if before is not None:
            at_work = {
                c.id: c.id not in self._short and not islanded for c in self._policy.commitments
            }
            seen_w = None if islanded else _measured(image)
            book.measure(before.at, now, seen_w, at_work, day)
        if book.end(signals, self._policy, now) or changed:
            self._unsaved = True
        self._judge(now)

    def told(self, signals: Sequence[Signal] | None) -> Sequence[Signal] | None:
        """Return what the grid asks with calls of the reserve told from emergencies."""
        if signals is None:
            return None
        self._refresh(self._clock.now())
        return recognised(signals, self._policy)

    def applied(self, policies: Policies) -> Policies:
        """Return the policies with what is committed in them."""
        self._joined = ID not in policies.left
        return replace(policies, reserve=self._policy)

    @property
    def calls(self) -> frozenset[str]:
        """The mRIDs of the events that call it, until the hour after them is over."""
        return frozenset(self._book.calls)

    @property
    def standings(self) -> Sequence[Standing]:
        """How the reserve stands now."""
        able, now = self._able, self._clock.now()
        called = [c for c in self._book.calls.values() if not c.over]
        due = [c for c in self._policy.commitments if c.starts_at <= now < c.ends_at]
        words = ""
        if called:
            words = say(
                "Delivers {power} until the call ends",
                power=kilowatts(sum(c.asked_w for c in called)),
            )
        elif due:
            words = say("Holds {power} ready", power=kilowatts(sum(c.power_w for c in due)))
        hours = self._terms.call_s / 3600.0
        promise = (
            say(
                "{power} less for {hours:.3g} h, in full within seconds of the call",
                power=kilowatts(able.power_w),
                hours=hours,
            )
            if able.power_w > 0
            else say(
                "Nothing now: no battery has charge above the owner's reserve, and no load runs"
            )
        )
        return (
            Standing(
                ID,
                bool(called or due),
                down_w=able.power_w,
                energy_wh=able.energy_wh,
                for_s=able.for_s,
                promise=promise,
                words=words,
            ),
        )

    async def trade(self) -> None:
        """Take back what cannot be kept, and offer what can."""
        image, terms = self._image, self._terms
        if image is None or self._around.signals() is None:
            return
        now, monotonic = self._clock.now(), self._clock.monotonic()
        posted = self._port.posted(terms.utility)
        gone = {p.mrid for p in posted if p.withdrawn}
        firm = [c for c in self._policy.commitments if c.request not in gone]
        doubtful = {p.mrid for p in offers.excessive(terms, self._stores, posted, firm, now)}
        doubtful |= {c.request for c in firm if c.id in self._short}
        if not self._joined:  # what is committed is kept, and nothing more is offered
            answered = {c.request for c in self._policy.commitments}
            doubtful = {p.mrid for p in offers.standing(posted, now)} - answered
        self._doubts = {n: self._doubts.get(n, monotonic) for n in doubtful}
        patience = {c.request: _patience_s(c.starts_at - now) for c in firm}
        for mrid, since in self._doubts.items():
            if monotonic - since >= patience.get(mrid, PATIENCE_S):
                self._made.pop(mrid, None)
                await self._port.withdraw(terms.utility, mrid)
        if self._doubts or not self._joined:
            return  # what is in doubt is settled first
        if self._refused(posted, now, monotonic):
            return
        for offer in offers.wanted(terms, self._stores, posted, firm, now):
            try:
                self._made[await self._port.offer(terms.utility, offer)] = offer.ends_at
            except ValueError as error:
                self._around.alarm(ID, say("The reserve cannot be offered: {error}", error=error))
                return
        self._around.alarm(ID, None)

    def _refused(self, posted: Sequence[Posted], now: float, monotonic: float) -> bool:
        """Return whether the utility took no offer of late, so that none is made for a while."""
        there = {p.mrid for p in posted}
        refused = [n for n, ends_at in self._made.items() if n not in there and now < ends_at]
        self._made = {n: at for n, at in self._made.items() if n in there and now < at}
        if refused:
            self._offers_from = monotonic + self._refused_s
            self._refused_s = min(2 * self._refused_s, _REFUSED_LAST_S)
            self._around.alarm(
                ID, say("{utility} takes no reserve that is offered", utility=self._terms.utility)
            )
        elif any(p.told and not p.withdrawn for p in posted):
            self._refused_s = _REFUSED_FIRST_S
        return monotonic < self._offers_from

    async def save(self) -> None:
        """Write down what is measured; says by alarm when that fails."""
        book = self._book
        text = kept.dump(
            kept.Kept(
                tuple(book.calls.values()),
                tuple(book.watches.values()),
                book.peak_w,
                book.peak_day,
            )
        )
        try:
            await self._settings.put(kept.NAME, text)
        except StoreError as error:
            self._around.alarm(
                ID, say("What the reserve delivers cannot be written down: {error}", error=error)
            )
        else:
            self._unsaved = False

    # What the planning asks.

    def by_slot(self, slots: Slots) -> Mapping[str, tuple[float, ...]]:
        """Return what batteries are to hold back by slot, Wh beside the owner's reserve."""
        busy = {c.id for c in self._policy.commitments if self._book.running(c.id)}
        free = [c for c in self._policy.commitments if c.id not in busy]
        return by_slot(free, self._stores, slots)

    def basis(self) -> object:
        """Return what changes when a plan is to be made anew for what is committed."""
        return tuple(
            (c.id, c.starts_at, c.ends_at, c.power_w, self._book.running(c.id))
            for c in self._policy.commitments
        )

    def view(self) -> ReservesView:
        """Return how it stands, for the page and the command line."""
        return shown(
            self._port.posted(self._terms.utility),
            self._policy.commitments,
            self._book,
            self._clock.now(),
            short=self._short,
            able=self._able,
        )

    # Inside.

    def _follow_clock(self) -> None:
        """Move measured times along when UTC was set; the grid's own follow by themselves."""
        step_s = self._steps.step_s()
        if step_s:
            self._book.shift(step_s)
            self._image = None

    def _committed(self) -> Sequence[Commitment]:
        return self._port.commitments(self._terms.utility)

    def _refresh(self, now: float) -> None:
        """Take in what is committed, less what calls have taken of it."""
        book = self._book
        live = tuple(
            replace(c, energy_wh=max(c.energy_wh - book.given_wh(c.id), 0.0))
            for c in self._committed()
            if now < c.ends_at or book.running(c.id)
        )
        before = {c.id for c in self._policy.commitments}
        self._policy = replace(self._policy, commitments=live, recovery=book.recovery(now))
        if before != {c.id for c in live}:
            self._unsaved = True

    def _judge(self, now: float) -> None:
        """Say at once which commitments cannot be kept, and take it back when they can."""
        before, self._short = self._short, {}
        for each in self._policy.commitments:
            missing_w = offers.short_w(each, self._policy.commitments, self._stores, now)
            if missing_w > 0:
                self._short[each.id] = missing_w
                self._around.alarm(f"{ID} {each.id}", self._lacking(each, missing_w, now))
        for name in before.keys() - self._short.keys():
            self._around.alarm(f"{ID} {name}", None)

    def _lacking(self, commitment: Commitment, missing_w: float, now: float) -> str:
        def clock(at: float) -> str:
            return local_time.words(at, self._terms.zone, now)

        why = (
            say("the batteries have too little charge for it")
            if self._stores
            else say("no battery can be reached")
        )
        return say(
            "The reserve of {power} promised to {utility} from {starts_at} to {ends_at} "
            "lacks {missing}: {why}",
            power=kilowatts(commitment.power_w),
            utility=commitment.utility,
            starts_at=clock(commitment.starts_at),
            ends_at=clock(commitment.ends_at),
            missing=kilowatts(missing_w),
            why=why,
        )


def _measured(image: Image) -> float | None:
    """Return the net power, W; None where it is not read, or is no number."""
    net_w = image.net_w
    return net_w if net_w is not None and math.isfinite(net_w) else None


def _patience_s(ahead_s: float) -> float:
    """Return for how long a commitment may be in doubt before the utility is told.

    Args:
        ahead_s: In how many s it begins; negative once it has.
    """
    return min(max(_PATIENCE_SHARE * ahead_s, PATIENCE_S), _PATIENCE_MOST_S)
