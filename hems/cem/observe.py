"""What an image tells beyond its readings: the uncontrolled base, and each device's conduct.

The base is what the meter shows less all that can be controlled. Deciding from the base makes
every decision absolute: a set-point in flight is not asked for twice.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from der.model import (
    Control,
    DeviceKind,
    DeviceSpec,
    DeviceState,
    Phase,
    Quality,
    Reading,
    Setpoint,
)
from hems.cem.base import Base, between, estimate
from hems.cem.memory import DeviceMemory, Given, Memory
from hems.cem.phases import Parts, measured, parts
from hems.cem.policy import AllocatorPolicy
from hems.image import Image
from programs.proposal import Bounds
from programs.rules import PRODUCING

_IDLE_W: Final = 50.0
"""A load drawing less than this, or less than `_IDLE_SHARE` of its maximum, does not run."""
_IDLE_SHARE: Final = 0.05
_ROUNDED_W: Final = 1.0
"""By how much a set-point is rounded when it is written."""


@dataclass(frozen=True, slots=True)
class Usable:
    """A device that can be controlled now: its reading is good.

    Attributes:
        state: As in the image.
        reading: Its reading.
        memory: Its past.
    """

    state: DeviceState
    reading: Reading
    memory: DeviceMemory

    @property
    def id(self) -> str:
        """The device's id."""
        return self.state.spec.id

    @property
    def own_w(self) -> float:
        """Its power without what a faster loop adds to what it was told, W."""
        return self.reading.power_w - self.reading.regulated_w

    @property
    def running(self) -> bool:
        """Whether it draws more than its stand-by power."""
        return self.reading.power_w > max(_IDLE_W, _IDLE_SHARE * self.state.spec.max_w)

    @property
    def may_draw(self) -> bool:
        """Whether it would take power if it were let."""
        return self.reading.wants_power is not False and self.reading.connected is not False


@dataclass(frozen=True, slots=True)
class Observed:
    """What the allocator works on.

    Attributes:
        usable: The devices that can be controlled now, in the image's order.
        base_w: Power of everything else in W, as the meter shows it; None if never known.
        known: Whether `base_w` is of now, or only the last that was known.
        base_on: The same on each phase; empty unless it is of now and the meter tells them apart.
        memory: The memory, brought up to this image.
    """

    usable: tuple[Usable, ...]
    base_w: float | None
    known: bool
    memory: Memory
    base_on: Parts = field(default_factory=dict)

    def with_control(self, *controls: Control) -> tuple[Usable, ...]:
        """Return the usable devices with one of the controls."""
        return tuple(u for u in self.usable if u.state.spec.control in controls)


def observe(image: Image, memory: Memory, now: float, policy: AllocatorPolicy) -> Observed:
    """Bring the memory up to an image and work out the uncontrolled base.

    Args:
        image: What the devices said.
        memory: The past.
        now: UTC epoch seconds.
        policy: The allocator's figures.
    """
    devices = dict(memory.devices)
    given = dict(memory.given)
    returned_at = memory.returned_at
    usable: list[Usable] = []
    meter = image.meter
    meter_at = -math.inf if meter is None or meter.reading is None else meter.reading.at
    for state in image.devices.values():
        reading = state.reading
        if state.spec.control is Control.NONE or reading is None:
            continue
        past, told = devices.get(state.spec.id), given.get(state.spec.id)
        if state.quality is not Quality.GOOD:
            if past is not None:
                devices[state.spec.id] = past.read(reading.at, reading.power_w, policy.meter_lag_s)
            continue
        if past is None:
            past, found = _adopt(state, reading, now, policy)
            if found is not None and told is None:
                given[state.spec.id] = found
                returned_at = now  # what a restarted hub finds restricted waits its turn
        if state.spec.id not in memory.base_of:
            past = past.returned(told, now, policy.settle_s)
        told = given.get(state.spec.id)
        past = _conduct(Usable(state, reading, past), told, now, meter_at, policy)
        devices[state.spec.id] = past
        usable.append(Usable(state, reading, past))
    after = replace(memory, devices=devices, given=given, returned_at=returned_at)
    moved = _moved(image, usable, memory, policy)
    perhaps = {u.id: _perhaps(u, meter_at, policy) for u in usable}
    base = _base(image, usable, memory, moved, perhaps)
    if base is None:
        last_w = None if memory.base is None else memory.base.power_w
        return Observed((*usable,), last_w, known=False, memory=after)
    base_on = _base_on(image, usable, memory, moved, perhaps)
    after = replace(
        after,
        base=base,
        base_at=meter_at,
        base_of=frozenset(u.id for u in usable),
        base_on=base_on,
    )
    on = {phase: each.power_w for phase, each in base_on.items()}
    return Observed((*usable,), base.power_w, known=True, memory=after, base_on=on)


