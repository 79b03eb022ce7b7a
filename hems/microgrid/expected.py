"""What the home is expected to draw and the sun to give over an island's duration.

The port that the planner's forecast may be put behind, and a plain stand-in for homes without a
planner: the means of the same hours of past days.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from der.model import Control, DeviceKind, DeviceSpec

HOUR_S: Final = 3600
DAY_S: Final = 86_400
DAYS: Final = 7
UNKNOWN_W: Final = 400.0
"""Load of a home that has no past: 10 kWh a day."""


class Expected(Protocol):
    """What lies ahead, as means in W over a time; both never negative."""

    async def refresh(self, now: float) -> None:
        """Learn from what has been lately; raises `hems.store.errors.StoreError`.

        Args:
            now: UTC epoch seconds.
        """
        ...

    def load_w(self, start: float, end: float) -> float:
        """Return what the home draws that cannot be switched, in [start, end), UTC seconds."""
        ...

    def sun_w(self, start: float, end: float) -> float:
        """Return what its inverters of the sun give."""
        ...


class PastSeries(Protocol):
    """One device's past, as the store gives it."""

    @property
    def device(self) -> str:
        """Its id."""
        ...

    @property
    def at(self) -> Sequence[float]:
        """UTC epoch seconds at which each value begins."""
        ...

    @property
    def power_w(self) -> Sequence[float | None]:
        """Mean powers; None where nothing was measured."""
        ...


History = Callable[[float, float, int], Awaitable[Sequence[PastSeries]]]
"""All devices' mean powers in [start, end) by steps of so many seconds."""


@dataclass(slots=True)
class PastDays:
    """Means by the hour of the day over the last week; an `Expected`.

    Attributes:
        specs: The home's devices.
        history: Where the past is.
    """

    specs: Sequence[DeviceSpec]
    history: History
    _load: Mapping[int, float] = field(default_factory=dict)
    _sun: Mapping[int, float] = field(default_factory=dict)

    async def refresh(self, now: float) -> None:
        """Read the past anew.

        Args:
            now: UTC epoch seconds.
        """
        start = now - DAYS * DAY_S
        found = {each.device: each for each in await self.history(start, now, HOUR_S)}
        meters = [s.id for s in self.specs if s.kind is DeviceKind.METER]
        suns = [s.id for s in self.specs if s.kind is DeviceKind.PV]
        others = [s.id for s in self.specs if s.control is not Control.NONE and s.id not in suns]
        past = {name: _by_hour(each) for name, each in found.items()}
        load: dict[int, list[float]] = {}
        sun: dict[int, list[float]] = {}
        for hour in {hour for hours in past.values() for hour in hours}:
            sun_w = sum(past.get(name, {}).get(hour, 0.0) for name in suns)
            sun.setdefault(hour % 24, []).append(max(-sun_w, 0.0))
            net = [past[name][hour] for name in meters if hour in past.get(name, {})]
            if net:
                other_w = sum(past.get(name, {}).get(hour, 0.0) for name in others)
                load.setdefault(hour % 24, []).append(max(sum(net) - other_w - sun_w, 0.0))
        self._load = {hour: sum(each) / len(each) for hour, each in load.items()}
        self._sun = {hour: sum(each) / len(each) for hour, each in sun.items()}

    def load_w(self, start: float, end: float) -> float:
        """Return the mean of the same hours of past days; a typical home's without any."""
        mean = sum(self._load.values()) / len(self._load) if self._load else UNKNOWN_W
        return _mean(self._load, mean, start, end)

    def sun_w(self, start: float, end: float) -> float:
        """Return the mean of the same hours of past days; none without any."""
        return _mean(self._sun, 0.0, start, end)


def _by_hour(series: PastSeries) -> Mapping[int, float]:
    """Return the mean powers by whole hours since the epoch."""
    pairs = zip(series.at, series.power_w, strict=True)
    return {int(at // HOUR_S): power_w for at, power_w in pairs if power_w is not None}


def _mean(by_hour: Mapping[int, float], otherwise: float, start: float, end: float) -> float:
    first, last = int(start // HOUR_S), int(max(end - 1, start) // HOUR_S)
    hours = [by_hour.get(hour % 24, otherwise) for hour in range(first, last + 1)]
    return sum(hours) / len(hours)
