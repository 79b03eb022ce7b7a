"""Each phase of the connection: what flows on it, and what its limit leaves to devices.

A home of three phases trips the breaker of one, whatever the other two carry. Where the meter tells
the phases apart, each has a base of its own, and its limit leaves room to those devices alone that
are connected to it. Where it does not, the phases are taken as balanced: the limit of the whole
home is all that counts.

A device spreads its power evenly over its phases (`DeviceSpec.phases`, or all where they are not
known). A charger that can do with one phase of three uses the first of them while it charges on one
by its own reading, and below the least power of three.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from der.model import Control, DeviceSpec, DeviceState, Phase, Quality, Reading
from hems.cem.absent import Absent
from hems.cem.arbiter import Decision, Span
from hems.cem.policy import AllocatorPolicy
from hems.cem.sharing import share
from programs.proposal import PHASES, Bounds, Proposal

_IN_USE_W: Final = 50.0
"""A phase of a charger that carries less than this is not in use."""
_LEAST_PHASE_W: Final = 1_380.0
"""Least power at which a car charges on a phase: 6 A (IEC 61851-1) at 230 V."""

Parts = Mapping[Phase, float]
"""By phase: powers in W, or the parts (0 to 1) of one."""


def measured(meter: DeviceState | None) -> Parts:
    """Return the power in W on each phase at the connection; empty unless all are known now."""
    if meter is None or meter.reading is None or meter.quality is not Quality.GOOD:
        return {}
    reading = meter.reading
    powers = [phase.power_w for phase in reading.phases]
    taken_at = reading.taken.get("phases", reading.at)
    if len(powers) < 2 or reading.at - taken_at > meter.spec.max_age_s:  # noqa: PLR2004 - one is all
        return {}
    known = [w for w in powers if w is not None]
    return dict(zip(Phase, known, strict=False)) if len(known) == len(powers) else {}


def parts(
    spec: DeviceSpec, reading: Reading | None, home: Iterable[Phase], power_w: float | None = None
) -> Parts:
    """Return which part of a device's power is on each of the home's phases.

    Args:
        spec: The device.
        reading: What it says; None where it has said nothing.
        home: The home's phases.
        power_w: The power that it is to have; None for what it has.
    """
    there = tuple(home)
    on = tuple(p for p in spec.phases if p in there) or there
    if spec.control is Control.CEILING and len(on) > 1 and reading is not None:
        used = sum((p.power_w or 0.0) > _IN_USE_W for p in reading.phases)
        least_w = _LEAST_PHASE_W * len(on)
        single = spec.least_on_w < least_w and power_w is not None and power_w < least_w
        on = on[:1] if single else on[: used or None]
    return {phase: 1 / len(on) if phase in on else 0.0 for phase in there}


@dataclass(frozen=True, slots=True)
class Line:
    """One phase with a limit.

    Attributes:
        fixed_w: What flows on it beside flexible loads and batteries, generation included, W.
        rise_w: How far that may rise before the next decision.
        slow_w: How much further, for what should be granted but once.
        absent_w: How much more devices that cannot be counted on may draw on it.
        help_w: The least power in W to which batteries can bring their share on it.
        limit: What it is to keep to, margins taken off.
        by: Whose limit that is.
    """

    fixed_w: float
    limit: Bounds
    by: Proposal
    rise_w: float = 0.0
    slow_w: float = 0.0
    absent_w: float = 0.0
    help_w: float = 0.0

    @property
    def free_w(self) -> float:
        """What its limit leaves to loads, without the batteries."""
        return self.limit.upper_w - self.fixed_w - self.rise_w - self.absent_w


@dataclass(frozen=True, slots=True)
class Left:
    """What the limits of a load's phases leave to it.

    Attributes:
        left_w: To what runs, in W; infinite where there is no limit.
        spare_w: To what is granted anew.
        by: Whose limit that is; None where there is none.
    """

    left_w: float = math.inf
    spare_w: float = math.inf
    by: Proposal | None = None


@dataclass(slots=True)
class Lines:
    """What the phases' limits leave to flexible loads; used up as they are granted it.

    A switched load may count on the batteries' help; a car takes what there is without.

    Attributes:
        lines: By phase, those that have a limit.
        home: All phases that the meter tells apart.
        taken: By phase, what has been granted, W.
    """

    lines: Mapping[Phase, Line] = field(default_factory=dict)
    home: tuple[Phase, ...] = ()
    taken: dict[Phase, float] = field(default_factory=dict)

    def take(self, power_w: float, load: DeviceState) -> None:
        """Use some of the room up; negative to give it back."""
        for phase, part in self._parts(load, abs(power_w)).items():
            self.taken[phase] = self.taken.get(phase, 0.0) + part * power_w

    def left(self, load: DeviceState) -> Left:
        """Return what is left to a load."""
        left = self._within(self._parts(load, None), load)
        least_w = _LEAST_PHASE_W * len(load.spec.phases or self.home)
        if load.spec.control is Control.CEILING and left.spare_w < least_w:
            return self._within(self._parts(load, max(left.spare_w, 0.0)), load)
        return left

    def _parts(self, load: DeviceState, power_w: float | None) -> Parts:
        return parts(load.spec, load.reading, self.home, power_w) if self.lines else {}

    def _within(self, on: Parts, load: DeviceState) -> Left:
        least = Left()
        for phase, line in self.lines.items():
            part = on.get(phase, 0.0)
            if not part:
                continue
            help_w = 0.0 if load.spec.control is Control.CEILING else line.help_w
            left_w = (line.free_w - help_w - self.taken.get(phase, 0.0)) / part
            spare_w = min(left_w - line.slow_w / part, least.spare_w)
            nearer = left_w < least.left_w
            least = Left(min(left_w, least.left_w), spare_w, line.by if nearer else least.by)
        return least


@dataclass(frozen=True, slots=True)
class Drawing:
    """A controlled device with what it draws, or is to draw.

    Attributes:
        state: As in the image.
        low_w: The least power in W that it may have.
        high_w: The most.
        held_w: What it is driven at or held to; None while it is free.
    """

    state: DeviceState
    low_w: float
    high_w: float
    held_w: float | None = None


def total(devices: Iterable[Drawing], home: Sequence[Phase], *, high: bool) -> Parts:
    """Return what devices together draw on each phase, W."""
    sums = dict.fromkeys(home, 0.0)
    for device in devices:
        power_w = device.high_w if high else device.low_w
        for phase, part in parts(device.state.spec, device.state.reading, home, power_w).items():
            sums[phase] += part * power_w
    return sums


def limits(
    decision: Decision,
    fixed: Parts,
    rises: Mapping[Phase, tuple[float, float]],
    batteries: Sequence[Drawing],
    *,
    away: Absent,
    absent: Sequence[DeviceState],
    policy: AllocatorPolicy,
) -> Lines:
    """Return the phases that have a limit, with what it leaves.

    Args:
        decision: What the arbiter decided.
        fixed: What flows on each phase beside flexible loads and batteries; empty if not measured.
        rises: How far that may rise: at once, and how much further.
        batteries: With the powers between which each can be driven.
        away: What devices that cannot be counted on may do.
        absent: Those devices.
        policy: The allocator's figures.
    """
    home = tuple(fixed)
    more = [Drawing(s, 0.0, away.rises.get(s.spec.id, 0.0)) for s in absent]
    absent_w, help_w = total(more, home, high=True), total(batteries, home, high=False)
    lines: dict[Phase, Line] = {}
    for phase in home:
        span = decision.of(PHASES[phase]).span
        if span.upper_by is not None:
            lines[phase] = Line(
                fixed[phase],
                policy.aim(span.bounds),
                span.upper_by,
                *rises.get(phase, (0.0, 0.0)),
                absent_w[phase],
                min(help_w[phase], 0.0),
            )
    return Lines(lines, home)


def narrowed(
    decision: Decision,
    room: Lines,
    movable: Sequence[Drawing],
    *,
    low: Parts,
    high: Parts,
    policy: AllocatorPolicy,
) -> Decision:
    """Return the decision with what the phases' limits leave to batteries or inverters.

    What a phase leaves is shared in proportion to what each can do on it, and stands as a bound of
    its own on each device, so that whoever plans them knows nothing of phases.

    Args:
        decision: What the arbiter decided.
        room: The phases that have a limit.
        movable: The batteries, or the inverters, each with what it can do.
        low: The least of all other power on each phase, W.
        high: The most, with what it may rise.
        policy: The dead band within which a device stays as it is.
    """
    spans: dict[str, Span] = {}
    for phase, line in room.lines.items():
        rest = Bounds(low[phase], high[phase])
        for name, bounds in _on(phase, line, rest, movable, room.home).items():
            spans[name] = _both(spans.get(name, Span()), bounds, line.by)
    targets = dict(decision.targets)
    for device in movable:
        name = device.state.spec.id
        span = spans.get(name)
        if span is not None:
            before = decision.of(name)
            steady = replace(span, bounds=_steady(span.bounds, device.held_w, policy.dead_band_w))
            targets[name] = replace(before, span=_within(before.span, steady))
    return replace(decision, targets=targets)


def _on(
    phase: Phase, line: Line, rest: Bounds, movable: Sequence[Drawing], home: Sequence[Phase]
) -> Mapping[str, Bounds]:
    """Return what one phase leaves to each device on it, by device id.

    Args:
        phase: The phase.
        line: Its limit.
        rest: The least and the most of all other power on it, W.
        movable: The devices.
        home: All phases.
    """
    part: dict[str, float] = {}
    can: dict[str, Bounds] = {}
    for device in movable:
        spec = device.state.spec
        on = parts(spec, device.state.reading, home)[phase]
        if on:
            part[spec.id] = on
            can[spec.id] = Bounds(on * device.low_w, on * device.high_w)
    reach = Bounds(sum(b.lower_w for b in can.values()), sum(b.upper_w for b in can.values()))
    upper_w, lower_w = line.limit.upper_w - rest.upper_w, line.limit.lower_w - rest.lower_w
    idle = dict.fromkeys(can, 0.0)
    uppers = share(idle, can, reach.clamp(upper_w)) if upper_w < reach.upper_w else {}
    lowers = share(idle, can, reach.clamp(lower_w)) if lower_w > reach.lower_w else {}
    return {
        name: Bounds(
            lowers[name] / part[name] if lowers else -math.inf,
            uppers[name] / part[name] if uppers else math.inf,
        )
        for name in can
    }


def _both(span: Span, bounds: Bounds, by: Proposal) -> Span:
    """Return what two phases leave to a device; import goes before export, which the sun holds."""
    upper_w = min(span.bounds.upper_w, bounds.upper_w)
    lower_w = max(span.bounds.lower_w, bounds.lower_w)
    return Span(
        Bounds(min(lower_w, upper_w), upper_w),
        by if lower_w > span.bounds.lower_w else span.lower_by,
        by if upper_w < span.bounds.upper_w else span.upper_by,
    )


def _steady(bounds: Bounds, held_w: float | None, band_w: float) -> Bounds:
    """Return bounds that let a device stay as it is where the change would not be worth a write."""
    if held_w is None:
        return bounds
    return Bounds(
        held_w if bounds.lower_w - band_w <= held_w < bounds.lower_w else bounds.lower_w,
        held_w if bounds.upper_w < held_w <= bounds.upper_w + band_w else bounds.upper_w,
    )


def _within(span: Span, stronger: Span) -> Span:
    """Return a span cut to a stronger one; where they do not meet, the nearest edge of that."""
    cut = span.bounds.within(stronger.bounds)
    return Span(
        cut,
        span.lower_by if cut.lower_w > stronger.bounds.lower_w else stronger.lower_by,
        span.upper_by if cut.upper_w < stronger.bounds.upper_w else stronger.upper_by,
    )
