"""The home put together: who tells whom what. It decides nothing.

utility -> Client -> Gateway -> Cycle -> devices
             |          ^        |
          Ledger     images -----+--> Recorder -> store; page; Telemetry -> utility
"""

import asyncio
import logging
import math
import random
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any, Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from certs.revocation import REFRESH_S, RevocationWatch
from certs.tls import client_context, server_context
from der.model import DeviceKind
from der.registry import Registry
from hems import views, wiring
from hems.alarms import Alarms
from hems.aside import Aside
from hems.cem.arbiter import Decision
from hems.cem.cycle import Cycle
from hems.cem.effects import Effect as Written
from hems.clock import Clock
from hems.config import Config, UtilitySection
from hems.emg import der_report
from hems.emg.gateway import Gateway
from hems.emg.telemetry import Telemetry
from hems.image import Image, ImageRing
from hems.recorder import Recorder
from hems.sep2.client import Client
from hems.sep2.der import DerReport
from hems.sep2.dialect import Dialect
from hems.sep2.engine import EventState
from hems.sep2.errors import BindingError, UnknownEventError
from hems.sep2.events import Schedule
from hems.sep2.http import Transport
from hems.store.effects import Effect
from hems.store.errors import StoreError
from hems.store.history import DeviceSeries
from hems.store.store import Store
from hems.surface import (
    BindingEventError,
    EventView,
    Series,
    Snapshot,
    SurfaceError,
    UtilityView,
)
from hems.surface import UnknownEventError as UnknownEvent
from hems.watch import Watch
from programs.proposal import HOME
from programs.signal import Signal, SignalKind

_log = logging.getLogger(__name__)

DER_REPORT_S: Final = 60
PRUNE_HOURS: Final = 6
SAMPLES_KEPT_S: Final = 7 * 86400.0
MINUTES_KEPT_S: Final = 10 * 366 * 86400.0
CLIENT_RESTART_S: Final = 10.0
RESUME_POINTS: Final = 10_000
"""Of a past event's meter readings at most so many, so that a day's event is summed up fast."""


