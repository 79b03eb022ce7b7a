"""Which programmes the home takes part in, and what it delivered: one part of the running home.

Implements `hems.uses.use.Use` and `hems.programme_surface.ProgrammeSurface`. What was left is not
proposed (`Policies.left`), and events of it that may be left are left; what binds goes on, and who
wants to leave it is told why not.
"""

import logging
import math
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from der.commands import DeviceOptions
from der.sentence import say
from hems.clock import Clock
from hems.image import Image
from hems.participation import consequence, settlement
from hems.participation.asked import Asked
from hems.participation.consent import text_version
from hems.participation.consents import Consents, changed_since, latest_first
from hems.participation.consequence import Pay
from hems.participation.keeper import Keeper
from hems.participation.ledger import Ledger
from hems.participation.room import Room, room
from hems.programme_surface import (
    CannotLeaveError,
    Decision,
    DecisionView,
    Form,
    PayView,
    ProgrammeView,
    UnknownProgrammeError,
)
from hems.store.errors import StoreError
from hems.store.settings import Settings
from hems.surface import SurfaceError
from programs import economy, self_consumption
from programs.about import Standing
from programs.customer_baseline import Baseline, Method
from programs.page import promise
from programs.performance import Performance
from programs.ready_by import Departure
from programs.registry import ALL, BY_ID, BY_KIND, Manner, Policies, Programme
from programs.signal import Signal

_log = logging.getLogger(__name__)

