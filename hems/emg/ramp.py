"""How fast the home goes over to what is asked: rampTms of a control, setGradW of the default.

A limit that begins moves from the present power to its value, one that ends moves away until it
no longer matters, a set-point moves from the present power to its own. Without a ramp time and
without a gradient everything holds at once, which is what a home does when nobody asks for more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from der.model import DeviceKind, Quality
from hems.image import Image
from programs.signal import Signal, SignalKind

LIMITS: Final = frozenset(
    {
        SignalKind.IMPORT_LIMIT,
        SignalKind.EXPORT_LIMIT,
        SignalKind.LOAD_LIMIT,
        SignalKind.GENERATION_LIMIT,
    }
)
_SET_POINTS: Final = frozenset({SignalKind.STORAGE_POWER, SignalKind.DER_POWER})


def ramp_w_s(gradient: float | None, rating_w: float) -> float | None:
    """Return a default rate of change in W/s; None where there is no limit to it.

    Args:
        gradient: setGradW in per cent of the rating a second; 0 or None for no limit.
        rating_w: Rated power of all generation and storage in W, positive.
    """
    return gradient / 100.0 * rating_w if gradient and rating_w > 0 else None


def powers(image: Image, devices: frozenset[str] = frozenset()) -> Mapping[SignalKind, float]:
    """Return the present power that each kind of signal is about; unknown ones are missing.

    Args:
        image: What the devices were read as.
        devices: Ids of the devices that the signals are about; empty for the home as a whole.
    """
    good = [d for d in image.devices.values() if d.quality is Quality.GOOD and d.reading]
    der = [d for d in good if d.spec.kind in {DeviceKind.PV, DeviceKind.BATTERY}]
    all_w = sum(d.reading.power_w for d in der if d.reading)
    made = [d for d in der if not devices or d.spec.id in devices]
    der_w = sum(d.reading.power_w for d in made if d.reading)
    stored = [d for d in made if d.spec.kind is DeviceKind.BATTERY]
    found = {
        SignalKind.GENERATION_LIMIT: max(-der_w, 0.0),
        SignalKind.DER_POWER: der_w,
        SignalKind.STORAGE_POWER: sum(d.reading.power_w for d in stored if d.reading),
    }
    if image.net_w is not None:
        found[SignalKind.IMPORT_LIMIT] = max(image.net_w, 0.0)
        found[SignalKind.EXPORT_LIMIT] = max(-image.net_w, 0.0)
        found[SignalKind.LOAD_LIMIT] = max(image.net_w - all_w, 0.0)
    return found


@dataclass(frozen=True, slots=True)
class _Course:
    """A straight line in time from one power to another, in W and UTC epoch seconds."""

    signal: Signal
    from_w: float
    to_w: float
    since: float
    until: float
    ending: bool = False

    def at(self, now: float) -> float:
        if now >= self.until:
            return self.to_w
        share = max(0.0, now - self.since) / (self.until - self.since)
        return self.from_w + (self.to_w - self.from_w) * share


class Ramps:
    """The course of each kind of signal.

    Args:
        rating_w: Rated power of all generation and storage in W, positive.
    """

    def __init__(self, rating_w: float) -> None:
        self._rating_w = rating_w
        self._courses: dict[SignalKind, _Course] = {}
        self._begun = False

    def follow(
        self,
        signals: Sequence[Signal],
        present: Mapping[SignalKind, float],
        gradient: float | None,
        now: float,
    ) -> tuple[Signal, ...]:
        """Return the signals as they hold at `now`, on their way.

        What is in force at the first call holds at once: the last run had gone over to it.

        Args:
            signals: What is asked.
            present: What `powers` returns.
            gradient: The default rate of change in per cent of the rating a second.
            now: UTC epoch seconds.
        """
        rate_w_s = ramp_w_s(gradient, self._rating_w)
        asked = _leading(signals, now)
        for kind, signal in asked.items():
            self._turn(signal, present.get(kind), rate_w_s, now)
        self._begun = True
        on_course = [self._on_course(signal, now) for signal in signals]
        for kind in self._courses.keys() - asked.keys():
            on_course += self._end(kind, rate_w_s, now)
        return tuple(on_course)

    def shift(self, by_s: float) -> None:
        """Move all times, after UTC was set."""
        self._courses = {
            kind: replace(c, since=c.since + by_s, until=c.until + by_s)
            for kind, c in self._courses.items()
        }

    def _turn(
        self, signal: Signal, present_w: float | None, rate_w_s: float | None, now: float
    ) -> None:
        """Begin a new course where what is asked has changed."""
        course = self._courses.get(signal.kind)
        if course is not None and not course.ending and course.to_w == signal.value:
            return
        from_w = signal.value if present_w is None else present_w
        if course is not None:
            from_w = course.at(now)
        if signal.kind in LIMITS and from_w > signal.value and present_w is not None:
            from_w = min(from_w, max(present_w, signal.value))  # it begins where the home is
        elif signal.kind in LIMITS and course is None:
            from_w = signal.value  # nobody who is under a limit has to rise to it
        way_w = abs(signal.value - from_w)
        lasts_s = way_w / rate_w_s if rate_w_s is not None else 0.0
        if signal.ramp_s is not None:
            lasts_s = signal.ramp_s if way_w else 0.0
        if not self._begun:
            lasts_s = 0.0
        self._courses[signal.kind] = _Course(signal, from_w, signal.value, now, now + lasts_s)

    def _end(self, kind: SignalKind, rate_w_s: float | None, now: float) -> Sequence[Signal]:
        """Let a limit go that nobody asks for any more; nothing is left of it in the end."""
        course = self._courses[kind]
        if kind in _SET_POINTS or rate_w_s is None:
            del self._courses[kind]
            return ()
        if not course.ending:
            from_w = course.at(now)
            until = now + self._rating_w / rate_w_s
            course = _Course(course.signal, from_w, from_w + self._rating_w, now, until, True)
            self._courses[kind] = course
        if now >= course.until:
            del self._courses[kind]
            return ()
        value = course.at(now)
        return (replace(course.signal, value=value, starts_at=course.since, ends_at=course.until),)

    def _on_course(self, signal: Signal, now: float) -> Signal:
        course = self._courses.get(signal.kind)
        if course is None or not signal.in_force(now) or now >= course.until:
            return signal
        value = course.at(now)
        if signal.kind in LIMITS and signal.value > course.to_w:  # the looser of two limits
            value = max(value, signal.value)
        return replace(signal, value=value)


def _leading(signals: Sequence[Signal], now: float) -> dict[SignalKind, Signal]:
    """Return the strictest limit and the set-point of each kind that count now."""
    found: dict[SignalKind, Signal] = {}
    for signal in signals:
        if signal.kind not in LIMITS | _SET_POINTS or not signal.in_force(now):
            continue
        known = found.get(signal.kind)
        if known is None or signal.value < known.value:
            found[signal.kind] = signal
    return found
