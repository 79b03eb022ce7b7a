"""Controls that revert by themselves: SunSpec models 704, 123 and 124, and a relay board's hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from der.sim.errors import ExceptionCode, RefusedError


@dataclass(slots=True)
class Countdown:
    """A timer that lives in the device and knows no peer.

    Attributes:
        until: When it runs out, monotonic s; None when it does not run.
    """

    until: float | None = None

    def start(self, seconds: float, now: float) -> None:
        """Start anew; 0 s stops it."""
        self.until = now + seconds if seconds > 0 else None

    def remaining_s(self, now: float) -> float:
        """Seconds left; 0 when it does not run."""
        return 0.0 if self.until is None else max(0.0, self.until - now)

    def ran_out(self, now: float) -> bool:
        """Whether it has run out since it was last asked; says so once."""
        if self.until is None or now < self.until:
            return False
        self.until = None
        return True


@dataclass(frozen=True, slots=True)
class FunctionShape:
    """The points of one function of model 704, 123 or 124.

    Attributes:
        enable: The point that switches it on, for example WMaxLimPctEna.
        reverts: Each point that reverts, with the one that says what it reverts to, or with a
            number where the model has no such point.
        timeout: The point that holds the time in s, 0 for never; None where there is no timer.
        remaining: The point that counts down; None where the model has none.
        bounds: Least and greatest value of each point that may be written.
        idle: What the enable reads while the function is not in force.
    """

    enable: str
    reverts: Mapping[str, str | float]
    timeout: str | None
    remaining: str | None
    bounds: Mapping[str, tuple[float, float]]
    idle: float = 0.0


@dataclass(slots=True)
class TimedFunction:
    """A function as it stands in a device.

    Each accepted write to any of its points starts the reversion time anew while it is enabled.
    When the time has run out, each reverting point takes its reversion value, the enable too.

    Attributes:
        shape: Its points.
        values: What they hold.
    """

    shape: FunctionShape
    values: dict[str, float]
    _timer: Countdown = field(default_factory=Countdown)
    _at_start: dict[str, float] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._at_start = dict(self.values)

    @property
    def enabled(self) -> bool:
        """Whether it is in force."""
        return self.values[self.shape.enable] != self.shape.idle

    def reset(self) -> None:
        """Stand as at the start."""
        self.values = dict(self._at_start)
        self._timer = Countdown()

    def check(self, values: Mapping[str, float | None]) -> None:
        """See whether a write is acceptable as a whole.

        Raises:
            RefusedError: A point is not supported, or its value out of bounds.
        """
        for name, value in values.items():
            if name not in self.shape.bounds:
                raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{name} is not supported")
            low, high = self.shape.bounds[name]
            if value is None or not low <= value <= high:
                raise RefusedError(
                    ExceptionCode.ILLEGAL_VALUE, f"{name} {value} is outside {low:g} to {high:g}"
                )

    def write(self, values: Mapping[str, float | None], now: float) -> None:
        """Take over a write that `check` has passed."""
        self.values.update({name: value for name, value in values.items() if value is not None})
        timeout = self.shape.timeout
        self._timer.start(self.values[timeout] if timeout and self.enabled else 0.0, now)

    def tick(self, now: float) -> None:
        """Revert if the time has run out."""
        if self._timer.ran_out(now):
            for name, reverts_to in self.shape.reverts.items():
                value = self.values[reverts_to] if isinstance(reverts_to, str) else reverts_to
                self.values[name] = value

    def points(self, now: float) -> dict[str, float]:
        """Return all points, the time remaining among them."""
        if self.shape.remaining is None:
            return dict(self.values)
        return {**self.values, self.shape.remaining: self._timer.remaining_s(now)}
