"""From a set-point to writes to a described device. Pure.

A power or a current is only ever made smaller on its way to the device: what lies between two
steps goes towards zero, what is above the point's bound goes to the bound. What could only be
written greater than asked is refused.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from der.drivers.mapped.meaning import RATING
from der.drivers.mapped.points import Point, Rounding, Values, decode_raw, encode, fit, scaled
from der.drivers.mapped.reading import Standing
from der.drivers.mapped.steps import Quantity, Step, When
from der.errors import RejectedError, TransientError
from der.model import DeviceSpec

_SLACK: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Write:
    """Registers or a bit to be written."""

    point: Point
    words: tuple[int, ...]
    only_changes: bool
    verify: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What shall be written, and for which device.

    Attributes:
        spec: The device.
        standing: It in its home.
        fallback_a: Current of a charger when the hub is silent.
        power_w: The set-point; None for writes that have nothing to do with one.
        lapse_s: Its lapse; None for no end.
        revert_w: What to run at afterwards.
        least_w: Least power at which the device runs at all.
        frequency_hz: What an inverter is to form.
        voltage_v: What an inverter is to form.
    """

    spec: DeviceSpec
    standing: Standing
    fallback_a: float = 0.0
    power_w: float | None = None
    lapse_s: float | None = None
    revert_w: float | None = None
    least_w: float = 0.0
    frequency_hz: float | None = None
    voltage_v: float | None = None

    def quantity(self, quantity: Quantity) -> float | None:
        """Return a quantity; None where it has no value."""
        match quantity:
            case Quantity.POWER:
                return self.power_w
            case Quantity.CURRENT:
                return (
                    None if self.power_w is None else self.power_w / self.standing.watts_per_ampere
                )
            case Quantity.REVERT:
                return self.revert_w
            case Quantity.LAPSE:
                return self.lapse_s
            case Quantity.FALLBACK:
                return self.fallback_a
            case Quantity.RATING:
                return self.standing.rating_w
            case Quantity.FREQUENCY:
                return self.frequency_hz
            case Quantity.VOLTAGE:
                return self.voltage_v

    def meets(self, when: When) -> bool:
        """Whether a step is to be taken."""
        power_w = self.power_w
        if when is When.ALWAYS or power_w is None:
            return when is When.ALWAYS
        return {
            When.POSITIVE: power_w > 0,
            When.NEGATIVE: power_w < 0,
            When.ZERO: power_w == 0,
            When.NOT_POSITIVE: power_w <= 0,
            When.NOT_NEGATIVE: power_w >= 0,
            When.ALLOWED: power_w >= self.spec.max_w,
            When.FORBIDDEN: power_w < self.spec.max_w,
            When.RUNNING: power_w >= self.least_w,
            When.STOPPED: power_w < self.least_w,
        }[when]


@dataclass(frozen=True, slots=True)
class Known:
    """The points of a device, and what was last read of them."""

    points: Mapping[str, Point]
    values: Values = field(default_factory=Values)


def plan(steps: Iterable[Step], known: Known, asked: Asked) -> list[Write]:
    """Return the writes of some steps, in order.

    Raises:
        RejectedError: The device cannot hold what is asked.
        TransientError: A number of the device that it takes is not known.
    """
    return [_write(step, known, asked) for step in steps if asked.meets(step.when)]


def _write(step: Step, known: Known, asked: Asked) -> Write:
    point = known.points[step.point]
    exponent = 0.0
    if point.exponent:
        exponent = _needed(known, point.exponent, step, asked)
    number, rounding = _number(step, point, known, asked)
    words, back = _as_held(point, number, exponent, rounding)
    if back is not None and rounding is not Rounding.NEAREST and _beyond(back, point):
        words = None  # the step below what was asked is below the point's least
        if step.below is not None:
            words, _ = _as_held(point, step.below, exponent, Rounding.NEAREST)
    if words is None:
        raise _refusal(point, number, asked)
    return Write(point, tuple(words), step.only_changes, step.verify)


def _as_held(
    point: Point, number: float, exponent: float, rounding: Rounding
) -> tuple[list[int] | None, float | None]:
    """Return a number as registers, and what they then say; None where they cannot hold it."""
    words = encode(point, fit(point, number, exponent, rounding))
    held = None if words is None else decode_raw(point, words)
    return words, None if held is None else scaled(point, held, exponent)


def _number(step: Step, point: Point, known: Known, asked: Asked) -> tuple[float, Rounding]:
    """Return what a step writes, in the point's unit, and where to go between two steps.

    What is asked lies within the point's bounds; what the description says itself (a constant,
    `below`, `otherwise`) is taken as it is and rounded to the nearest.
    """
    if isinstance(step.value, float):
        return step.value, Rounding.NEAREST
    quantity = asked.quantity(step.value)
    if step.value is Quantity.LAPSE:
        number = point.most if quantity is None else quantity * step.factor
        if not number <= point.most:
            raise _refusal(point, number, asked)
        return max(number, point.least), Rounding.UP
    if quantity is None:
        if step.otherwise is None:
            raise RejectedError(f"{asked.spec.id}: {point.name} needs a {step.value}")
        return step.otherwise, Rounding.NEAREST
    number = quantity * step.factor
    if step.per:
        number /= _needed(known, step.per, step, asked)
    if not math.isfinite(number):
        raise _refusal(point, number, asked)
    bounded = min(max(number, point.least), point.most)
    if abs(bounded) <= abs(number):
        return bounded, Rounding.TO_ZERO
    if step.below is None:
        raise _refusal(point, number, asked)
    return step.below, Rounding.NEAREST


def _needed(known: Known, name: str, step: Step, asked: Asked) -> float:
    number = asked.standing.rating_w if name == RATING else known.values.numbers.get(name)
    if number is None or (name == step.per and number <= 0):
        raise TransientError(
            f"{asked.spec.id}: {step.point} cannot be written: {name} has no usable value"
        )
    return number


def _beyond(number: float, point: Point) -> bool:
    slack = _SLACK * max(1.0, abs(number))
    return not point.least - slack <= number <= point.most + slack


def _refusal(point: Point, number: float, asked: Asked) -> RejectedError:
    return RejectedError(
        f"{asked.spec.id}: {point.name} takes {point.least:g} to {point.most:g}, not {number:g}"
    )
