"""Figures that no longer move: the device answers, and tells a past that it holds on to.

A real measurement moves in its last digit. Two figures that stand still to the last digit
contradict what else is seen: a meter's, while what the devices draw together moves; and a device's
own, while it was told to be elsewhere. Neither is believed until it moves: the device counts as
silent, so that a home without a meter keeps to its conservative limit, and a device whose power is
not known counts where the meter sees it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality
from der.sentence import say
from hems.cem.memory import Memory
from hems.cem.policy import AllocatorPolicy
from hems.image import Image


@dataclass(frozen=True, slots=True)
class Still:
    """A figure that has not moved.

    Attributes:
        power_w: The figure.
        at: When it was last told, UTC epoch seconds: what is only told seldom contradicts nothing.
        first: When it was first seen, UTC epoch seconds.
        since: When something that contradicts it was first seen, UTC epoch seconds; None while
            nothing does.
        beside_w: What all devices but the meter drew when the figure was first seen; readings may
            differ by `AllocatorPolicy.meter_lag_s`, so those that came in as late count.
    """

    power_w: float
    at: float
    first: float
    since: float | None = None
    beside_w: float = 0.0


@dataclass(frozen=True, slots=True)
class Frozen:
    """What is remembered of figures, by device id."""

    stills: Mapping[str, Still] = field(default_factory=dict)

    def look(self, image: Image, memory: Memory, policy: AllocatorPolicy) -> "Frozen":
        """Return what is remembered after an image.

        Args:
            image: What the devices said.
            memory: What they were told.
            policy: How much must move beside a figure that stands still.
        """
        beside_w = sum(
            s.reading.power_w
            for s in image.devices.values()
            if s.reading is not None and s.spec.control is not Control.NONE
        )
        stills: dict[str, Still] = {}
        for name, state in image.devices.items():
            before = self.stills.get(name)
            if state.reading is None or state.quality is not Quality.GOOD:
                if before is not None:
                    stills[name] = replace(before, since=None)
                continue
            power_w, at = state.reading.power_w, state.reading.at
            if before is None or power_w != before.power_w:
                before = Still(power_w, at, image.at, beside_w=beside_w)
            elif at == before.at:  # nothing new: it is only slow, and its age is judged elsewhere
                stills[name] = before
                continue
            elif image.at - before.first < policy.meter_lag_s:
                before = replace(before, beside_w=beside_w)
            if state.spec.kind is DeviceKind.METER:
                denied = abs(beside_w - before.beside_w) > policy.frozen_move_w
            else:
                denied = _elsewhere(state, memory, image.at, policy)
            if denied and before.since is None:
                before = replace(before, since=image.at)
            elif not denied and not _out(before, state.spec, image.at, policy):
                before = replace(before, since=None)
            stills[name] = replace(before, at=at)
        return Frozen(stills)

    def without(self, image: Image, policy: AllocatorPolicy) -> Image:
        """Return the image with what is not believed marked stale, and why."""
        out = {
            name: still
            for name, still in self.stills.items()
            if image.devices[name].quality is Quality.GOOD
            and _out(still, image.devices[name].spec, image.at, policy)
        }
        if not out:
            return image
        devices = dict(image.devices)
        for name, still in out.items():
            why = _why(image.devices[name].spec, still, image.at)
            devices[name] = replace(devices[name], quality=Quality.STALE, error=why)
        return replace(image, devices=devices)

    def shifted(self, by_s: float) -> "Frozen":
        """Return it with all times moved, after UTC was set."""
        return Frozen(
            {
                name: replace(
                    still,
                    at=still.at + by_s,
                    first=still.first + by_s,
                    since=None if still.since is None else still.since + by_s,
                )
                for name, still in self.stills.items()
            }
        )


def _out(still: Still, spec: DeviceSpec, now: float, policy: AllocatorPolicy) -> bool:
    """Return whether a figure has been contradicted for too long."""
    meter = spec.kind is DeviceKind.METER
    after_s = policy.frozen_after_s if meter else policy.frozen_told_s
    return still.since is not None and now - still.since >= after_s


def _elsewhere(state: DeviceState, memory: Memory, now: float, policy: AllocatorPolicy) -> bool:
    """Return whether a device was told to be elsewhere than it says, and stands not just still."""
    told = memory.setpoint(state.spec.id, now)
    if told is None or state.reading is None or not state.reading.power_w:
        return False
    over_w = state.reading.power_w - state.reading.regulated_w - told.power_w
    match state.spec.control:
        case Control.TARGET:
            return abs(over_w) > policy.short_of_w
        case Control.CEILING:
            return over_w > policy.short_of_w
        case Control.SWITCH:
            return told.power_w < state.spec.max_w and over_w > policy.short_of_w
        case Control.FLOOR:
            return over_w < -policy.short_of_w
        case Control.NONE:
            return False


def _why(spec: DeviceSpec, still: Still, now: float) -> str:
    since_s = now - (now if still.since is None else still.since)
    meter = spec.kind is DeviceKind.METER
    what = say("other devices moved") if meter else say("it was told otherwise")
    return say(
        "{id}: power reads {power:g} W to the last digit while {what} for {since:.0f} s, "
        "so it is not believed",
        id=spec.id,
        power=still.power_w,
        what=what,
        since=since_s,
    )
