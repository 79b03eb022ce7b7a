"""The control cycle: read all devices, decide once on one image, write what changed.

A fault in the program (any exception that is no `DeviceError` and no `ObserverError`) ends
`Cycle.run`, on purpose: a controller that no longer knows what it does must not go on. The
service manager starts it again, and until then every set-point lapses to its device's own safe
state while restrictions of a running event hold to the event's end.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Final

from der.commands import Command
from der.model import Safeguard
from der.service import A, Device, Handle
from der.steps import StepWatch
from hems.cem.abilities import Abilities
from hems.cem.allocator import allocate
from hems.cem.arbiter import Decision, arbitrate
from hems.cem.effects import Effect, Observer
from hems.cem.errors import ObserverError
from hems.cem.frozen import Frozen
from hems.cem.island import as_decided_on
from hems.cem.memory import Memory
from hems.cem.orders import FREE, Allocation
from hems.cem.policy import AllocatorPolicy
from hems.cem.refusals import Refusals
from hems.cem.sentry import NO_SENTRY, Sentry
from hems.cem.station import Station, Written
from hems.cem.support_lane import Supported
from hems.cem.supporting import SupportEvents, Supporting
from hems.cem.supports import Yielded
from hems.cem.warmth import uncomfortable
from hems.clock import Clock
from hems.correlation import correlated
from hems.image import Image, ImageRing
from hems.metrics.metric import FAST_S
from hems.metrics.spread import Spread
from programs.inputs import Inputs
from programs.registry import Policies, propose_all, propose_support
from programs.signal import Signal
from programs.support import in_words

_log = logging.getLogger(__name__)

_READ_SHARE: Final = 0.15
"""Share of the period that a cycle waits for readings; the rest comes into the next image. It is
also by how much a device that falls silent delays the others, once."""
_FIRST_READ_S: Final = 2.0
"""The first image waits longer: deciding without a meter that is only just opening sheds loads."""
PAST_NET_S: Final = 120.0
"""So much of the net power's past the programmes decide on."""
_FRESH_PERIODS: Final = 2.0
"""An image older than this many periods is not reacted on."""


