"""What the batteries do: their preference, moved as far as the limits need and they can.

All batteries together are one figure first, so that limits are met exactly; then it is shared in
proportion to the room that each has.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from hems.cem.arbiter import Decision, Span
from hems.cem.course import Course
from hems.cem.observe import Usable
from hems.cem.policy import AllocatorPolicy, SurplusFirst
from hems.cem.sharing import share, share_in_turn
from programs.ownership import reached
from programs.proposal import GENERATION, HOME, LOADS, Bounds, Proposal, Rank

_NO_COURSE: Final = Course()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the batteries have to even out; powers in W, passive sign.

    Attributes:
        base_w: The uncontrolled base; None if never known.
        pv_w: Controllable generation, never positive but for its stand-by.
        house_w: Switched loads, with those that start now.
        car_w: Cars.
        high_w: The most that all controlled loads may draw until they have obeyed.
        low_w: The least.
        rise_w: How far base and generation together may rise before the next decision.
        base_rise_w: How far the base alone may.
        fall_w: How far base and generation together may fall.
        absent_w: How much more devices that cannot be counted on may draw.
        unseen_w: How much more such devices may give, never negative.
    """

    base_w: float | None
    pv_w: float = 0.0
    house_w: float = 0.0
    car_w: float = 0.0
    high_w: float = 0.0
    low_w: float = 0.0
    rise_w: float = 0.0
    base_rise_w: float = 0.0
    fall_w: float = 0.0
    absent_w: float = 0.0
    unseen_w: float = 0.0


@dataclass(frozen=True, slots=True)
class StoragePlan:
    """What the batteries are driven at.

    Attributes:
        targets: By device id, in W, charging positive.
        by: By device id, whose word that is; None where nobody asked anything.
    """

    targets: dict[str, float] = field(default_factory=dict)
    by: dict[str, Proposal | None] = field(default_factory=dict)

    @property
    def total_w(self) -> float:
        """All batteries together."""
        return sum(self.targets.values())


def capability(battery: Usable, policy: AllocatorPolicy, *, to_empty: bool = False) -> Bounds:
    """Return what a battery can do now, by its rating, its charge and its conduct.

    Args:
        battery: The battery.
        policy: Where its reserve stands.
        to_empty: Whether its reserve may be used too.
    """
    spec, past, soc = battery.state.spec, battery.memory, battery.reading.soc
    if battery.reading.connected is False:
        return Bounds(0.0, 0.0)
    spent = past.spent and not (to_empty and soc is not None and soc > 0)
    lower_w = 0.0 if spent else min(spec.min_w, 0.0)
    upper_w = 0.0 if soc is not None and soc >= policy.full_soc else max(spec.max_w, 0.0)
    return Bounds(max(lower_w, past.reach.lower_w), min(upper_w, past.reach.upper_w))


def _to_empty(decision: Decision) -> bool:
    """Return whether the home's limit is an emergency's: the reserve is kept for such."""
    limit = decision.of(HOME).span.upper_by
    return limit is not None and limit.rank is Rank.EMERGENCY


def _asked(
    battery: Usable, decision: Decision, policy: AllocatorPolicy, *, to_empty: bool
) -> Bounds:
    """Return what a battery may do with every wish about itself respected."""
    able = Span(capability(battery, policy, to_empty=to_empty))
    return able.cut(decision.of(battery.id).span.bounds, None).bounds


def _firm(battery: Usable, decision: Decision, home: Span, policy: AllocatorPolicy) -> Bounds:
    """Return what the home's limits, or its course, may ask of a battery against weaker wishes."""
    able = capability(battery, policy, to_empty=_to_empty(decision))
    wanted = decision.of(battery.id).span
    span = Span(able)
    if _as_strong(wanted.lower_by, home.upper_by):
        span = span.cut(Bounds(lower_w=wanted.bounds.lower_w), wanted.lower_by)
    if _as_strong(wanted.upper_by, home.lower_by):
        span = span.cut(Bounds(upper_w=wanted.bounds.upper_w), wanted.upper_by)
    return span.bounds


def _rooms(
    batteries: Sequence[Usable],
    decision: Decision,
    around: Surroundings,
    course: Course,
    policy: AllocatorPolicy,
) -> dict[str, Bounds]:
    """Return each battery's room: what is asked of it, unless a stronger limit needs more.

    By then the loads have been shed, so a wish about a battery (a disconnection, the owner's
    word) gives way to a stronger limit on the home only where nothing else is left.
    """
    to_empty = _to_empty(decision)
    asked = {b.id: _asked(b, decision, policy, to_empty=to_empty) for b in batteries}
    home = decision.of(HOME).span
    if around.base_w is None:
        return asked
    fixed_w = around.base_w + around.pv_w + around.low_w
    least_w = fixed_w + sum(room.lower_w for room in asked.values())
    most_w = fixed_w + sum(room.upper_w for room in asked.values())
    band_w = policy.dead_band_w
    for span, aim in ((home, policy.aim(home.bounds)), (course.span, course.span.bounds)):
        if not (aim.lower_w - band_w <= most_w and least_w <= aim.upper_w + band_w):
            return {b.id: _firm(b, decision, span, policy) for b in batteries}
    return asked


