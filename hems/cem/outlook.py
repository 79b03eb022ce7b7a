"""How far what cannot be controlled may rise before the next decision, judged by its past.

Between two decisions nothing answers a load that starts, and a charger answers seconds late. So
limits on import are met not for the power of this instant but for the peak of the last minute:
what has been may come again. And since the next second may outdo them all, the usual change from
one second to the next widens the margin.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median
from typing import Final

from der.model import Control, Phase, Quality
from hems.cem.generation import held_back
from hems.cem.memory import Memory, Sample
from hems.cem.observe import Observed
from hems.cem.phases import Parts, parts
from hems.cem.policy import AllocatorPolicy
from hems.cem.ripple import SUN_SAMPLES, trend_w_s, typical_w
from hems.image import Image

_MOST_SAMPLES: Final = 240
"""Bound of the memory, however short the cycle."""
_MOST_STEPS: Final = 32
_LATE: Final = 1.5
"""A reading that comes after so many times the usual gap follows on one that is missing."""

Steps = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Rise:
    """How far a power may rise, in W, never negative.

    Attributes:
        fast_w: Above its present value, as far as it seems still to come: for what can be taken
            back at once (batteries), and for what would be taken away (loads that run).
        slow_w: The same over the whole window: for what should be granted but once.
        late_w: How much further than `fast_w` before a charger has answered.
    """

    fast_w: float = 0.0
    slow_w: float = 0.0
    late_w: float = 0.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """What to be ready for.

    Attributes:
        home: Of the base and the sun together, which the meter sees.
        loads: Of the base alone.
        usual_w: Usual change of the base and the sun from one reading to the next, W.
        step_w: The greatest step that an appliance made lately, W.
        fall_w: How far base and sun together may fall below their present value, W.
        on: Of the base and the sun on each phase; empty where they are not told apart.
    """

    home: Rise = Rise()
    loads: Rise = Rise()
    usual_w: float = 0.0
    step_w: float = 0.0
    fall_w: float = 0.0
    on: Mapping[Phase, Rise] = field(default_factory=dict)


def record(
    seen: Observed, before: Memory, image: Image, now: float, policy: AllocatorPolicy
) -> tuple[Sample, ...]:
    """Return the past of the base with this image worked in, oldest first.

    It begins anew where the base is made up of other devices than before. A battery that cannot
    be reached and will soon drop its set-point is counted as if it had dropped it already: loads
    need their time to make room for that.

    Args:
        seen: What the image tells.
        before: The memory before it.
        image: What the devices said.
        now: UTC epoch seconds.
        policy: The allocator's figures.
    """
    at, base_w = seen.memory.base_at, seen.base_w
    past = seen.memory.past if seen.memory.base_of == before.base_of else ()
    if not seen.known or base_w is None or (past and past[-1].at == at):
        return past
    pv_w = _sun_w(seen)
    lapsing_w = _lapsing_w(image, seen.memory, now, policy)
    sample = Sample(at, base_w + lapsing_w, pv_w, lapsing_w=lapsing_w)
    sample = replace(sample, on=tuple(on_phases(seen).values()))
    kept = tuple(s for s in past if at - policy.hold_s <= s.at < at)
    return (*kept[1 - _MOST_SAMPLES :], sample)


def look(seen: Observed, policy: AllocatorPolicy) -> Outlook:
    """Return what to be ready for, by the recorded past."""
    past, base_w = seen.memory.past, seen.base_w
    if not past or base_w is None:
        return Outlook()
    nets = [(s.at, s.base_w + s.pv_w) for s in past]
    bases = [(s.at, s.base_w) for s in past]
    usual_w = typical_w([w for _, w in nets])
    return Outlook(
        _rise(nets, base_w + _sun_w(seen), policy, _sun_w_s(seen)),
        _rise(bases, base_w, policy),
        usual_w,
        max((w for _, w in seen.memory.steps), default=0.0),
        _fall_w(nets, bases, seen, policy),
        _rises_on(seen, policy),
    )


def steps(
    before: Memory,
    past: Sequence[Sample],
    policy: AllocatorPolicy,
    unheard_since: float = math.inf,
) -> Steps:
    """Return the steps that the base made lately, with what the newest reading adds.

    Args:
        before: The memory before it.
        past: The base with the newest reading.
        policy: What counts as a step, and for how long.
        unheard_since: See `unheard_since`; what has risen since then was no appliance.
    """
    kept = tuple(s for s in before.steps if s[0] <= unheard_since)
    if len(past) > 1 and past[:-1] == before.past[1 - len(past) :]:
        rise_w = _drawn_w(past[-1]) - _drawn_w(past[-2])
        kept = (
            (*kept, (past[-1].at, rise_w))
            if _near(past, policy) and rise_w > policy.step_w
            else kept
        )
    at = past[-1].at if past else -math.inf
    return tuple(s for s in kept[-_MOST_STEPS:] if s[0] > at - policy.habit_s)


def _near(past: Sequence[Sample], policy: AllocatorPolicy) -> bool:
    """Return whether the newest reading came as soon as they do, so that no time lies between.

    A home's cycle may last as long as `settle_s`, or twice that.
    """
    gaps = [after.at - before.at for before, after in pairwise(past)]
    usual_s = median(gaps[:-1]) if len(gaps) > 1 else 0.0
    return gaps[-1] <= max(policy.settle_s, _LATE * usual_s)


def _drawn_w(sample: Sample) -> float:
    return sample.base_w - sample.lapsing_w


def unheard_since(seen: Observed, before: Memory, image: Image) -> float:
    """Return the last reading of the devices that have just turned out not to be heard any more.

    Until then they were reckoned with as they were last, and what they ceased to give seemed to be
    drawn by the house.

    Args:
        seen: What the image tells.
        before: The memory before it.
        image: What the devices said.

    Returns:
        The earliest one, UTC epoch seconds; infinite where none was lost.
    """
    lost = (image.devices.get(name) for name in before.base_of - seen.memory.base_of)
    read = (d.reading.at for d in lost if d is not None and d.reading is not None)
    return min(read, default=math.inf)


def _fall_w(
    nets: Sequence[tuple[float, float]],
    bases: Sequence[tuple[float, float]],
    seen: Observed,
    policy: AllocatorPolicy,
) -> float:
    """Return how far base and sun may fall; sun that is held back has no course of its own."""
    held = held_back(seen.with_control(Control.FLOOR), policy)
    past, sun_w_s = (bases, 0.0) if held else (nets, _sun_w_s(seen))
    soon_w = max(-trend_w_s(past), -sun_w_s, 0.0) * policy.answer_s
    return soon_w + policy.guard_share * typical_w([w for _, w in past])


def on_phases(seen: Observed) -> Parts:
    """Return base and sun together on each phase, W; empty where they are not told apart."""
    sums = dict(seen.base_on)
    for inverter in seen.with_control(Control.FLOOR):
        spec, reading = inverter.state.spec, inverter.reading
        for phase, part in parts(spec, reading, sums).items():
            sums[phase] += part * reading.power_w
    return sums


def _rises_on(seen: Observed, policy: AllocatorPolicy) -> Mapping[Phase, Rise]:
    now = on_phases(seen)
    past = [s for s in seen.memory.past if len(s.on) == len(now)]
    return {
        phase: _rise([(s.at, s.on[n]) for s in past], power_w, policy) if past else Rise()
        for n, (phase, power_w) in enumerate(now.items())
    }


def _sun_w(seen: Observed) -> float:
    return sum(u.reading.power_w for u in seen.with_control(Control.FLOOR))


def _lapsing_w(image: Image, memory: Memory, now: float, policy: AllocatorPolicy) -> float:
    """Return the discharging in W that is about to end with its set-point's lapse."""
    ending_w = 0.0
    for name, state in image.devices.items():
        given = memory.given.get(name)
        if state.spec.control is not Control.TARGET or state.quality is Quality.GOOD:
            continue
        if given is None or given.setpoint is None or state.reading is None:
            continue
        lapses_at = given.at + given.setpoint.lapse_s
        if lapses_at - policy.lapse_lead_s <= now < lapses_at:
            ending_w -= min(max(given.setpoint.power_w, state.reading.power_w), 0.0)
    return ending_w


