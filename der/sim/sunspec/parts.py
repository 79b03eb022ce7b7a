"""What a SunSpec device is made of: groups of points that are checked, written and reset as one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from der.sim.errors import ExceptionCode, RefusedError
from der.sim.sunspec.registers import Key, Value
from der.sim.sunspec.reversion import TimedFunction

Written = Mapping[str, float | None]
"""Points of one model that a peer writes, by name; None is "not implemented"."""


class Part(Protocol):
    """Points of one model that belong together."""

    @property
    def model(self) -> int:
        """The model that they are in."""
        ...

    def takes(self, name: str) -> bool:
        """Whether a point is one of its own and may be written."""
        ...

    def check(self, values: Written) -> None:
        """See whether a write is acceptable as a whole.

        Raises:
            RefusedError: A value out of bounds, or a point that is read-only now.
        """
        ...

    def write(self, values: Written, now: float) -> None:
        """Take over a write that `check` has passed."""
        ...

    def tick(self, now: float) -> None:
        """Let time pass: timers run out, what was asked for is completed."""
        ...

    def points(self, now: float) -> dict[Key, Value]:
        """Return all that it shows."""
        ...

    def reset(self) -> None:
        """Forget all that it was told."""
        ...


def check_bounds(name: str, value: float | None, bounds: tuple[float, float]) -> None:
    """See whether a value lies within bounds.

    Raises:
        RefusedError: It does not, or is "not implemented".
    """
    low, high = bounds
    if value is None or not low <= value <= high:
        raise RefusedError(
            ExceptionCode.ILLEGAL_VALUE, f"{name} {value} is outside {low:g} to {high:g}"
        )


class Timed:
    """A function that reverts by itself, as a part of its model."""

    def __init__(self, model: int, function: TimedFunction) -> None:
        self.model = model
        self.function = function

    def takes(self, name: str) -> bool:
        """Whether the function has the point."""
        return name in self.function.shape.bounds

    def check(self, values: Written) -> None:
        """See whether the values are within bounds."""
        self.function.check(values)

    def write(self, values: Written, now: float) -> None:
        """Take values over; the function's time begins anew."""
        self.function.write(values, now)

    def tick(self, now: float) -> None:
        """Revert if the time has run out."""
        self.function.tick(now)

    def points(self, now: float) -> dict[Key, Value]:
        """Return its points, the time remaining among them."""
        return {(self.model, name): value for name, value in self.function.points(now).items()}

    def reset(self) -> None:
        """Stand as at the start."""
        self.function.reset()


class Settings:
    """Points that keep what is written to them."""

    def __init__(
        self,
        model: int,
        values: Mapping[str, float],
        bounds: Mapping[str, tuple[float, float]],
    ) -> None:
        self.model = model
        self.values = dict(values)
        self._at_start = dict(values)
        self._bounds = bounds

    def takes(self, name: str) -> bool:
        """Whether it may be set."""
        return name in self._bounds

    def check(self, values: Written) -> None:
        """See whether the values are within bounds."""
        for name, value in values.items():
            check_bounds(f"{self.model} {name}", value, self._bounds[name])

    def write(self, values: Written, now: float) -> None:
        """Keep the values."""
        del now
        self.values.update({name: value for name, value in values.items() if value is not None})

    def tick(self, now: float) -> None:
        """Do nothing: nothing here has a time."""

    def points(self, now: float) -> dict[Key, Value]:
        """Return its points."""
        del now
        return {(self.model, name): value for name, value in self.values.items()}

    def reset(self) -> None:
        """Stand as at the start."""
        self.values = dict(self._at_start)


def obey(parts: Sequence[Part], values: Mapping[Key, float | None], now: float) -> None:
    """Hand a write to the parts that it is for; all of them take it, or none.

    Raises:
        RefusedError: A point that nobody takes, or a value out of bounds.
    """
    shares: dict[int, dict[str, float | None]] = {}
    for (model, name), value in values.items():
        place = next(
            (i for i, part in enumerate(parts) if part.model == model and part.takes(name)), None
        )
        if place is None:
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{model} {name} is not supported")
        shares.setdefault(place, {})[name] = value
    for place, share in shares.items():
        parts[place].check(share)
    for place, share in shares.items():
        parts[place].write(share, now)


def shown(parts: Iterable[Part], now: float) -> dict[Key, Value]:
    """Return what all parts show, once their timers have been looked at."""
    points: dict[Key, Value] = {}
    for part in parts:
        part.tick(now)
        points.update(part.points(now))
    return points
