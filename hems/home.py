"""The home put together: who tells whom what. It decides nothing.

utilities -> Grid -> Cycle -> devices
              ^        |
           images -----+--> Recorder -> store; page
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from math import ceil
from typing import Final

from der.model import DeviceKind
from der.registry import Registry
from hems import wiring
from hems.abilities import KeptAbilities
from hems.alarm_history import AlarmHistory
from hems.alarms import Alarms
from hems.aside import Aside
from hems.bench.workbench import Workbench
from hems.cem.arbiter import Decision
from hems.cem.cycle import PAST_NET_S, Cycle
from hems.cem.effects import Effect as Written
from hems.changes import Changes
from hems.clock import Clock, is_known
from hems.emg.threats.rules import setpoints
from hems.emg.trust.trust import Trust
from hems.front import Front
from hems.grid import Grid, GridEvents
from hems.guarding.guarded import Guarded
from hems.housekeeping import Housekeeping
from hems.image import Image, ImageRing
from hems.link import House
from hems.means import Means
from hems.noting import Noting
from hems.participation.assembly import assembled
from hems.participation.participation import Surroundings
from hems.planning.economics import Economics, EconomicsEvents
from hems.push.kept import PushStore
from hems.recorder import Recorder
from hems.reserves.spare import spare
from hems.security.security import Security
from hems.security.trusting import Trusting
from hems.settings import agreements
from hems.settings.config import Config
from hems.store.store import Store
from hems.uses.use import UsesEvents
from hems.uses.uses import Uses
from hems.vitals.vitals import Vitals
from hems.watch import Watch
from hems.wishes import Wishes
from programs.capability import Spare
from programs.signal import Signal, SignalKind

_LEAST_IMAGES: Final = 120


class Home:
    """The running home; people see it by its `front`.

    Args:
        config: Its settings.
        clock: Where the time comes from.
        store: What it remembers.
        registry: Its devices.
        means: What it works with.

    Raises:
        CertificateError: A key or certificate of the utility section cannot be used.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        store: Store,
        registry: Registry,
        means: Means | None = None,
    ) -> None:
        means = means or Means()
        self._clock = clock
        self._store = store
        self._note = means.note
        self._decided = means.decided
        self._registry = registry
        specs = [device.spec for device in registry.devices.values()]
        self._ring = ImageRing(max(_LEAST_IMAGES, ceil(PAST_NET_S / config.home.cycle)))
        self._decision = Decision(clock.now())
        self._changes = Changes()
        self._first_image = asyncio.Event()
        self._started_at = round(clock.now())
        self.alarm_history = AlarmHistory(store.settings, clock)
        self.alarms = Alarms(clock, self._publish, self.alarm_history)
        self._aside = Aside(self.alarms.passing)
        self._recorder = Recorder(
            store.history,
            store.effects,
            lambda text: self.alarms.lasting("history", text),
            lambda: any(e.starts_at <= clock.now() < e.ends_at for e in self.grid.asked),
            clock,
        )
        store.before_reading(self._recorder.written)
        self._abilities = KeptAbilities(
            store.settings, specs, self._on_abilities, self.alarms.passing
        )
        self.trusting = Trusting(
            config,
            registry,
            store,
            clock,
            self.alarms,
            note=means.note,
            barrier=means.barrier,
            spawn=self._aside.spawn,
            changed=self._on_trust,
        )
        self.grid = Grid(
            House(
                config,
                specs,
                clock,
                store,
                self._started_at,
                wiring.feed(registry),
                means.chance,
                lambda: self.trusting.believed(self._abilities.present.options),
                means.note,
            ),
            GridEvents(
                self._on_signals,
                self._publish,
                self.alarms.passing,
                self._aside.spawn,
                self._react,
                self._spare,
            ),
        )
        self._guard = Guarded(
            wiring.descriptions(config),
            wiring.shared(config),
            config.store.path.with_suffix(".guard.json"),
        )
        self.wishes = Wishes(store.settings, specs, clock)
        self.economics = Economics(
            config,
            specs,
            store,
            self._ring,
            clock,
            tell=EconomicsEvents(
                self.grid.ahead,
                lambda: self.grid.told,
                lambda: self._cycle.allocation.memory,
                self.alarms.lasting,
                lambda: self._aside.spawn(self._react()),
                lambda slots: self.uses.promised(slots),  # noqa: PLW0108 - made below
                lambda: self.uses.promises(),  # noqa: PLW0108
                lambda slots: self.uses.spared(slots),  # noqa: PLW0108
            ),
            desk=means.desk,
            pace=means.pace,
        )
        self.uses = Uses(
            config,
            store,
            clock,
            UsesEvents(
                self.alarms.lasting,
                lambda: self.grid.clock_error_s,
                self.grid.signals,
                lambda: ((link.name, link.client.engine) for link in self.grid.links),
                self.grid.left,
                self._spare,
                lambda device, command: self._cycle.command(device, command),  # noqa: PLW0108
                lambda: self._aside.spawn(self._react()),
                record=lambda found: self.participation.record(found),  # noqa: PLW0108
                rooms=lambda: self._cycle.allocation.rooms,
                options=lambda: self._cycle.supporting.abilities.options,
                held=lambda device: self._cycle.supporting.held(device),  # noqa: PLW0108
                left_programmes=lambda: self.participation.left,
                highest_w=lambda: self.economics.highest_w,
                told=lambda: self.grid.told,
                baseline=lambda *of: self.participation.baseline(*of),  # noqa: PLW0108
                note=means.note,
            ),
        )
        self.uses.attach(registry.devices)
        self.participation = assembled(
            store,
            clock,
            agreements.terms(config),
            Surroundings(
                asked=lambda: self.grid.asked,
                bound=agreements.bound(config),
                choose=lambda event, leave: self.grid.choose(event, leave=leave),
                standings=lambda: self.uses.standings,
                spawn=self._aside.spawn,
                react=lambda: self._aside.spawn(self._react()),
                elsewhere=lambda: self.uses.recorded,
                departures=lambda at: self.economics.needs.departures(at),  # noqa: PLW0108
                islanded=lambda: self.uses.islanded,
                options=lambda: self._cycle.supporting.abilities.options,
            ),
            meter=next((s.id for s in specs if s.kind is DeviceKind.METER), None),
            zone=config.home.zone,
            signals=lambda: self.participation.told(self.grid.signals()),
            alarm=lambda text: self.alarms.lasting("performance", text),
        )
        policies = wiring.policies(config)
        still = wiring.still(policies)
        self._cycle = Cycle(
            registry.devices,
            self._ring,
            clock,
            self._signals,
            [self],
            policies=lambda: replace(
                self.uses.applied(
                    self.participation.applied(
                        self.economics.applied(still if self.bench.testing else policies)
                    )
                ),
                comfort=self.wishes.policy,
            ),
            allocator=wiring.allocator(config),
            period_s=config.home.cycle,
            sentry=means.sentry or self._guard,  # it starts nothing before it is told something
            abilities=self._abilities.present,
        )
        self.bench = Workbench(
            wiring.descriptions(config),
            registry,
            self._cycle,
            self._ring,
            clock,
            signals=self.grid.signals,
        )
        self.front = Front(
            grid=self.grid,
            cycle=self._cycle,
            wishes=self.wishes,
            participation=self.participation,
            economics=self.economics,
            alarms=self.alarms,
            store=store,
            changes=self._changes,
            present=lambda: (self._ring.present or Image(clock.now(), 0, {}), self._decision),
            react=self._react,
        )
        self.vitals = Vitals(
            clock,
            self.front,
            self._cycle,
            self.grid,
            self.economics,
            self.alarms,
            store,
            lambda: self._decision,
            means.watchdog_s,
        )
        self.security = Security(
            config,
            clock,
            self.alarm_history,
            self.uses.visibility,
            utilities=lambda: self.grid.utilities,
            offsets=lambda: self.grid.offsets,
            servers=lambda: self.grid.certificates,
            callers=self.bench.callers,
            pushed=PushStore(store.settings).subscriptions,
            time=means.time,
        )
        self._housekeeping = Housekeeping(
            store,
            clock,
            alarm=self.alarms.passing,
            report=self._report,
            refresh=self.refresh_certificates,
            damaged=lambda text: self.alarms.lasting("store pages", text),
            note=means.note,
        )
        self._last_seq = -1
        self._noting = Noting(self._recorder.note, self.grid.refuse)
        self._watch = Watch()
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Run until `stop` is called or cancelled; then give the devices back and write all down.

        Raises:
            PermanentError: The chargers' port is taken.
        """
        await self.trusting.load()
        await self._registry.start()
        for part in (
            self.alarm_history,
            self.wishes,
            self._abilities,
            self.economics,
            self.participation,
            self.uses,
        ):
            await part.load()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._aside.start()
                beside = [
                    tasks.create_task(each)
                    for each in (
                        self._recorder.run(),
                        self._serve(),
                        self._abilities.run(),
                        self._guard.run(),
                        self.economics.run(),
                        self.uses.run(),
                        self.participation.run(),
                        self.alarm_history.run(),
                        self._housekeeping.run(),
                        self.trusting.run(),
                    )
                ]
                await self._cycle.run()
                for task in beside:
                    task.cancel()
        finally:
            await self._aside.stop()
            await self._registry.stop()
            self._over.set()

    async def _serve(self) -> None:
        """Speak to the utilities, once it is known what the home can do for them."""
        await self._abilities.known()
        self.grid.learn()
        await self.grid.run()

    @property
    def trust(self) -> Trust:
        """The list of trusted devices."""
        return self.trusting.trust

    def _on_abilities(self) -> None:
        self.grid.learn()
        self._publish()

    def exclude(self, reason: str | None) -> None:
        """Take part in no programme that may be left, until further; control goes on.

        Args:
            reason: Why the hub cannot be relied on, one sentence for the owner; None once it can.
        """
        self.participation.exclude(reason or "")
        self.alarms.lasting("reliance", reason)

    def _on_trust(self) -> None:
        self.grid.learn()
        self._aside.spawn(self._react())  # others take over what it did

    def stop(self) -> None:
        """Make `run` end; in an event, devices keep what they were told until it lapses."""
        signals = self.grid.signals()
        quiet = signals is not None and not signals and not self.uses.parted
        self._cycle.stop(give_back=quiet)

    async def make_way(self, leaving: Collection[str]) -> None:
        """Make `run` end for a home that follows within this process; return when it has.

        Devices that stay keep what they were told, which the other home knows to be in force
        or tells them anew; those that leave are given back to their own control.

        Args:
            leaving: Ids of the devices that the other home does not have.
        """
        async with self.bench.given_back(leaving):
            self._cycle.stop(give_back=False)
            await self._over.wait()

    async def wait_first_cycle(self) -> None:
        """Return when the first control cycle is done."""
        await self._first_image.wait()

    def refresh_certificates(self) -> None:
        """Look at once whether certificates, roots or revocation lists have changed."""
        self.grid.refresh_certificates()
        self.uses.refresh_certificates()

    def _report(self) -> None:
        image = self._ring.present
        if image is not None:
            self.grid.report(image)

    # What the parts tell each other.

    def _on_signals(self) -> None:
        self._noting.asked(self.grid.present, self._clock.now())
        for signal in self.grid.present:
            if signal.kind is SignalKind.ENERGY and signal.starts_at < self._started_at:
                self._aside.spawn(self.grid.resume(signal))
        self._aside.spawn(self._react())  # at start and end the next cycle, or none, acts on it

    def _signals(self) -> Sequence[Signal] | None:
        """Return what is asked of the home, in the words of those parts that know more of it."""
        return self.uses.told(self.participation.told(self.grid.signals()))

    def _spare(self, image: Image) -> Spare:
        needs = self.economics.needs
        memory = self._cycle.allocation.memory
        return spare(image, needs.cars(image.at), needs.heats(), memory)

    async def _react(self) -> None:
        await self._cycle.react()
        self._publish()

    def on_image(self, image: Image, decision: Decision) -> None:
        """Take a new image and what was decided on it (`hems.cem.effects.Observer`)."""
        self._decision = decision
        if image.seq != self._last_seq:
            self._last_seq = image.seq
            self.grid.take_image(image)
            self._recorder.take_image(image)
            self._noting.seen(image)
            if is_known(self._clock):
                self.economics.take_image(image)
                self.participation.take_image(image)
            self.alarms.lasting("limits", self.participation.broken)
            self.uses.take_image(image)
            self._watch, alarms = self._watch.look(image, self._cycle.allocation.unmet_w)
            tested = f"device {self.bench.testing}"  # it is silent to the cycle, and well
            for source, message in alarms.items():
                self.alarms.lasting(source, None if source == tested else message)
        if not self._first_image.is_set():
            self._first_image.set()
            self._report()
        if self._cycle.decides:
            self._decided()
        self._publish()

    def on_effect(self, effect: Written) -> None:
        """Take the outcome of a write (`hems.cem.effects.Observer`)."""
        self._noting.written(effect)
        if effect.error is None and not effect.refresh and not effect.support:
            self._note(setpoints.told(effect.device, effect.setpoint_w, effect.source))

    @property
    def device_ids(self) -> Collection[str]:
        """The ids of its devices."""
        return self._registry.devices.keys()

    @property
    def changed(self) -> asyncio.Event:
        """Set when the present state is no longer what `snapshot` says now."""
        return self._changes.next

    @property
    def began(self) -> bool:
        """Whether its first control cycle is done."""
        return self._first_image.is_set()

    def _publish(self) -> None:
        self._changes.note()
