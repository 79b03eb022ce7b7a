"""A home that is to keep a slope, closed over its own past, and what its meter then shows."""

import random
from collections.abc import Callable
from itertools import count

from programs.inputs import Inputs
from programs.proposal import Proposal
from programs.slope import SlopePolicy, propose, slope_w_min
from tests.hems.cem.plant import BREAKER, Loop, Plant

Course = Callable[[int], float]


class Smooth:
    """Decides each second on a plant whose base and sun move on in between."""

    def __init__(self, w_min: float | None, base: Course, sun: Course, plant: Plant) -> None:
        self.plant = plant
        self.loop = Loop(plant)
        self.trace: list[tuple[float, float]] = []
        self._w_min = w_min
        self._base, self._sun = base, sun
        self._seconds = count(1)

    def run(self, seconds: int, *others: Proposal) -> None:
        """Let time pass."""
        for _ in range(seconds):
            image = self.plant.image()
            shown = [*self.trace[-120:]] or [(image.at, image.net_w or 0.0)]
            inputs = Inputs((), image.devices, image.net_w, image.at, past_net=tuple(shown))
            asked = propose(inputs, SlopePolicy(self._w_min))
            self.loop.decide(BREAKER, *asked, *others)
            second = next(self._seconds)
            self.plant.base_w, self.plant.sun_w = self._base(second), self._sun(second)
            self.plant.step()
            self.trace.append((self.plant.at, self.plant.net_w))

    def slopes(self, since_s: int = 0) -> list[float]:
        """Return the magnitude of the slope over each minute, sliding by the second."""
        found = [
            slope_w_min(self.trace[n - 60 : n + 1], self.trace[n][0])
            for n in range(max(since_s, 60), len(self.trace))
        ]
        return [abs(slope) for slope in found if slope is not None]


def noisy(mean_w: float, share: float, seed: int) -> Course:
    """Return a load that ripples about its mean."""
    rng = random.Random(seed)  # noqa: S311 - a load, not a secret
    powers = [mean_w * max(0.1, rng.gauss(1.0, share)) for _ in range(5_000)]
    return lambda second: powers[second]


def with_oven(
    course: Course, power_w: float = 2_000.0, on_s: int = 45, every_s: int = 100
) -> Course:
    """Return a load with an oven beside it that its thermostat switches."""
    return lambda second: course(second) + (power_w if second % every_s < on_s else 0.0)


def clouds(
    high_w: float = 3_500.0, low_w: float = 800.0, edge_s: int = 10, every_s: int = 180
) -> Course:
    """Return a sun under passing clouds, whose edges take some seconds."""

    def sun(second: int) -> float:
        part = second % every_s
        if part >= every_s / 2:
            return max(high_w - (high_w - low_w) * (part - every_s / 2) / edge_s, low_w)
        return min(low_w + (high_w - low_w) * part / edge_s, high_w)

    return sun


def still(power_w: float) -> Course:
    """Return a power that stays."""
    return lambda _: power_w
