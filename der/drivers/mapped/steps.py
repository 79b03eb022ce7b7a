"""How a described device is controlled: the records of a description's [control] part."""

from dataclasses import dataclass
from enum import StrEnum

from der.drivers.mapped.meaning import RATING, Condition
from der.model import Expiry


class Quantity(StrEnum):
    """What a step can write beside a constant."""

    POWER = "power_w"
    """The set-point, passive sign."""
    CURRENT = "current_a"
    """The set-point as current on each phase."""
    REVERT = "revert_w"
    """What the device shall run at when the set-point has lapsed; it may have none."""
    LAPSE = "lapse_s"
    """Seconds after which the set-point lapses; where there is no end, as long as it can be."""
    FALLBACK = "fallback_a"
    """Current on each phase that a charger may go on with when the hub is silent."""
    RATING = RATING
    FREQUENCY = "frequency_hz"
    """What an inverter is to form."""
    VOLTAGE = "voltage_v"


class When(StrEnum):
    """For which set-points a step is taken."""

    ALWAYS = "always"
    POSITIVE = "positive"
    NEGATIVE = "negative"
    ZERO = "zero"
    NOT_POSITIVE = "not-positive"
    NOT_NEGATIVE = "not-negative"
    ALLOWED = "allowed"
    """At least the device's rating: a switch is on."""
    FORBIDDEN = "forbidden"
    RUNNING = "running"
    """At least the power at which the device runs at all."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Step:
    """One write.

    Attributes:
        point: Where to.
        value: A constant in the point's unit, or a quantity.
        factor: From the quantity to the point's unit, with the sign.
        per: Point, or `RATING`, by which the quantity is divided; "" for none.
        when: For which set-points.
        below: Written in place of what is nearer to zero than the point's bounds; None to refuse.
        otherwise: Written where the quantity has no value.
        only_changes: Written only if the device holds something else (settings in flash memory).
        verify: Whether it is read back.
    """

    point: str
    value: float | Quantity
    factor: float = 1.0
    per: str = ""
    when: When = When.ALWAYS
    below: float | None = None
    otherwise: float | None = None
    only_changes: bool = False
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Requirement:
    """What must be set at the device by hand before it obeys.

    Attributes:
        condition: What must be so.
        why: What to do where it is not, one sentence.
    """

    condition: Condition
    why: str


class Feed(StrEnum):
    """What keeps a device's watchdog from ending a set-point."""

    REQUEST = "request"
    """Any request, reading too."""
    SET = "set"
    """The set-point's own writes, again and again."""


@dataclass(frozen=True, slots=True)
class ExpiryRule:
    """What ends a set-point when the hub falls silent.

    Attributes:
        kind: What does.
        safe: What the device then does, in words.
        risk: What may still go wrong; never empty for a guard.
        timeout_s: Silence after which the watchdog acts; 0 where there is none.
        feed: What keeps it from it.
        every_s: How often it is fed.
    """

    kind: Expiry
    safe: str
    risk: str = ""
    timeout_s: float = 0.0
    feed: Feed = Feed.REQUEST
    every_s: float = 0.0


Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Control:
    """How a device is controlled.

    Attributes:
        expiry: What ends a set-point.
        set: A set-point's writes, in order.
        safe: Writes that give the device back to its own control; the guard's too.
        prepare: Writes before the first set-point on a connection.
        require: What must be so before the first set-point on a connection.
        connect: Writes of `Connect`; empty where the device has none.
        disconnect: Writes of `Disconnect`.
        reset: Writes of `Reset`.
        form: Writes of `FormGrid`.
        follow: Writes of `FollowGrid`.
    """

    expiry: ExpiryRule
    set: Steps
    safe: Steps
    prepare: Steps = ()
    require: tuple[Requirement, ...] = ()
    connect: Steps = ()
    disconnect: Steps = ()
    reset: Steps = ()
    form: Steps = ()
    follow: Steps = ()

    @property
    def reverts(self) -> bool:
        """Whether the device can be given what to run at when a set-point has lapsed."""
        return any(step.value is Quantity.REVERT for step in self.set)

    @property
    def steps(self) -> Steps:
        """All of them."""
        return (
            *self.prepare,
            *self.set,
            *self.safe,
            *self.connect,
            *self.disconnect,
            *self.reset,
            *self.form,
            *self.follow,
        )