@dataclass(frozen=True, slots=True)
class _Moved:
    """A device that counts otherwise now: whether it is controlled, and what it drew before, W."""

    controlled: bool
    power_w: float
    powers: Bounds


def _base(
    image: Image,
    usable: list[Usable],
    memory: Memory,
    moved: Mapping[str, _Moved] | None,
    perhaps: Mapping[str, Bounds],
) -> Base | None:
    """Return the uncontrolled power; None while the meter is not known."""
    net_w, meter = image.net_w, image.meter
    if net_w is None or meter is None or meter.reading is None:
        return None
    before = None if moved is None or memory.base is None else _carried(memory.base, moved)
    if before is not None and meter.reading.at == memory.base_at:
        return before
    point_w = net_w - sum(u.reading.power_w for u in usable)
    return estimate(before, point_w, between(net_w, perhaps.values()))


def _base_on(
    image: Image,
    usable: list[Usable],
    memory: Memory,
    moved: Mapping[str, _Moved] | None,
    perhaps: Mapping[str, Bounds],
) -> Mapping[Phase, Base]:
    """Return the uncontrolled power on each phase, by the same rule as that of all together."""
    meter = image.meter
    net = measured(meter)
    if meter is None or meter.reading is None:
        return {}
    steady = moved is not None and tuple(memory.base_on) == tuple(net)
    on = {u.id: parts(u.state.spec, u.reading, net, u.reading.power_w) for u in usable}
    were_on = {
        device: parts(image.devices[device].spec, image.devices[device].reading, net, each.power_w)
        for device, each in (moved or {}).items()
    }
    bases: dict[Phase, Base] = {}
    for phase, net_w in net.items():
        point_w = net_w - sum(on[u.id][phase] * u.reading.power_w for u in usable)
        powers = (perhaps[u.id].times(on[u.id][phase]) for u in usable)
        share = {device: each[phase] for device, each in were_on.items()}
        before = _carried(memory.base_on[phase], moved or {}, share) if steady else None
        if before is not None and meter.reading.at == memory.base_at:
            bases[phase] = before
        else:
            bases[phase] = estimate(before, point_w, between(net_w, powers))
    return bases


def _moved(
    image: Image, usable: list[Usable], memory: Memory, policy: AllocatorPolicy
) -> Mapping[str, _Moved] | None:
    """Return who counts otherwise than in the last base; None where their powers are not known."""
    now = frozenset(u.id for u in usable)
    found: dict[str, _Moved] = {}
    for device in now ^ memory.base_of:
        state, past = image.devices.get(device), memory.device(device)
        since = memory.base_at - policy.meter_lag_s
        then = [w for at, w in past.recent if since <= at]
        if state is None or state.reading is None or not then:
            return None
        if device in now:
            found[device] = _Moved(True, then[-1], Bounds(min(then), max(then)))
        else:  # one that refuses is read as before, and has perhaps obeyed since
            powers = _perhaps(Usable(state, state.reading, past), memory.base_at, policy)
            found[device] = _Moved(False, state.reading.power_w, powers)
    return found


def _carried(
    base: Base, moved: Mapping[str, _Moved], share: Mapping[str, float] | None = None
) -> Base:
    """Return a base as it would have been without those who joined and with those who left."""
    for device, each in moved.items():
        part = 1.0 if share is None else share[device]
        change = base.without if each.controlled else base.beside
        base = change(part * each.power_w, each.powers.times(part))
    return base


def _perhaps(device: Usable, at: float, policy: AllocatorPolicy) -> Bounds:
    """Return between which powers in W a device may have been when the meter was read."""
    powers = [w for t, w in device.memory.recent if t >= at - policy.meter_lag_s]
    powers += (device.reading.power_w, *_aimed(device))
    if device.reading.between_w is not None:
        powers += device.reading.between_w
    return Bounds(min(powers), max(powers))


def _adopt(
    state: DeviceState, reading: Reading, now: float, policy: AllocatorPolicy
) -> tuple[DeviceMemory, Given | None]:
    """Return the memory of a device seen for the first time, and the limit found in it.

    A hub that restarts in an event finds its loads restricted; they stay so and come back in
    turn, unless the event, once known again, keeps them.
    """
    spec, limit_w = state.spec, reading.limit_w
    # Whoever opened the switch: this hub, or the one that it takes the place of, lets it close.
    opened = reading.connected is False and spec.control in PRODUCING
    if limit_w is None or not spec.min_w <= limit_w <= spec.max_w:
        untold = limit_w is None and spec.control is Control.CEILING
        past = _guessed(state, reading, now) if untold else DeviceMemory()
        return past, Given(None, now, disconnected=True) if opened else None
    setpoint = Setpoint(limit_w, policy.restrict_lapse_s)
    found = Given(setpoint, now, doubtful=True, disconnected=opened)
    match spec.control:
        case Control.SWITCH if limit_w < spec.max_w:
            return DeviceMemory(allowed_w=0.0, changed_at=now), found
        case Control.CEILING if limit_w < spec.max_w:
            return DeviceMemory(allowed_w=limit_w, changed_at=now), found
        case Control.FLOOR if limit_w > spec.min_w:
            return DeviceMemory(target_w=limit_w, changed_at=now), found
        case _:
            return DeviceMemory(), found if opened else None