def _as_strong(by: Proposal | None, limit: Proposal | None) -> bool:
    return by is not None and (limit is None or by.rank <= limit.rank)


def greatest_help_w(
    batteries: Sequence[Usable], decision: Decision, around: Surroundings, policy: AllocatorPolicy
) -> float:
    """Return the lowest power in W that the batteries together can bring under an import limit."""
    to_empty = _to_empty(decision)
    help_w = sum(_least_w(b, decision, policy, to_empty=to_empty) for b in batteries)
    limit = decision.of(GENERATION).span
    upper_by = decision.of(HOME).span.upper_by
    if around.base_w is not None and _as_strong(limit.lower_by, upper_by):
        aim_w = policy.aim(limit.bounds).lower_w
        help_w = max(help_w, min(0.0, aim_w - min(around.base_w, 0.0) - around.pv_w))
    return help_w


def _least_w(
    battery: Usable, decision: Decision, policy: AllocatorPolicy, *, to_empty: bool
) -> float:
    """Return the lowest power in W to which a battery may be brought before a load yields.

    What pays keeps no battery from helping against a stronger limit: comfort is stronger, too.
    """
    target, limit = decision.of(battery.id), decision.of(HOME).span.upper_by
    by = target.span.lower_by
    pays = by is not None and by.rank >= Rank.ECONOMY and not _as_strong(by, limit)
    span = target.firm if pays else target.span
    able = Span(capability(battery, policy, to_empty=to_empty))
    return able.cut(span.bounds, None).bounds.lower_w


def plan(
    batteries: Sequence[Usable],
    decision: Decision,
    around: Surroundings,
    probe_w: float,
    policy: AllocatorPolicy,
    *,
    course: Course = _NO_COURSE,
) -> StoragePlan:
    """Return what each battery is driven at.

    Args:
        batteries: Those that can be controlled now.
        decision: What the arbiter decided.
        around: What they have to even out.
        probe_w: Charging in W above what is seen, to feel for generation that is held back.
        policy: The allocator's figures.
        course: Where the net power may go.
    """
    if not batteries:
        return StoragePlan()
    wishes = _wishes(batteries, decision, around, probe_w, policy)
    wished_w = sum(w for w, _ in wishes.values())
    firm = _rooms(batteries, decision, around, course, policy)
    span = Span(
        Bounds(sum(f.lower_w for f in firm.values()), sum(f.upper_w for f in firm.values()))
    )
    limits = limits_on(decision, around, course, policy)
    wished = {battery: wish_w for battery, (wish_w, _) in wishes.items()}
    first = frozenset(b.id for b in batteries if not reached(b.state.spec, Rank.OWNER))
    if first:
        outside = [(by, bounds) for by, bounds in limits if by.rank <= Rank.ACCEPTED]
        wished = share_in_turn(wished, firm, _cut(span, outside).bounds.clamp(wished_w), first)
        firm |= {b: Bounds(wished[b], wished[b]) for b in first}
        span = Span(
            Bounds(sum(f.lower_w for f in firm.values()), sum(f.upper_w for f in firm.values()))
        )
    span = _cut(span, limits)
    total_w = span.bounds.clamp(sum(wished.values()))
    kept = _kept(batteries, firm, span, total_w, policy)
    targets = share(wished, firm, total_w) if kept is None else kept
    moved_by = span.upper_by if total_w < wished_w else span.lower_by
    moved = abs(total_w - wished_w) > policy.dead_band_w and moved_by is not None
    return StoragePlan(targets, {b: moved_by if moved else by for b, (_, by) in wishes.items()})


def _cut(span: Span, limits: Sequence[tuple[Proposal, Bounds]]) -> Span:
    for by, bounds in limits:
        span = span.cut(bounds, by)
    return span


