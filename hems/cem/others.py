"""Storage and generation of others: left alone, but for safety and emergencies.

What they do is reckoned as part of what cannot be controlled. Where an urgent limit of the home
would not hold although all that is the home's own has given way, or an urgent word is about them
directly, they are moved just as far as needed, and let go once their full power would fit again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from der.model import Control, Ownership
from hems.cem.arbiter import Decision, Span
from hems.cem.observe import Usable
from hems.cem.policy import AllocatorPolicy
from programs.proposal import HOME, Bounds, Proposal


@dataclass(frozen=True, slots=True)
class Hold:
    """What a device of others is held to.

    Attributes:
        power_w: The power that it is driven at, or its floor.
        by: Whose urgent word that is.
    """

    power_w: float
    by: Proposal


def apart(devices: Sequence[Usable]) -> tuple[tuple[Usable, ...], tuple[Usable, ...]]:
    """Return the home's own devices (the service provider's among them) and those of others."""
    others = tuple(u for u in devices if u.state.spec.ownership is Ownership.OTHER)
    return tuple(u for u in devices if u not in others), others


def plan(
    others: Sequence[Usable], decision: Decision, net_w: float | None, policy: AllocatorPolicy
) -> Mapping[str, Hold]:
    """Return what is held, by device id; who is not named runs by itself.

    Args:
        others: Batteries and inverters of others.
        decision: What the arbiter decided.
        net_w: Net power in W once the home's own devices have obeyed; None where unknown.
        policy: The allocator's figures.
    """
    urgent = decision.urgently
    home = urgent.of(HOME).span
    aim = policy.aim(home.bounds)
    holds: dict[str, Hold] = {}
    for device in sorted(others, key=lambda u: (u.state.spec.essentiality, u.id)):
        able = _able(device)
        power_w, by = _clamped(able, device.reading.power_w, urgent.of(device.id).span)
        if net_w is not None:
            held, at_w = device.memory.target_w is not None, device.reading.power_w
            # Of one that is held nobody knows what it would do: all that it can.
            high_w = net_w + (able.upper_w - at_w if held else 0.0)
            low_w = net_w + (able.lower_w - at_w if held else 0.0)
            stores = device.state.spec.control is Control.TARGET
            if stores and home.upper_by is not None and high_w > aim.upper_w:
                power_w = min(power_w, able.clamp(at_w + min(aim.upper_w - net_w, 0.0)))
                by = home.upper_by
            elif home.lower_by is not None and low_w < aim.lower_w:
                power_w = max(power_w, able.clamp(at_w + max(aim.lower_w - net_w, 0.0)))
                by = home.lower_by
            net_w += power_w - at_w
        if by is not None:
            holds[device.id] = Hold(power_w, by)
    return holds


def _able(device: Usable) -> Bounds:
    """Return what a device may be moved to: an inverter only gives less."""
    spec = device.state.spec
    if spec.control is Control.FLOOR:
        return Bounds(min(spec.min_w, device.reading.power_w), max(spec.max_w, 0.0))
    return Bounds(min(spec.min_w, 0.0), max(spec.max_w, 0.0))


def _clamped(able: Bounds, power_w: float, span: Span) -> tuple[float, Proposal | None]:
    """Return a device's power as an urgent word about itself has it, and whose word it is."""
    by = span.upper_by or span.lower_by
    if by is None:
        return power_w, None
    return able.clamp(span.bounds.clamp(power_w)), by
