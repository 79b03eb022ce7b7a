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
from der.sentence import say
from hems.cem.absent import Absent
from hems.cem.arbiter import Decision
from hems.cem.memory import Memory
from hems.cem.orders import Order, drive, free, restrict
from hems.cem.policy import AllocatorPolicy
from hems.cem.room import Room, reach
from hems.image import Image
from programs.ownership import reached
from programs.proposal import GENERATION, HOME, Bounds, Proposal, Rank

_WAKES: Final = 3
"""How many wakes of a sleeping device a set-point outlasts: one may be missed."""

KEPT: Final = say("Nothing new is heard from it, so it keeps to what it was told")


@dataclass(frozen=True, slots=True)
class Blind:
    """What is told without a reading.

    Attributes:
        orders: By device id; a device that is not named is told nothing.
        memory: The memory, with what loads and inverters are held to.
    """

    orders: Mapping[str, Order]
    memory: Memory


@dataclass(frozen=True, slots=True)
class _Scene:
    """What is decided on."""

    image: Image
    decision: Decision
    room: Room
    away: Absent
    memory: Memory
    now: float
    policy: AllocatorPolicy

    def order(self, state: DeviceState) -> Order | None:
        """Return what a device is told; None if nothing."""
        match state.spec.control:
            case Control.CEILING | Control.SWITCH:
                return self._load(state) or self._free(state)
            case Control.FLOOR:
                return self._inverter(state.spec)
            case Control.TARGET:
                return self._battery(state)
            case Control.NONE:
                return None

    def _load(self, state: DeviceState) -> Order | None:
        """Return what a load is held to, if a limit needs that.

        Its draw is in the meter's figure as part of what cannot be controlled. So it is taken
        away where that alone breaks the limit, and kept away while its full power would. One that
        sleeps hears of it too late, so it is taken away where what it may draw breaks the limit.
        More than it confirmed it is not let have, though that was decided once: a charger that
        obeys again at last would take it before anything else makes room for it.
        """
        spec = state.spec
        span = self.decision.of(spec.id).span
        view = self.room.view(reach(spec, span), state)
        past, by = self.memory.device(spec.id), None
        told = self.memory.setpoint(spec.id, self.now)
        allowed_w = past.allowed_w if told is None else min(past.allowed_w, told.power_w)
        full_w = spec.max_w + self.policy.headroom_w
        own_w = 0.0 if state.quality is Quality.ASLEEP else self.away.rises.get(spec.id, 0.0)
        left_w = view.left_w + own_w
        if left_w < 0:
            allowed_w, by = 0.0, view.by
        elif past.held and left_w < full_w:
            by = view.by
        if span.upper_by is not None and span.bounds.upper_w < spec.max_w:
            own_w = max(span.bounds.upper_w, 0.0)
            if by is None or own_w < allowed_w:
                allowed_w, by = min(own_w, allowed_w), span.upper_by
        if by is None:
            return None
        if spec.control is Control.SWITCH or allowed_w < spec.least_on_w:
            allowed_w = 0.0
        return self._restrict(allowed_w, by, spec)

    def _free(self, state: DeviceState) -> Order | None:
        """Return the order that gives a sleeping load back, which will hear it; None for others."""
        told = self.memory.given.get(state.spec.id)
        if state.quality is not Quality.ASLEEP or told is None or told.setpoint is None:
            return None
        return free(state.spec, self.policy)

    def _inverter(self, spec: DeviceSpec) -> Order | None:
        """Return an inverter's floor under a limit on export or generation.

        What it gives is part of the meter's figure, so no floor can be reckoned from that; it has
        its share of the limit as if the house drew nothing, and nothing less strict than it has.
        """
        floor_w, by = -math.inf, None
        decision = self.decision
        if not reached(spec, Rank.ACCEPTED):
            decision = decision.urgently
        specs = [s.spec for s in self.image.devices.values()]
        rated_w = sum(min(s.min_w, 0.0) for s in specs if s.control is Control.FLOOR)
        share = min(spec.min_w, 0.0) / rated_w if rated_w else 0.0
        for target in (HOME, GENERATION):
            span = decision.of(target).span
            limit_w = min(self.policy.aim(span.bounds).lower_w, 0.0) * share if share else floor_w
            if span.lower_by is not None and limit_w > floor_w:
                floor_w, by = limit_w, span.lower_by
        own = decision.of(spec.id).span
        if own.lower_by is not None and own.bounds.lower_w > floor_w:
            floor_w, by = own.bounds.lower_w, own.lower_by
        if by is None or floor_w <= spec.min_w:
            return None
        held_w, told = self.memory.device(spec.id).target_w, self.memory.setpoint(spec.id, self.now)
        if held_w is not None:
            floor_w = max(floor_w, held_w)
        if told is not None:
            floor_w = max(floor_w, told.power_w)
        return self._restrict(min(floor_w, max(spec.max_w, 0.0)), by, spec)

    def _battery(self, state: DeviceState) -> Order | None:
        """Return the set-point that a battery keeps while its reading is stale.

        One that is merely silent (no call has failed) is kept at what it does, as far as that is
        still allowed, and still wanted; one of others only while an emergency asks for that. One
        that is lost is told nothing: nobody sees whether it is empty or what it does, so its drive
        lapses, as that of a dead hub would.
        """
        told = self.memory.setpoint(state.spec.id, self.now)
        if state.quality is not Quality.STALE or told is None:
            return None
        decision = self.decision
        if not reached(state.spec, Rank.ACCEPTED):
            decision = decision.urgently
            if not _emergency(decision, state.spec.id):
                return None
        own, home = decision.of(state.spec.id).span, decision.of(HOME).span
        power_w, by = own.bounds.clamp(self._wanted(decision, state.spec.id, told.power_w)), None
        if power_w != told.power_w:
            by = own.lower_by if power_w > told.power_w else own.upper_by
        net_w = self.image.net_w
        if net_w is not None and net_w > home.bounds.upper_w:
            power_w, by = min(power_w, 0.0), home.upper_by
        elif net_w is not None and net_w < home.bounds.lower_w:
            power_w, by = max(power_w, 0.0), home.lower_by
        order = drive(power_w, by, state.spec, self.policy)
        return order if by is not None else replace(order, reason=KEPT)

    def _wanted(self, decision: Decision, battery: str, told_w: float) -> float:
        """Return the part in W of what a silent battery was told that is still wanted.

        It falls and never rises: a battery is not kept discharging into the grid, or charging from
        it, once whoever wanted that has gone. No less is left of it than the home's limits need.
        """
        own, home, net_w = decision.of(battery), decision.of(HOME), self.image.net_w
        bounds = self.policy.aim(home.span.bounds)
        wanted_w = own.preferred_w
        if net_w is None:
            limit = home.span.upper_by
            if wanted_w is None or (limit is not None and limit.rank > Rank.SAFETY):
                return told_w  # nobody sees what the limit needs
        else:
            if wanted_w is None:
                wanted_w = told_w + (home.preferred_w or 0.0) - net_w
            spare = Bounds(bounds.lower_w - net_w + told_w, bounds.upper_w - net_w + told_w)
            wanted_w = spare.clamp(wanted_w)
        wanted_w = Bounds(min(told_w, 0.0), max(told_w, 0.0)).clamp(wanted_w)
        return told_w if abs(wanted_w - told_w) <= self.policy.dead_band_w else wanted_w

    def _restrict(self, power_w: float, by: Proposal, spec: DeviceSpec) -> Order:
        order = restrict(power_w, by, "", spec, now=self.now, policy=self.policy)
        setpoint = order.setpoint
        if spec.sleep is None or setpoint is None:
            return order
        # It must outlast two wakes, or it would lapse before it can be renewed.
        left_s = max(by.expires_at - self.now, 0.0) + self.policy.restrict_grace_s
        least_s = min(_WAKES * (spec.sleep.period_s + spec.sleep.awake_s), left_s)
        lapse_s = max(setpoint.lapse_s, least_s)
        return replace(order, setpoint=replace(setpoint, lapse_s=lapse_s))


