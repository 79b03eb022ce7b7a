"""One event as the home went through it, second by second; pure.

A measurement is taken further with each image and never grows: what an hour of samples would tell
is kept as sums. Time in which nothing was read counts as not measured, never as inside.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from der.sentence import say, together
from hems.participation.bounds import LESS, SET_POINTS, unit
from programs.performance import Performance
from programs.signal import SignalKind

LONGEST_GAP_S: Final = 10.0
"""Images further apart than this say nothing about the time between them."""
AFTER_S: Final = 3600.0
"""So long after an event its rebound is looked for."""
MOST_OUT: Final = 100
"""Who leaves an event and comes back more often is out of it from then on, by the quarter-hour."""
_S_PER_H: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Task:
    """What an event asks of one programme.

    Attributes:
        programme: Its id.
        event: mRID.
        kind: What is asked.
        asked_by: The programme's name at the utility.
        asked: In the unit of its kind.
        starts_at: UTC epoch seconds.
        ends_at: UTC epoch seconds.
        lfdi: As whom the home is asked.
        baseline_w: Net power when a relative event began; None for the rest, or while unknown.
    """

    programme: str
    event: str
    kind: SignalKind
    asked_by: str
    asked: float
    starts_at: float
    ends_at: float
    lfdi: str = ""
    baseline_w: float | None = None

    @property
    def length_s(self) -> float:
        """How long it lasts."""
        return max(self.ends_at - self.starts_at, 0.0)

    @property
    def promised_wh(self) -> float | None:
        """The energy that it is to deliver; None where it asks for none."""
        match self.kind:
            case SignalKind.ENERGY:
                return self.asked
            case SignalKind.SHED:
                return self.asked * self.length_s / _S_PER_H
            case kind if kind in SET_POINTS:
                return abs(self.asked) * self.length_s / _S_PER_H
            case _:
                return None


@dataclass(frozen=True, slots=True)
class Sample:
    """What one image says about an event.

    Attributes:
        at: UTC epoch seconds.
        net_w: Net power at the meter; None while it cannot be read.
        outside: How far outside what is asked, in its unit; None where nobody can tell.
        der_w: Power of what a set-point is about; None for other events.
        running: Flexible loads that run, for a duty cycle.
        in_force: Whether the event's word counts now.
        left: Whether the owner has left it.
        uncomfortable: Whether a temperature is out of its bounds.
    """

    at: float
    net_w: float | None
    outside: float | None = None
    der_w: float | None = None
    running: frozenset[str] = frozenset()
    in_force: bool = True
    left: bool = False
    uncomfortable: bool = False


@dataclass(frozen=True, slots=True)
class Measurement:
    """An event, as far as it went.

    Attributes:
        task: What is asked.
        before_w: Mean net power of the quarter-hour before it; None if not measured.
        peak_before_w: Greatest net power of the hour before it.
        at: Time of the last image; None before the first, and after a restart.
        measured_s: Time in force for which the meter was read.
        judged_s: Time for which it was known whether the home was inside.
        inside_s: Of that, after settling.
        after_s: Time judged after settling.
        settled_at: When the home was first inside; None if never.
        square: Sum of the squared distances outside, times s, since settling.
        square_all: The same since the start.
        net_wh: Net energy over the measured time.
        der_wh: Energy of what a set-point is about.
        run_s: For how long each flexible load ran, by device.
        left_s: For how long the owner was out of it.
        left: Whether the owner left it, for however long.
        idle_s: Time in which its word did not count, because another event took its place or
            nothing here can do what it asks.
        was_uncomfortable: Whether a temperature was out of its bounds before it.
        comfort_s: For how long one was because of it.
        peak_after_w: Greatest net power of the hour after it.
        told_at: When it began by the first record that was handed on, UTC epoch seconds; None
            before that.
        elsewhere: Whether another part of the home makes the record of it.
        out: From when to when within it the owner was out of it, or its word did not count, UTC
            epoch seconds, in order.
    """

    task: Task
    before_w: float | None = None
    peak_before_w: float | None = None
    at: float | None = None
    measured_s: float = 0.0
    judged_s: float = 0.0
    inside_s: float = 0.0
    after_s: float = 0.0
    settled_at: float | None = None
    square: float = 0.0
    square_all: float = 0.0
    net_wh: float = 0.0
    der_wh: float = 0.0
    run_s: Mapping[str, float] = field(default_factory=dict)
    left_s: float = 0.0
    left: bool = False
    idle_s: float = 0.0
    was_uncomfortable: bool = False
    comfort_s: float = 0.0
    peak_after_w: float | None = None
    told_at: float | None = None
    elsewhere: bool = False
    out: tuple[tuple[float, float], ...] = ()

    def over(self, now: float) -> bool:
        """Return whether the event is over, UTC epoch seconds."""
        return now >= self.task.ends_at

    def done(self, now: float) -> bool:
        """Return whether nothing is measured any more."""
        return now >= self.task.ends_at + AFTER_S

    def delivered_wh(self, baseline_w: float | None) -> float | None:
        """Return the energy delivered over the measured time, Wh; None without a baseline.

        That is what was taken less than the baseline; of a set-point, what went in the direction
        asked for. What asks for no energy delivers none.
        """
        if self.task.kind in SET_POINTS:
            return math.copysign(1.0, self.task.asked) * self.der_wh if self.task.asked else None
        if baseline_w is None or self.task.kind not in LESS:
            return None
        return baseline_w * self.measured_s / _S_PER_H - self.net_wh


def take(known: Measurement, sample: Sample) -> Measurement:
    """Return a measurement with one more image.

    Args:
        known: So far.
        sample: What the image says; older than the last one it is left out.
    """
    task, before = known.task, known.at
    if before is not None and sample.at <= before:
        return known
    seen = replace(known, at=sample.at)
    if sample.left and not known.over(sample.at):
        seen = replace(seen, left=True)
    if before is None or sample.at - before > LONGEST_GAP_S:
        return seen
    if sample.at > task.ends_at:
        seen = _after(seen, sample)
    begin, end = max(before, task.starts_at), min(sample.at, task.ends_at)
    return _within(seen, sample, begin, end) if begin < end else _comfort(seen, sample, before)


def _within(seen: Measurement, sample: Sample, begin: float, end: float) -> Measurement:
    """Return it with a time that lies within the event."""
    lasted_s = end - begin
    seen = _comfort(seen, sample, sample.at - lasted_s)
    if sample.left:
        return replace(seen, left_s=seen.left_s + lasted_s, out=_joined(seen.out, begin, end))
    if not sample.in_force:
        return replace(seen, idle_s=seen.idle_s + lasted_s, out=_joined(seen.out, begin, end))
    if sample.net_w is not None:
        energy_wh = sample.net_w * lasted_s / _S_PER_H
        seen = replace(seen, measured_s=seen.measured_s + lasted_s, net_wh=seen.net_wh + energy_wh)
    if sample.der_w is not None:
        seen = replace(seen, der_wh=seen.der_wh + sample.der_w * lasted_s / _S_PER_H)
    if sample.running:
        more = {name: seen.run_s.get(name, 0.0) + lasted_s for name in sample.running}
        seen = replace(seen, run_s={**seen.run_s, **more})
    return seen if sample.outside is None else _judged(seen, sample, sample.outside, lasted_s)


def _joined(
    out: tuple[tuple[float, float], ...], begin: float, end: float
) -> tuple[tuple[float, float], ...]:
    """Return times with another after them, as one where they touch, or where there are many."""
    if out and (begin <= out[-1][1] or len(out) >= MOST_OUT):
        return (*out[:-1], (out[-1][0], end))
    return (*out, (begin, end))


def _judged(seen: Measurement, sample: Sample, outside: float, lasted_s: float) -> Measurement:
    """Return it with a time of which is known how far outside the home was."""
    square = outside**2 * lasted_s
    seen = replace(seen, judged_s=seen.judged_s + lasted_s, square_all=seen.square_all + square)
    inside = outside <= 0.0
    if seen.settled_at is None:
        return replace(seen, settled_at=sample.at) if inside else seen
    return replace(
        seen,
        after_s=seen.after_s + lasted_s,
        inside_s=seen.inside_s + (lasted_s if inside else 0.0),
        square=seen.square + square,
    )


def _after(seen: Measurement, sample: Sample) -> Measurement:
    """Return it with the power of the hour after the event."""
    if sample.net_w is None or seen.done(sample.at):
        return seen
    known_w = -math.inf if seen.peak_after_w is None else seen.peak_after_w
    return replace(seen, peak_after_w=max(known_w, sample.net_w))


def _comfort(seen: Measurement, sample: Sample, before: float) -> Measurement:
    """Return it with a time in which a temperature was missed that was kept before the event."""
    if seen.was_uncomfortable:
        return replace(seen, was_uncomfortable=sample.uncomfortable)
    if not sample.uncomfortable or before < seen.task.starts_at or seen.done(sample.at):
        return seen
    return replace(seen, comfort_s=seen.comfort_s + sample.at - before)


def shifted(known: Measurement, by_s: float) -> Measurement:
    """Return it after UTC was set: its times move along, and the gap is not measured."""
    task = replace(
        known.task, starts_at=known.task.starts_at + by_s, ends_at=known.task.ends_at + by_s
    )
    settled_at = None if known.settled_at is None else known.settled_at + by_s
    out = tuple((begin + by_s, end + by_s) for begin, end in known.out)
    return replace(known, task=task, settled_at=settled_at, at=None, out=out)


def record(known: Measurement, baseline_w: float | None, baseline_by: str) -> Performance:
    """Return what a utility would settle on.

    Args:
        known: The measurement, over.
        baseline_w: Mean net power that there would have been, where the event has none of its own.
        baseline_by: How that was found.
    """
    task = known.task
    # A clock that was set in the hour after it makes no other event of it.
    starts_at = task.starts_at if known.told_at is None else known.told_at
    if task.baseline_w is not None:
        baseline_w, baseline_by = task.baseline_w, say("the meter when the event began")
    ran = _duty(known)
    settled = known.settled_at is not None
    judged_s = known.after_s if settled else known.judged_s
    square = known.square if settled else known.square_all
    deviation = math.sqrt(square / judged_s) if judged_s else None
    delivered_wh = known.delivered_wh(baseline_w)
    if ran is not None:
        deviation = max(ran - task.asked, 0.0)
    if task.kind is SignalKind.ENERGY and delivered_wh is not None:
        deviation = max(task.asked - delivered_wh, 0.0)
    return Performance(
        programme=task.programme,
        event=task.event,
        asked_by=task.asked_by,
        starts_at=starts_at,
        ends_at=starts_at + task.length_s,
        asked=task.asked,
        unit=unit(task.kind),
        baseline_w=baseline_w,
        baseline_by=baseline_by if baseline_w is not None else "",
        promised_wh=task.promised_wh,
        delivered_wh=delivered_wh if known.measured_s else None,
        settled_s=None if known.settled_at is None else known.settled_at - task.starts_at,
        inside_share=_inside(known),
        deviation=deviation,
        rebound_w=_rebound(known),
        comfort_minutes=known.comfort_s / 60.0,
        measured_share=_share(known),
        opted_out=known.left,
        note=_note(known, ran),
        kind=task.kind.value,
        lfdi=task.lfdi,
    )


def _inside(known: Measurement) -> float | None:
    if known.settled_at is None:
        return 0.0 if known.judged_s else None
    return known.inside_s / known.after_s if known.after_s else 1.0


def _share(known: Measurement) -> float:
    """Return the share of the time in force for which the meter was read."""
    in_force_s = known.task.length_s - known.left_s - known.idle_s
    return min(known.measured_s / in_force_s, 1.0) if in_force_s > 0 else 1.0


def _rebound(known: Measurement) -> float | None:
    if known.peak_after_w is None or known.peak_before_w is None:
        return None
    return max(known.peak_after_w - known.peak_before_w, 0.0)


def _duty(known: Measurement) -> float | None:
    """Return for what share of the time the load ran that ran most, %; None if not asked."""
    if known.task.kind is not SignalKind.DUTY_CYCLE or not known.measured_s:
        return None
    return 100.0 * max(known.run_s.values(), default=0.0) / known.measured_s


def _note(known: Measurement, ran: float | None) -> str:
    said = []
    if ran is not None:
        said.append(say("The load that ran most ran {ran:.0f} % of the time.", ran=ran))
    if known.left:
        said.append(say("The owner was out of it for {left:.0f} min.", left=known.left_s / 60))
    if known.idle_s >= 1.0:
        said.append(say("For {idle:.0f} min its word did not count here.", idle=known.idle_s / 60))
    return together(said)
