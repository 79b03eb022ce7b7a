"""The measured week that drives the home, and the curves drawn through its hourly figures."""

import csv
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from itertools import accumulate

from der.sim.errors import DataError

HOURS = 168
HOUR_S = 3600.0
WEEK_S = HOURS * HOUR_S


@dataclass(frozen=True)
class Week:
    """168 hourly figures, the first from Monday 00:00 to 01:00 local time.

    Attributes:
        load_wh: Energy used in each hour, Wh.
        pv_w_per_kwp: Mean PV power in each hour, W per kWp installed.
        outdoor_temp_c: Outdoor temperature in each hour, degC.
        price_per_kwh: Price of imported energy in each hour, USD/kWh.
    """

    load_wh: tuple[float, ...]
    pv_w_per_kwp: tuple[float, ...]
    outdoor_temp_c: tuple[float, ...]
    price_per_kwh: tuple[float, ...]

    @cached_property
    def pv_curve(self) -> "MeanCurve":
        """PV power in W per kWp over the week; its hourly means are the measured ones."""
        return MeanCurve(self.pv_w_per_kwp)

    def outdoor_temp_at(self, time_s: float) -> float:
        """Outdoor temperature in degC, straight lines between the middles of the hours."""
        position = (time_s / HOUR_S - 0.5) % HOURS
        hour = int(position)
        share = position - hour
        after = self.outdoor_temp_c[(hour + 1) % HOURS]
        return self.outdoor_temp_c[hour] * (1 - share) + after * share


class MeanCurve:
    """A continuous, never negative curve over the week that keeps each hour's mean exactly.

    Each hour is two straight lines from edge to middle to edge. An edge lies between its two
    hours' means, and at most at twice the lesser, so that the middle which keeps the mean is
    never negative: dark hours stay dark.
    """

    def __init__(self, means: Sequence[float]) -> None:
        edges = [
            min((means[i - 1] + means[i]) / 2, 2 * means[i - 1], 2 * means[i])
            for i in range(len(means))
        ]
        edges.append(edges[0])
        self._nodes: list[float] = []
        for hour, mean in enumerate(means):
            middle = 2 * mean - (edges[hour] + edges[hour + 1]) / 2
            self._nodes += [edges[hour], middle]
        self._nodes.append(edges[-1])
        half_s = HOUR_S / 2
        areas = ((a + b) / 2 * half_s for a, b in zip(self._nodes, self._nodes[1:], strict=False))
        self._areas = [0.0, *accumulate(areas)]
        self._times = [i * half_s for i in range(len(self._nodes))]

    def mean(self, start_s: float, end_s: float) -> float:
        """Mean of the curve from `start_s` to `end_s` (later, both in s since Monday 00:00)."""
        return (self._area(end_s) - self._area(start_s)) / (end_s - start_s)

    def _area(self, time_s: float) -> float:
        weeks, rest_s = divmod(time_s, self._times[-1])
        node = min(bisect_right(self._times, rest_s), len(self._times) - 1) - 1
        into_s = rest_s - self._times[node]
        slope = (self._nodes[node + 1] - self._nodes[node]) / (HOUR_S / 2)
        within = (self._nodes[node] + slope * into_s / 2) * into_s
        return weeks * self._areas[-1] + self._areas[node] + within


def load_week(text: str | None = None) -> Week:
    """Read the week.

    Args:
        text: CSV with the columns of `data/README.md`; None for the file that comes with it.

    Raises:
        DataError: The rows are not 168, or a figure is missing or not a number.
    """
    if text is None:
        text = (files("der.sim") / "data" / "home_week.csv").read_text("ascii")
    rows = list(csv.DictReader(text.splitlines()))
    if len(rows) != HOURS:
        raise DataError(f"measured week: {len(rows)} rows instead of {HOURS}")

    def column(name: str, factor: float = 1.0) -> tuple[float, ...]:
        try:
            return tuple(float(row[name]) * factor for row in rows)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"measured week: column {name}: {error}") from error

    return Week(
        load_wh=column("load_kwh", 1000.0),
        pv_w_per_kwp=column("pv_w_per_kwp"),
        outdoor_temp_c=column("outdoor_temp_c"),
        price_per_kwh=column("price_usd_per_kwh"),
    )
