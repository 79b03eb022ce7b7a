"""The gateway's memory of what the utility asks, in house words.

It keeps what 2030.5 leaves to the home: the net power when a relative event began, and the energy
saved since. Nothing here does I/O; `hems.home` carries baselines to the ledger and images here.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from hems.emg.translate import RELATIVE, signals
from hems.image import Image
from hems.sep2.events import Schedule
from programs.signal import Signal, SignalKind

LONGEST_GAP_S: Final = 10.0
"""Images further apart than this say nothing about the energy between them."""


class Gateway:
    """What the utility asks of this home now.

    Args:
        generation_w: Rated generation of all PV and storage in W, positive.
        net_w: Returns the net power at the meter now in W, None while unknown.
        on_signals: Told when what is asked has changed; must not block.
        on_baseline: Told mRID and net power in W when a relative event began; must not block.
    """

    def __init__(
        self,
        generation_w: float,
        net_w: Callable[[], float | None],
        on_signals: Callable[[], None],
        on_baseline: Callable[[str, float], None],
    ) -> None:
        self._generation_w = generation_w
        self._net_w = net_w
        self._on_signals = on_signals
        self._on_baseline = on_baseline
        self._baselines: dict[str, float] = {}
        self._delivered_wh: dict[str, float] = {}
        self._signals: tuple[Signal, ...] = ()
        self._schedule = Schedule(0.0)
        self._last: Image | None = None

    @property
    def signals(self) -> tuple[Signal, ...]:
        """What is asked now, one signal a mode."""
        return self._signals

    def take_schedule(self, schedule: Schedule) -> None:
        """Take in what is in force; times in it are UTC epoch seconds."""
        self._schedule = schedule
        self._translate()
        self._on_signals()

    def take_image(self, image: Image) -> None:
        """Count the energy saved since the last image, and catch up on a missing baseline."""
        before, self._last = self._last, image
        running = [s for s in self._signals if s.in_force(image.at)]
        if before is not None and image.at - before.at <= LONGEST_GAP_S:
            for signal in running:
                if signal.kind is SignalKind.ENERGY and signal.baseline_w is not None:
                    self._count(signal.event, signal.baseline_w, before, image)
        if any(s.kind in RELATIVE for s in running):
            self._translate()

    def resume(self, event: str, delivered_wh: float) -> None:
        """Take up the energy that an event had saved before a restart."""
        self._delivered_wh[event] = delivered_wh
        self._translate()

    def _count(self, event: str, baseline_w: float, before: Image, image: Image) -> None:
        if before.net_w is None or image.net_w is None:
            return
        mean_w = (before.net_w + image.net_w) / 2.0
        saved_wh = (baseline_w - mean_w) * (image.at - before.at) / 3600.0
        self._delivered_wh[event] = self._delivered_wh.get(event, 0.0) + saved_wh

    def _translate(self) -> None:
        found = signals(self._schedule, self._generation_w, self._delivered_wh)
        self._signals = tuple(self._with_baseline(s) if s.kind in RELATIVE else s for s in found)
        live = {a.event for a in self._schedule.active.values()}
        for kept in (self._baselines, self._delivered_wh):
            for event in [e for e in kept if e not in live]:
                del kept[event]

    def _with_baseline(self, signal: Signal) -> Signal:
        if signal.baseline_w is not None:
            return signal
        known = self._baselines.get(signal.event)
        if known is None:
            known = self._net_w()
            if known is None:
                return signal
            self._baselines[signal.event] = known
            self._on_baseline(signal.event, known)
        return replace(signal, baseline_w=known)
