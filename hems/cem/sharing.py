"""How batteries share a total: in proportion to the room that each has, or some of them first."""

from collections.abc import Collection, Mapping

from programs.proposal import Bounds


def share(
    start: Mapping[str, float], room: Mapping[str, Bounds], total_w: float
) -> dict[str, float]:
    """Return powers that add up to `total_w`, moved from `start` in proportion to the room left.

    The total must lie inside the rooms' sum; a start outside its room is moved to its edge.
    """
    start = {b: room[b].clamp(w) for b, w in start.items()}
    missing_w = total_w - sum(start.values())
    if missing_w >= 0:
        spare = {b: room[b].upper_w - w for b, w in start.items()}
    else:
        spare = {b: room[b].lower_w - w for b, w in start.items()}
    spare_w = sum(spare.values())
    if spare_w == 0:
        return start
    part = min(missing_w / spare_w, 1.0)
    return {b: room[b].clamp(w + part * spare[b]) for b, w in start.items()}


def share_in_turn(
    start: Mapping[str, float],
    room: Mapping[str, Bounds],
    total_w: float,
    first: Collection[str],
) -> dict[str, float]:
    """Return powers that add up to `total_w`, those in `first` moved as far as they go.

    The others are moved only for what is then still missing.
    """
    start = {b: room[b].clamp(w) for b, w in start.items()}
    leading = {b: w for b, w in start.items() if b in first}
    rest_w = sum(start.values()) - sum(leading.values())
    least_w = sum(room[b].lower_w for b in leading)
    most_w = sum(room[b].upper_w for b in leading)
    moved = share(leading, room, Bounds(least_w, most_w).clamp(total_w - rest_w))
    left_w = total_w - sum(moved.values())
    return moved | share({b: w for b, w in start.items() if b not in first}, room, left_w)
