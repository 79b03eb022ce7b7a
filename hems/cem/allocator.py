"""From one decision to what each device is told.

Pure, and absolute: it works from what cannot be controlled, so one decision brings the home
inside its limits and the next one has nothing to correct. The order of means is fixed: against
import the batteries first, then the cars, then switched loads, least essential first; against
export the batteries, then the sun.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from der.model import Control
from hems.cem import generation, others, storage, swing
from hems.cem.absent import absent
from hems.cem.arbiter import Decision, Target
from hems.cem.blind import renew
from hems.cem.course import Course, course
from hems.cem.generation import GenerationPlan
from hems.cem.loads import Grant, LoadPlan
from hems.cem.memory import DeviceMemory, Memory
from hems.cem.observe import Observed, Usable, observe
from hems.cem.orders import Allocation, Order, drive, due, free, opening, restrict
from hems.cem.outlook import look, record, steps, unheard_since
from hems.cem.policy import AllocatorPolicy
from hems.cem.room import leave
from hems.cem.scene import Scene
from hems.cem.storage import StoragePlan, Surroundings
from hems.cem.surplus import surplus
from hems.image import Image
from programs.proposal import HOME, Bounds, Proposal


def allocate(
    image: Image, decision: Decision, now: float, memory: Memory, policy: AllocatorPolicy
) -> Allocation:
    """Return what each device is told, and the memory for the next decision.

    Devices whose reading is not good are no help, and what they draw counts as uncontrolled; what
    they are told all the same is the matter of `hems.cem.blind`.

    Args:
        image: The last complete image.
        decision: What the arbiter decided for `now`.
        now: UTC epoch seconds.
        memory: The past.
        policy: The figures to keep to.
    """
    seen = observe(image, memory, now, policy)
    past = record(seen, memory, image, now, policy)
    rises = steps(memory, past, policy, unheard_since(seen, memory, image))
    seen = replace(seen, memory=replace(seen.memory, past=past, steps=rises))
    batteries, their_batteries = others.apart(seen.with_control(Control.TARGET))
    inverters, their_inverters = others.apart(seen.with_control(Control.FLOOR))
    theirs = (*their_batteries, *their_inverters)
    loads = seen.with_control(Control.CEILING, Control.SWITCH)
    outlook, away = look(seen, policy), absent(image, seen.memory, now, policy)
    around = Surroundings(
        _base_w(seen, decision, theirs),
        sum(u.reading.power_w for u in inverters),
        rise_w=outlook.home.fast_w,
        base_rise_w=outlook.loads.fast_w,
        fall_w=outlook.fall_w,
        absent_w=away.rise_w,
        unseen_w=away.fall_w,
    )

    help_w = storage.greatest_help_w(batteries, decision, around, policy)
    if not seen.known:
        help_w = max(help_w, 0.0)  # blind, loads go before a battery carries them
    scene = Scene(image, decision, seen, outlook, away, theirs, policy)
    room = leave(decision, around, outlook, help_w, policy)
    room.lines = scene.lines(batteries)
    smooth = course(decision, seen, policy)
    room.course_w = _course_left_w(smooth, around, help_w)
    left = surplus(seen, around, outlook, batteries=batteries, inverters=inverters, policy=policy)
    load_plan = LoadPlan(decision, room, seen.memory.returned_at, now, policy, left, smooth)
    load_plan.grant(loads)
    grants = load_plan.grants

    around = _with_loads(around, seen, grants)
    probing = (
        bool(batteries)
        and now >= seen.memory.probe_after
        and _at_export_limit(image, decision, outlook.fall_w, policy)
        and generation.held_back(inverters, policy)
    )
    probe_w = policy.probe_w if probing else 0.0
    on_phases = scene.batteries(room.lines, batteries, grants)
    fine = smooth.fine(policy)
    stored = storage.plan(batteries, on_phases, around, probe_w, fine, course=smooth)
    on_phases = scene.inverters(room.lines, inverters, grants, stored)
    made = generation.plan(
        inverters,
        on_phases,
        around,
        stored.total_w,
        fine,
        known=seen.known,
        course_w=_course_sun_w(smooth, batteries, around, policy),
    )
    net_w = _predicted(inverters, around, stored, made)
    holds = others.plan(theirs, decision, net_w, policy)
    net_w = _with_holds(net_w, theirs, holds)

    after = _remember(seen, load_plan, stored, made, holds, now=now)
    found_none = seen.memory.probing and not probing and now >= seen.memory.probe_after
    probe_after = now + policy.probe_pause_s if found_none else after.probe_after
    after = replace(after, probing=probing, probe_after=probe_after)
    blind = renew(image, decision, room, away, after, now=now, policy=policy)
    orders = _orders(seen, grants, stored, made, holds, now=now, policy=policy)
    orders.update(blind.orders)
    return Allocation(
        {
            name: due(opening(order, decision.of(name)), after.given.get(name), now)
            for name, order in orders.items()
        },
        blind.memory,
        around.base_w,
        net_w,
        _unmet(decision.of(HOME), net_w),
        scene.predicted(grants, stored, made, holds),
        swing.rooms(
            scene,
            room.lines,
            batteries,
            grants=grants,
            around=around,
            stored=stored,
            course=smooth,
        ),
    )


def _course_left_w(smooth: Course, around: Surroundings, help_w: float) -> float:
    """Return what the course leaves to flexible loads, the batteries' full help counted in."""
    if not smooth.asked or around.base_w is None:
        return math.inf
    return smooth.span.bounds.upper_w - around.base_w - around.pv_w - help_w