_LEFT: Final = "events left"
_EVENTS_KEPT: Final = 500
_DAYS: Final = 30
_DAY_S: Final = 86_400.0
_OPEN: Final = frozenset({"coming", "running"})
_EVENTS: Final = TypeAdapter(tuple[str, ...])
_NOTHING: Final[Mapping[str, bool]] = {}
_UNPAID: Final[Mapping[str, Pay]] = {}
_FOR_ITSELF: Final = frozenset({economy.ID, self_consumption.ID})
"""What the home does for its owner alone; nobody else relies on it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed, and set in the configuration.

    Attributes:
        configured: Whether the home takes part, by programme, where the configuration says so.
        pay: What a programme pays for what is delivered, by its id.
        reserve: State of charge of batteries that stays with the owner.
        obliged: Ids of programmes that the owner has agreed outside of the hub to take part in.
        missing: Why programmes can do nothing in this home, by id: such are not taken part in.
        methods: How customer baselines are found, by programme, where that was agreed.
    """

    configured: Mapping[str, bool] = field(default_factory=dict)
    pay: Mapping[str, Pay] = field(default_factory=dict)
    reserve: float = 0.0
    obliged: frozenset[str] = frozenset()
    missing: Mapping[str, str] = field(default_factory=dict)
    methods: Mapping[str, Method] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What participation needs of the home around it; nothing of it may block.

    Attributes:
        asked: Returns the events of all utilities.
        bound: Returns why a programme cannot be left, one sentence; empty if it can.
        choose: Leaves an event, or takes part in it again.
        standings: Returns how the programmes of all other parts stand.
        spawn: Runs work aside.
        react: Has the control cycle act on what is asked now.
        elsewhere: Returns the mRIDs of events whose records another part makes.
        departures: Returns what cars still have to draw by when, at a time in UTC epoch seconds.
        islanded: Whether nothing flows at the connection point, so that nothing is delivered there.
        options: Returns what devices say that they can do, by id.
    """

    asked: Callable[[], Sequence[Asked]]
    bound: Callable[[Programme], str]
    choose: Callable[[str, bool], Awaitable[None]]
    standings: Callable[[], Sequence[Standing]]
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    react: Callable[[], None]
    elsewhere: Callable[[], Collection[str]] = frozenset
    departures: Callable[[float], Sequence[Departure]] = lambda _at: ()
    islanded: Callable[[], bool] = lambda: False
    options: Callable[[], Mapping[str, DeviceOptions]] = dict


class Participation:
    """The programmes of one home.

    Args:
        terms: What was agreed.
        settings: Where consents are kept.
        clock: Where the time comes from.
        around: The home around it.
        keeper: Follows events.
        ledger: Where records are found.
    """

    def __init__(
        self,
        terms: Terms,
        settings: Settings,
        clock: Clock,
        around: Surroundings,
        *,
        keeper: Keeper,
        ledger: Ledger,
    ) -> None:
        self._terms = terms
        self._settings = settings
        self._keeper = keeper
        self._ledger = ledger
        self._clock = clock
        self._around = around
        self._consents = Consents(
            settings, clock, terms.configured, obliged=terms.obliged, missing=terms.missing
        )
        self._events_left: tuple[str, ...] = ()
        self._going: set[str] = set()
        self._room = Room()
        self._excluded = ""

    async def load(self) -> None:
        """Take up what the owner decided and what was being measured before a restart."""
        try:
            kept = await self._settings.all()
        except StoreError as error:
            _log.warning("which programmes were joined is not known: %s", error)
            kept = {}
        self._consents.recall(kept)
        try:
            self._events_left = _EVENTS.validate_json(kept.get(_LEFT, "[]"))
        except ValidationError:
            _log.warning("the setting %r cannot be read: %.80r", _LEFT, kept[_LEFT])
        await self._keeper.load()

    async def run(self) -> None:
        """Keep the records until cancelled."""
        await self._keeper.run()

    def take_image(self, image: Image) -> None:
        """Follow the events, and leave those of programmes that were left; no I/O.

        Those that were left with a programme are come back to when the time is over until which
        that counted.
        """
        self._keeper.take_image(image)
        self._room = room(image, self._terms.reserve)
        for asked in self._around.asked():
            if asked.state in _OPEN and self._unwanted(asked):
                self._events_left = (*self._events_left, asked.event)[-_EVENTS_KEPT:]
                self._going.add(asked.event)
                self._around.spawn(self._choose(asked.event, leave=True))
            elif self._wanted_again(asked):
                self._around.spawn(self._come_back(asked.event))

    def exclude(self, reason: str) -> None:
        """Take part in no programme that may be left, whatever the owner decided, until further.

        Events of such are left and come back to as those of programmes that the owner left: the
        utility is told by the same answers. What binds, what keeps the home safe and what the home
        does for itself goes on.

        Args:
            reason: Why, one sentence for the owner; empty where nothing is the matter any more.
        """
        if reason != self._excluded:
            self._excluded = reason
            self._around.react()  # the image that follows leaves events, or comes back to them

    def _shut_out(self, listed: Programme) -> bool:
        """Return whether a programme is one of those that an exclusion is about."""
        return bool(self._excluded) and listed.id not in _FOR_ITSELF and not self._bound(listed)

    def applied(self, policies: Policies) -> Policies:
        """Return the policies without what was left."""
        return replace(policies, left=self.left)

    def told(self, signals: Sequence[Signal] | None) -> Sequence[Signal] | None:
        """Return what is asked, without what is asked of programmes that were left.

        So not even the first moment of an event is obeyed that is about to be left. What binds
        stays, default controls too, and an event that the owner has come back to.

        Args:
            signals: What is asked; None while that is not known yet.
        """
        left = self.left
        if signals is None or not left:
            return signals
        return [s for s in signals if not self._kept_out(s, left)]

    def _kept_out(self, signal: Signal, left: frozenset[str]) -> bool:
        listed = BY_KIND.get(signal.kind)
        if signal.binding or signal.emergency or math.isinf(signal.ends_at) or listed is None:
            return False
        known = signal.event in self._events_left and signal.event not in self._going
        return listed.id in left and not known

    def record(self, performance: Performance) -> None:
        """Take in what another part's programme delivered."""
        self._keeper.put(performance)

    async def baseline(self, programme: str, starts_at: float, ends_at: float) -> Baseline | None:
        """Return what the home would have taken, UTC epoch seconds; None where nobody knows.

        Raises:
            StoreError: The history cannot be read.
        """
        return await self._ledger.baseline(starts_at, ends_at, programme)

    def takes_part(self, programme: str) -> bool:
        """Return whether the home takes part in a programme that is listed."""
        return not self._shut_out(BY_ID[programme]) and self._consents.takes_part(programme)

    @property
    def left(self) -> frozenset[str]:
        """Ids of the programmes in which the home takes no part."""
        left = self._consents.left
        if not self._excluded:
            return left
        return left | {listed.id for listed in ALL if self._shut_out(listed)}

    @property
    def standings(self) -> Sequence[Standing]:
        """How the programmes stand that have events alone and no part of their own."""
        events = [a for a in self._around.asked() if a.state == "running" and not a.opted_out]
        return [
            Standing(
                programme=listed.id,
                active=bool(own),
                down_w=self._room.down_w,
                up_w=self._room.up_w,
                energy_wh=self._room.energy_wh,
                promise=promise(listed.about),
                words=say("{asked_by} asks for it now.", asked_by=own[0].asked_by) if own else "",
            )
            for listed in ALL
            if listed.kinds
            for own in ([a for a in events if listed.id in a.programmes],)
        ]

    @property
    def consequences(self) -> Mapping[str, str]:
        """What leaving each event means that runs or is to come, one sentence, by mRID."""
        return {a.event: self._of_event(a) for a in self._around.asked() if a.state in _OPEN}

    def unmet(self, event: str) -> str:
        """Return in one sentence that an event is not met now; empty if it is."""
        return self._keeper.unmet(event)

    @property
    def broken(self) -> str | None:
        """What limit inside the home is not kept, one sentence for the owner; None if all are."""
        return self._keeper.broken

    # What the page and the command line may see and ask.

    async def programmes(self) -> Sequence[ProgrammeView]:
        """Return all programmes, in the registry's order."""
        now = self._clock.now()
        past = await self._found(now - _DAYS * _DAY_S, now)
        stands = {s.programme: s for s in (*self.standings, *self._around.standings())}
        return [
            self._view(
                listed,
                stands.get(listed.id) or self._idle(listed),
                [each for each in past if each.programme == listed.id],
            )
            for listed in ALL
        ]

    async def decide(self, programme: str, decision: Decision) -> None:
        """Join or leave a programme."""
        listed = _listed(programme)
        bound = self._bound(listed)
        if bound and not decision.joined:
            raise CannotLeaveError(bound)
        await self._consents.decide(listed, decision)
        if decision.joined:
            for asked in self._around.asked():
                if self._wanted_again(asked):
                    await self._come_back(asked.event)
        self._around.react()

    async def records(self, start: float, end: float, programme: str) -> Sequence[Performance]:
        """Return what was delivered in [start, end), UTC epoch seconds, by start."""
        if programme:
            _listed(programme)
        return await self._found(start, end, programme)

    async def settlement(self, start: float, end: float, programme: str, form: Form) -> str:
        """Return what ended in (start, end] with quarter-hours, as a file for whoever settles."""
        if programme:
            _listed(programme)
        try:
            found = await self._ledger.find(start, end, programme)
        except StoreError as error:
            raise SurfaceError(say("The records cannot be read: {error}", error=error)) from error
        # Of two months that meet, each event is in one: paid once, and with its record complete.
        return settlement.write([f for f in found if start < f.record.ends_at <= end], form)

    async def _found(self, start: float, end: float, programme: str = "") -> Sequence[Performance]:
        try:
            return [each.record for each in await self._ledger.find(start, end, programme)]
        except StoreError as error:
            raise SurfaceError(say("The records cannot be read: {error}", error=error)) from error

    def _idle(self, listed: Programme) -> Standing:
        """Return how a programme stands that no part of the home acts for."""
        return Standing(listed.id, active=False)

    def _view(
        self, listed: Programme, stands: Standing, past: Sequence[Performance]
    ) -> ProgrammeView:
        bound, decided = self._bound(listed), self._consents.in_force(listed.id)
        pay, missing = self._terms.pay.get(listed.id), self._terms.missing.get(listed.id, "")
        if not missing and self._shut_out(listed):
            missing = self._excluded
        return ProgrammeView(
            id=listed.id,
            about=listed.about,
            standing=stands,
            manner=listed.manner.value,
            joined=self.takes_part(listed.id),
            bound=bound,
            decided_by="" if decided is None else decided.by,
            decided_at=None if decided is None else decided.at,
            until=None if decided is None else decided.until,
            version=text_version(listed),
            consequence=() if bound or missing else self._leaving(listed, past),
            changed=changed_since(listed, decided),
            pays=None if pay is None else PayView(pay.per_kwh, pay.currency),
            decisions=tuple(
                DecisionView(c.joined, c.by, c.at, c.until, c.version)
                for c in latest_first(self._consents.of(listed.id))
            ),
            missing=missing,
        )

    def _leaving(self, listed: Programme, past: Sequence[Performance]) -> tuple[str, ...]:
        own = [
            say("{asked_by}: {consequence}", asked_by=a.asked_by, consequence=self._of_event(a))
            for a in self._around.asked()
            if a.state in _OPEN and listed.id in a.programmes
        ]
        stays = [
            say("What {name} asks while there is no event stays.", name=name)
            for name in self._keeper.standing(listed.kinds)
        ]
        return consequence.of_programme(
            listed.about.leaving, [*own, *stays], past, _DAYS, self._terms.pay.get(listed.id)
        )

    def _of_event(self, asked: Asked) -> str:
        pays = (self._terms.pay[p] for p in sorted(asked.programmes) if p in self._terms.pay)
        return consequence.of_event(
            asked, self._keeper.of_event(asked.event), self._clock.now(), next(pays, None)
        )

    def _bound(self, listed: Programme) -> str:
        """Return why a programme cannot be left; empty if it can."""
        if listed.id in self._terms.missing:
            return ""
        if listed.manner is Manner.ALWAYS:
            return listed.about.leaving or say("It is part of every home.")
        chosen = listed.manner is Manner.CHOSEN and listed.id not in self._terms.obliged
        return "" if chosen else self._around.bound(listed)

    def _unwanted(self, asked: Asked) -> bool:
        """Return whether an event is one of programmes that were all left, and is still in."""
        if asked.binding or asked.opted_out or asked.event in self._events_left:
            return False
        return bool(asked.programmes) and not any(self.takes_part(p) for p in asked.programmes)

    def _wanted_again(self, asked: Asked) -> bool:
        """Return whether an event was left with programmes, and one of them counts again."""
        mine = asked.event in self._events_left and asked.event not in self._going
        return (
            mine
            and asked.state in _OPEN
            and asked.opted_out
            and any(self.takes_part(p) for p in asked.programmes)
        )

    async def _come_back(self, event: str) -> None:
        """Take part again in an event that was left with its programme."""
        if event in self._events_left:  # not on its way already
            self._events_left = tuple(e for e in self._events_left if e != event)
            await self._choose(event, leave=False)

    async def _choose(self, event: str, *, leave: bool) -> None:
        """Leave an event or take part in it; one that is gone meanwhile needs no choice."""
        try:
            await self._around.choose(event, leave)
        except SurfaceError as error:
            _log.info("event %s is not chosen about: %s", event, error)
        self._going.discard(event)
        try:
            await self._settings.put(_LEFT, _EVENTS.dump_json(self._events_left).decode())
        except StoreError as error:
            _log.warning("which events were left will not outlive a restart: %s", error)


def _listed(programme: str) -> Programme:
    try:
        return BY_ID[programme]
    except KeyError:
        raise UnknownProgrammeError(
            say("There is no programme {programme!r}.", programme=programme)
        ) from None
