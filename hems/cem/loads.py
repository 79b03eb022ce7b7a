"""Which loads may run, and how much a car may take, in the room that a limit leaves.

Loads that run keep running, most essential first, while they fit; a car takes what is left, and
in an emergency stands in line by its essentiality like the rest. Loads that were taken away come
back one at a time, and only where their full power fits.

Who owns a load, and who wishes it to run, decides which limits reach it and when it yields
(`programs.ownership`, `programs.warmth`): those of others yield last and to emergencies alone; what
is too cold, or what the owner wants to run, yields last to what comes from outside, and takes the
place of what is not; those of the service provider yield first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from der.model import Control, Ownership
from der.sentence import say
from hems.cem.arbiter import Decision, Span
from hems.cem.course import Course
from hems.cem.observe import Usable
from hems.cem.policy import AllocatorPolicy
from hems.cem.room import Room, View, reach, wanted
from hems.cem.surplus import Surplus, bears, share_of
from programs.ownership import essential, weakest
from programs.proposal import Proposal, Rank

TURN: Final = say("It comes back in its turn, so that not all start at once")


@dataclass(frozen=True, slots=True)
class Grant:
    """What one load may have.

    Attributes:
        allowed_w: In W; infinite where it is free.
        high_w: The most that it may be drawing until it has obeyed.
        low_w: The least that it may be drawing until it has obeyed.
        by: Whose word holds it; None where it is free or only waits.
        reason: Why it waits, where nobody's word holds it.
        lacks: Whether the sun leaves a car that charges from it less than its least power.
        start_w: What it will draw at once above `low_w`: it may start now, and wants to.
    """

    allowed_w: float
    high_w: float
    low_w: float
    by: Proposal | None = None
    reason: str = ""
    lacks: bool = False
    start_w: float = 0.0


@dataclass(slots=True)
class LoadPlan:
    """Grants loads their power, in one pass over all of them.

    Attributes:
        decision: What the arbiter decided.
        room: What may be granted.
        returned_at: When a load last came back, UTC epoch seconds; moves when one does.
        now: UTC epoch seconds.
        policy: The allocator's figures.
        surplus: What the sun leaves over for cars.
        course: Where the net power may go.
        grants: The outcome, by device id.
        off: Loads that had been taken away before, most essential first.
        falling_w: What loads still draw of what they no longer may.
    """

    decision: Decision
    room: Room
    returned_at: float
    now: float
    policy: AllocatorPolicy
    surplus: Surplus = Surplus()  # noqa: RUF009 (frozen, so one instance serves all)
    course: Course = Course()  # noqa: RUF009
    grants: dict[str, Grant] = field(default_factory=dict)
    off: list[Usable] = field(default_factory=list)
    falling_w: float = 0.0

    def grant(self, loads: Sequence[Usable]) -> None:
        """Fill `grants` for all loads (ceilings and switches)."""
        ranked = sorted(loads, key=self._standing)
        self.off = [u for u in ranked if _is_off(u)]
        on = [u for u in ranked if not _is_off(u)]
        for load in [u for u in on if _of_others(u) or essential(u.state.spec)]:
            self._keep(load)
        for load in [u for u in on if u.id not in self.grants and self._locked(u)]:
            self._keep_locked(load)
        reserved = self._reserve()
        for load in [u for u in on if u.id not in self.grants]:
            self._keep(load)
        self._release(reserved)
        self.falling_w = sum(self._excess_w(u) for u in ranked)
        for load in self.off:
            self._give_back(load)

    def _keep(self, load: Usable) -> None:
        if load.state.spec.control is Control.CEILING:
            self._keep_ceiling(load)
        else:
            self._keep_switch(load)

    def _reserve(self) -> Sequence[Usable]:
        """Take the room that loads give up for those that are off and wanted more."""
        reserved: list[Usable] = []
        for load in self.off:
            if not self._wanted(load) or load.state.spec.control is not Control.SWITCH:
                continue
            waits = load.reading.wants_power is not False and self._rested(load)
            barred = self.decision.of(load.id).span.bounds.upper_w < load.state.spec.max_w
            needed_w = self._needed_w(load)
            if waits and not barred and needed_w <= self._view(load).spare_w:
                self.room.take(needed_w, load.state)
                reserved.append(load)
        return reserved

    def _release(self, reserved: Sequence[Usable]) -> None:
        """Give back the room that was taken for loads that are off."""
        for load in reserved:
            self.room.take(-self._needed_w(load), load.state)

    def _standing(self, load: Usable) -> tuple[int, bool, int, str]:
        """Return a sort key, the load to be kept longest first."""
        spec, by = load.state.spec, self.room.by
        turn = 2
        if _of_others(load) or essential(spec):
            turn = 0
        elif spec.ownership is Ownership.SERVICE_PROVIDER:
            turn = 3 if by is not None and by.rank <= weakest(spec) else 1
        elif self._wanted(load):
            turn = 1
        turn -= essential(spec)
        yields_first = spec.control is Control.CEILING and not self._emergency
        return (turn, yields_first, -spec.essentiality, spec.id)

    @property
    def _emergency(self) -> bool:
        """Whether it is an emergency, or safety, that leaves the least."""
        return self.room.by is not None and self.room.by.rank <= Rank.EMERGENCY

    def _wanted(self, load: Usable) -> bool:
        """Return whether somebody's word is that the load shall run, and counts now."""
        return not self._emergency and wanted(self.decision.of(load.id).span)

    def _view(self, load: Usable) -> View:
        """Return the room under the limits that reach a load."""
        spec = load.state.spec
        return self.room.view(reach(spec, self.decision.of(load.id).span), load.state)

    def _whole(self, load: Usable) -> View:
        """Return the room under all limits."""
        return self.room.view(Rank.IDLE, load.state)

    def _locked(self, load: Usable) -> bool:
        """Return whether only stronger limits than others may take the load away."""
        spec, span = load.state.spec, self.decision.of(load.id).span
        ran_s = self.now - load.memory.running_since
        if load.running and ran_s < spec.min_on_s:
            return span.upper_by is None or span.upper_by.rank > Rank.EMERGENCY
        return self._wanted(load)

    def _keep_locked(self, load: Usable) -> None:
        spec, power_w = load.state.spec, load.reading.power_w
        timed = load.running and self.now - load.memory.running_since < spec.min_on_s
        urgent = self.room.view(Rank.EMERGENCY, load.state)
        most_w = urgent.left_w if timed else self._view(load).left_w
        whole = self._whole(load)
        if spec.control is Control.CEILING:
            least_w = max(spec.least_on_w, 0.0)
            if power_w > whole.left_w >= least_w or least_w > most_w:
                return  # it fits by being turned down, or a stronger limit takes it away
            if power_w > whole.left_w:
                self.room.take(least_w, load.state)
                high_w = max(power_w, least_w)
                self.grants[load.id] = Grant(least_w, high_w, least_w, whole.by)
            return
        barred = not load.running and self.decision.of(load.id).span.bounds.upper_w < spec.max_w
        if not barred and (power_w if load.running else spec.max_w) <= most_w:
            self.room.take(power_w, load.state)
            self.grants[load.id] = Grant(math.inf, power_w, power_w)

    def _keep_switch(self, load: Usable) -> None:
        """Keep a switched load that runs, or may start, if it fits.

        One that is idle is kept only where its full power would fit: else its thermostat would
        break the limit, only to be switched off a cycle later.
        """
        span, view = self.decision.of(load.id).span, self._view(load)
        max_w, power_w = load.state.spec.max_w, load.reading.power_w
        if span.bounds.upper_w < max_w:
            self._stop(load, span.upper_by)
        elif (power_w if load.running else max_w) > view.left_w:
            self._stop(load, view.by)
        else:
            self.room.take(power_w, load.state)
            self.grants[load.id] = Grant(math.inf, power_w, power_w)

    def _keep_ceiling(self, load: Usable) -> None:
        """Set the ceiling of a car that is not stopped.

        It keeps what it has while that fits into the whole room, and is granted anew only what
        fits beside all that is held back: so it is not turned down and up by each ripple.
        """
        past, spec = load.memory, load.state.spec
        aside = self._set_aside(load)
        view = self._view(load)
        self._release(aside)
        sun = share_of(load, self.surplus, self.now, self.policy)
        lacks = self._lacks(load, sun.now_w)
        if lacks and bears(load, self.now, self.policy):
            sun = replace(sun, now_w=spec.least_on_w, sure_w=spec.least_on_w)
        help_w = self._beforehand_w(load)
        limit_w, by = self._ceiling(load, view.spare_w + help_w, view, sun.sure_w)
        most_w, _ = self._ceiling(load, view.left_w + help_w - self.room.late_w, view, sun.now_w)
        before_w = past.allowed_w
        near = load.reading.power_w > limit_w - self.policy.raise_least_w
        band_w = self.policy.dead_band_w if near else self.policy.raise_least_w
        waited_s = self.now - past.changed_at
        raised = False
        if limit_w < min(before_w, spec.max_w) <= most_w:
            allowed_w = before_w
        elif limit_w < spec.least_on_w or limit_w <= 0:
            self._stop(load, by)
            return
        elif limit_w >= spec.max_w:
            raised = past.held and self._may_return()
            allowed_w = math.inf if raised or not past.held else before_w
            if raised:
                self.returned_at = self.now
        elif limit_w < before_w - band_w or before_w > spec.max_w:
            allowed_w = limit_w
        elif limit_w >= before_w + self.policy.raise_least_w:
            raised = waited_s >= self.policy.raise_every_s
            allowed_w = limit_w if raised else before_w
        else:
            allowed_w = before_w
        kept_w = self.course.car_w(load, allowed_w, self.room.course_w, waited_s, self.policy)
        if kept_w < allowed_w:
            if kept_w - before_w < self.policy.raise_least_w and allowed_w > before_w:
                kept_w, raised = before_w, False
            allowed_w, by = kept_w, self.course.span.upper_by
        rising = raised or waited_s < self.policy.settle_s
        self._grant_ceiling(load, allowed_w, by, rising=rising, lacks=lacks)

    def _grant_ceiling(
        self,
        load: Usable,
        allowed_w: float,
        by: Proposal | None,
        *,
        rising: bool,
        lacks: bool = False,
    ) -> None:
        power_w = load.reading.power_w
        possible_w = min(allowed_w, load.state.spec.max_w) if load.may_draw else power_w
        self.room.take(max(possible_w, 0.0), load.state)
        high_w = max(power_w, possible_w) if rising else power_w
        reason = "" if by is not None else TURN
        low_w = min(power_w, allowed_w)
        self.grants[load.id] = Grant(allowed_w, high_w, low_w, by, reason, lacks)
        taken_w = max(possible_w, 0.0)
        self.surplus = replace(
            self.surplus, now_w=self.surplus.now_w - taken_w, sure_w=self.surplus.sure_w - taken_w
        )

    def _beforehand_w(self, load: Usable) -> float:
        """Return the batteries' help, never positive, that a car which takes nothing must not have.

        It may begin at any time, and they answer late: so it begins with what it finds without
        them, and has their help as soon as it is seen that it takes power.
        """
        return 0.0 if load.may_draw else self.room.help_w

    def _lacks(self, load: Usable, now_w: float) -> bool:
        """Return whether the sun leaves a car that charges from it less than its least power."""
        preferred_w = self.decision.of(load.id).preferred_w
        least_w = load.state.spec.least_on_w
        return preferred_w is not None and max(preferred_w, now_w) < least_w

    def _stop(self, load: Usable, by: Proposal | None, reason: str = "") -> None:
        """Take a load away, or keep it away."""
        power_w = load.reading.power_w
        self.grants[load.id] = Grant(0.0, power_w, min(power_w, 0.0), by, reason)

    def _give_back(self, load: Usable) -> None:
        """Let a load that is off come back, if it is its turn and it fits.

        What others have been told to give up makes room only once they have.
        """
        spec, span, power_w = load.state.spec, self.decision.of(load.id).span, load.reading.power_w
        rested, view = self._rested(load), self._view(load)
        ready = rested and self._may_return()
        falling_w = self.falling_w - self._excess_w(load)
        spare_w = view.spare_w - falling_w
        if spec.control is Control.CEILING:
            aside = self._set_aside(load)
            view = self._view(load)
            self._release(aside)
            sun = share_of(load, self.surplus, self.now, self.policy)
            room_w = view.spare_w - falling_w + self._beforehand_w(load)
            limit_w, by = self._ceiling(load, room_w, view, sun.sure_w)
            limited = limit_w < spec.max_w
            headroom_w = self.policy.headroom_w if math.isfinite(spare_w) else 0.0
            fits = limit_w - headroom_w >= max(spec.least_on_w, 1.0)
            if self.course.asked:
                limit_w = min(limit_w, max(self.room.course_w, spec.least_on_w))
                limited = limit_w < spec.max_w
            if ready and fits and self._smooth(limit_w):
                self.returned_at = self.now
                allowed_w = limit_w if limited else math.inf
                self._grant_ceiling(load, allowed_w, by if limited else None, rising=True)
                return
        else:
            barred = span.bounds.upper_w < spec.max_w
            by = span.upper_by if barred else view.by
            fits = not barred and self._needed_w(load) <= spare_w
            if ready and fits and self._smooth(spec.max_w):
                self.returned_at = self.now
                self.room.take(spec.max_w, load.state)
                low_w = min(power_w, 0.0)
                start_w = spec.max_w - low_w if load.reading.wants_power else 0.0
                self.grants[load.id] = Grant(math.inf, spec.max_w, low_w, start_w=start_w)
                return
        waits = TURN if rested else say("It rests for its minimum off time")
        self._stop(load, None if fits else by, waits if fits or by is None else "")

    def _excess_w(self, load: Usable) -> float:
        """Return what a load draws above what it may have."""
        grant = self.grants.get(load.id)
        allowed_w = 0.0 if load in self.off else math.inf if grant is None else grant.allowed_w
        return max(load.reading.power_w - allowed_w, 0.0)

    def _set_aside(self, car: Usable) -> Sequence[Usable]:
        """Take the room to leave to more essential loads that are off and may come back."""
        aside: list[Usable] = []
        for load in self.off:
            spec = load.state.spec
            if spec.control is not Control.SWITCH or load.id in self.grants:
                continue
            more = spec.essentiality > car.state.spec.essentiality or self._wanted(load)
            if not more or not self._rested(load):
                continue
            if load.reading.wants_power is False:
                continue
            needed_w, span = self._needed_w(load), self.decision.of(load.id).span
            if span.bounds.upper_w >= spec.max_w and needed_w <= self._whole(load).spare_w:
                self.room.take(needed_w, load.state)
                aside.append(load)
        return aside

    def _needed_w(self, load: Usable) -> float:
        """Return the room in W that a switched load must find to come back."""
        limited = math.isfinite(self.room.left_w) or bool(self.room.lines.lines)
        return load.state.spec.max_w + (self.policy.headroom_w if limited else 0.0)

    def _rested(self, load: Usable) -> bool:
        return self.now - load.memory.changed_at >= load.state.spec.min_off_s

    def _smooth(self, step_w: float) -> bool:
        waited_s = self.now - self.returned_at
        return self.course.bears(step_w, self.room.course_w, waited_s, self.policy)

    def _may_return(self) -> bool:
        return self.now - self.returned_at >= self.policy.stagger_s

    def _ceiling(
        self, load: Usable, room_w: float, view: View, sun_w: float
    ) -> tuple[float, Proposal | None]:
        """Return the most that a car may take of a room and of the sun, and whose word that is."""
        spec, target = load.state.spec, self.decision.of(load.id)
        span, preferred_w = target.span, target.preferred_w
        own = _own_limit(span)
        if preferred_w is not None and max(preferred_w, sun_w) < min(own, room_w, spec.max_w):
            return max(preferred_w, sun_w, 0.0), target.preferred_by
        if own < min(room_w, spec.max_w):
            return own, span.upper_by
        if room_w < spec.max_w:
            return room_w, view.by
        return spec.max_w, None


def _of_others(load: Usable) -> bool:
    return load.state.spec.ownership is Ownership.OTHER


def _own_limit(span: Span) -> float:
    return max(span.bounds.upper_w, 0.0)


def _is_off(load: Usable) -> bool:
    """Return whether the load has been taken away (a car may also only be turned down)."""
    allowed_w = load.memory.allowed_w
    if load.state.spec.control is Control.SWITCH:
        return load.memory.held
    return allowed_w <= 0 or allowed_w < load.state.spec.least_on_w
