"""The grid's side of the home: all its utilities, and what they ask together.

utility -> Link -> Gateway -> signals, which the control cycle asks for
            ^          ^
          images ------+
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from certs.errors import CertificateError
from der.model import DeviceKind
from der.sentence import say
from hems import tidings, views, wiring
from hems.emg.applied import applied
from hems.emg.functions import TAKEN_UP
from hems.emg.gateway import Gateway
from hems.emg.ratings import ratings
from hems.emg.translate import meanings
from hems.image import Image
from hems.link import RESTART_S, House, Link, LinkEvents
from hems.participation.asked import Asked
from hems.sep2.book.answers import Applied
from hems.sep2.book.engine import Engine
from hems.sep2.enddevice.logevents import Happening
from hems.sep2.errors import BindingError, UnknownEventError
from hems.sep2.rules.events import Schedule
from hems.sep2.rules.merge import Lost
from hems.store.errors import StoreError
from hems.surface import BindingEventError, EventView, MessageView, PriceView, UtilityView
from hems.surface import UnknownEventError as UnknownEvent
from hems.tariff.utility import Told
from programs.capability import Spare
from programs.signal import Signal, SignalKind
from programs.support import Place

_log = logging.getLogger(__name__)

RESUME_POINTS: Final = 10_000
"""Of a past event's meter readings at most so many, so that a day's event is summed up fast."""
_LONG_OVER_S: Final = 60.0
_CONTROLS: Final = frozenset({"DERControl", "EndDeviceControl"})
"""Kinds of events that ask the home to do something."""
_WHOLE: Final = frozenset[str]()
"""What is asked of no device in particular."""


@dataclass(frozen=True, slots=True)
class GridEvents:
    """Whom the grid's side tells; none of them may block.

    Attributes:
        signals: That what is asked has changed.
        change: That a link stands otherwise.
        alarm: In one sentence what the owner should know.
        spawn: Runs work aside.
        react: Has the control cycle act on what is asked now.
        spare: Returns for how long loads can stay off; None where that is not known.
    """

    signals: Callable[[], None]
    change: Callable[[], None]
    alarm: Callable[[str], None]
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    react: Callable[[], Awaitable[None]]
    spare: Callable[[Image], Spare | None] = lambda _image: None


class Grid:
    """All utilities of a home.

    Args:
        house: What of the home they need.
        tell: See `GridEvents`.

    Raises:
        CertificateError: A key or certificate of a utility's section cannot be used.
    """

    def __init__(self, house: House, tell: GridEvents) -> None:
        self._house = house
        self._tell = tell
        self._ratings = ratings(house.specs, house.options())
        self._resumed: set[str] = set()
        self._reported: object = None
        self._told = LinkEvents(
            self._on_schedule, self._on_failure, tell.change, tell.alarm, tell.spawn
        )
        self.links = tuple(Link(section, house, self._told) for section in house.config.utility)
        self._scopes = {
            source: scope
            for link in self.links
            for source, scope in zip(link.sources, link.scopes, strict=True)
        }
        self._gateways = {
            scope: self._gateway_of(scope)
            for scope in dict.fromkeys([_WHOLE, *self._scopes.values()])
        }

    def _gateway_of(self, scope: frozenset[str]) -> Gateway:
        """Return the gateway of the home as a whole, or of some of its devices."""
        specs = [s for s in self._house.specs if not scope or s.id in scope]
        return Gateway(
            ratings(specs, self._house.options()),
            self._house.clock,
            self._tell.signals,
            self._on_baseline,
            sources=tuple(source for source, own in self._scopes.items() if own == scope),
            on_lost=self._on_lost,
            devices=scope,
            slopes=wiring.slopes(self._house.config),
            return_w_min=self._house.config.slope.after_events,
        )

    def learn(self) -> None:
        """Go by what devices say that they can do: which modes there are, and per cents of what."""
        options = self._house.options()
        self._ratings = ratings(self._house.specs, options)
        for scope, gateway in self._gateways.items():
            specs = [s for s in self._house.specs if not scope or s.id in scope]
            gateway.rate(ratings(specs, options))
        for link in self.links:
            link.learn()

    async def run(self) -> None:
        """Serve until cancelled; one utility's failure touches no other."""
        async with asyncio.TaskGroup() as group:
            for index in range(len(self.links)):
                group.create_task(self._keep(index))

    async def _keep(self, index: int) -> None:
        """Have a link run; another takes its place when the home's certificate was renewed."""
        section = self._house.config.utility[index]
        await self.links[index].run()
        while True:
            try:
                link = Link(section, self._house, self._told)
            except CertificateError as error:  # changed once more, and not for the better
                self._tell.alarm(
                    say("The link to {name} must wait: {error}", name=section.name, error=error)
                )
                await asyncio.sleep(RESTART_S)
            else:
                self.links = (*self.links[:index], link, *self.links[index + 1 :])
                await link.run()

    def signals(self) -> Sequence[Signal] | None:
        """Return what is asked now; None after a start until the ledger has told it.

        Without a utility nothing is asked, and a client that fails before it has read the ledger
        must not keep the home uncontrolled.
        """
        return self.present if all(g.known for g in self._gateways.values()) else None

    @property
    def present(self) -> Sequence[Signal]:
        """What is asked now, as far as it is known."""
        return tuple(s for gateway in self._gateways.values() for s in gateway.signals)

    @property
    def utilities(self) -> Sequence[UtilityView]:
        """How the links stand, in the configuration's order."""
        return tuple(link.view for link in self.links)

    def events(self, image: Image) -> Sequence[EventView]:
        """Return all events that ask the home to do something, by start."""
        devices = tuple(image.devices.values())
        states = (s for engine in self._engines() for s in engine.events)
        asked = (s for s in states if s.event.kind in _CONTROLS)
        return [
            views.event(state, self._ratings, devices)
            for state in sorted(asked, key=lambda s: s.starts_at)
        ]

    @property
    def asked(self) -> Sequence[Asked]:
        """The events that ask the home to do something, as those see them who take part for it.

        Without those that have been over for a while.
        """
        long_over = self._house.clock.now() - _LONG_OVER_S
        return [
            Asked(
                event=state.event.mrid,
                asked_by=state.event.program.name or state.event.program.mrid,
                lfdi=member.engine.settings.lfdi,
                starts_at=state.starts_at,
                ends_at=state.ends_at,
                state=views.stage(state.phase),
                opted_out=state.opted_out,
                binding=state.event.mandatory,
                asks=meanings(state.event, self._ratings),
                devices=scope,
            )
            for link in self.links
            for scope, (_, member) in zip(link.scopes, link.members, strict=True)
            for state in member.engine.events
            if state.event.kind in _CONTROLS
            and not (state.phase.over and state.ends_at < long_over)
        ]

    def ahead(self, now: float) -> Sequence[Signal]:
        """Return what is asked from now on of the home as a whole, each for its own time.

        Other than `present` it holds what has not begun, and knows nothing of how events stand to
        one another or to a default control: of two limits at a time the stricter is to be planned
        on.
        """
        events = tuple(
            Signal(
                event=state.event.mrid,
                program=state.event.program.name,
                kind=kind,
                value=value,
                starts_at=state.starts_at,
                ends_at=state.ends_at,
                binding=state.event.mandatory,
                baseline_w=state.baseline_w,
            )
            for link in self.links
            for scope, (_, member) in zip(link.scopes, link.members, strict=True)
            if not scope
            for state in member.engine.events
            if not (state.phase.over or state.opted_out) and now < state.ends_at
            for kind, value in meanings(state.event, self._ratings)
        )
        return (*events, *self._gateways[_WHOLE].standing)

    @property
    def messages(self) -> Sequence[MessageView]:
        """What the utilities want the owner to read now, the most urgent first."""
        told = [m for engine in self._engines() for m in engine.messages if m.shown]
        return [tidings.message(m) for m in sorted(told, key=lambda m: -m.priority)]

    @property
    def price(self) -> PriceView | None:
        """What energy from the grid costs now, by the first utility that tells; None if none."""
        now = self._house.clock.now()
        told = (
            tidings.price(
                engine.tariffs,
                now,
                engine.offset_s,
                resumes=engine.settings.profile.resumes,
            )
            for engine in self._engines()
        )
        return next((price for price in told if price is not None), None)

    @property
    def clock_error_s(self) -> float | None:
        """The home's time less that of the first utility; None without one."""
        return next((-engine.offset_s for engine in self._engines()), None)

    @property
    def offsets(self) -> Mapping[str, float]:
        """Each server's time less the home's in s, by the utility's name."""
        return {link.name: link.client.members[0].engine.offset_s for link in self.links}

    @property
    def silences(self) -> Mapping[str, float]:
        """Time since each server's last good answer in s, by the utility's name; none if never."""
        silent = {link.name: link.client.silent_s for link in self.links}
        return {name: each for name, each in silent.items() if each is not None}

    @property
    def certificates(self) -> Mapping[str, bytes]:
        """What the servers that are connected show, DER, by the utility's name."""
        shown = {link.name: link.client.server_certificate for link in self.links}
        return {name: each for name, each in shown.items() if each is not None}

    @property
    def told(self) -> Sequence[Told]:
        """What the utilities tell of prices, in the configuration's order."""
        return [
            Told(tuple(e.tariffs), e.offset_s, e.settings.profile.resumes) for e in self._engines()
        ]

    async def acknowledge(self, message: str) -> None:
        """Note that the owner has read a message.

        Raises:
            UnknownEvent: No such message, or its time is over.
        """
        for engine in self._engines():
            try:
                await engine.acknowledge(message)
            except UnknownEventError:
                continue
            return
        raise UnknownEvent(say("this message is not known, or its time is over"))

    def take_image(self, image: Image) -> None:
        """Take in what was read of the devices."""
        for gateway in self._gateways.values():
            gateway.take_image(image)
        for link in self.links:
            link.take_image(image)
        standing = self._standing(image)
        if standing != self._reported:  # what drifts waits for the next regular report
            self._reported = standing
            self.report(image)

    def _standing(self, image: Image) -> object:
        """Return what the utilities are told of at once when it changes."""
        devices = tuple(
            (d.spec.id, d.quality, d.reading and (d.reading.connected, d.reading.alarms))
            for d in image.devices.values()
        )
        return self._gradient, bool(self.present), devices

    @property
    def _gradient(self) -> float | None:
        return self._gateways[_WHOLE].gradient

    def report(self, image: Image) -> None:
        """Tell the utilities what the home is and does."""
        gradient, remote = self._gradient, bool(self.present)
        for link in self.links:
            link.report(image, gradient=gradient, remote=remote, spare=self._tell.spare(image))
        for event, what in applied(self.present, image.net_w, image.at).items():
            self._tell.spawn(self._keep_applied(event, what))

    async def _keep_applied(self, event: str, what: Applied) -> None:
        for engine in self._engines():
            try:
                await engine.set_applied(event, what)
            except UnknownEventError:
                continue
            return

    def log(self, happening: Happening) -> None:
        """Have every utility's log told of something that concerns the hub."""
        for link in self.links:
            link.log(happening)

    def refresh_certificates(self) -> None:
        """Read renewed certificates and revocation lists."""
        for link in self.links:
            link.refresh_certificates()

    def left(self, event: str) -> bool:
        """Return whether the owner has left an event."""
        states = (s for engine in self._engines() for s in engine.events)
        return any(s.opted_out for s in states if s.event.mrid == event)

    async def choose(self, event: str, *, leave: bool) -> None:
        """Leave an event, or take part in it again.

        Raises:
            UnknownEvent: No such event, or it is over.
            BindingEventError: Its programme does not allow leaving it.
        """
        if not self.links:
            raise UnknownEvent(say("no utility is configured, so there are no events"))
        found = False
        for engine in self._engines():
            try:
                await (engine.opt_out(event) if leave else engine.opt_in(event))
            except UnknownEventError:
                continue
            except BindingError as error:
                raise BindingEventError(
                    say("this programme does not allow leaving its events")
                ) from error
            found = True
        if not found:
            raise UnknownEvent(say("this event is not known, or it is over"))

    def _engines(self) -> Iterator[Engine]:
        return (member.engine for link in self.links for member in link.client.members)

    # What the parts tell each other.

    def _on_schedule(self, schedule: Schedule, source: str) -> None:
        self._gateways[self._scopes[source]].take_schedule(schedule, source)

    def _on_failure(self, source: str) -> None:
        self._gateways[self._scopes[source]].excuse(source)

    def _on_lost(self, lost: Sequence[Lost]) -> None:
        self._tell.spawn(self._concede(lost))

    async def _concede(self, lost: Sequence[Lost]) -> None:
        """Tell those whose set-points gave way to others, of whatever utility."""
        engines = {source: member.engine for link in self.links for source, member in link.members}
        for each in lost:
            try:
                await engines[each.server].concede(
                    each.event,
                    frozenset({each.mode}),
                    by_server=each.server != each.to_server,
                    by_program=each.by_program,
                )
            except UnknownEventError:
                _log.info("event %s was gone before it gave way", each.event)

    def refuse(self, event: str, place: Place, why: str) -> None:
        """Tell who asked that what its event asks of devices is taken by none.

        Args:
            event: Its mRID.
            place: What of the devices it is about.
            why: In words.
        """
        self._tell.spawn(self._refuse(event, TAKEN_UP[place], why))

    async def _refuse(self, event: str, modes: frozenset[str], why: str) -> None:
        for engine in self._engines():
            with contextlib.suppress(UnknownEventError):  # another utility's, or a default control
                await engine.concede(event, modes, refused=why)

    def _on_baseline(self, event: str, power_w: float) -> None:
        self._tell.spawn(self._keep_baseline(event, power_w))

    async def _keep_baseline(self, event: str, power_w: float) -> None:
        for engine in self._engines():
            try:
                await engine.set_baseline(event, power_w)
            except UnknownEventError:
                continue
            return
        _log.info("event %s was gone before its baseline could be kept", event)

    async def resume(self, signal: Signal) -> None:
        """Count what an event had saved before this start, from the history of the meter."""
        known = signal.event in self._resumed or signal.baseline_w is None
        if known or signal.kind is not SignalKind.ENERGY or signal.baseline_w is None:
            return
        self._resumed.add(signal.event)
        now = self._house.clock.now()
        step_s = math.ceil((now - signal.starts_at) / RESUME_POINTS)
        try:
            found = await self._house.store.history.history(signal.starts_at, now, step_s)
        except (StoreError, ValueError) as error:
            self._tell.alarm(
                say(
                    "What {program} had saved before is not known: {error}",
                    program=signal.program,
                    error=error,
                )
            )
            return
        meters = {spec.id for spec in self._house.specs if spec.kind is DeviceKind.METER}
        powers = [w for each in found if each.device in meters for w in each.power_w]
        saved_w = sum(signal.baseline_w - w for w in powers if w is not None)
        self._gateways[signal.devices].resume(signal.event, saved_w * step_s / 3600.0)
        await self._tell.react()
