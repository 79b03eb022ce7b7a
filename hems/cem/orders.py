"""What each device is told, for how long, and whether it has to be told now."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from der.model import Control, DeviceSpec, Phase, Setpoint
from der.sentence import say
from hems.cem.arbiter import Target
from hems.cem.memory import Given, Memory
from hems.cem.policy import AllocatorPolicy
from programs.proposal import Bounds, Proposal

FREE: Final = "free"
"""Source of an order that nobody's word is behind: the device runs by itself."""
GIVE_BACK: Final = "give-back"
"""Source of an order that only waits for the device's turn to come back."""

_REFRESH_SHARE: Final = 1 / 3
"""A set-point is written again after this share of its lapse time: two writes may be lost."""


@dataclass(frozen=True, slots=True)
class Order:
    """What one device is told.

    Attributes:
        setpoint: The set-point; None gives the device back to its own control.
        write: Whether it has to be written now: it is new, or near its lapse.
        refresh: Whether it is written only because its lapse comes near.
        source: Whose word it is, as in `Proposal.source`; `FREE` or `GIVE_BACK`.
        cause: mRID of the event behind it, empty if none.
        reason: One sentence for the owner.
        disconnect: Whether it is to stand with its switch open.
        connect: Whether its switch, which stands open, is to be closed now.
    """

    setpoint: Setpoint | None
    write: bool
    refresh: bool = False
    source: str = FREE
    cause: str = ""
    reason: str = say("It runs by itself")
    disconnect: bool = False
    connect: bool = False


@dataclass(frozen=True, slots=True)
class Allocation:
    """What all devices are told, and what that should bring about.

    Attributes:
        orders: By device id; a device that is not named is not told anything.
        memory: The memory for the next decision.
        base_w: Uncontrolled power that it was decided on, W; None if never known.
        predicted_net_w: Net power once all have obeyed, W; None where the base is not known.
        unmet_w: By how much the home's limits cannot be met with what there is, W.
        predicted_on_w: As `predicted_net_w`, on each phase; empty where they are not told apart.
        rooms: By battery, where its power may be while all else obeys and every limit holds; empty
            while the meter is not known. What is told lies inside; a faster loop may use the rest.
    """

    orders: Mapping[str, Order]
    memory: Memory
    base_w: float | None = None
    predicted_net_w: float | None = None
    unmet_w: float = 0.0
    predicted_on_w: Mapping[Phase, float] = field(default_factory=dict)
    rooms: Mapping[str, Bounds] = field(default_factory=dict)


def drive(power_w: float, by: Proposal | None, spec: DeviceSpec, policy: AllocatorPolicy) -> Order:
    """Return the order that drives a device; it lapses soon, so that a dead hub drives nothing."""
    setpoint = Setpoint(_in_range(round(power_w), spec), policy.drive_lapse_s)
    if by is None:
        return Order(setpoint, write=False, source="idle", reason=say("Nobody asks anything of it"))
    return Order(setpoint, write=False, source=by.source, cause=by.cause, reason=by.reason)


def restrict(
    power_w: float,
    by: Proposal | None,
    reason: str,
    spec: DeviceSpec,
    *,
    now: float,
    policy: AllocatorPolicy,
) -> Order:
    """Return the order that restricts a device until its cause ends, even without the hub.

    A ceiling is rounded down, a floor up: rounding never loosens a limit.
    """
    safe = math.ceil if spec.control is Control.FLOOR else math.floor
    ends_at = math.inf if by is None else by.expires_at
    left_s = max(ends_at - now, 0.0) + policy.restrict_grace_s
    if by is None:
        left_s = 2 * policy.stagger_s + policy.restrict_grace_s
    lapse_s = min(left_s, policy.restrict_lapse_s)
    setpoint = Setpoint(_in_range(safe(power_w), spec), lapse_s)
    if by is None:
        return Order(setpoint, write=False, source=GIVE_BACK, reason=reason)
    return Order(setpoint, write=False, source=by.source, cause=by.cause, reason=by.reason)


def free(spec: DeviceSpec, policy: AllocatorPolicy) -> Order:
    """Return the order for a load that nobody holds.

    A ceiling is opened by a set-point of its own: a charger that is left alone keeps to the
    fallback that protects the home from a dead hub, and so soon falls back to it.
    """
    if spec.control is Control.CEILING:
        return Order(Setpoint(spec.max_w, policy.open_lapse_s), write=False)
    return Order(None, write=False)


def opening(order: Order, target: Target) -> Order:
    """Return the order with the word, if there is one, that the device opens its switch.

    It lapses with the set-point of zero, so that who cannot count is not off for ever.
    """
    if target.disconnect_by is None or order.setpoint is None:
        return order
    return replace(order, disconnect=True)


def due(order: Order, given: Given | None, now: float) -> Order:
    """Return the order with what has to be written now, as what the device last confirmed demands.

    Sets `write`, `refresh` and `connect`.
    """
    told = None if given is None else given.setpoint
    opened = given is not None and given.disconnected
    write = refresh = False
    if order.disconnect is not opened:
        write = True
    elif order.setpoint is None:
        write = told is not None
    elif given is None or given.doubtful or told is None or told.power_w != order.setpoint.power_w:
        write = True
    else:
        # One confirmed in the future was confirmed nobody knows when.
        write = refresh = not 0.0 <= now - given.at < told.lapse_s * _REFRESH_SHARE
    connect = opened and not order.disconnect
    return replace(order, write=write, refresh=refresh, connect=connect)


def _in_range(power_w: float, spec: DeviceSpec) -> float:
    return float(min(max(power_w, spec.min_w), spec.max_w))