class Home:
    """The running home; implements `hems.surface.HomeSurface`.

    Args:
        config: Its settings.
        clock: Where the time comes from.
        store: What it remembers.
        registry: Its devices.

    Raises:
        CertificateError: A key or certificate of the utility section cannot be used.
    """

    def __init__(self, config: Config, clock: Clock, store: Store, registry: Registry) -> None:
        self._clock = clock
        self._store = store
        self._registry = registry
        self._specs = [device.spec for device in registry.devices.values()]
        self._ratings = wiring.ratings(self._specs)
        self._ring = ImageRing()
        self._decision = Decision(clock.now())
        self._changed = asyncio.Event()
        self._first_image = asyncio.Event()
        self._started_at = round(clock.now())
        self.alarms = Alarms(clock, self._publish)
        self._aside = Aside(self.alarms.passing)
        self._recorder = Recorder(
            store.history, store.effects, lambda text: self.alarms.lasting("history", text)
        )
        self._gateway = Gateway(self._ratings, clock, self._on_signals, self._on_baseline)
        policies = wiring.policies(config)
        self._cycle = Cycle(
            registry.devices,
            self._ring,
            clock,
            self._signals,
            [self],
            policies=lambda: policies,
            allocator=wiring.allocator(config),
            period_s=config.home.cycle,
        )
        self._client: Client | None = None
        self._client_failed = False
        self._revocation: RevocationWatch | None = None
        self._telemetry: Telemetry | None = None
        self._lfdi = ""
        self._dialect = Dialect.CSIP_AUS
        self._last_seq = -1
        self._watch = Watch()
        self._resumed: set[str] = set()
        if config.utility is not None:
            self._join(config.utility)

    def _join(self, utility: UtilitySection) -> None:
        self._lfdi = wiring.own_lfdi(utility)
        identity, trust = wiring.identity_files(utility)
        self._revocation = watch = RevocationWatch(trust.crls)
        client_context(identity, trust)  # says now, and not at the first contact, what is wrong
        settings = wiring.client_settings(utility, self._lfdi)
        self._dialect = dialect = wiring.dialect(utility)
        self._client = Client(
            settings,
            lambda base: Transport(
                base,
                watch.cover(client_context(identity, trust)),
                schema_ver=dialect.schema_ver,
            ),
            self._store.ledger,
            self._clock,
            random.SystemRandom(),
            listen_context=watch.cover(server_context(identity, trust)),
            on_schedule=self._on_schedule,
            on_state=lambda _state: self._publish(),
            alarm=self.alarms.passing,
        )
        interval_s = round(utility.mirror_interval)
        self._telemetry = Telemetry(self._lfdi, interval_s, self._client.add_sample)

    async def run(self) -> None:
        """Run until `stop` is called or cancelled; then give the devices back and write all down.

        Raises:
            PermanentError: The chargers' port is taken.
        """
        await self._registry.start()
        housekeeping = self._housekeeping()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._aside.start()
                recording = tasks.create_task(self._recorder.run())
                serving = tasks.create_task(self._keep_client())
                await self._cycle.run()
                for task in (serving, recording):
                    task.cancel()
        finally:
            await self._aside.stop()
            housekeeping.shutdown(wait=False)
            await self._registry.stop()

    def stop(self) -> None:
        """Make `run` end; in an event, devices keep what they were told until it lapses."""
        signals = self._signals()
        self._cycle.stop(give_back=signals is not None and not signals)

    async def wait_first_cycle(self) -> None:
        """Return when the first control cycle is done."""
        await self._first_image.wait()

    async def _keep_client(self) -> None:
        if self._client is None:
            return
        while True:
            try:
                await self._client.run()
            except Exception:  # noqa: BLE001 - see below
                # A fault in the protocol's part must not take the control cycle with it, whatever
                # it is: events in force go on, and the client begins anew from the ledger.
                _log.exception("the link to the utility failed; it starts anew")
                self._client_failed = True
                self.alarms.passing("The link to the utility failed and starts anew")
            await asyncio.sleep(CLIENT_RESTART_S)

    def _housekeeping(self) -> AsyncIOScheduler:
        scheduler = AsyncIOScheduler(timezone="UTC")
        scheduler.add_job(self._prune, "interval", hours=PRUNE_HOURS)
        scheduler.add_job(self._report_der, "interval", seconds=DER_REPORT_S)
        if self._revocation is not None:
            scheduler.add_job(self._follow_revocations, "interval", seconds=REFRESH_S)
        scheduler.start()
        return scheduler

    async def _follow_revocations(self) -> None:
        """Read renewed lists on the loop, on which the TLS connections are: nothing is locked."""
        if self._revocation is not None:
            self._revocation.refresh()

    async def _prune(self) -> None:
        now = self._clock.now()
        try:
            await self._store.history.prune(
                now - SAMPLES_KEPT_S, minutes_before=now - MINUTES_KEPT_S
            )
            await self._store.ledger.purge()
            await self._store.effects.purge(now - MINUTES_KEPT_S)
        except StoreError as error:
            self.alarms.passing(f"Old records could not be cleared: {error}")

    async def _report_der(self) -> None:
        image = self._ring.present
        if self._client is None or image is None:
            return
        offset_s = self._client.engine.offset_s
        self._client.publish_der(
            DerReport(
                capability=der_report.capability(self._specs, self._dialect),
                settings=der_report.settings(self._specs, self._started_at, self._dialect),
                status=der_report.status(image, offset_s),
                availability=der_report.availability(image, offset_s),
            )
        )

    # What the parts tell each other.

    def _signals(self) -> Sequence[Signal] | None:
        """Return what the grid asks now; None after a start until the ledger has told it.

        Without a utility nothing is asked, and a client that fails before it has read the ledger
        must not keep the home uncontrolled.
        """
        known = self._client is None or self._client_failed or self._gateway.known
        return self._gateway.signals if known else None

    def _on_schedule(self, schedule: Schedule) -> None:
        self._gateway.take_schedule(schedule)

    def _on_signals(self) -> None:
        now = self._clock.now()
        for signal in self._gateway.signals:
            self._recorder.note(
                Effect(signal.event, signal.kind.value, HOME, value=signal.value, received_at=now)
            )
            if signal.kind is SignalKind.ENERGY and signal.starts_at < self._started_at:
                self._spawn(self._resume(signal))
        self._spawn(self._react())

    async def _resume(self, signal: Signal) -> None:
        """Count what an event had saved before this start, from the history of the meter."""
        if signal.event in self._resumed or signal.baseline_w is None:
            return
        self._resumed.add(signal.event)
        now = self._clock.now()
        step_s = math.ceil((now - signal.starts_at) / RESUME_POINTS)
        try:
            found = await self._store.history.history(signal.starts_at, now, step_s)
        except (StoreError, ValueError) as error:
            self.alarms.passing(f"What {signal.program} had saved before is not known: {error}")
            return
        meters = {spec.id for spec in self._specs if spec.kind is DeviceKind.METER}
        powers = [w for each in found if each.device in meters for w in each.power_w]
        saved_w = sum(signal.baseline_w - w for w in powers if w is not None)
        self._gateway.resume(signal.event, saved_w * step_s / 3600.0)
        await self._react()

    def _on_baseline(self, event: str, power_w: float) -> None:
        self._spawn(self._keep_baseline(event, power_w))

    async def _keep_baseline(self, event: str, power_w: float) -> None:
        if self._client is None:
            return
        try:
            await self._client.engine.set_baseline(event, power_w)
        except UnknownEventError:
            _log.info("event %s was gone before its baseline could be kept", event)

    async def _react(self) -> None:
        await self._cycle.react()
        self._publish()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._aside.spawn(work)  # at start and end the next cycle, or none, acts on it

    def on_image(self, image: Image, decision: Decision) -> None:
        """Take a new image and what was decided on it (`hems.cem.effects.Observer`)."""
        self._decision = decision
        if image.seq != self._last_seq:
            self._last_seq = image.seq
            self._gateway.take_image(image)
            self._recorder.take_image(image)
            self._watch, alarms = self._watch.look(image, self._cycle.allocation.unmet_w)
            for source, message in alarms.items():
                self.alarms.lasting(source, message)
            if self._telemetry is not None:
                self._telemetry.take_image(image)
        if not self._first_image.is_set():
            self._first_image.set()
            self._spawn(self._report_der())
        self._publish()

    def on_effect(self, effect: Written) -> None:
        """Take the outcome of a write (`hems.cem.effects.Observer`)."""
        if effect.event and not effect.refresh:
            self._recorder.note(
                Effect(
                    event=effect.event,
                    mode=effect.source,
                    device=effect.device,
                    setpoint_w=effect.setpoint_w,
                    decided_at=effect.decided_at,
                    written_at=effect.written_at,
                    reason=effect.error,
                )
            )

    # What the page and the command line may see and ask.

    def snapshot(self) -> Snapshot:
        """Return the present state; cheap, no I/O."""
        image = self._ring.present or Image(self._clock.now(), 0, {})
        return views.snapshot(
            image,
            self._decision,
            self._cycle.allocation.orders,
            events=self._events(image),
            utility=self._utility(),
            alarms=self.alarms.messages,
            refusals=self._cycle.refusals,
        )

    def _events(self, image: Image) -> Sequence[EventView]:
        states: Sequence[EventState] = () if self._client is None else self._client.engine.events
        devices = tuple(image.devices.values())
        return [views.event(state, self._ratings, devices) for state in states]

    def _utility(self) -> UtilityView:
        if self._client is None:
            return views.NO_UTILITY
        return views.utility(self._client.state, self._lfdi)

    async def changes(self) -> AsyncIterator[Snapshot]:
        """Yield the present state, then each new one; slow readers skip, never queue."""
        while True:
            changed = self._changed
            yield self.snapshot()
            await changed.wait()

    def _publish(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def opt_out(self, event: str) -> None:
        """Leave an event."""
        await self._choose(event, leave=True)

    async def opt_in(self, event: str) -> None:
        """Take part again in an event that was left."""
        await self._choose(event, leave=False)

    async def _choose(self, event: str, *, leave: bool) -> None:
        if self._client is None:
            raise UnknownEvent("no utility is configured, so there are no events")
        engine = self._client.engine
        try:
            await (engine.opt_out(event) if leave else engine.opt_in(event))
        except UnknownEventError as error:
            raise UnknownEvent("this event is not known, or it is over") from error
        except BindingError as error:
            raise BindingEventError("this programme does not allow leaving its events") from error
        self._publish()

    async def history(self, start: float, end: float, step_s: int) -> Sequence[Series]:
        """Return every device's measurements in [start, end), UTC epoch seconds."""
        try:
            found = await self._store.history.history(start, end, step_s)
        except StoreError as error:
            raise SurfaceError(f"the history cannot be read: {error}") from error
        return [_series(each) for each in found]


def _series(found: DeviceSeries) -> Series:
    return Series(found.device, found.at, found.power_w, found.soc)
