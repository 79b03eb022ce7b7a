"""How far generation is held back: after storage and cars, the sun gives way to a limit."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hems.cem.arbiter import Decision
from hems.cem.observe import Usable
from hems.cem.policy import AllocatorPolicy
from hems.cem.storage import Surroundings
from programs.proposal import GENERATION, HOME, Proposal


@dataclass(frozen=True, slots=True)
class GenerationPlan:
    """Floors for inverters.

    Attributes:
        floors: By device id, the least (most negative) power in W; None where it is free.
        by: By device id, whose word that is.
    """

    floors: dict[str, float | None] = field(default_factory=dict)
    by: dict[str, Proposal | None] = field(default_factory=dict)


def plan(
    inverters: Sequence[Usable],
    decision: Decision,
    around: Surroundings,
    storage_w: float,
    policy: AllocatorPolicy,
    *,
    known: bool,
    course_w: tuple[float, Proposal] | None = None,
) -> GenerationPlan:
    """Return each inverter's floor.

    Floors are set before the sun reaches them, so that a cloud's edge breaks no limit; an
    inverter is let free as soon as its floor would be beyond what it can give. One that is held
    stays held as it is while the meter is lost: a hub that restarts then must not undo what it
    finds.

    Args:
        inverters: Those that can be controlled now.
        decision: What the arbiter decided.
        around: What the house draws.
        storage_w: What the batteries are driven at, all together, W.
        policy: The allocator's figures.
        known: Whether the meter shows the net power now.
        course_w: The least power in W of all inverters together that the home's course leaves, the
            batteries' full help counted in, and whose word that is; None without one.
    """
    floors: dict[str, float | None] = {}
    who: dict[str, Proposal | None] = {}
    rated_w = sum(min(u.state.spec.min_w, 0.0) for u in inverters)
    total_w, total_by = _total(decision, around, storage_w, policy)
    if course_w is not None and min(course_w[0], 0.0) > total_w:
        total_w, total_by = min(course_w[0], 0.0), course_w[1]
    for inverter in inverters:
        spec, own = inverter.state.spec, decision.of(inverter.id).span
        share = min(spec.min_w, 0.0) / rated_w if rated_w else 0.0
        floor_w, by = total_w * share if share else -float("inf"), total_by
        if own.lower_by is not None and own.bounds.lower_w > floor_w:
            floor_w, by = own.bounds.lower_w, own.lower_by
        held_w = inverter.memory.target_w
        if not known and held_w is not None and (by is None or floor_w < held_w):
            floors[inverter.id], who[inverter.id] = held_w, by
            continue
        if floor_w <= spec.min_w or by is None:
            floors[inverter.id], who[inverter.id] = None, None
            continue
        floors[inverter.id] = _steady(inverter, min(floor_w, max(spec.max_w, 0.0)), policy)
        who[inverter.id] = by
    return GenerationPlan(floors, who)


def held_back(inverters: Sequence[Usable], policy: AllocatorPolicy) -> bool:
    """Return whether some inverter gives all that it is let give, and so perhaps has more."""
    return any(
        u.memory.target_w is not None
        and u.reading.power_w <= u.memory.target_w + max(policy.margin_w, policy.dead_band_w)
        for u in inverters
    )


def _total(
    decision: Decision, around: Surroundings, storage_w: float, policy: AllocatorPolicy
) -> tuple[float, Proposal | None]:
    """Return the least power in W that all controllable inverters together may have.

    Where the meter has never answered, the house is reckoned to draw and to give nothing: a limit
    on generation needs no meter, and one on export is kept whatever the house draws.
    """
    base_w = around.base_w
    if base_w is None:
        base_w, around, storage_w = 0.0, Surroundings(0.0), min(storage_w, 0.0)
    home, made = decision.of(HOME).span, decision.of(GENERATION).span
    total_w, by = -float("inf"), None
    if home.lower_by is not None:
        total_w = policy.aim(home.bounds).lower_w - base_w - around.low_w - storage_w
        total_w += around.unseen_w + around.fall_w
        by = home.lower_by
    if made.lower_by is not None:
        aim_w = policy.aim(made.bounds).lower_w
        made_w = aim_w - min(base_w, 0.0) - min(storage_w, 0.0) + around.unseen_w
        if made_w > total_w:
            total_w, by = made_w, made.lower_by
    return min(total_w, 0.0), by


def _steady(inverter: Usable, floor_w: float, policy: AllocatorPolicy) -> float:
    """Return the present floor where the new one would not be worth a write."""
    before_w = inverter.memory.target_w
    if before_w is None or not -policy.dead_band_w <= floor_w - before_w <= policy.dead_band_w:
        return floor_w
    return before_w