def _wishes(
    batteries: Sequence[Usable],
    decision: Decision,
    around: Surroundings,
    probe_w: float,
    policy: AllocatorPolicy,
) -> dict[str, tuple[float, Proposal | None]]:
    """Return what each battery would do if no limit moved it, and whose wish that is."""
    home = decision.of(HOME)
    wishes: dict[str, tuple[float, Proposal | None]] = {}
    room: dict[str, Bounds] = {}
    for battery in batteries:
        own = decision.of(battery.id)
        able = _asked(battery, decision, policy, to_empty=False)
        pinned = own.preferred_w is not None and _as_strong(own.preferred_by, home.preferred_by)
        wish_w = able.clamp(own.preferred_w or 0.0) if pinned else able.clamp(0.0)
        narrowed = own.span.lower_by if own.span.bounds.lower_w > 0 else own.span.upper_by
        wishes[battery.id] = (wish_w, own.preferred_by if pinned else narrowed)
        by = home.preferred_by
        if not pinned and (by is None or reached(battery.state.spec, by.rank)):
            room[battery.id] = able
    if home.preferred_w is None or around.base_w is None or not room:
        return wishes
    pinned_w = sum(w for b, (w, _) in wishes.items() if b not in room)
    house_w = around.base_w + around.pv_w + around.house_w + pinned_w
    evened_w = home.preferred_w - house_w
    if policy.car_from_storage or evened_w >= 0:
        if policy.car_from_storage or policy.surplus_first is SurplusFirst.CAR:
            evened_w -= around.car_w
        if not policy.car_from_storage:
            evened_w = max(evened_w, 0.0)
    total = Bounds(sum(r.lower_w for r in room.values()), sum(r.upper_w for r in room.values()))
    shared = share({b: wishes[b][0] for b in room}, room, total.clamp(evened_w + probe_w))
    return wishes | {b: (w, home.preferred_by) for b, w in shared.items()}


def limits_on(
    decision: Decision, around: Surroundings, course: Course, policy: AllocatorPolicy
) -> list[tuple[Proposal, Bounds]]:
    """Return what each of the home's limits leaves to all batteries, in the order to obey them."""
    return [
        # First what holds now, then what keeps room for a rise: that never breaks another limit.
        *_with_course(_limits(decision, around, policy, looked_ahead=False), course, around),
        *_limits(decision, around, policy, looked_ahead=True),
    ]


def _limits(
    decision: Decision, around: Surroundings, policy: AllocatorPolicy, *, looked_ahead: bool
) -> list[tuple[Proposal, Bounds]]:
    """Return what each of the home's limits leaves to all batteries, the strongest first."""
    rise_w = around.rise_w if looked_ahead else 0.0
    fall_w = around.fall_w if looked_ahead else 0.0
    base_rise_w = around.base_rise_w if looked_ahead else 0.0
    base_w = around.base_w
    if base_w is None:
        return []
    limits: list[tuple[Proposal, Bounds]] = []
    home, loads, made = (decision.of(t).span for t in (HOME, LOADS, GENERATION))
    aim = policy.aim(home.bounds)
    fixed_w = base_w + around.pv_w
    if home.upper_by is not None:
        upper_w = aim.upper_w - fixed_w - around.high_w - rise_w
        limits.append((home.upper_by, Bounds(upper_w=upper_w)))
    if home.lower_by is not None:
        lower_w = aim.lower_w - fixed_w - around.low_w + fall_w
        limits.append((home.lower_by, Bounds(lower_w=lower_w)))
    if loads.upper_by is not None:
        most_w = max(base_w + base_rise_w, 0.0) + around.high_w
        left_w = policy.aim(loads.bounds).upper_w - most_w
        limits.append((loads.upper_by, Bounds(upper_w=max(left_w, 0.0))))
    if made.lower_by is not None:
        left_w = policy.aim(made.bounds).lower_w - min(base_w, 0.0) - around.pv_w
        limits.append((made.lower_by, Bounds(lower_w=min(left_w, 0.0))))
    return sorted(limits, key=lambda item: item[0].rank)


def _with_course(
    limits: list[tuple[Proposal, Bounds]], course: Course, around: Surroundings
) -> list[tuple[Proposal, Bounds]]:
    """Return limits with what the course leaves to all batteries; at equal rank a limit counts."""
    by, bounds = course.span.upper_by, course.span.bounds
    if by is None or around.base_w is None:
        return limits
    fixed_w = around.base_w + around.pv_w + around.house_w + around.car_w
    asked = Bounds(bounds.lower_w - fixed_w, bounds.upper_w - fixed_w)
    return sorted([*limits, (by, asked)], key=lambda item: item[0].rank)


def _kept(
    batteries: Sequence[Usable],
    firm: dict[str, Bounds],
    span: Span,
    total_w: float,
    policy: AllocatorPolicy,
) -> dict[str, float] | None:
    """Return the batteries' present targets if they are as good as the new ones."""
    present = {b.id: b.memory.target_w for b in batteries}
    kept = {b: w for b, w in present.items() if w is not None and w in firm[b]}
    if len(kept) < len(present):
        return None
    sum_w, band_w = sum(kept.values()), policy.dead_band_w
    near = span.bounds.lower_w - band_w <= sum_w <= span.bounds.upper_w + band_w
    return kept if near and abs(sum_w - total_w) <= band_w else None