def _course_sun_w(
    smooth: Course, batteries: Sequence[Usable], around: Surroundings, policy: AllocatorPolicy
) -> tuple[float, Proposal] | None:
    """Return the least power of the sun that batteries can still even out, and whose word it is."""
    by = smooth.span.lower_by
    if by is None or around.base_w is None:
        return None
    most_w = sum(storage.capability(b, policy).upper_w for b in batteries)
    return smooth.span.bounds.lower_w - around.base_w - around.low_w - most_w, by


def _base_w(seen: Observed, decision: Decision, theirs: Sequence[Usable]) -> float | None:
    """Return the base to decide on: the last known, or the worst, while the meter is lost.

    What belongs to others and runs by itself is part of it. The worst is assumed only under an
    event's limit; the main breaker alone does not keep a home whose meter never answered without
    hot water.
    """
    if seen.base_w is not None:
        return seen.base_w + sum(u.reading.power_w for u in theirs)
    return None if decision.of(HOME).capped_by is None else math.inf


def _at_export_limit(
    image: Image, decision: Decision, fall_w: float, policy: AllocatorPolicy
) -> bool:
    """Return whether the meter stands at the export limit, so that more charging frees the sun."""
    span = decision.of(HOME).span
    if image.net_w is None or span.lower_by is None:
        return False
    return image.net_w <= policy.aim(span.bounds).lower_w + fall_w + policy.margin_w


def _with_loads(around: Surroundings, seen: Observed, grants: dict[str, Grant]) -> Surroundings:
    """Return the surroundings with what the loads will draw."""
    house_w = car_w = high_w = low_w = 0.0
    for load in seen.with_control(Control.CEILING, Control.SWITCH):
        grant = grants[load.id]
        high_w += grant.high_w
        low_w += grant.low_w
        if load.state.spec.control is Control.CEILING:
            car_w += grant.low_w
        else:
            house_w += grant.low_w + grant.start_w
    base_w = around.base_w
    if base_w is not None and not math.isfinite(base_w):
        base_w = None  # the worst case has shed the loads; no figure for storage follows from it
    return replace(around, base_w=base_w, house_w=house_w, car_w=car_w, high_w=high_w, low_w=low_w)


def _remember(
    seen: Observed,
    load_plan: LoadPlan,
    stored: StoragePlan,
    made: GenerationPlan,
    holds: Mapping[str, others.Hold],
    *,
    now: float,
) -> Memory:
    devices: dict[str, DeviceMemory] = dict(seen.memory.devices)
    for device in seen.usable:
        past = device.memory
        if device.id in load_plan.grants:
            grant = load_plan.grants[device.id]
            past = past.allow(grant.allowed_w, now).lacking(now, lacks=grant.lacks)
        elif device.id in stored.targets:
            past = past.drive(round(stored.targets[device.id]), now)
        elif device.id in made.floors:
            past = past.drive(made.floors[device.id], now)
        else:
            hold = holds.get(device.id)
            past = past.drive(None if hold is None else round(hold.power_w), now)
        devices[device.id] = past
    return replace(seen.memory, devices=devices, returned_at=load_plan.returned_at)


def _orders(
    seen: Observed,
    grants: dict[str, Grant],
    stored: StoragePlan,
    made: GenerationPlan,
    holds: Mapping[str, others.Hold],
    *,
    now: float,
    policy: AllocatorPolicy,
) -> dict[str, Order]:
    orders: dict[str, Order] = {}
    for device in seen.usable:
        spec = device.state.spec
        order = free(spec, policy)
        if device.id in stored.targets:
            order = drive(stored.targets[device.id], stored.by[device.id], spec, policy)
        elif device.id in grants:
            grant = grants[device.id]
            if math.isfinite(grant.allowed_w):
                order = restrict(
                    grant.allowed_w, grant.by, grant.reason, spec, now=now, policy=policy
                )
        elif device.id in holds:
            hold = holds[device.id]
            if spec.control is Control.TARGET:
                order = drive(hold.power_w, hold.by, spec, policy)
            else:
                order = restrict(hold.power_w, hold.by, "", spec, now=now, policy=policy)
        else:
            floor_w = made.floors.get(device.id)
            if floor_w is not None:
                order = restrict(floor_w, made.by[device.id], "", spec, now=now, policy=policy)
        orders[device.id] = order
    return orders


def _predicted(
    inverters: Sequence[Usable], around: Surroundings, stored: StoragePlan, made: GenerationPlan
) -> float | None:
    """Return the net power in W once all that is the home's has obeyed."""
    if around.base_w is None:
        return None
    sun_w = 0.0
    for inverter in inverters:
        floor_w = made.floors.get(inverter.id)
        sun_w += (
            inverter.reading.power_w if floor_w is None else max(inverter.reading.power_w, floor_w)
        )
    return around.base_w + sun_w + around.low_w + stored.total_w


def _with_holds(
    net_w: float | None, theirs: Sequence[Usable], holds: Mapping[str, others.Hold]
) -> float | None:
    if net_w is None:
        return None
    held = [u for u in theirs if u.id in holds]
    return net_w + sum(holds[u.id].power_w - u.reading.power_w for u in held)


def _unmet(home: Target, net_w: float | None) -> float:
    if net_w is None:
        return 0.0
    bounds: Bounds = home.span.bounds
    return max(net_w - bounds.upper_w, bounds.lower_w - net_w, 0.0)
