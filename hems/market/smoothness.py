"""The slope of net power as it is kept (BUC-2): measured, shown, and said where it cannot be.

The rule is `programs.slope`; storage, sun and cars follow it in the control cycle. Here is what a
person sees of it: the slope of the last minute beside its bound, and, where it stays outside, that
nothing in the home can even out more.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from der.model import Control, Quality
from der.sentence import Sentence, say
from der.steps import StepWatch
from hems.clock import Clock
from hems.image import Image
from programs import slope
from programs.about import Standing
from programs.rules import in_force
from programs.signal import Signal, SignalKind

_KEPT_S: Final = 120.0
_SAID_AFTER_S: Final = 10.0
"""A slope that is outside for less is a step that was seen late."""
_SAID_FOR_S: Final = 60.0
"""What was said stands at least for as long as the step is in the minute that is measured."""


class Smoothness:
    """Measures the slope of net power; without a memory over restarts, as its rule has none.

    Args:
        own_w_min: The home's own bound, W a minute; None for none.
        signals: Returns what the utilities ask now; None while that is not known.
        clock: Where the time comes from.
        alarm: Told in one sentence that a bound cannot be kept; None that it is again.
    """

    def __init__(
        self,
        own_w_min: float | None,
        signals: Callable[[], Sequence[Signal] | None],
        clock: Clock,
        alarm: Callable[[str | None], None],
    ) -> None:
        self._own_w_min = own_w_min
        self._signals = signals
        self._clock = clock
        self._steps = StepWatch(clock.now, clock.monotonic)
        self._alarm = alarm
        self._past: deque[tuple[float, float]] = deque()
        self._image: Image | None = None
        self._outside_since: float | None = None
        self._said_at: float | None = None

    def take_image(self, image: Image) -> None:
        """Measure the slope of the minute that this image ends."""
        if self._steps.step_s():
            self._past.clear()
        self._image = image
        metered = image.metered
        if metered is None:
            return
        if not self._past or metered[0] > self._past[-1][0]:
            self._past.append(metered)
        while self._past and self._past[0][0] < metered[0] - _KEPT_S:
            self._past.popleft()
        self._judge(metered[0])

    @property
    def standings(self) -> Sequence[Standing]:
        """How the bound is kept."""
        bound_w_min = self._bound_w_min()
        if bound_w_min is None:
            return ()
        measured = self._measured()
        words = (
            say("Net power may change by {bound:.0f} W a minute.", bound=bound_w_min)
            if measured is None
            else say(
                "Net power may change by {bound:.0f} W a minute; over the last minute it did by "
                "{measured:.0f} W.",
                bound=bound_w_min,
                measured=measured,
            )
        )
        down_w, up_w = self._room()
        promise = say(
            "by the line that fits each minute best; a step counts with the second or two until it "
            "is seen, some 100 W a minute for each kW"
        )
        return (Standing(slope.ID, True, down_w, up_w, promise=promise, words=words),)

    def _bound_w_min(self) -> float | None:
        asked = in_force(self._signals() or (), SignalKind.SLOPE, self._clock.now())
        bounds = [signal.value for signal in asked if signal.value > 0]
        if self._own_w_min is not None:
            bounds.append(self._own_w_min)
        return min(bounds, default=None)

    def _measured(self) -> float | None:
        return slope.slope_w_min(tuple(self._past), self._past[-1][0]) if self._past else None

    def _judge(self, at: float) -> None:
        bound_w_min, measured = self._bound_w_min(), self._measured()
        if bound_w_min is None or measured is None or abs(measured) <= bound_w_min:
            self._outside_since = None
            if self._said_at is not None and at - self._said_at >= _SAID_FOR_S:
                self._said_at = None
                self._alarm(None)
            return
        self._outside_since = at if self._outside_since is None else self._outside_since
        if at - self._outside_since >= _SAID_AFTER_S and self._said_at is None:
            self._said_at = at
            self._alarm(_outside(measured, bound_w_min))

    def _room(self) -> tuple[float, float]:
        """Return by how much storage can lower and raise the net power now, W."""
        states = () if self._image is None else tuple(self._image.devices.values())
        down_w = up_w = 0.0
        for state in states:
            reading, soc = state.reading, None if state.reading is None else state.reading.soc
            if state.spec.control is not Control.TARGET or reading is None:
                continue
            if state.quality is not Quality.GOOD:
                continue
            if soc is None or soc > 0:
                down_w += max(reading.power_w - state.spec.min_w, 0.0)
            if soc is None or soc < 1:
                up_w += max(state.spec.max_w - reading.power_w, 0.0)
        return down_w, up_w


def _outside(measured_w_min: float, bound_w_min: float) -> Sentence:
    size, bound = abs(measured_w_min), bound_w_min
    if measured_w_min > 0:
        return say(
            "Net power rises by {size:.0f} W a minute, more than the {bound:.0f} W agreed: no "
            "storage, sun or car here can even out more",
            size=size,
            bound=bound,
        )
    return say(
        "Net power falls by {size:.0f} W a minute, more than the {bound:.0f} W agreed: no "
        "storage, sun or car here can even out more",
        size=size,
        bound=bound,
    )