def _emergency(decision: Decision, device: str) -> bool:
    """Return whether an emergency asks something of a device or the home."""
    spans = (decision.of(device).span, decision.of(HOME).span)
    words = (by for span in spans for by in (span.lower_by, span.upper_by))
    return any(by is not None and by.rank is Rank.EMERGENCY for by in words)


def renew(
    image: Image,
    decision: Decision,
    room: Room,
    away: Absent,
    memory: Memory,
    *,
    now: float,
    policy: AllocatorPolicy,
) -> Blind:
    """Return what devices without a good reading are told.

    Args:
        image: The last complete image.
        decision: What the arbiter decided.
        room: What is left to flexible loads once all that can be read have their share.
        away: What those who cannot be counted on may do, which `room` allows for.
        memory: The past, this decision on all other devices included.
        now: UTC epoch seconds.
        policy: The allocator's figures.
    """
    scene = _Scene(image, decision, room, away, memory, now, policy)
    orders: dict[str, Order] = {}
    devices = dict(memory.devices)
    for name, state in image.devices.items():
        if state.quality is Quality.GOOD and state.reading is not None:
            continue
        order = scene.order(state)
        if order is None:
            continue
        past = memory.device(name)
        told_w = None if order.setpoint is None else order.setpoint.power_w
        if state.spec.control in {Control.CEILING, Control.SWITCH}:
            free_w = told_w is None or told_w >= state.spec.max_w
            devices[name] = past.allow(math.inf if free_w or told_w is None else told_w, now)
        else:
            devices[name] = past.drive(told_w, now)
        orders[name] = order
    return Blind(orders, replace(memory, devices=devices))
