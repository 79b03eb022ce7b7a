"""What is known of the home's past, and what is said of its future. Arrays, no I/O.

Powers in W, passive sign: load never negative, sun never positive. NaN where nothing is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hems.cem.slots import Slots

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CarPast:
    """What a charger has seen.

    Attributes:
        power_w: By slot, mean.
        plugged: By slot, share of the slot for which a car was plugged in.
    """

    power_w: Floats
    plugged: Floats


@dataclass(frozen=True, slots=True)
class Weather:
    """What a source that the user gave says of past and future; all may be NaN.

    Attributes:
        slots: Its steps of time; need not be those of the past.
        irradiance_w_m2: On the horizontal plane.
        outdoor_c: Temperature outside.
        told_at: When the source said so, UTC epoch seconds: it gets stale.
    """

    slots: Slots
    irradiance_w_m2: Floats
    outdoor_c: Floats
    told_at: float


@dataclass(frozen=True, slots=True)
class Past:
    """The home's own history, on equal steps of time up to now.

    Attributes:
        slots: Steps of time, the last one complete.
        zone: Where the home is: people live by its clock.
        load_w: What cannot be controlled drew: without cars, heaters and batteries.
        sun_w: What PV gave, or could have given where it was held back.
        cars: By device id.
        heats: By device id, mean electric power by slot.
        weather: As far as there is a source.
        holidays: Days on which people live as on a Sunday, ordinals (`date.toordinal`).
        present_load_w: The load just now, where it is known better than by the last slot.
        present_sun_w: The sun just now.
        heat_temps_c: By device id, temperature of what a heater warms, by slot, at its end.
    """

    slots: Slots
    zone: ZoneInfo
    load_w: Floats
    sun_w: Floats
    cars: Mapping[str, CarPast] = field(default_factory=dict)
    heats: Mapping[str, Floats] = field(default_factory=dict)
    weather: Weather | None = None
    holidays: frozenset[int] = frozenset()
    present_load_w: float | None = None
    present_sun_w: float | None = None
    heat_temps_c: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """A forecast.

    Attributes:
        shares: Of the quantiles, ascending, 0.5 among them.
        values: One row a share, one column a slot.
        source: What it rests on: "history", "weather", "cold start", "calendar".
    """

    shares: tuple[float, ...]
    values: Floats
    source: str = "history"

    @property
    def median(self) -> Floats:
        """The row of one half."""
        row: Floats = self.values[self.shares.index(0.5)]
        return row


@dataclass(frozen=True, slots=True)
class Paths:
    """Ways in which load and sun may go together; the joint course of a day, not a band.

    Attributes:
        weights: Probabilities, adding up to 1.
        load_w: One row a path, one column a slot.
        sun_w: The same.
        turns: How a course goes on: by slot but the last, one row a path gone along so far, one
            column a path gone along next, the probability of it; rows add up to 1. None where
            each path is gone to its end.
    """

    weights: Floats
    load_w: Floats
    sun_w: Floats
    turns: Floats | None = None


@dataclass(frozen=True, slots=True)
class CarOutlook:
    """When a car is expected at its charger, and what it will need.

    Attributes:
        present: By slot, probability that it is plugged in; while it is, certain until it leaves.
        leaves_at: When it is expected to leave next, UTC epoch seconds; None if nobody knows.
        need_wh: Quantiles of the energy, as drawn, that it takes in one stay.
    """

    present: Floats
    leaves_at: float | None
    need_wh: Quantiles


@dataclass(frozen=True, slots=True)
class Outlook:
    """All forecasts for the coming slots.

    Attributes:
        slots: The steps of time.
        load: What cannot be controlled.
        sun: What PV can give.
        paths: Load and sun as whole courses.
        cars: By device id.
        heat_draw_w: By device id, heat drawn from a tank (hot water), one row a quantile.
        outdoor_c: Temperature outside; NaN where there is no source.
        notes: What the owner should know ("no weather since 14:00: by history alone").
        scores: Mean absolute error of the last week by name, in W, and that of yesterday's same
            hour beside it: what the forecast is worth.
    """

    slots: Slots
    load: Quantiles
    sun: Quantiles
    paths: Paths
    cars: Mapping[str, CarOutlook] = field(default_factory=dict)
    heat_draw_w: Mapping[str, Quantiles] = field(default_factory=dict)
    outdoor_c: Floats | None = None
    notes: tuple[str, ...] = ()
    scores: Mapping[str, tuple[float, float]] = field(default_factory=dict)
