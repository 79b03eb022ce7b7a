"""How far each battery may stray from what it is told while every limit of the home holds.

For a loop that moves a battery between two decisions of the cycle (`hems.regulation`). What only
pays, or is merely wished of the battery, leaves it free; what comes from outside, its own
capability and reserve, and all limits at the meter and on the phases do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hems.cem import storage
from hems.cem.arbiter import Span
from hems.cem.course import Course
from hems.cem.loads import Grant
from hems.cem.observe import Usable
from hems.cem.phases import Lines
from hems.cem.scene import Scene
from hems.cem.storage import StoragePlan, Surroundings
from programs.proposal import Bounds


def rooms(
    scene: Scene,
    lines: Lines,
    batteries: Sequence[Usable],
    *,
    grants: Mapping[str, Grant],
    around: Surroundings,
    stored: StoragePlan,
    course: Course,
) -> dict[str, Bounds]:
    """Return where each battery's power may be, W, while the others do as they are told.

    Args:
        scene: What is decided on.
        lines: The phases that have a limit.
        batteries: Those that can be controlled now.
        grants: What the loads were granted.
        around: What the batteries have to even out, with what the loads will draw.
        stored: What the batteries are driven at.
        course: Where the net power may go.

    Returns:
        By id; empty while nobody knows what the home draws beside them.
    """
    if not scene.seen.known or around.base_w is None:
        return {}
    decision, policy = scene.decision, scene.policy
    firmly = {b.id: replace(decision.of(b.id), span=decision.of(b.id).firm) for b in batteries}
    decision = replace(decision, targets={**decision.targets, **firmly})
    decision = replace(scene, decision=decision).batteries(lines, batteries, grants)
    able: dict[str, Bounds] = {}
    for battery in batteries:
        own = Span(storage.capability(battery, policy))
        able[battery.id] = own.cut(decision.of(battery.id).span.bounds, None).bounds
    whole = Span(
        Bounds(sum(a.lower_w for a in able.values()), sum(a.upper_w for a in able.values()))
    )
    for by, bounds in storage.limits_on(decision, around, course, policy):
        whole = whole.cut(bounds, by)
    found: dict[str, Bounds] = {}
    for name, own_bounds in able.items():
        others_w = stored.total_w - stored.targets[name]
        left = Bounds(whole.bounds.lower_w - others_w, whole.bounds.upper_w - others_w)
        found[name] = left.within(own_bounds)
    return found