class Cycle:
    """Runs the home.

    Args:
        devices: By device id, in the order in which they are shown.
        ring: Where each new image is swapped in.
        clock: Where the time comes from.
        signals: Returns what the grid asks now, None while that is not known yet: then nothing is
            decided, and what devices hold from before a restart stands. Called for each
            decision, must return at once.
        observers: Who is told of images and effects.
        policies: Returns the programmes' policies; called for each decision.
        allocator: The allocator's figures.
        period_s: Time from one cycle to the next, in s.
        sentry: Who ends the set-points of devices that cannot do so themselves.
        abilities: What devices can do, as they said before and are asked again.

    Attributes:
        took: How long cycles take, writes not waited for, s.
    """

    def __init__(
        self,
        devices: Mapping[str, Device],
        ring: ImageRing,
        clock: Clock,
        signals: Callable[[], Sequence[Signal] | None],
        observers: Sequence[Observer] = (),
        *,
        policies: Callable[[], Policies] = Policies,
        allocator: AllocatorPolicy | None = None,
        period_s: float = 1.0,
        sentry: Sentry = NO_SENTRY,
        abilities: Abilities | None = None,
    ) -> None:
        self._ring = ring
        self._clock = clock
        self._signals = signals
        self._observers = tuple(observers)
        self._policies = policies
        self._allocator = allocator or AllocatorPolicy()
        self._period_s = period_s
        self._supporting = Supporting(
            clock, abilities or Abilities(), SupportEvents(self._follow_clock, self._on_supported)
        )
        self._stations = {
            name: Station(
                device,
                clock,
                self._on_reopened,
                self._on_written,
                sentry,
                lane=self._supporting.lane(name),
            )
            for name, device in devices.items()
        }
        self._steps = StepWatch(clock.now, clock.monotonic)
        self._memory = Memory()
        self._frozen = Frozen()
        self._allocation = Allocation({}, self._memory)
        self._refusals = Refusals()
        self._seq = 0
        self._swapped_at: float | None = None
        self._turned_at = self._decided_at = clock.monotonic()
        self._overruns = 0
        self.took = Spread(FAST_S)
        self._decides = False
        self._stop = asyncio.Event()
        self._give_back = True
        self._tasks: asyncio.TaskGroup | None = None

    @property
    def allocation(self) -> Allocation:
        """What the devices were last told, with whose word it is and why."""
        return self._allocation

    @property
    def refusals(self) -> Mapping[str, str]:
        """Why devices do not take what they are told, in words, by device id."""
        return {**self._supporting.refusals, **self._refusals.words}

    @property
    def functions(self) -> Mapping[str, Sequence[str]]:
        """What each device runs or holds for the grid, by id, one sentence each."""
        return self._supporting.sentences

    @property
    def supporting(self) -> Supporting:
        """What devices can do for the grid, and do."""
        return self._supporting

    @property
    def yielded(self) -> Sequence[Yielded]:
        """What is asked of devices for the grid, and gave way to other such wishes."""
        return self._supporting.yielded

    @property
    def safeguards(self) -> Mapping[str, Safeguard]:
        """What becomes of each device when the hub falls silent, by id, as far as it is known."""
        return {n: found for n, s in self._named() if (found := s.safeguard) is not None}

    @property
    def overruns(self) -> int:
        """How many cycles were left out because the one before took too long."""
        return self._overruns

    @property
    def decides(self) -> bool:
        """Whether the last decision was one: not while it is unknown what the grid asks."""
        return self._decides

    @property
    def idle_s(self) -> float:
        """Since the last complete image, or since this was made; by no clock that can be set, s."""
        return self._clock.monotonic() - self._turned_at

    @property
    def undecided_s(self) -> float:
        """Since the last decision that was one, or since this was made; likewise, s."""
        return self._clock.monotonic() - self._decided_at

    def handle(self, device: str) -> Handle | None:
        """Return the handle on a device, for what changes nothing; None while it is not open.

        Raises:
            KeyError: No such device.
        """
        return self._stations[device].handle

    async def command(self, device: str, command: Command[A]) -> A:
        """Have a device carry out a command that is no set-point, such as opening the tie.

        For parts that alone may give it: who else tells the device what to do is not asked.

        Args:
            device: Its id.
            command: What to do.

        Raises:
            KeyError: No such device.
            DeviceError: It is not connected, is lent, does not know the command, or did not
                confirm.
        """
        return await self._stations[device].command(command)

    def lend(self, device: str) -> AbstractAsyncContextManager[Handle]:
        """Lend a device's handle, such as for a test move.

        While the context lasts the cycle neither polls nor writes the device, and decides as if
        it was lost; afterwards it tells the device anew what it is to do.

        Args:
            device: Its id.

        Raises:
            KeyError: No such device.
            RejectedError: On entering, if it is not connected or is lent already.
        """
        return self._stations[device].lend()

    @asynccontextmanager
    async def given_back(self, device: str) -> AsyncIterator[None]:
        """Give a device back to its own control, its switch closed, and leave it so meanwhile.

        Args:
            device: Its id.

        Raises:
            KeyError: No such device.
            DeviceError: On entering, if it is not connected, is lent, or does not confirm.
        """
        station = self._stations[device]
        async with station.lend():
            await station.give_back()
            yield

    def stop(self, *, give_back: bool = True) -> None:
        """Make `run` end after the present cycle.

        Args:
            give_back: Whether devices are handed back to their own control; if not, what they
                were told holds until it lapses (a restart within an event).
        """
        self._give_back = give_back
        self._stop.set()

    async def run(self) -> None:
        """Run until stopped or cancelled; then give the devices back and close them."""
        faultless = False
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                try:
                    await self._tick_until_stopped(tasks)
                finally:
                    self._tasks = None
                    for station in self._stations.values():
                        station.abandon()
            faultless = True
        except asyncio.CancelledError:
            faultless = True
            raise
        finally:
            give_back = faultless and self._give_back
            await asyncio.gather(
                *(
                    s.release(
                        give_back=give_back and self._told(n),
                        held=self._supporting.held(n) if give_back else (),
                    )
                    for n, s in self._named()
                )
            )

    async def react(self) -> bool:
        """Decide and write at once on the last complete image; return when it is written.

        For an event that was accepted, cancelled or left, and for the owner's touch.

        Returns:
            False where there is no fresh image to decide on: the next cycle will.
        """
        self._follow_clock()
        image, swapped_at, tasks = self._ring.present, self._swapped_at, self._tasks
        if image is None or swapped_at is None or tasks is None:
            return False
        if self._clock.monotonic() - swapped_at >= _FRESH_PERIODS * self._period_s:
            return False
        writes, decision = self._decide(image, tasks)
        await asyncio.sleep(0)  # the writes go out before anyone is told of them
        self._tell_image(image, decision)
        if writes:
            await asyncio.wait(writes)
        return True

    async def _tick_until_stopped(self, tasks: asyncio.TaskGroup) -> None:
        due = self._clock.monotonic()
        read_s = _FIRST_READ_S
        while not self._stop.is_set():
            begun = self._clock.monotonic()
            await self._tick(tasks, read_s)
            self.took.add(self._clock.monotonic() - begun)
            if read_s == _FIRST_READ_S:  # it may last longer than a cycle
                due = max(due, self._clock.monotonic() - self._period_s)
            read_s = _READ_SHARE * self._period_s
            due += self._period_s
            late_s = self._clock.monotonic() - due
            if late_s > 0:
                missed = int(late_s // self._period_s) + 1
                due += (missed - 1) * self._period_s
                self._note_overrun(missed, late_s)
            try:
                async with asyncio.timeout(max(due - self._clock.monotonic(), 0.0)):
                    await self._stop.wait()
            except TimeoutError:
                continue

    async def _tick(self, tasks: asyncio.TaskGroup, read_s: float) -> None:
        # A device that failed last time is read too, but nobody waits for it.
        waited_for: list[asyncio.Task[None]] = []
        for station in self._stations.values():
            prompt, poll = station.prompt, station.poll(tasks)
            if prompt and poll is not None:
                waited_for.append(poll)
        if waited_for:
            await asyncio.wait(waited_for, timeout=read_s)
        self._follow_clock()
        now = self._clock.now()
        self._seq += 1
        states = {n: s.state(self._memory.setpoint(n, now)) for n, s in self._named()}
        image = self._judged(Image(now, self._seq, states))
        self._ring.swap(image)
        self._supporting.take_image(image)
        self._swapped_at = self._turned_at = self._clock.monotonic()
        with correlated(f"cycle-{self._seq}"):
            _, decision = self._decide(image, tasks)
            await asyncio.sleep(0)  # the writes go out before anyone is told of them
            self._tell_image(image, decision)

    def _judged(self, image: Image) -> Image:
        """Return an image as it is to be believed, and note what is uncomfortable in it."""
        policy = self._allocator
        microgrid = self._policies().microgrid
        self._frozen = self._frozen.look(as_decided_on(image, microgrid), self._memory, policy)
        image = self._frozen.without(image, policy)
        out = uncomfortable(image, self._memory.uncomfortable, policy.comfort_band_c)
        self._memory = replace(self._memory, uncomfortable=out)
        return image

    def _decide(
        self, image: Image, tasks: asyncio.TaskGroup
    ) -> tuple[list[asyncio.Task[None]], Decision]:
        """Decide on an image and start the writes.

        Without an await, so a cycle and a reaction never interleave; no lock is needed.
        """
        now = self._clock.now()
        policies = self._policies()
        signals = policies.microgrid.heard(self._signals())
        self._decides = signals is not None
        if signals is None:
            return [], Decision(now)
        self._decided_at = self._clock.monotonic()
        image = as_decided_on(image, policies.microgrid)
        devices = {
            name: replace(state, setpoint=self._memory.setpoint(name, now))
            for name, state in image.devices.items()
        }
        inputs = Inputs(
            signals,
            devices,
            image.net_w,
            now,
            self._memory.uncomfortable,
            past_net=self._ring.past_net(now - PAST_NET_S),
            options=self._supporting.abilities.options,
            sensed=self._supporting.sensed,
        )
        decision = arbitrate(propose_all(inputs, policies), now)
        usable = self._refusals.without(image, self._clock.monotonic())
        allocation = allocate(usable, decision, now, self._memory, self._allocator)
        self._allocation, self._memory = allocation, allocation.memory
        self._refusals.settle(allocation.orders, self._clock.monotonic())
        writes = [
            write
            for name, order in allocation.orders.items()
            if order.write and (write := self._stations[name].submit(order, now, tasks)) is not None
        ]
        self._supporting.decide(propose_support(inputs, policies), self._stations, now, tasks)
        return writes, decision

    def _follow_clock(self) -> None:
        """Move all remembered times along where somebody has set the clock."""
        step_s = self._steps.step_s()
        if step_s:
            _log.warning("the clock was set by %+.1f s; what is remembered moves with it", step_s)
            self._memory = self._memory.shifted(step_s)
            self._frozen = self._frozen.shifted(step_s)
            self._supporting.shift(step_s)
            self._swapped_at = None  # an image dated by the old clock is not reacted on

    def _on_reopened(self, device: str) -> None:
        self._memory = self._memory.doubted(device)
        self._supporting.doubt(device)

    def _on_supported(self, told: Supported) -> None:
        due, specs = told.due, [station.spec for _, station in self._named()]
        refused = told.error is not None and self._supporting.nobody_takes(due, specs)
        self._tell_effect(
            Effect(
                event=due.cause,
                source=due.source or FREE,
                device=due.device,
                decided_at=told.decided_at,
                written_at=told.at if told.error is None else None,
                setpoint_w=None,
                error=told.error,
                refresh=due.refresh,
                support="ended" if due.what is None else in_words(due.what),
                refused=due.place if refused else None,
            )
        )

    def _on_written(self, written: Written) -> None:
        self._follow_clock()  # or the moment of this write would be moved along later
        order, device = written.order, written.device
        if written.error is None:
            self._memory = self._memory.confirmed(
                device, order.setpoint, written.at, disconnected=order.disconnect
            )
            if not order.refresh:
                self._refusals.taken(device)
        elif self._refusals.refused(device, written.error, self._clock.monotonic()):
            return
        self._tell_effect(
            Effect(
                event=order.cause,
                source=order.source,
                device=device,
                decided_at=written.decided_at,
                written_at=written.at if written.error is None else None,
                setpoint_w=None if order.setpoint is None else order.setpoint.power_w,
                error=written.error,
                refresh=order.refresh,
            )
        )

    def _tell_effect(self, effect: Effect) -> None:
        for observer in self._observers:
            try:
                observer.on_effect(effect)
            except ObserverError as error:
                _log.warning("an effect on %s was not recorded: %s", effect.device, error)

    def _tell_image(self, image: Image, decision: Decision) -> None:
        for observer in self._observers:
            try:
                observer.on_image(image, decision)
            except ObserverError as error:
                _log.warning("image %d was not recorded: %s", image.seq, error)

    def _note_overrun(self, missed: int, late_s: float) -> None:
        if not self._overruns:
            _log.warning("a control cycle ended %.3f s late; further ones are counted", late_s)
        self._overruns += missed

    def _told(self, device: str) -> bool:
        """Return whether a device holds a set-point, confirmed or on its way."""
        given, order = self._memory.given.get(device), self._allocation.orders.get(device)
        return any(each is not None and each.setpoint is not None for each in (given, order))

    def _named(self) -> Sequence[tuple[str, Station]]:
        return tuple(self._stations.items())
