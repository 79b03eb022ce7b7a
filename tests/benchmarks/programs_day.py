"""The day of a simulated home that nobody asks anything of and no hub controls."""

from collections.abc import Sequence
from typing import Final

from der.sim.options import parse
from der.sim.physics.dataset import load_week
from der.sim.physics.house import Commands, House

_DAY_S: Final = 86_400
_STEP_S: Final = 5.0


def day_peak_w(arguments: Sequence[str]) -> float:
    """Return the greatest import of its first day, W: its devices run as they like.

    Args:
        arguments: What the simulated house is started with.
    """
    house = House(parse(arguments).house(), load_week())
    free = Commands()
    return max(house.step(_STEP_S, free).meter.power_w for _ in range(int(_DAY_S / _STEP_S)))
