"""What devices are told that cannot be read now, but perhaps can still be written.

A sensor that fails must not end an event: what holds a device goes on being renewed, and a limit
that needs it restricts it. Nothing is ever loosened blindly; what a device was told lapses by
itself once nobody renews it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from der.model import Control, DeviceSpec, DeviceState, Quality
from hems.cem.arbiter import Decision
from hems.cem.loads import Room
from hems.cem.memory import Memory
from hems.cem.orders import Order, drive, due, restrict
from hems.cem.policy import AllocatorPolicy
from hems.image import Image
from programs.proposal import GENERATION, HOME

KEPT: Final = "Nothing new is heard from it, so it keeps to what it was told"


@dataclass(frozen=True, slots=True)
class Blind:
    """What is told without a reading.

    Attributes:
        orders: By device id; a device that is not named is told nothing.
        memory: The memory, with what loads and inverters are held to.
    """

    orders: Mapping[str, Order]
    memory: Memory


def renew(
    image: Image,
    decision: Decision,
    room: Room,
    memory: Memory,
    now: float,
    policy: AllocatorPolicy,
) -> Blind:
    """Return what devices without a good reading are told.

    Args:
        image: The last complete image.
        decision: What the arbiter decided.
        room: What is left to flexible loads once all that can be read have their share.
        memory: The past, this decision on all other devices included.
        now: UTC epoch seconds.
        policy: The allocator's figures.
    """
    orders: dict[str, Order] = {}
    devices = dict(memory.devices)
    for state in image.devices.values():
        spec = state.spec
        if state.quality is Quality.GOOD and state.reading is not None:
            continue
        order: Order | None = None
        match spec.control:
            case Control.CEILING | Control.SWITCH:
                order = _load(spec, decision, room, memory, now, policy)
            case Control.FLOOR:
                order = _inverter(spec, image, decision, memory, now, policy)
            case Control.TARGET:
                order = _battery(state, image, decision, memory, now, policy)
            case Control.NONE:
                continue
        if order is None or order.setpoint is None:
            continue
        past, told_w = memory.device(spec.id), order.setpoint.power_w
        load = spec.control in {Control.CEILING, Control.SWITCH}
        devices[spec.id] = past.allow(told_w, now) if load else past.drive(told_w, now)
        orders[spec.id] = due(order, memory.given.get(spec.id), now)
    return Blind(orders, replace(memory, devices=devices))


def _load(
    spec: DeviceSpec,
    decision: Decision,
    room: Room,
    memory: Memory,
    now: float,
    policy: AllocatorPolicy,
) -> Order | None:
    """Return what a load is held to, if a limit needs that; None for no order.

    Its draw is in the meter's figure as part of what cannot be controlled. So it is taken away
    where that alone breaks the limit, and kept away while its full power would.
    """
    span, past = decision.of(spec.id).span, memory.device(spec.id)
    allowed_w, by = math.inf, None
    if span.upper_by is not None and span.bounds.upper_w < spec.max_w:
        allowed_w, by = max(span.bounds.upper_w, 0.0), span.upper_by
    full_w = spec.max_w + policy.headroom_w
    if room.left_w < 0 or (past.held and room.left_w < full_w):
        limit_w = past.allowed_w if past.held and room.left_w >= 0 else 0.0
        if limit_w < allowed_w:
            allowed_w, by = limit_w, room.by
    allowed_w = min(allowed_w, past.allowed_w)
    if by is None:
        return None
    if spec.control is Control.SWITCH or allowed_w < spec.least_on_w:
        allowed_w = 0.0
    return restrict(allowed_w, by, "", spec, now=now, policy=policy)


def _inverter(
    spec: DeviceSpec,
    image: Image,
    decision: Decision,
    memory: Memory,
    now: float,
    policy: AllocatorPolicy,
) -> Order | None:
    """Return an inverter's floor under a limit on export or generation; None where it is free.

    What it gives is part of the meter's figure, so no floor can be reckoned from that; it has its
    share of the limit as if the house drew nothing, and nothing less strict than it has.
    """
    floor_w, by = -math.inf, None
    rated_w = sum(
        min(s.spec.min_w, 0.0) for s in image.devices.values() if s.spec.control is Control.FLOOR
    )
    share = min(spec.min_w, 0.0) / rated_w if rated_w else 0.0
    for target in (HOME, GENERATION):
        span = decision.of(target).span
        if span.lower_by is None:
            continue
        limit_w = min(policy.aim(span.bounds).lower_w, 0.0) * share
        if limit_w > floor_w:
            floor_w, by = limit_w, span.lower_by
    own = decision.of(spec.id).span
    if own.lower_by is not None and own.bounds.lower_w > floor_w:
        floor_w, by = own.bounds.lower_w, own.lower_by
    if by is None or floor_w <= spec.min_w:
        return None
    held_w = memory.device(spec.id).target_w
    if held_w is not None:
        floor_w = max(floor_w, held_w)
    return restrict(min(floor_w, max(spec.max_w, 0.0)), by, "", spec, now=now, policy=policy)


def _battery(
    state: DeviceState,
    image: Image,
    decision: Decision,
    memory: Memory,
    now: float,
    policy: AllocatorPolicy,
) -> Order | None:
    """Return the set-point that a battery keeps while its reading is stale; None for no order.

    One that is merely silent (no call has failed) is kept at what it does, as far as that is still
    allowed. One that is lost is told nothing: nobody sees whether it is empty or what it does, so
    its drive lapses, as that of a dead hub would.
    """
    told = memory.setpoint(state.spec.id, now)
    if state.quality is not Quality.STALE or told is None:
        return None
    own, home = decision.of(state.spec.id).span, decision.of(HOME).span
    power_w, by = own.bounds.clamp(told.power_w), None
    if power_w != told.power_w:
        by = own.lower_by if power_w > told.power_w else own.upper_by
    if image.net_w is not None:
        if image.net_w > home.bounds.upper_w:
            power_w, by = min(power_w, 0.0), home.upper_by
        elif image.net_w < home.bounds.lower_w:
            power_w, by = max(power_w, 0.0), home.lower_by
    order = drive(power_w, by, state.spec, policy)
    return order if by is not None else replace(order, reason=KEPT)