def _sun_w_s(seen: Observed) -> float:
    """Return by how much the sun's power, which is without noise, steadily rises in a second."""
    return trend_w_s([(s.at, s.pv_w) for s in seen.memory.past], SUN_SAMPLES)


def _rise(
    past: Sequence[tuple[float, float]],
    present_w: float,
    policy: AllocatorPolicy,
    sun_w_s: float = 0.0,
) -> Rise:
    powers = [w for _, w in past]
    usual_w = typical_w(powers)
    guard_w = policy.guard_share * usual_w
    lately_w = max(w for at, w in past if at >= past[-1][0] - policy.settle_s)
    over_w = lately_w + max(policy.step_w, 2 * usual_w)  # noise alone does not reach as far
    peak_w = max(w for w in powers if w <= over_w) - present_w
    rising_w_s = max(trend_w_s(past), sun_w_s, key=abs)
    if rising_w_s * policy.settle_s < -max(policy.step_w, 4 * usual_w):
        peak_w = 0.0  # a cloud has gone: what was under it does not come again at once
    soon_w, later_w = rising_w_s * policy.answer_s, rising_w_s * policy.settle_s
    fast_w = max(peak_w, soon_w, 0.0)
    slow_w = max(max(powers) - present_w, later_w, 0.0)
    return Rise(fast_w + guard_w, slow_w + guard_w, max(later_w - fast_w, 0.0))
