"""Second by second load of an hour whose energy was measured: appliances, standby and noise."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from der.sim.physics.dataset import HOUR_S, HOURS

SECONDS = int(HOUR_S)

EVENT_SHARE = 0.7
"""Appliances take at most this share of an hour's energy; the rest is standby and noise."""

NOISE = 0.08
"""Relative spread of the standby part from one second to the next."""


@dataclass(frozen=True, slots=True)
class Appliance:
    """Something that is switched on for a while.

    Attributes:
        power_w: What it draws when on.
        least_s: Shortest time on.
        most_s: Longest time on.
    """

    power_w: float
    least_s: int
    most_s: int


KITCHEN = (
    Appliance(2000, 90, 180),  # kettle
    Appliance(1100, 60, 300),  # microwave oven
    Appliance(2400, 300, 900),  # oven heating up
    Appliance(1500, 300, 600),  # dishwasher or washing machine heating water
    Appliance(800, 120, 240),  # toaster
    Appliance(120, 600, 1200),  # refrigerator's compressor
)


def second_by_second(energy_wh: float, rng: random.Random) -> list[float]:
    """Draw one hour's load.

    Args:
        energy_wh: Energy of the hour, Wh.
        rng: Where chance comes from.

    Returns:
        3600 powers in W, none negative, whose mean times one hour is `energy_wh`.
    """
    load_w = [0.0] * SECONDS
    budget_ws = energy_wh * 3600 * EVENT_SHARE
    for _ in range(12):
        appliance = rng.choice(KITCHEN)
        on_s = rng.randint(appliance.least_s, appliance.most_s)
        start_s = rng.randrange(SECONDS - on_s)
        if appliance.power_w * on_s > budget_ws:
            continue
        budget_ws -= appliance.power_w * on_s
        for second in range(start_s, start_s + on_s):
            load_w[second] += appliance.power_w
    noise = [max(0.1, rng.gauss(1.0, NOISE)) for _ in range(SECONDS)]
    standby_w = (energy_wh * 3600 - sum(load_w)) / sum(noise)
    return [power + standby_w * share for power, share in zip(load_w, noise, strict=True)]


class BaseLoad:
    """The load that nobody can move, over an endlessly repeated measured week.

    Each hour depends on the seed and the hour alone, so that any sequence of steps, with any
    pauses, meets the same load.
    """

    def __init__(self, load_wh: Sequence[float], seed: int) -> None:
        self._load_wh = load_wh
        self._seed = seed
        self._hour = lru_cache(maxsize=4)(self._draw_hour)

    def __reduce__(self) -> tuple[type["BaseLoad"], tuple[Sequence[float], int]]:
        """Pickle what it is made from: hours are drawn anew, the same ones."""
        return BaseLoad, (self._load_wh, self._seed)

    def mean_w(self, start_s: float, end_s: float) -> float:
        """Mean power in W from `start_s` to `end_s` (later, both in s since Monday 00:00)."""
        first, last = int(start_s // HOUR_S), int(end_s // HOUR_S)
        energy_ws = self._until(end_s) - self._until(start_s)
        energy_ws += sum(self._hour(hour)[-1] for hour in range(first, last))
        return max(0.0, energy_ws / (end_s - start_s))

    def _until(self, time_s: float) -> float:
        """Energy in Ws from the beginning of the hour until `time_s`."""
        hour, rest_s = divmod(time_s, HOUR_S)
        sums = self._hour(int(hour))
        second = int(rest_s)
        within = (sums[second + 1] - sums[second]) * (rest_s - second)
        return sums[second] + within

    def _draw_hour(self, hour: int) -> list[float]:
        rng = random.Random(f"{self._seed}/{hour}")  # noqa: S311 - a load, not a secret
        load_w = second_by_second(self._load_wh[hour % HOURS], rng)
        return [0.0, *accumulate(load_w)]
