"""What the sun leaves over for cars, and how long one that charges from it bears a cloud.

A preference of a car is the power that it should have wherever that comes from; what it may have
beyond, up to its bounds, it takes from the sun's surplus alone. So a car that waits for the sun
prefers nothing, and a planned one prefers what the plan gives it.

A car is started by what has been left over for the whole of the last minute, and follows down at
once. Where too little is left for its least power it goes on with that for a while, from the grid:
each start and stop wears a contactor, and clouds pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from der.model import Control
from hems.cem import generation, storage
from hems.cem.observe import Observed, Usable
from hems.cem.outlook import Outlook
from hems.cem.policy import AllocatorPolicy, SurplusFirst
from hems.cem.storage import Surroundings


@dataclass(frozen=True, slots=True)
class Surplus:
    """What is left over, in W; negative where the house lacks power.

    Attributes:
        now_w: Now, as far as it seems to last until the next decision.
        sure_w: Over the whole of the last minute.
        hidden: Whether the sun is held back, so that perhaps more is there than is seen.
    """

    now_w: float = 0.0
    sure_w: float = 0.0
    hidden: bool = False


def surplus(
    seen: Observed,
    around: Surroundings,
    outlook: Outlook,
    *,
    batteries: Sequence[Usable],
    inverters: Sequence[Usable],
    policy: AllocatorPolicy,
) -> Surplus:
    """Return what the sun leaves over for cars.

    Args:
        seen: What the image tells.
        around: The base and the sun.
        outlook: How far they may rise.
        batteries: Those that take their part first, where the owner chose so.
        inverters: Those that may hold back sun.
        policy: The allocator's figures.
    """
    if around.base_w is None or not seen.known:
        return Surplus()
    house_w = sum(u.reading.power_w for u in seen.with_control(Control.SWITCH))
    left_w = -(around.base_w + around.pv_w + house_w)
    if policy.surplus_first is SurplusFirst.BATTERY:
        left_w -= sum(storage.capability(b, policy).upper_w for b in batteries)
    return Surplus(
        left_w - outlook.home.fast_w,
        left_w - outlook.home.slow_w,
        generation.held_back(inverters, policy),
    )


def share_of(car: Usable, left: Surplus, now: float, policy: AllocatorPolicy) -> Surplus:
    """Return what a car may take of a surplus, before it is told what it lacks.

    Args:
        car: The car.
        left: What is left over for it.
        now: UTC epoch seconds.
        policy: How often a car may feel for sun that is held back, and by how much.
    """
    least_w = max(car.state.spec.least_on_w, 1.0)
    if not left.hidden:
        return left
    if car.memory.allowed_w >= least_w:
        felt_w = max(car.reading.power_w, 0.0) + policy.raise_least_w
    elif now - car.memory.changed_at >= policy.solar_retry_s:
        felt_w = least_w + policy.headroom_w
    else:
        return left
    return Surplus(max(left.now_w, felt_w), max(left.sure_w, felt_w), hidden=True)


def bears(car: Usable, now: float, policy: AllocatorPolicy) -> bool:
    """Return whether a car that charges, or was just started, bears that too little is left."""
    since = car.memory.lacking_since
    begun = car.running or now - car.memory.changed_at < policy.solar_stop_s
    return begun and (since is None or now - since < policy.solar_stop_s)
