"""What the pure rules remember from one cycle to the next, passed in and out as plain state."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from der.model import Phase, Setpoint
from hems.cem.base import Base
from programs.proposal import Bounds

_MOST_AIMS: Final = 16
"""Bound of the memory, however short the cycle."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a device has confirmed.

    Attributes:
        setpoint: The set-point, None for its own control.
        at: When it confirmed, UTC epoch seconds.
        doubtful: Whether it may hold something else by now, since its connection was lost or
            the hub was restarted; it is written again at the next chance.
        disconnected: Whether it stands with its switch open.
    """

    setpoint: Setpoint | None
    at: float
    doubtful: bool = False
    disconnected: bool = False


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """One device's past, as far as deciding needs it; times are UTC epoch seconds.

    Attributes:
        allowed_w: What a load is let have in W; infinite while it is free.
        target_w: What a battery is driven at or an inverter is held to; None while it is free.
        changed_at: When `allowed_w` or `target_w` last changed.
        running: Whether it drew power at the last reading; None before the first.
        running_since: When `running` last changed; -inf where it was found so.
        spent: A battery that is at its reserve and has not recovered from it.
        reach: What a battery has shown it can do where it fell short of its set-point.
        reach_until: When it is trusted to do more again.
        lacking_since: Since when the sun leaves a car that charges from it too little; None while
            it leaves enough.
        recent: Its last readings, (time, W), oldest first.
        aims: What it was told that its reading may not show yet, (time of the decision, or where
            it was not counted on then, of its confirmation, W), oldest first: as `allowed_w` or
            `target_w`.
    """

    allowed_w: float = math.inf
    target_w: float | None = None
    changed_at: float = -math.inf
    running: bool | None = None
    running_since: float = -math.inf
    spent: bool = False
    reach: Bounds = Bounds()  # noqa: RUF009 (frozen, so one instance serves all)
    reach_until: float = -math.inf
    lacking_since: float | None = None
    recent: tuple[tuple[float, float], ...] = ()
    aims: tuple[tuple[float, float | None], ...] = ()

    def read(self, at: float, power_w: float, lag_s: float) -> "DeviceMemory":
        """Return the memory with one more reading, and those that a meter's may still be of."""
        recent = tuple(r for r in self.recent if at - 2 * lag_s <= r[0] < at)
        return replace(self, recent=(*recent, (at, power_w)))

    def returned(self, told: Given | None, now: float, settle_s: float) -> "DeviceMemory":
        """Return the memory of a device that can be controlled again.

        What it confirmed meanwhile it may be about to obey while it is read.
        """
        if told is None or now - told.at >= settle_s:
            return self
        aim = (told.at, None if told.setpoint is None else told.setpoint.power_w)
        earlier = tuple(each for each in self.aims if each[0] <= told.at)
        if aim in earlier:
            return self
        later = self.aims[len(earlier) :]
        return replace(self, aims=(*earlier, aim, *later)[-_MOST_AIMS:])

    @property
    def held(self) -> bool:
        """Whether a load is kept from having all that it wants."""
        return math.isfinite(self.allowed_w)

    def allow(self, allowed_w: float, now: float) -> "DeviceMemory":
        """Return the memory with another allowance, dated where it differs."""
        if allowed_w == self.allowed_w:
            return self
        return replace(self, allowed_w=allowed_w, changed_at=now, aims=self._aimed(allowed_w, now))

    def lacking(self, now: float, *, lacks: bool) -> "DeviceMemory":
        """Return the memory with whether the sun leaves a car too little."""
        if lacks is (self.lacking_since is not None):
            return self
        return replace(self, lacking_since=now if lacks else None)

    def shifted(self, by_s: float) -> "DeviceMemory":
        """Return the memory with all its times moved, after UTC was set."""
        return replace(
            self,
            changed_at=self.changed_at + by_s,
            running_since=self.running_since + by_s,
            reach_until=self.reach_until + by_s,
            lacking_since=None if self.lacking_since is None else self.lacking_since + by_s,
            recent=tuple((at + by_s, power_w) for at, power_w in self.recent),
            aims=tuple((at + by_s, power_w) for at, power_w in self.aims),
        )

    def drive(self, target_w: float | None, now: float) -> "DeviceMemory":
        """Return the memory with another target, dated where it differs."""
        if target_w == self.target_w:
            return self
        return replace(self, target_w=target_w, changed_at=now, aims=self._aimed(target_w, now))

    def _aimed(self, power_w: float | None, now: float) -> tuple[tuple[float, float | None], ...]:
        return (*self.aims[1 - _MOST_AIMS :], (now, power_w))


