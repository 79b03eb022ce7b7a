"""Keeps the records: follows each event with the images, hands on what was delivered.

A record is written when its event is over, and once more an hour later, when the rebound is known.
What is being measured is kept each minute, so that a restart costs the time of the restart alone.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from pydantic import TypeAdapter, ValidationError

from der.commands import DeviceOptions
from der.model import Quality
from der.sentence import say
from der.steps import StepWatch
from hems.clock import Clock
from hems.image import Image
from hems.participation import bounds
from hems.participation.asked import Asked
from hems.participation.ledger import Ledger
from hems.participation.measure import Measurement, Sample, Task, record, shifted, take
from hems.participation.past import Past
from hems.store.errors import StoreError
from hems.store.settings import Settings
from programs.performance import Performance
from programs.registry import BY_KIND
from programs.signal import Signal, SignalKind

_log = logging.getLogger(__name__)

KEEP_EVERY_S: Final = 60.0
_NAME: Final = "performance"
"""Name in the settings under which the measurements are kept."""
_KEPT: Final = TypeAdapter(tuple[Measurement, ...])
UNMET_FOR_S: Final = 10.0
"""Devices may take this long to follow; what is missed for longer is said."""
UNMET_W: Final = 100.0
"""A limit that is missed by less is being kept, as far as anyone can see."""
_Key = tuple[str, str, SignalKind]


class Keeper:
    """Follows events and keeps what was delivered.

    Args:
        ledger: Where records go.
        settings: Where measurements are kept over a restart.
        clock: Where the time comes from; what is remembered in UTC moves along when it is set.
        asked: Returns the events of all utilities.
        signals: Returns what is asked now; None while that is not known yet.
        alarm: Told in one sentence when writing fails, and None when it works again.
        left: Returns the ids of the programmes in which the home takes no part.
        elsewhere: Returns the mRIDs of events whose records another part makes.
        late: Returns whether a deadline that somebody set was missed and is not made up for.
        islanded: Returns whether the home is parted from its grid: what is asked of it has no
            meaning then, but that it part.
        options: Returns what devices say that they can do, by id.
    """

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        clock: Clock,
        *,
        asked: Callable[[], Sequence[Asked]],
        signals: Callable[[], Sequence[Signal] | None],
        alarm: Callable[[str | None], None],
        left: Callable[[], frozenset[str]],
        elsewhere: Callable[[], Collection[str]],
        late: Callable[[Image], bool],
        islanded: Callable[[], bool] = lambda: False,
        options: Callable[[], Mapping[str, DeviceOptions]] = dict,
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._clock = clock
        self._asked = asked
        self._signals = signals
        self._alarm = alarm
        self._left = left
        self._elsewhere = elsewhere
        self._late = late
        self._islanded = islanded
        self._options = options
        self._uneasy = False
        self._steps = StepWatch(clock.now, clock.monotonic)
        self._past = Past()
        self._known: dict[_Key, Measurement] = {}
        self._unmet: dict[_Key, tuple[float, float | None]] = {}
        self._owed: list[Performance] = []
        self._kept = "[]"
        self._wake = asyncio.Event()

    async def load(self) -> None:
        """Take up what was being measured before a restart."""
        try:
            self._kept = (await self._settings.all()).get(_NAME, "[]")
            kept = _KEPT.validate_json(self._kept)
        except StoreError as error:
            self._alarm(
                say("What events delivered before the restart is not known: {error}", error=error)
            )
            return
        except ValidationError as error:
            _log.warning("measurements of before the restart cannot be read: %.200s", error)
            return
        for each in kept:
            self._known.setdefault(_key(each.task), replace(each, at=None))

    async def run(self) -> None:
        """Write records, and keep what is being measured, until cancelled."""
        try:
            while True:
                await self.flush()
                self._wake.clear()
                try:
                    async with asyncio.timeout(KEEP_EVERY_S):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            await self.flush()

    def take_image(self, image: Image) -> None:
        """Take each event further; no I/O."""
        self._follow_clock()
        before = self._past.at
        self._past.take(image.at, image.net_w)
        self._uneasy = self._late(image) or _uncomfortable(image)
        told = self._signals()
        if told is None:
            return
        signals = {(s.event, s.kind): s for s in told if math.isfinite(s.ends_at)}
        left, elsewhere = self._left(), self._elsewhere()
        for asked in self._asked():
            for kind, value in asked.asks:
                if kind in BY_KIND:
                    signal = signals.get((asked.event, kind))
                    shut = signal is None and not asked.binding and BY_KIND[kind].id in left
                    mine = replace(asked, opted_out=True) if shut else asked
                    self._follow(mine, (kind, value), signal, image, before)
        for key, known in self._known.items():
            if known.task.event in elsewhere and not known.elsewhere:
                self._known[key] = replace(known, elsewhere=True)
        self._close(image)

    def put(self, performance: Performance) -> None:
        """Take in a record that somebody else has made."""
        self._owed.append(performance)
        self._wake.set()

    def standing(self, kinds: Collection[SignalKind]) -> Sequence[str]:
        """Return whose default controls ask something of these kinds now."""
        told = self._signals() or ()
        return sorted({s.program for s in told if math.isinf(s.ends_at) and s.kind in kinds})

    def of_event(self, event: str) -> Sequence[Measurement]:
        """Return what is known of an event so far."""
        return [m for m in self._known.values() if m.task.event == event]

    def unmet(self, event: str) -> str:
        """Return in one sentence that an event is not met now; empty if it is, or nobody knows."""
        for (mrid, _, kind), (since, outside) in self._unmet.items():
            lasted_s = (self._past.at or since) - since
            if mrid != event or lasted_s < UNMET_FOR_S:
                continue
            if outside is None:
                return say("It does not count for now: another order holds in its place.")
            amount = bounds.amount(outside, kind)
            return say(
                "Not met for {lasted:.0f} s: the home is {amount} away from what is asked.",
                lasted=lasted_s,
                amount=amount,
            )
        return ""

    @property
    def broken(self) -> str | None:
        """Who asks for a limit inside the home that it does not keep, one sentence; None if all do.

        Without a figure, so that it is said once and not anew with each image.
        """
        now = self._past.at
        names = {
            self._known[key].task.asked_by
            for key, (since, outside) in self._unmet.items()
            if key[2] in bounds.INSIDE and now is not None and now - since >= UNMET_FOR_S
            if outside is not None and outside > UNMET_W and key in self._known
        }
        if not names:
            return None
        return say(
            "The home cannot keep within what {names} allows it", names=", ".join(sorted(names))
        )

    def _note_unmet(self, key: _Key, sample: Sample, *, waits: bool) -> None:
        """Keep since when an event is not met, and by how much; None where it has to wait."""
        if not sample.left and (sample.outside or waits):
            since, _ = self._unmet.get(key, (sample.at, None))
            self._unmet[key] = (since, sample.outside)
        else:
            self._unmet.pop(key, None)

    async def flush(self) -> None:
        """Write down what is owed, and what is being measured."""
        try:
            await self._write_records()
            body = _KEPT.dump_json(tuple(self._known.values())).decode()
            if body != self._kept:  # a disk is not written to for nothing
                await self._settings.put(_NAME, body)
                self._kept = body
            await self._ledger.settle(self._clock.now())
        except StoreError as error:
            self._alarm(say("What events delivered is not being written: {error}", error=error))
        else:
            self._alarm(None)

    async def _write_records(self) -> None:
        now = self._clock.now()
        while self._owed:
            await self._ledger.put(self._owed[0])
            del self._owed[0]
        for key, known in list(self._known.items()):
            if known.done(now) or (known.over(now) and known.told_at is None):
                if not known.elsewhere:
                    await self._ledger.put(await self._recorded(known), known.out)
                if known.done(now):
                    self._known.pop(key, None)
                    self._unmet.pop(key, None)
                elif key in self._known:
                    # The clock may have been set meanwhile; the record says when it began.
                    self._known[key] = replace(self._known[key], told_at=known.task.starts_at)

    async def _recorded(self, known: Measurement) -> Performance:
        task = known.task
        found = await self._ledger.baseline(task.starts_at, task.ends_at, task.programme)
        mean_w = None if found is None else found.mean_w(task.starts_at, task.ends_at)
        if found is not None and mean_w is not None:
            return record(known, mean_w, found.words)
        return record(known, known.before_w, say("the meter's mean of the quarter-hour before it"))

    def _follow(
        self,
        asked: Asked,
        ask: tuple[SignalKind, float],
        signal: Signal | None,
        image: Image,
        before: float | None,
    ) -> None:
        key = (asked.event, asked.lfdi, ask[0])
        known = self._known.get(key)
        if known is None:
            if asked.dropped or not asked.starts_at <= image.at < asked.ends_at:
                return
            known = self._begun(asked, *ask, before=before)
            self._wake.set()  # what was before it is known now alone, and outlives a crash
        ends_at = min(asked.ends_at, image.at) if asked.dropped else asked.ends_at
        if not known.over(image.at):
            baseline_w = None if signal is None else signal.baseline_w
            task = replace(
                known.task,
                ends_at=min(ends_at, known.task.ends_at) if asked.dropped else ends_at,
                baseline_w=known.task.baseline_w if baseline_w is None else baseline_w,
            )
            known = replace(known, task=task)
        sample = self._sample(asked, signal, image)
        self._known[key] = take(known, sample)
        waits = signal is None and asked.state == "running" and ask[0] in bounds.EXCLUSIVE
        self._note_unmet(key, sample, waits=waits)

    def _begun(
        self, asked: Asked, kind: SignalKind, value: float, *, before: float | None
    ) -> Measurement:
        task = Task(
            programme=BY_KIND[kind].id,
            event=asked.event,
            kind=kind,
            asked_by=asked.asked_by,
            asked=value,
            starts_at=asked.starts_at,
            ends_at=asked.ends_at,
            lfdi=asked.lfdi,
        )
        return Measurement(
            task,
            self._past.mean_w(asked.starts_at),
            self._past.peak_w(asked.starts_at),
            at=before,
            was_uncomfortable=self._uneasy,
        )

    def _sample(self, asked: Asked, signal: Signal | None, image: Image) -> Sample:
        islanded = self._islanded()
        if islanded and signal is not None and signal.kind is SignalKind.DISCONNECT:
            return Sample(image.at, image.net_w, 0.0, uncomfortable=self._uneasy)
        if signal is None or islanded:
            return Sample(
                image.at,
                image.net_w,
                in_force=False,
                left=asked.opted_out,
                uncomfortable=self._uneasy,
            )
        steers = signal.kind in bounds.SET_POINTS
        cycles = signal.kind is SignalKind.DUTY_CYCLE
        return Sample(
            image.at,
            image.net_w,
            _number(bounds.outside(signal, image, self._past.recent, self._options())),
            _number(bounds.der_power(signal, image)) if steers else None,
            bounds.running(signal, image) if cycles else frozenset(),
            left=asked.opted_out,
            uncomfortable=self._uneasy,
        )

    def _close(self, image: Image) -> None:
        """Follow what its utility no longer lists, and have written what is over."""
        for key, known in self._known.items():
            if known.at != image.at:
                # Gone before its end, it was called off; else its hour after goes on.
                ends_at = min(known.task.ends_at, image.at)
                known = replace(known, task=replace(known.task, ends_at=ends_at))  # noqa: PLW2901
                gone = Sample(image.at, image.net_w, in_force=False)
                self._known[key] = take(known, gone)
                self._unmet.pop(key, None)
        over = (m for m in self._known.values() if m.over(image.at))
        if any(m.done(image.at) or m.told_at is None for m in over):
            self._wake.set()

    def _follow_clock(self) -> None:
        step_s = self._steps.step_s()
        if step_s:
            self._past.shift(step_s)
            self._unmet.clear()
            self._known = {key: shifted(each, step_s) for key, each in self._known.items()}


def _key(task: Task) -> _Key:
    return (task.event, task.lfdi, task.kind)


def _number(figure: float | None) -> float | None:
    """Return a figure if it is a number: what devices say may be none."""
    return figure if figure is not None and math.isfinite(figure) else None


def _uncomfortable(image: Image) -> bool:
    """Return whether a temperature that somebody feels is out of its bounds."""
    return any(_out(low_c, high_c, temp_c) for low_c, high_c, temp_c in _felt(image))


def _felt(image: Image) -> Iterable[tuple[float, float, float]]:
    for state in image.devices.values():
        comfort, reading = state.spec.comfort, state.reading
        known = state.quality is not Quality.LOST and reading is not None
        if comfort is not None and known and reading is not None and reading.temp_c is not None:
            if comfort.cools:
                yield -math.inf, comfort.high_c, reading.temp_c
            else:
                yield comfort.low_c, math.inf, reading.temp_c


def _out(low_c: float, high_c: float, temp_c: float) -> bool:
    return temp_c < low_c or temp_c > high_c
