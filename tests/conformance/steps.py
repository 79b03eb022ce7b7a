"""Steps that several scenarios share."""

import time
from collections.abc import Callable

from tests.conformance.home import Home, PowerSample
from tests.interop.grid.notify import watching
from tests.interop.grid.tree import Programme
from tests.interop.grid.words import Modes
from tests.interop.lone import Lone

Good = Callable[[PowerSample], bool]
TOLERANCE_W = 60.0
"""What a closed loop of one second may be off while kettles come and go."""


def importing_at_most(watts: float) -> Good:
    """Whether the home draws no more than so much from the grid."""
    return lambda sample: sample.meter_w <= watts + TOLERANCE_W


def exporting_at_most(watts: float) -> Good:
    """Whether the home feeds no more than so much into the grid."""
    return lambda sample: -sample.meter_w <= watts + TOLERANCE_W


def generating_at_most(watts: float) -> Good:
    """Whether PV and battery give no more than so much."""
    return lambda sample: sample.generation_w <= watts + TOLERANCE_W


def loading_at_most(watts: float) -> Good:
    """Whether all that consumes takes no more than so much."""
    return lambda sample: sample.load_w <= watts + TOLERANCE_W


async def subscribed(home: Home, programme: Programme) -> None:
    """Wait until the home watches a programme's events."""
    await home.grid.until(
        lambda: watching(home.grid, programme.events_href) is not None,
        10.0,
        "subscribed to the events",
    )


async def obeyed(
    home: Home,
    programme: Programme,
    good: Good,
    modes: Modes,
    *,
    seconds: int = 7,
    told: bool = False,
) -> None:
    """See a control through on the devices: it takes hold, holds to its end, and is answered.

    Args:
        home: The home.
        programme: Which programme dispatches it.
        good: What the devices' powers must be.
        modes: What it sets.
        seconds: How long it lasts.
        told: Whether the utility notifies the home, which else has to poll.
    """
    free = await home.power()
    assert not good(free), f"nothing to limit: {free}"
    mrid = programme.add(0, seconds, modes)
    ends = time.time() + seconds
    if told:
        await home.tell(programme.events_href)
    what = f"{modes} on the devices"
    await home.comes_to(good, what)
    await home.holds(good, ends - 1.0, what)
    await home.grid.answered(mrid, [1, 2, 3])
    await home.comes_to(lambda sample: not good(sample), f"free again after {modes}", 60.0)


async def kept_by_default(
    home: Home, programme: Programme, good: Good, modes: Modes, *, told: bool = False
) -> None:
    """See a default take hold and go, on the devices."""
    await home.comes_to(lambda sample: not good(sample), "something to limit", 60.0)
    programme.fall_back(modes)
    if told:
        await home.tell(programme.default_href)
    await home.comes_to(good, f"default {modes} on the devices")
    await home.holds(good, time.time() + 2.0, f"default {modes}")
    programme.fall_back()
    if told:
        await home.tell(programme.default_href)
    await home.comes_to(lambda sample: not good(sample), f"free again after {modes}", 60.0)


async def force(lone: Lone, mode: str, value: float | bool | None, within_s: float = 8.0) -> None:
    """Wait until a mode has a value in force, or none."""
    await lone.until(lambda: lone.in_force(mode) == value, within_s)
    lone.shown.append(f"{mode} free" if value is None else f"{mode} = {value:g}")