@dataclass(frozen=True, slots=True)
class Sample:
    """What could not be controlled at one reading of the meter.

    Attributes:
        at: Time of the reading, UTC epoch seconds.
        base_w: Uncontrolled base, W.
        pv_w: Generation, W, never positive but for stand-by.
        on: Both together on each phase, in the order of the phases; empty if not measured.
        lapsing_w: What of the base is not drawn yet: the help of a battery that is about to end, W.
    """

    at: float
    base_w: float
    pv_w: float
    on: tuple[float, ...] = ()
    lapsing_w: float = 0.0


@dataclass(frozen=True, slots=True)
class Memory:
    """The home's past, as far as deciding needs it.

    Attributes:
        devices: By device id, those that have been read.
        given: By device id, what each last confirmed.
        base: Power of all that cannot be controlled, as last estimated; None before.
        base_at: Time of the meter reading behind it.
        base_of: Devices that were not counted in it.
        base_on: The same on each phase; empty where the meter does not tell them apart.
        past: The base over the last minute, oldest first; bounded.
        steps: By how much the base rose at once lately, (time, W), oldest first; bounded.
        returned_at: When a load last came back.
        probing: Whether the last decision let a battery feel for held-back sun.
        probe_after: Earliest time of the next such step.
        uncomfortable: Devices whose temperature has left its bounds and is not yet back.
    """

    devices: Mapping[str, DeviceMemory] = field(default_factory=dict)
    given: Mapping[str, Given] = field(default_factory=dict)
    base: Base | None = None
    base_at: float = -math.inf
    base_of: frozenset[str] = frozenset()
    base_on: Mapping[Phase, Base] = field(default_factory=dict)
    past: tuple[Sample, ...] = ()
    steps: tuple[tuple[float, float], ...] = ()
    returned_at: float = -math.inf
    probing: bool = False
    probe_after: float = -math.inf
    uncomfortable: frozenset[str] = frozenset()

    def device(self, device: str) -> DeviceMemory:
        """Return a device's memory; an empty one where it has none."""
        return self.devices.get(device, _BLANK)

    def setpoint(self, device: str, now: float) -> Setpoint | None:
        """Return what a device was told and has not dropped by itself since."""
        given = self.given.get(device)
        if given is None or given.setpoint is None or now >= given.at + given.setpoint.lapse_s:
            return None
        return given.setpoint

    def confirmed(
        self, device: str, setpoint: Setpoint | None, at: float, *, disconnected: bool = False
    ) -> "Memory":
        """Return the memory after a device has confirmed a set-point."""
        given = Given(setpoint, at, disconnected=disconnected)
        return replace(self, given={**self.given, device: given})

    def shifted(self, by_s: float) -> "Memory":
        """Return the memory with all its times moved by as much as UTC was set, in s.

        What was a minute ago is so still: nothing lapses and nothing is refreshed late because
        somebody set the clock. A step forwards may have been the machine's sleep, in which
        devices dropped what they were told; so after one they are told again.
        """
        given = {
            device: replace(g, at=g.at + by_s, doubtful=g.doubtful or by_s > 0)
            for device, g in self.given.items()
        }
        return replace(
            self,
            devices={device: past.shifted(by_s) for device, past in self.devices.items()},
            given=given,
            base_at=self.base_at + by_s,
            returned_at=self.returned_at + by_s,
            probe_after=self.probe_after + by_s,
            steps=tuple((at + by_s, rise_w) for at, rise_w in self.steps),
            past=tuple(replace(sample, at=sample.at + by_s) for sample in self.past),
        )

    def doubted(self, device: str) -> "Memory":
        """Return the memory with doubt about what a device holds: it may have restarted."""
        given = self.given.get(device)
        if given is None:
            return self
        return replace(self, given={**self.given, device: replace(given, doubtful=True)})


_BLANK = DeviceMemory()
