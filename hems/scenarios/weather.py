"""Sun and temperature over a scenario's days, and the load of its people."""

import math
from dataclasses import replace
from typing import Final

from der.sim.physics.dataset import HOURS, Week, load_week

_DAY: Final = 24
_SKIES: Final = {
    "clear": (1.0,),
    "cloudy": (0.25,),
    "broken": (0.9, 0.35),
}
"""Share of a clear sky's yield, hour by hour in turn."""
_SEASONS: Final = {
    # sunrise, sunset (hours), best yield (W for each kWp), coldest and warmest (degC)
    "summer": (5.0, 21.0, 820.0, 16.0, 29.0),
    "winter": (8.0, 16.5, 330.0, -6.0, 1.0),
}


def week(season: str, sky: str) -> Week:
    """Return a week of a season.

    Args:
        season: "summer", "winter", or "measured" for the week that comes with the simulated home.
        sky: "clear", "cloudy" or "broken"; a measured week has its own.
    """
    measured = load_week()
    if season == "measured":
        return measured
    rises, sets, best_w, coldest_c, warmest_c = _SEASONS[season]
    shares = _SKIES[sky]
    sun, temps = [], []
    for hour in range(HOURS):
        of_day = hour % _DAY + 0.5
        height = math.sin(math.pi * (of_day - rises) / (sets - rises))
        up = rises < of_day < sets
        sun.append(best_w * height * shares[hour % len(shares)] if up else 0.0)
        swing = math.cos(2 * math.pi * (of_day - 15.0) / _DAY)  # warmest at three in the afternoon
        temps.append((coldest_c + warmest_c) / 2 + (warmest_c - coldest_c) / 2 * swing)
    return replace(measured, pv_w_per_kwp=tuple(sun), outdoor_temp_c=tuple(temps))