def _guessed(state: DeviceState, reading: Reading, now: float) -> DeviceMemory:
    """Return the memory of a charger that does not say what it is held to.

    One that draws may be held to less than it is told first, so batteries must be ready for a
    rise; one that does not, though a car may want power, was stopped and comes back in its turn.
    How long ago is not known: a car need not rest first, a machine that has to may.
    """
    device = Usable(state, reading, DeviceMemory())
    if device.running:
        return DeviceMemory(changed_at=now)
    if not device.may_draw:
        return device.memory
    rests = state.spec.min_off_s > 0 and state.spec.kind is not DeviceKind.EVSE
    return DeviceMemory(allowed_w=0.0, changed_at=now if rests else -math.inf)


def _conduct(
    device: Usable, told: Given | None, now: float, meter_at: float, policy: AllocatorPolicy
) -> DeviceMemory:
    """Return a device's memory with its present reading worked in."""
    past, reading = device.memory, device.reading
    aims = _unseen(device, told, now, meter_at, policy)
    past = past.read(reading.at, reading.power_w, policy.meter_lag_s)
    past = replace(past, aims=aims)
    if past.running is not device.running:
        since = -math.inf if past.running is None else now
        past = replace(past, running=device.running, running_since=since)
    if device.state.spec.control is not Control.TARGET:
        return past
    soc = reading.soc
    if soc is not None and soc <= policy.reserve_soc:
        past = replace(past, spent=True)
    elif soc is None or soc >= policy.reserve_soc + policy.soc_hysteresis:
        past = replace(past, spent=False)
    if now >= past.reach_until:
        past = replace(past, reach=Bounds())
    return _reach(past, device.own_w, told, now, policy)


def _unseen(
    device: Usable, told: Given | None, now: float, meter_at: float, policy: AllocatorPolicy
) -> tuple[tuple[float, float | None], ...]:
    """Return what a device was told and its reading may not show yet.

    That is what it had not confirmed when it was read, for as long as it may take to obey; and
    what it had confirmed and not yet reached, where the meter was read later than it.
    """
    aims = tuple(a for a in device.memory.aims if now - a[0] < policy.settle_s)
    if told is None or told.at >= device.reading.at:
        return aims
    spec = device.state.spec
    power_w = None if told.setpoint is None else told.setpoint.power_w
    confirmed_w = _meant(spec, power_w)
    late = device.reading.at < meter_at
    reached = abs(confirmed_w - device.own_w) <= policy.dead_band_w
    for index in reversed(range(len(aims))):
        if abs(_meant(spec, aims[index][1]) - confirmed_w) <= _ROUNDED_W:
            return aims[index if late and not reached else index + 1 :]
    return aims


def _aimed(device: Usable) -> tuple[float, ...]:
    """Return the powers in W that a device may have gone to since it was read."""
    if device.state.spec.control in {Control.CEILING, Control.SWITCH} and not device.may_draw:
        return ()
    return tuple(_meant(device.state.spec, power_w) for _, power_w in device.memory.aims)


def _meant(spec: DeviceSpec, power_w: float | None) -> float:
    """Return the power that a set-point lets a device go to; None for its own control."""
    if power_w is None:
        own = {Control.FLOOR: spec.min_w, Control.TARGET: 0.0}
        return own.get(spec.control, spec.max_w)
    return min(max(power_w, spec.min_w), spec.max_w)


def _reach(
    past: DeviceMemory, power_w: float, told: Given | None, now: float, policy: AllocatorPolicy
) -> DeviceMemory:
    """Note what a battery really does where it had time to obey and falls short."""
    setpoint = None if told is None else told.setpoint
    if told is None or setpoint is None or setpoint.power_w != past.target_w:
        return past
    if told.doubtful or now >= told.at + setpoint.lapse_s:
        return past  # it was away and may have dropped what it was told: no sign of weakness
    if now - max(past.changed_at, told.at) < policy.settle_s:
        return past
    target_w, until = setpoint.power_w, now + policy.retry_s
    if target_w < 0 and power_w > target_w + policy.short_of_w:
        return replace(past, reach=Bounds(lower_w=min(power_w, 0.0)), reach_until=until)
    if target_w > 0 and power_w < target_w - policy.short_of_w:
        return replace(past, reach=Bounds(upper_w=max(power_w, 0.0)), reach_until=until)
    return past
