"""How far what cannot be controlled may rise before the next decision, judged by its past.

Between two decisions nothing answers a load that starts, and a charger answers seconds late. So
limits on import are met not for the power of this instant but for the peak of the last minute:
what has been may come again. And since the next second may outdo them all, the usual change from
one second to the next widens the margin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from der.model import Control, Quality
from hems.cem.memory import Memory, Sample
from hems.cem.observe import Observed
from hems.cem.policy import AllocatorPolicy
from hems.image import Image

_MOST_SAMPLES: Final = 240
"""Bound of the memory, however short the cycle."""
_USUAL_SHARE: Final = 0.9
"""Changes up to this quantile are usual; an appliance's switching now and then lies beyond."""
_LEAST_CHANGES: Final = 5


@dataclass(frozen=True, slots=True)
class Rise:
    """How far a power may rise, in W, never negative.

    Attributes:
        fast_w: Above its present value, as far as it seems still to come: for what can be taken
            back at once (batteries), and for what would be taken away (loads that run).
        slow_w: The same over the whole window: for what should be granted but once.
    """

    fast_w: float = 0.0
    slow_w: float = 0.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """What to be ready for.

    Attributes:
        home: Of the base and the sun together, which the meter sees.
        loads: Of the base alone.
        usual_w: Usual change of the base and the sun from one reading to the next, W.
    """

    home: Rise = Rise()
    loads: Rise = Rise()
    usual_w: float = 0.0


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
    sample = Sample(at, base_w + _lapsing_w(image, seen.memory, now, policy), pv_w)
    kept = tuple(s for s in past if at - policy.hold_s <= s.at < at)
    return (*kept[1 - _MOST_SAMPLES :], sample)


def look(seen: Observed, policy: AllocatorPolicy) -> Outlook:
    """Return what to be ready for, by the recorded past."""
    past, base_w = seen.memory.past, seen.base_w
    if not past or base_w is None:
        return Outlook()
    nets = [(s.at, s.base_w + s.pv_w) for s in past]
    bases = [(s.at, s.base_w) for s in past]
    return Outlook(
        _rise(nets, base_w + _sun_w(seen), policy),
        _rise(bases, base_w, policy),
        _usual_w([w for _, w in nets]),
    )


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


def _rise(past: Sequence[tuple[float, float]], present_w: float, policy: AllocatorPolicy) -> Rise:
    powers = [w for _, w in past]
    usual_w = _usual_w(powers)
    guard_w = policy.guard_share * usual_w
    lately_w = max(w for at, w in past if at >= past[-1][0] - policy.settle_s)
    over_w = lately_w + max(policy.step_w, 2 * usual_w)  # noise alone does not reach as far
    fast_w = max(w for w in powers if w <= over_w)
    return Rise(max(fast_w - present_w, 0.0) + guard_w, max(max(powers) - present_w, 0.0) + guard_w)


def _usual_w(powers: Sequence[float]) -> float:
    """Return how much a power usually changes from one reading to the next, W."""
    changes = sorted(abs(b - a) for a, b in pairwise(powers))
    if len(changes) < _LEAST_CHANGES:
        return 0.0
    return changes[int(_USUAL_SHARE * (len(changes) - 1))]
